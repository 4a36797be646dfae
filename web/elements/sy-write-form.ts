import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { ApiValue } from '../data/api-types.ts';
import type { ApiResourceModel } from '../data/resource-definition.ts';
import { inputText, untypedResource, untypedTypes } from '../data/resource-input.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';
import type { ValueInput } from './sy-value-input.ts';
import './sy-value-input.ts';

/**
 * A new value for one resource. What the device reports meanwhile does not touch what is being typed. Fires
 * `value-given` with the value.
 */
export class WriteForm extends LitElement {
  static override properties = {
    path: { type: String },
    resource: { attribute: false },
    current: { attribute: false },
    instances: { attribute: false },
    disabled: { type: Boolean },
    text: { state: true },
    type: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      form {
        display: grid;
        gap: 12px;
        justify-items: start;
        max-width: 480px;
      }
      .field,
      sy-value-input {
        width: 100%;
      }
    `,
  ];

  declare path: string;
  /** Undefined: nothing defines it, and the reader says what it is. */
  declare resource: ApiResourceModel | undefined;
  declare current: ApiValue | undefined;
  declare instances: ValueInput['instances'];
  declare disabled: boolean;
  /** What was typed; undefined: nothing yet, and the current value stands there. */
  declare text: string | undefined;
  declare type: (typeof untypedTypes)[number];

  constructor() {
    super();
    new Permission(this);
    this.path = '';
    this.instances = [];
    this.disabled = false;
    this.text = undefined;
    this.type = 'string';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('path')) return;
    this.text = undefined;
    this.type =
      typeof this.current === 'number' ? 'float' : typeof this.current === 'boolean' ? 'boolean' : 'string';
  }

  override render() {
    const resource = this.resource ?? untypedResource(this.type);
    return html`<form @submit=${this.#submitted}>
      ${
        this.resource === undefined
          ? html`<div class="field">
            <label for="type">Type</label>
            <select
              id="type"
              @change=${(event: Event) => {
                this.type = (event.target as HTMLSelectElement).value as WriteForm['type'];
              }}
            >
              ${untypedTypes.map((type) => html`<option ?selected=${type === this.type}>${type}</option>`)}
            </select>
          </div>`
          : nothing
      }
      <sy-value-input
        label="New value"
        .place=${this.path}
        .resource=${resource}
        .instances=${this.instances}
        .text=${this.text ?? inputText(resource, this.current)}
        @text-changed=${({ detail }: CustomEvent<string>) => {
          this.text = detail;
        }}
      ></sy-value-input>
      <button data-needs="operate" ?disabled=${this.disabled}>Write</button>
    </form>`;
  }

  #submitted(event: Event): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector<ValueInput>('sy-value-input');
    const value = input?.take().value;
    if (value === undefined) input?.focus();
    else this.dispatchEvent(new CustomEvent<ApiValue>('value-given', { detail: value }));
  }
}

customElements.define('sy-write-form', WriteForm);
