import { css, html, LitElement } from 'lit';
import type { ApiDevice } from '../data/api-types.ts';

/** Whether a device is registered: a shape and a word beside the colour. */
export class StateBadge extends LitElement {
  static override properties = {
    state: { type: String },
    queueMode: { type: Boolean, attribute: 'queue-mode' },
  };

  static override styles = css`
    :host {
      display: inline-flex;
      align-items: center;
      gap: 8px;
      white-space: nowrap;
    }
    .dot {
      flex: none;
      width: 10px;
      height: 10px;
      border-radius: 50%;
      border: 2px solid var(--sy-unknown);
    }
    .registered .dot {
      border-color: var(--sy-good);
      background: var(--sy-good);
    }
    .row {
      display: inline-flex;
      align-items: center;
      gap: 8px;
    }
    .unregistered {
      color: var(--sy-text-3);
    }
  `;

  declare state: ApiDevice['state'];
  declare queueMode: boolean;

  constructor() {
    super();
    this.state = 'unregistered';
    this.queueMode = false;
  }

  override render() {
    const word = this.state === 'registered' ? 'registered' : 'not registered';
    const sleeper = this.state === 'registered' && this.queueMode;
    return html`<span class="row ${this.state}"
      ><span class="dot"></span>${word}${sleeper ? html`<span title="Queue mode: it may sleep">· sleeper</span>` : ''}</span
    >`;
  }
}

customElements.define('sy-state-badge', StateBadge);
