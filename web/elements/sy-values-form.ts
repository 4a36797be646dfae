import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiValue } from '../data/api-types.ts';
import type { ApiResourceModel } from '../data/resource-definition.ts';
import { base, controls, fields } from '../styles/shared.ts';
import type { ValueInput } from './sy-value-input.ts';
import './sy-value-input.ts';

/** One value that a form can give. */
export interface FormEntry {
  /** Relative to what is written: `7`, `6/0`; or a whole path. */
  readonly key: string;
  readonly label: string;
  readonly resource: ApiResourceModel;
  /** What stands in the input at first. */
  readonly text: string;
  /** It has to be given. */
  readonly required: boolean;
}

/** What a form gives: values by their keys. */
export interface GivenValues {
  readonly values: Readonly<Record<string, ApiValue>>;
  readonly choice: string;
}

/**
 * Several values at once: an instance, or several paths. Each is given only where it is ticked. Fires `values-given`
 * with GivenValues.
 */
export class ValuesForm extends LitElement {
  static override properties = {
    entries: { attribute: false },
    verb: { type: String },
    choices: { attribute: false },
    disabled: { type: Boolean },
    instances: { attribute: false },
    empty: { type: Boolean },
    given: { state: true },
    choice: { state: true },
    fault: { state: true },
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
      form {
        display: grid;
        gap: 12px;
      }
      .entry {
        display: grid;
        grid-template-columns: 16px minmax(0, 1fr);
        gap: 0 12px;
      }
      .entry > input {
        margin-top: 27px;
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

  declare entries: readonly FormEntry[];
  declare verb: string;
  /** Ways in which it can be done, the first of which is the usual one: id and label. */
  declare choices: readonly (readonly [string, string])[];
  declare disabled: boolean;
  declare instances: ValueInput['instances'];
  /** It may be done without a value. */
  declare empty: boolean;
  declare given: ReadonlyMap<string, string>;
  declare choice: string;
  declare fault: string;

  constructor() {
    super();
    this.entries = [];
    this.verb = 'Write';
    this.choices = [];
    this.disabled = false;
    this.instances = [];
    this.empty = false;
    this.given = new Map();
    this.choice = '';
    this.fault = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('entries')) return;
    const before = new Set((changed.get('entries') ?? []).map(({ key }) => key));
    const same = this.entries.length === before.size && this.entries.every(({ key }) => before.has(key));
    // New values of what is shown do not take away what the reader is typing.
    if (same) return;
    this.given = new Map(this.entries.filter(({ required }) => required).map(({ key, text }) => [key, text]));
    this.choice = this.choices[0]?.[0] ?? '';
    this.fault = '';
  }

  override render() {
    return html`<form @submit=${this.#submitted}>
      ${repeat(
        this.entries,
        ({ key }) => key,
        (entry) => this.#entry(entry),
      )}
      ${this.fault === '' ? nothing : html`<div class="fault" role="alert">${this.fault}</div>`}
      <div class="actions">
        <button class="primary" ?disabled=${this.disabled}>${this.verb}</button>
        ${this.choices.map(
          ([id, label]) =>
            html`<label class="choice"
              ><input
                type="radio"
                name="choice"
                .checked=${this.choice === id}
                @change=${() => {
                  this.choice = id;
                }}
              />${label}</label
            >`,
        )}
      </div>
    </form>`;
  }

  #entry({ key, label, resource, text, required }: FormEntry) {
    const given = this.given.has(key);
    return html`<div class="entry">
      <input
        type="checkbox"
        aria-label=${`Give ${label}`}
        .checked=${given}
        ?disabled=${required}
        @change=${() => this.#tick(key, text)}
      />
      <sy-value-input
        data-key=${key}
        .resource=${resource}
        .label=${required ? `${label} (must be given)` : label}
        .text=${this.given.get(key) ?? text}
        .instances=${this.instances}
        @text-changed=${(event: CustomEvent<string>) => {
          this.given = new Map(this.given).set(key, event.detail);
        }}
      ></sy-value-input>
    </div>`;
  }

  #tick(key: string, text: string): void {
    const given = new Map(this.given);
    if (!given.delete(key)) given.set(key, text);
    this.given = given;
  }

  #submitted(event: Event): void {
    event.preventDefault();
    const values: Record<string, ApiValue> = {};
    let faulty: ValueInput | undefined;
    for (const input of this.renderRoot.querySelectorAll<ValueInput>('sy-value-input')) {
      const key = input.dataset['key'] ?? '';
      if (!this.given.has(key)) continue;
      const { value } = input.take();
      if (value === undefined) faulty ??= input;
      else values[key] = value;
    }
    this.fault = '';
    if (faulty !== undefined) {
      faulty.focus();
      return;
    }
    if (Object.keys(values).length === 0 && !this.empty) {
      this.fault = 'Tick what is to be written, and give it a value';
      return;
    }
    this.dispatchEvent(
      new CustomEvent<GivenValues>('values-given', { detail: { values, choice: this.choice } }),
    );
  }
}

customElements.define('sy-values-form', ValuesForm);
