import { css, html, LitElement, nothing } from 'lit';
import type { ApiObservationStatus, ApiWantedStatus } from '../data/api-types.ts';
import { base, controls } from '../styles/shared.ts';
import './sy-time-text.ts';

/**
 * Whether a place is observed, who wants it, and why it is not. Fires `observe-wanted`, `end-wanted` (detail: tell the
 * device at once) and `choice-forgotten`.
 */
export class PlaceObservation extends LitElement {
  static override properties = {
    path: { type: String },
    status: { attribute: false },
    disabled: { type: Boolean },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: grid;
        gap: 8px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      p {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare path: string;
  declare status: ApiObservationStatus | undefined;
  declare disabled: boolean;

  constructor() {
    super();
    this.path = '';
    this.disabled = false;
  }

  override render() {
    const mine = this.status?.wanted.filter(({ paths }) => paths.includes(this.path)) ?? [];
    const above =
      this.status?.wanted.filter(({ paths }) => paths.some((path) => this.path.startsWith(`${path}/`))) ?? [];
    const ruledOut = this.status?.suppressed.find(({ paths }) => paths.includes(this.path));
    const single = mine.find(({ composite }) => !composite);
    const byHand = single?.by.kind === 'hand' || ruledOut?.by.kind === 'hand';
    return html`${
      mine.length === 0 && above.length === 0
        ? html`<p>${ruledOut === undefined ? 'Not observed.' : `Ruled out ${byText(ruledOut.by)}.`}</p>`
        : [...mine, ...above].map((wanted) => this.#line(wanted))
    }
      <div class="actions">
        ${
          single === undefined
            ? html`<button ?disabled=${this.disabled} @click=${() => this.#say('observe-wanted')}>Observe</button>`
            : html`<button ?disabled=${this.disabled} @click=${() => this.#say('end-wanted', true)}>
                  End observation
                </button>
                <button
                  class="bare"
                  ?disabled=${this.disabled}
                  title="The device learns it by the reset of its next notification"
                  @click=${() => this.#say('end-wanted', false)}
                >
                  End at its next notification
                </button>`
        }
        ${
          byHand
            ? html`<button
                class="bare"
                title="What was said by hand is forgotten: policies alone count"
                @click=${() => this.#say('choice-forgotten')}
              >
                Leave it to the policies
              </button>`
            : nothing
        }
      </div>`;
  }

  #line({ paths, composite, by, state, since, code, reason, attributes }: ApiWantedStatus) {
    const told = Object.entries(attributes ?? {}).map(([name, value]) => `${name}=${value}`);
    const where = paths.includes(this.path) ? '' : ` as part of ${paths.join(', ')}`;
    return html`<p>
      <strong>${state}</strong>${where}${composite ? ` together with ${paths.length - 1} more` : ''}
      since <sy-time-text mode="plain" .at=${since}></sy-time-text>, ${byText(by)}${
        told.length === 0 ? nothing : html`, with <span class="mono">${told.join(' ')}</span>`
      }${
        code === undefined && reason === undefined
          ? nothing
          : html`: ${[code, reason].filter(Boolean).join(' ')}`
      }
    </p>`;
  }

  #say(what: string, detail?: boolean): void {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}

function byText(by: ApiWantedStatus['by']): string {
  return by.kind === 'hand' ? 'by hand' : `by the policy ${by.name ?? by.id ?? ''}`;
}

customElements.define('sy-place-observation', PlaceObservation);
