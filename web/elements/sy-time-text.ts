import { ContextConsumer } from '@lit/context';
import { css, html, LitElement } from 'lit';
import { clockContext } from '../contexts.ts';
import { ageText, durationText, exactTime, freshness, relativeTime } from '../data/time.ts';
import { Ticker } from '../ticker.ts';

/**
 * A moment, told relative to now; the exact one on hover. `mode`: `ago` fades as it ages, `until`
 * tells what is left, `age` fades too and is the shortest.
 */
export class TimeText extends LitElement {
  static override properties = {
    at: { type: Number },
    mode: { type: String },
  };

  static override styles = css`
    :host {
      white-space: nowrap;
    }
    .fresh {
      color: var(--sy-text);
    }
    .aging {
      color: var(--sy-text-2);
    }
    .stale {
      color: var(--sy-text-3);
    }
    .over {
      color: var(--sy-bad);
    }
  `;

  declare at: number | undefined;
  declare mode: 'ago' | 'age' | 'until' | 'plain';
  readonly #clock = new ContextConsumer(this, { context: clockContext, subscribe: true });

  constructor() {
    super();
    this.mode = 'ago';
    new Ticker(this);
  }

  override render() {
    if (this.at === undefined) return html`<span class="stale">–</span>`;
    const now = this.#clock.value?.now() ?? Date.now();
    const machine = new Date(this.at).toISOString();
    if (this.mode === 'until') {
      const left = this.at - now;
      return html`<time
        datetime=${machine}
        title=${`until ${exactTime(this.at)}`}
        class=${left > 0 ? 'fresh' : 'over'}
        >${left > 0 ? durationText(left) : 'over'}</time
      >`;
    }
    const look = this.mode === 'plain' ? '' : freshness(this.at, now);
    const at = Math.min(this.at, now);
    return html`<time datetime=${machine} title=${exactTime(this.at)} class=${look}
      >${this.mode === 'age' ? ageText(at, now) : relativeTime(at, now)}</time
    >`;
  }
}

customElements.define('sy-time-text', TimeText);
