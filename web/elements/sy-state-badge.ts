import { ContextConsumer } from '@lit/context';
import { css, html, LitElement } from 'lit';
import { clockContext } from '../contexts.ts';
import type { ApiDevice } from '../data/api-types.ts';
import { stateMeanings, stateNow, stateWords } from '../data/device-state.ts';
import { Ticker } from '../ticker.ts';

/** How it is with a device: a shape and a word beside the colour. It falls asleep while one looks. */
export class StateBadge extends LitElement {
  static override properties = {
    device: { attribute: false },
  };

  static override styles = css`
    :host {
      display: inline-flex;
      white-space: nowrap;
    }
    .row {
      display: inline-flex;
      align-items: center;
      gap: 8px;
    }
    .dot {
      flex: none;
      width: 10px;
      height: 10px;
      border-radius: 50%;
      border: 2px solid var(--sy-unknown);
    }
    .awake .dot {
      border-color: var(--sy-good);
      background: var(--sy-good);
    }
    .asleep .dot {
      border-color: var(--sy-asleep);
      background: linear-gradient(90deg, var(--sy-asleep) 50%, transparent 50%);
    }
    .lost .dot {
      border-color: var(--sy-bad);
      border-radius: 2px;
      transform: rotate(45deg) scale(0.85);
    }
    .left,
    .known {
      color: var(--sy-text-3);
    }
  `;

  declare device: Pick<ApiDevice, 'state' | 'presence'> | undefined;
  readonly #clock = new ContextConsumer(this, { context: clockContext, subscribe: true });

  constructor() {
    super();
    this.device = undefined;
    new Ticker(this);
  }

  override render() {
    const state =
      this.device === undefined ? 'known' : stateNow(this.device, this.#clock.value?.now() ?? Date.now());
    return html`<span class="row ${state}" title=${stateMeanings[state]}
      ><span class="dot"></span>${stateWords[state]}</span
    >`;
  }
}

customElements.define('sy-state-badge', StateBadge);
