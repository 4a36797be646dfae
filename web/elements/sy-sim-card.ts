import { css, html, LitElement, nothing, svg } from 'lit';
import type { ApiCarrierSlot, ApiCommand } from '../data/api-types.ts';
import { base, clamps } from '../styles/shared.ts';
import './sy-identifier.ts';
import './sy-time-text.ts';

/** The eight contacts of a card, ISO/IEC 7816-2. */
const contacts = svg`
  <rect x="0.75" y="0.75" width="46.5" height="36.5" rx="6"></rect>
  <path d="M0.75 13h15M0.75 25h15M32 13h15M32 25h15M16 0.75v8l4 4v12l-4 4v8M32 0.75v8l-4 4v12l4 4v8M20 19h8"></path>`;

/** Only from the device's word on is the card at work. */
const words: Readonly<Partial<Record<ApiCommand['state'], string>>> = {
  queued: 'switch waits',
  sent: 'switch sent',
};

/** One SIM slot as the card that is in it, as it was last heard of. */
export class SimCard extends LitElement {
  static override properties = {
    slotStatus: { attribute: false },
    /** How far a switch is that has not ended: `queued`, `sent`, `accepted`; undefined while there is none. */
    progress: { type: String },
    since: { type: Number },
    heardAt: { type: Number },
  };

  static override styles = [
    base,
    clamps,
    css`
      :host {
        display: block;
        max-width: 400px;
        filter: drop-shadow(0 1px 0 var(--sy-rule)) drop-shadow(0 4px 12px var(--sy-shadow));
      }
      .card {
        display: grid;
        grid-template: auto 1fr auto / minmax(0, 1fr) auto;
        gap: 8px 16px;
        aspect-ratio: 1.62;
        min-height: 208px;
        width: 100%;
        padding: 20px 20px 16px;
        border-radius: 12px;
        background: linear-gradient(150deg, var(--sy-card-from), var(--sy-card-to));
        clip-path: polygon(0 0, calc(100% - 40px) 0, 100% 40px, 100% 100%, 0 100%);
      }
      .carrier {
        align-self: start;
        font-size: 24px;
        line-height: 32px;
        font-weight: 650;
        letter-spacing: -0.01em;
        overflow-wrap: anywhere;
      }
      .old .carrier {
        color: var(--sy-text-2);
      }
      .none {
        color: var(--sy-text-3);
      }
      .slot {
        margin-right: 28px;
        align-self: start;
        padding-top: 6px;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .chip {
        grid-column: 1 / -1;
        align-self: center;
        width: 48px;
        height: 38px;
        fill: var(--sy-chip);
        stroke: var(--sy-chip-line);
        stroke-width: 1.25;
      }
      .chip path {
        fill: none;
      }
      dl {
        grid-column: 1 / -1;
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        align-items: baseline;
        gap: 2px 12px;
      }
      dt {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      dd {
        font-family: var(--sy-mono);
        font-size: 13px;
        overflow-wrap: anywhere;
      }
      .switched {
        font-family: var(--sy-font);
      }
      .busy {
        color: var(--sy-waiting);
        font-weight: 550;
      }
    `,
  ];

  declare slotStatus: ApiCarrierSlot | undefined;
  declare progress: ApiCommand['state'] | undefined;
  /** Since when it is on its carrier, ms since the epoch, where that is known. */
  declare since: number | undefined;
  /** When the device was heard last, where it can no longer tell: what the card says may be old. */
  declare heardAt: number | undefined;

  override render() {
    const sim = this.slotStatus;
    if (sim === undefined) return nothing;
    return html`<div class=${this.heardAt === undefined ? 'card' : 'card old'}>
      ${this.#carrier(sim.current)}
      <span class="slot">SIM ${sim.slot + 1}</span>
      <svg class="chip" viewBox="0 0 48 38" aria-hidden="true">${contacts}</svg>
      <dl>
        <dt>ICCID</dt>
        <dd><sy-identifier data-fact="iccid" kind="iccid" .value=${sim.iccid}></sy-identifier></dd>
        <dt>IMSI</dt>
        <dd><sy-identifier data-fact="imsi" kind="imsi" .value=${sim.imsi}></sy-identifier></dd>
        ${
          this.heardAt === undefined
            ? nothing
            : html`<dt>Heard</dt><dd class="switched"><sy-time-text .at=${this.heardAt}></sy-time-text></dd>`
        }
        ${
          this.progress !== undefined
            ? html`<dt>State</dt><dd class="switched busy">◌ ${words[this.progress] ?? 'switching'}</dd>`
            : this.since === undefined
              ? nothing
              : html`<dt>Since</dt>
                <dd class="switched"><sy-time-text mode="plain" .at=${this.since}></sy-time-text></dd>`
        }
      </dl>
    </div>`;
  }

  #carrier(current: string | undefined) {
    if (current === undefined) return html`<h2 class="carrier none" data-fact="carrier">Not heard yet</h2>`;
    if (current === '') return html`<h2 class="carrier none" data-fact="carrier">Disconnected</h2>`;
    return html`<h2 class="carrier clamp" data-fact="carrier" title=${current}>${current}</h2>`;
  }
}

customElements.define('sy-sim-card', SimCard);
