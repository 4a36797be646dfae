import { css, html, LitElement, nothing } from 'lit';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';

/** What an argument of an Execute may hold (OMA-TS-LightweightM2M_Core §6.3.5). */
const allowed = /^[!\x23-\x26\x28-\x5b\x5d-\x7e]*$/;
const mostArguments = 10;

/** The arguments of an Execute, by their position. Fires `arguments-given` with the texts. */
export class ExecuteForm extends LitElement {
  static override properties = {
    path: { type: String },
    disabled: { type: Boolean },
    dangerous: { type: Boolean },
    values: { state: true },
    fault: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      form {
        display: grid;
        gap: 8px;
        max-width: 480px;
      }
      .argument {
        display: flex;
        gap: 8px;
        align-items: center;
      }
      .argument span {
        min-width: 20px;
        color: var(--sy-text-3);
        font: 13px var(--sy-mono);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
    `,
  ];

  declare path: string;
  declare disabled: boolean;
  /** It is confirmed before it goes out. */
  declare dangerous: boolean;
  declare values: readonly string[];
  declare fault: string;

  constructor() {
    super();
    new Permission(this);
    this.path = '';
    this.disabled = false;
    this.dangerous = false;
    this.values = [];
    this.fault = '';
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('path')) return;
    this.values = [];
    this.fault = '';
  }

  override render() {
    return html`<form @submit=${this.#submitted}>
      ${this.values.map(
        (value, index) =>
          html`<div class="argument">
            <span>${index}=</span>
            <input
              aria-label=${`Argument ${index}`}
              autocomplete="off"
              spellcheck="false"
              .value=${value}
              @input=${(event: Event) => {
                this.values = this.values.with(index, (event.target as HTMLInputElement).value);
              }}
            />
            <button
              type="button"
              class="bare small"
              aria-label=${`Remove argument ${index}`}
              @click=${() => {
                this.values = this.values.toSpliced(index, 1);
              }}
            >
              ✕
            </button>
          </div>`,
      )}
      ${this.fault === '' ? nothing : html`<div class="fault" role="alert">${this.fault}</div>`}
      <div class="actions">
        <button data-needs="operate" class=${this.dangerous ? 'danger' : ''} ?disabled=${this.disabled}>${this.dangerous ? 'Execute…' : 'Execute'}</button>
        ${
          this.values.length < mostArguments
            ? html`<button
                type="button"
                class="bare"
                @click=${() => {
                  this.values = [...this.values, ''];
                }}
              >
                Add argument
              </button>`
            : nothing
        }
      </div>
    </form>`;
  }

  #submitted(event: Event): void {
    event.preventDefault();
    const wrong = this.values.findIndex((value) => !allowed.test(value));
    this.fault =
      wrong === -1 ? '' : `Argument ${wrong} may hold printable ASCII without spaces, quotes and backslashes`;
    if (wrong !== -1) return;
    this.dispatchEvent(new CustomEvent('arguments-given', { detail: this.values }));
  }
}

customElements.define('sy-execute-form', ExecuteForm);
