import { css, html, LitElement, svg } from 'lit';
import { formatSignal, signalMeaning } from '../data/signal.ts';

/** Received power as bars, dBm and a word for what it means. */
export class SignalMeter extends LitElement {
  static override properties = {
    dbm: { type: Number },
    /** Leaves the word to the hover text. */
    terse: { type: Boolean },
    /** Heard before the device or its carrier went away: not how it is now. */
    stale: { type: Boolean },
  };

  static override styles = css`
    :host {
      display: inline-flex;
      align-items: center;
      gap: 8px;
      white-space: nowrap;
    }
    svg {
      flex: none;
      width: 18px;
      height: 14px;
    }
    rect {
      fill: var(--sy-rule);
    }
    .good rect.on,
    .fair rect.on {
      fill: var(--sy-good);
    }
    .weak rect.on {
      fill: var(--sy-waiting);
    }
    .poor rect.on {
      fill: var(--sy-bad);
    }
    .stale rect.on {
      fill: var(--sy-edge);
    }
    .word,
    .none,
    .stale {
      color: var(--sy-text-3);
    }
  `;

  declare dbm: number | undefined;
  declare terse: boolean;
  declare stale: boolean;

  constructor() {
    super();
    this.terse = false;
    this.stale = false;
  }

  override render() {
    if (this.dbm === undefined) return html`<span class="none" title="Not heard yet">–</span>`;
    const { bars, word } = signalMeaning(this.dbm);
    return html`<svg viewBox="0 0 18 14" class=${this.stale ? 'stale' : word} aria-hidden="true">
        ${[1, 2, 3, 4].map(
          (bar) =>
            svg`<rect class=${bar <= bars ? 'on' : ''} x=${(bar - 1) * 5} y=${14 - bar * 3.5} width="3" height=${bar * 3.5} rx="0.5"></rect>`,
        )}
      </svg>
      <span
        class=${this.stale ? 'stale' : ''}
        title=${`${this.stale ? 'When it was last heard: ' : ''}${word}; −80 dBm and above is good, −110 dBm poor`}
        >${formatSignal(this.dbm)}${this.terse ? '' : html` <span class="word" part="word">${word}</span>`}</span
      >`;
  }
}

customElements.define('sy-signal-meter', SignalMeter);
