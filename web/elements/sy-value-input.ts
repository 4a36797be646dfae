import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { type ApiResourceModel, resourceTraits } from '../data/resource-definition.ts';
import { hexOf, inputKind, localTime, type ParsedInput, parseInput } from '../data/resource-input.ts';
import { exactTime } from '../data/time.ts';
import { base, controls, fields } from '../styles/shared.ts';

/** What a Write may carry by REST: 512 KiB in hex. */
const largestFile = 512 * 1024;

/**
 * The control that fits a resource's type, and what is wrong with what stands in it. `text` is what was typed;
 * fires `text-changed`.
 */
export class ValueInput extends LitElement {
  static override properties = {
    place: { type: String },
    resource: { attribute: false },
    text: { type: String },
    label: { type: String },
    instances: { attribute: false },
    touched: { state: true },
    fileFault: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .hint {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        overflow-wrap: anywhere;
      }
      .file {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        align-items: center;
        font-size: var(--sy-small);
      }
      .beside {
        display: flex;
        gap: 8px;
      }
      .file input {
        min-width: 0;
        max-width: 100%;
        color: var(--sy-text-2);
        font: inherit;
      }
      ::file-selector-button {
        margin-right: 8px;
        padding: 3px 8px;
        border: 1px solid var(--sy-edge);
        border-radius: var(--sy-radius);
        background: var(--sy-raised);
        color: var(--sy-text);
        font: inherit;
        cursor: pointer;
      }
      textarea.hex {
        font-family: var(--sy-mono);
        font-size: 13px;
      }
    `,
  ];

  /** What the value is for: of another place nothing is wrong yet. */
  declare place: string;
  declare resource: ApiResourceModel | undefined;
  declare text: string;
  declare label: string;
  /** Instances of the device, for an object link: `3:0` and what it is called. */
  declare instances: readonly { readonly link: string; readonly name: string }[];
  declare touched: boolean;
  declare fileFault: string;

  constructor() {
    super();
    this.place = '';
    this.text = '';
    this.label = '';
    this.instances = [];
    this.touched = false;
    this.fileFault = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('place')) return;
    this.touched = false;
    this.fileFault = '';
  }

  /** What stands in it. Shows what is wrong from then on. */
  take(): ParsedInput {
    this.touched = true;
    const { resource } = this;
    return resource === undefined ? { fault: 'nothing is known of it' } : parseInput(resource, this.text);
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('#control')?.focus();
  }

  override render() {
    const { resource } = this;
    if (resource === undefined) return nothing;
    const fault = this.touched ? parseInput(resource, this.text).fault : undefined;
    return html`<div class="field">
      <label for="control">${this.label}</label>
      ${this.#control(resource, fault !== undefined)}
      ${fault === undefined ? nothing : html`<div class="fault" id="fault" role="alert">${fault}</div>`}
      <div class="hint" id="hint">${this.#hint(resource)}</div>
    </div>`;
  }

  #control(resource: ApiResourceModel, invalid: boolean) {
    const described = invalid ? 'fault hint' : 'hint';
    switch (inputKind(resource)) {
      case 'boolean':
        return this.#select(described, invalid, [
          ['true', 'true'],
          ['false', 'false'],
        ]);
      case 'choice':
        return this.#select(
          described,
          invalid,
          Object.entries(resource.values ?? {}).map(([id, meaning]) => [id, `${id} · ${meaning}`] as const),
        );
      case 'time':
        return html`<div class="beside">
          <input
            id="control"
            type="datetime-local"
            step="1"
            aria-describedby=${described}
            aria-invalid=${invalid}
            .value=${this.text}
            @input=${this.#typed}
          />
          <button type="button" @click=${() => this.#say(localTime(Math.floor(Date.now() / 1000)))}>Now</button>
        </div>`;
      case 'opaque':
        return html`<textarea
            id="control"
            class="hex"
            rows="3"
            spellcheck="false"
            placeholder="Hexadecimal: 48656c6c6f"
            aria-describedby=${described}
            aria-invalid=${invalid}
            .value=${this.text}
            @input=${this.#typed}
          ></textarea>
          <div class="file">
            <input type="file" aria-label="Take the bytes of a file" @change=${this.#fileChosen} />
            ${this.fileFault === '' ? nothing : html`<span class="fault" role="alert">${this.fileFault}</span>`}
          </div>`;
      case 'link':
        return html`<input
            id="control"
            list="instances"
            placeholder="object:instance, as 3:0"
            autocomplete="off"
            aria-describedby=${described}
            aria-invalid=${invalid}
            .value=${this.text}
            @input=${this.#typed}
          />
          <datalist id="instances">
            ${this.instances.map(({ link, name }) => html`<option value=${link}>${name}</option>`)}
          </datalist>`;
      default: {
        const numeric = ['integer', 'number'].includes(inputKind(resource));
        return html`<input
          id="control"
          inputmode=${numeric ? 'decimal' : 'text'}
          list=${resource.values === undefined ? nothing : 'meanings'}
          autocomplete="off"
          spellcheck="false"
          aria-describedby=${described}
          aria-invalid=${invalid}
          .value=${this.text}
          @input=${this.#typed}
        />
        ${
          resource.values === undefined
            ? nothing
            : html`<datalist id="meanings">
              ${Object.entries(resource.values).map(([id, meaning]) => html`<option value=${id}>${meaning}</option>`)}
            </datalist>`
        }`;
      }
    }
  }

  #select(described: string, invalid: boolean, options: readonly (readonly [string, string])[]) {
    return html`<select
      id="control"
      aria-describedby=${described}
      aria-invalid=${invalid}
      @change=${this.#typed}
    >
      <option value="" ?selected=${this.text === ''}>Choose…</option>
      ${options.map(
        ([value, label]) => html`<option value=${value} ?selected=${this.text === value}>${label}</option>`,
      )}
    </select>`;
  }

  #hint(resource: ApiResourceModel) {
    const units = resource.units === undefined ? '' : ` · ${resource.units}`;
    if (resource.type === 'time' && this.text !== '' && !Number.isNaN(Date.parse(this.text))) {
      return exactTime(Date.parse(this.text)).split('\n').at(-1);
    }
    if (resource.type === 'opaque' && this.text !== '') {
      return `${Math.floor(this.text.replace(/\s+/g, '').length / 2)} bytes · ${resourceTraits(resource)}`;
    }
    const meaning = resource.values?.[this.text.trim()];
    return `${meaning === undefined ? '' : `${meaning} · `}${resourceTraits(resource)}${units}`;
  }

  #typed(event: Event): void {
    this.#say((event.target as HTMLInputElement).value);
  }

  async #fileChosen(event: Event): Promise<void> {
    const [file] = (event.target as HTMLInputElement).files ?? [];
    if (file === undefined) return;
    this.fileFault = '';
    if (file.size > largestFile) {
      this.fileFault = `${file.name} has more than 512 KiB; larger contents are pulled by the device (Package URI)`;
      return;
    }
    this.#say(hexOf(new Uint8Array(await file.arrayBuffer())));
  }

  #say(text: string): void {
    this.text = text;
    this.dispatchEvent(new CustomEvent('text-changed', { detail: text }));
  }
}

customElements.define('sy-value-input', ValueInput);
