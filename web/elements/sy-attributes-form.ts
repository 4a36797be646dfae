import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { ApiLink } from '../data/api-types.ts';
import {
  type AttributeChanges,
  attributeLabels,
  fittingAttributes,
  type NotificationAttributeName,
  parseAttributes,
} from '../data/notification-attributes.ts';
import type { ApiResourceModel } from '../data/resource-definition.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';

/** Notification attributes of a place: observed with them, or written to it. Fires `observe-wanted`, `attributes-written`. */
export class AttributesForm extends LitElement {
  static override properties = {
    place: { type: String },
    level: { type: Number },
    resource: { attribute: false },
    version: { type: String },
    current: { attribute: false },
    observable: { type: Boolean },
    disabled: { type: Boolean },
    texts: { state: true },
    fault: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      form {
        display: grid;
        gap: 12px;
      }
      .grid {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(180px, 1fr));
        gap: 8px 12px;
        align-items: end;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .hint {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
    `,
  ];

  /** Its path: of another one nothing is typed yet. */
  declare place: string;
  /** Of the place: an object, an instance, a resource, an instance of one. */
  declare level: 1 | 2 | 3 | 4;
  declare resource: ApiResourceModel | undefined;
  /** Of LwM2M, as the device registered. */
  declare version: string | undefined;
  /** As Discover has shown them. */
  declare current: ApiLink['attributes'] | undefined;
  declare observable: boolean;
  declare disabled: boolean;
  declare texts: ReadonlyMap<NotificationAttributeName, string>;
  declare fault: string;

  constructor() {
    super();
    new Permission(this);
    this.place = '';
    this.level = 3;
    this.observable = true;
    this.disabled = false;
    this.texts = new Map();
    this.fault = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('place')) return;
    this.texts = new Map();
    this.fault = '';
  }

  override render() {
    return html`<form @submit=${(event: Event) => event.preventDefault()}>
      <div class="grid">
        ${fittingAttributes(this.level, this.resource, this.version).map(
          (name) =>
            html`<div class="field">
              <label for=${name}><span class="mono">${name}</span> ${attributeLabels[name]}</label>
              <input
                id=${name}
                inputmode="decimal"
                autocomplete="off"
                placeholder=${this.current?.[name] === undefined ? '' : `now ${this.current[name]}`}
                .value=${this.texts.get(name) ?? ''}
                @input=${(event: Event) => {
                  this.texts = new Map(this.texts).set(name, (event.target as HTMLInputElement).value);
                }}
              />
            </div>`,
        )}
      </div>
      ${this.fault === '' ? nothing : html`<div class="fault" role="alert">${this.fault}</div>`}
      <div class="actions">
        ${
          this.observable
            ? html`<button data-needs="operate" type="button" ?disabled=${this.disabled} @click=${() => this.#say('observe-wanted')}>
              Observe with these
            </button>`
            : nothing
        }
        <button data-needs="operate" type="button" ?disabled=${this.disabled} @click=${() => this.#say('attributes-written')}>
          Write attributes
        </button>
      </div>
      <p class="hint">Write-Attributes leaves what is empty as it is; a dash removes one. Discover shows what there is.</p>
    </form>`;
  }

  #say(what: 'observe-wanted' | 'attributes-written'): void {
    const parsed = parseAttributes(this.texts);
    if (parsed.fault !== undefined) {
      this.fault = parsed.fault;
      return;
    }
    if (what === 'attributes-written' && Object.keys(parsed.changes).length === 0) {
      this.fault = 'Give an attribute that is to be written';
      return;
    }
    this.fault = '';
    this.dispatchEvent(new CustomEvent<AttributeChanges>(what, { detail: parsed.changes }));
  }
}

customElements.define('sy-attributes-form', AttributesForm);
