import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiValue } from '../data/api-types.ts';
import type { LastValues } from '../data/last-values.ts';
import type { TreeNode } from '../data/object-tree.ts';
import type { ApiResourceModel } from '../data/resource-definition.ts';
import { inputText } from '../data/resource-input.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';
import type { ValueInput } from './sy-value-input.ts';
import './sy-value-input.ts';
import type { GivenValues } from './sy-values-form.ts';

interface Row {
  readonly id: number;
  readonly text: string;
}

/** The instances of a resource that has several. Fires `values-given` with GivenValues, by instance id. */
export class InstancesEditor extends LitElement {
  static override properties = {
    node: { attribute: false },
    resource: { attribute: false },
    values: { attribute: false },
    links: { attribute: false },
    disabled: { type: Boolean },
    rows: { state: true },
    mode: { state: true },
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
      .row {
        display: grid;
        grid-template-columns: 72px minmax(0, 1fr) auto;
        gap: 8px;
        align-items: start;
      }
      .row > button {
        margin-top: 22px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
      }
      .choice {
        display: flex;
        gap: 6px;
        align-items: center;
      }
    `,
  ];

  declare node: TreeNode | undefined;
  declare resource: ApiResourceModel | undefined;
  declare values: LastValues;
  declare links: ValueInput['instances'];
  declare disabled: boolean;
  /** Undefined: as they were heard. */
  declare rows: readonly Row[] | undefined;
  declare mode: 'replace' | 'update';
  declare fault: string;

  constructor() {
    super();
    new Permission(this);
    this.values = new Map();
    this.links = [];
    this.disabled = false;
    this.rows = undefined;
    this.mode = 'replace';
    this.fault = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('node') && changed.get('node')?.path !== this.node?.path) this.rows = undefined;
    // What the device reports is taken over until the reader changes something.
    if (this.rows === undefined) this.fault = '';
  }

  /** As they were heard; one to begin with where none was. */
  #known(): readonly Row[] {
    const { node, resource, values } = this;
    if (node === undefined || resource === undefined) return [];
    const known = node.children.map(({ id, path }) => ({
      id,
      text: inputText(resource, values.get(path)?.value),
    }));
    return known.length > 0 ? known : [{ id: 0, text: '' }];
  }

  get #rows(): readonly Row[] {
    return this.rows ?? this.#known();
  }

  override render() {
    return html`<form @submit=${this.#submitted}>
      ${repeat(
        this.#rows,
        ({ id }) => id,
        ({ id, text }) =>
          html`<div class="row">
            <div class="field">
              <span class="label">Instance</span>
              <span class="mono">${id}</span>
            </div>
            <sy-value-input
              data-key=${id}
              .place=${`${this.node?.path} ${id}`}
              label=${`Value of instance ${id}`}
              .resource=${this.resource}
              .instances=${this.links}
              .text=${text}
              @text-changed=${(event: CustomEvent<string>) => {
                this.rows = this.#rows.map((row) => (row.id === id ? { id, text: event.detail } : row));
              }}
            ></sy-value-input>
            <button
              type="button"
              class="bare small"
              aria-label=${`Leave instance ${id} out`}
              @click=${() => {
                this.rows = this.#rows.filter((row) => row.id !== id);
              }}
            >
              ✕
            </button>
          </div>`,
      )}
      ${this.fault === '' ? nothing : html`<div class="fault" role="alert">${this.fault}</div>`}
      <div class="actions">
        <button data-needs="operate" ?disabled=${this.disabled}>Write instances</button>
        <button type="button" class="bare" @click=${this.#add}>Add instance</button>
        ${(['replace', 'update'] as const).map(
          (mode) =>
            html`<label class="choice"
              ><input
                type="radio"
                name="mode"
                .checked=${this.mode === mode}
                @change=${() => {
                  this.mode = mode;
                }}
              />${mode === 'replace' ? 'Replace all' : 'Update these'}</label
            >`,
        )}
      </div>
    </form>`;
  }

  #add(): void {
    const taken = new Set(this.#rows.map(({ id }) => id));
    let id = 0;
    while (taken.has(id)) id++;
    this.rows = [...this.#rows, { id, text: '' }].sort((a, b) => a.id - b.id);
  }

  #submitted(event: Event): void {
    event.preventDefault();
    const values: Record<string, ApiValue> = {};
    let faulty: ValueInput | undefined;
    for (const input of this.renderRoot.querySelectorAll<ValueInput>('sy-value-input')) {
      const { value } = input.take();
      if (value === undefined) faulty ??= input;
      else values[input.dataset['key'] ?? ''] = value;
    }
    if (faulty !== undefined) {
      faulty.focus();
      return;
    }
    this.fault =
      Object.keys(values).length === 0 && this.mode === 'update'
        ? 'There is nothing to write: add an instance'
        : '';
    if (this.fault !== '') return;
    this.dispatchEvent(
      new CustomEvent<GivenValues>('values-given', { detail: { values, choice: this.mode } }),
    );
  }
}

customElements.define('sy-instances-editor', InstancesEditor);
