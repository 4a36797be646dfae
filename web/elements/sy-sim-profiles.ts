import { css, html, LitElement, nothing } from 'lit';
import type { ApiCarrierSlot } from '../data/api-types.ts';
import type { LastValues } from '../data/last-values.ts';
import { profilesOf, provisioningOf, type SimProfile } from '../data/sim-profiles.ts';
import { Permission } from '../permission.ts';
import { tables } from '../styles/page.ts';
import { base, clamps, controls } from '../styles/shared.ts';
import './sy-identifier.ts';

/** The reader wants another carrier, or none. */
export type SwitchAsked = CustomEvent<{ readonly carrier: string | number; readonly label: string }>;

/** The profiles on a card, the enabled one marked. Fires `switch-asked`. */
export class SimProfiles extends LitElement {
  static override properties = {
    slotStatus: { attribute: false },
    values: { attribute: false },
    busy: { type: Boolean },
    effect: { type: String },
  };

  static override styles = [
    base,
    controls,
    clamps,
    tables,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      h2 {
        margin-bottom: 8px;
      }
      table {
        table-layout: fixed;
      }
      th,
      td {
        vertical-align: middle;
      }
      .state {
        width: 120px;
      }
      .action {
        width: 112px;
        padding-right: 0;
        text-align: right;
      }
      td.state {
        white-space: nowrap;
      }
      .enabled {
        color: var(--sy-good);
        font-weight: 550;
      }
      .name {
        font-weight: 550;
      }
      .failed {
        color: var(--sy-bad);
        font-weight: 550;
      }
      .disconnect {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        margin-top: 16px;
      }
      .disconnect p {
        flex: 1 1 240px;
        color: var(--sy-text-2);
      }
      .hint {
        margin-top: 8px;
        color: var(--sy-text-2);
      }
      @media (max-width: 600px) {
        .iccid {
          display: none;
        }
        .state {
          width: 96px;
        }
      }
    `,
  ];

  declare slotStatus: ApiCarrierSlot | undefined;
  declare values: LastValues;
  /** A switch is in progress. */
  declare busy: boolean;
  /** What a Disconnect does. */
  declare effect: string;

  constructor() {
    super();
    new Permission(this);
    this.slotStatus = undefined;
    this.values = new Map();
    this.busy = false;
    this.effect = '';
  }

  override render() {
    const { slotStatus } = this;
    if (slotStatus === undefined) return nothing;
    const profiles = profilesOf(slotStatus, this.values);
    return html`<section aria-label="Profiles">
      <h2>Profiles</h2>
      ${
        profiles.length === 0
          ? html`<p class="hint">The card has not yet told which carriers it offers.</p>`
          : html`<table>
            <thead>
              <tr>
                <th scope="col">Carrier</th>
                <th scope="col" class="iccid">ICCID</th>
                <th scope="col" class="state">State</th>
                <th scope="col" class="action"><span class="only-spoken">Switch</span></th>
              </tr>
            </thead>
            <tbody>${profiles.map((profile) => this.#row(profile))}</tbody>
          </table>`
      }
      ${this.#provisioning(slotStatus.slot)}
      ${this.busy ? html`<p class="hint">A switch is in progress; the next can be given when it has ended.</p>` : nothing}
      ${
        slotStatus.current === ''
          ? nothing
          : html`<div class="disconnect">
            <button data-needs="operate" class="danger" ?disabled=${this.busy} @click=${() => this.#ask('Disconnect', 'Disconnect')}>
              Disconnect
            </button>
            <p>${this.effect}</p>
          </div>`
      }
    </section>`;
  }

  /** The newest operation of object 504. */
  #provisioning(slot: number) {
    const newest = provisioningOf(slot, this.values);
    if (newest === undefined) return nothing;
    const { state, text, reason } = newest;
    const mark = { 'under way': '◌', done: '✓', failed: '✕' }[state];
    return html`<p class="hint" data-fact="provisioning">
      Newest operation on profiles:
      <span class=${state === 'failed' ? 'failed' : 'name'}><span aria-hidden="true">${mark}</span> ${text}</span>${reason === '' ? nothing : html`: ${reason}`}
    </p>`;
  }

  #row({ carrier, iccid, enabled }: SimProfile) {
    const label = carrier?.label ?? 'Not offered';
    return html`<tr>
      <th scope="row" class=${carrier === undefined ? 'quiet' : 'name'}>
        <span class="clamp" title=${carrier?.name || nothing}>${label}</span>
      </th>
      <td class="iccid">${iccid === undefined ? html`<span class="quiet">–</span>` : html`<sy-identifier kind="iccid" .value=${iccid}></sy-identifier>`}</td>
      <td class="state">${enabled ? html`<span class="enabled">● enabled</span>` : html`<span class="quiet">○ disabled</span>`}</td>
      <td class="action">
        ${
          carrier === undefined || enabled
            ? nothing
            : html`<button data-needs="operate"
              class="small"
              ?disabled=${this.busy}
              aria-label=${`Switch to ${label}`}
              @click=${() => this.#ask(carrier.id, label)}
            >
              Switch…
            </button>`
        }
      </td>
    </tr>`;
  }

  #ask(carrier: string | number, label: string): void {
    this.dispatchEvent(new CustomEvent('switch-asked', { detail: { carrier, label } }));
  }
}

customElements.define('sy-sim-profiles', SimProfiles);
