import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiValue } from '../data/api-types.ts';
import type { ApiResourceModel } from '../data/resource-definition.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';
import type { ValueInput } from './sy-value-input.ts';
import './sy-value-input.ts';

/** One value that a form can give. */
export interface FormEntry {
  /** Relative to what is written: `7`, `6/0`; or a whole path. */
  readonly key: string;
  readonly label: string;
  readonly resource: ApiResourceModel;
  /** What stands in the input at first; empty where there are `instances`. */
  readonly text: string;
  /** It has to be given. */
  readonly required: boolean;
  /** Of a resource that has several: what stands in the inputs of its instances at first, by their ids. */
  readonly instances?: ReadonlyMap<number, string>;
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
    marking: { type: Boolean },
    place: { type: String },
    given: { state: true },
    several: { state: true },
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
      .entry.plain {
        grid-template-columns: minmax(0, 1fr);
      }
      .entry > input {
        margin-top: 27px;
      }
      .instances {
        display: grid;
        gap: 8px;
        justify-items: start;
        padding-bottom: 8px;
      }
      .instance {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 8px;
        width: 100%;
        padding-left: 12px;
        border-left: 1px solid var(--sy-rule);
      }
      .instance > button {
        margin-top: 26px;
        align-self: start;
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
  /** What must be given is said to be so: where other things need not. */
  declare marking: boolean;
  /** What the values are for: of another place nothing is given yet. */
  declare place: string;
  /** Undefined: as it stands, whatever the device reports meanwhile. */
  declare given: ReadonlyMap<string, string | undefined>;
  /** Of resources that have several: texts by the ids of their instances. */
  declare several: ReadonlyMap<string, ReadonlyMap<number, string>>;
  declare choice: string;
  declare fault: string;

  constructor() {
    super();
    new Permission(this);
    this.entries = [];
    this.verb = 'Write';
    this.choices = [];
    this.disabled = false;
    this.instances = [];
    this.empty = false;
    this.marking = false;
    this.place = '';
    this.given = new Map();
    this.several = new Map();
    this.choice = '';
    this.fault = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('place')) {
      this.given = new Map();
      this.several = new Map();
      this.choice = this.choices[0]?.[0] ?? '';
      this.fault = '';
    }
    // New values of what is shown do not take away what the reader is typing.
    const added = this.entries.filter(
      ({ key, required }) => required && !this.given.has(key) && !this.several.has(key),
    );
    if (added.length > 0) for (const entry of added) this.#give(entry);
    const keys = new Set(this.entries.map(({ key }) => key));
    if ([...this.given.keys()].some((key) => !keys.has(key)))
      this.given = new Map([...this.given].filter(([key]) => keys.has(key)));
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
        <button data-needs="operate" class="primary" ?disabled=${this.disabled}>${this.verb}</button>
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

  #entry(entry: FormEntry) {
    const { key, label, resource, text, required } = entry;
    const named = required && this.marking ? `${label} (must be given)` : label;
    const asked = !required || this.marking;
    return html`<div class=${asked ? 'entry' : 'entry plain'}>
      <input
        type="checkbox"
        aria-label=${`Give ${label}`}
        .checked=${this.given.has(key) || this.several.has(key)}
        ?disabled=${required}
        ?hidden=${!asked}
        @change=${() => this.#tick(entry)}
      />
      ${
        entry.instances === undefined
          ? this.#input(key, resource, named, this.given.get(key) ?? text, (typed) => {
              this.given = new Map(this.given).set(key, typed);
            })
          : this.#instances(entry, named)
      }
    </div>`;
  }

  #input(
    key: string,
    resource: ApiResourceModel,
    label: string,
    text: string,
    typed: (text: string) => void,
  ) {
    return html`<sy-value-input
      data-key=${key}
      .place=${`${this.place} ${key}`}
      .resource=${resource}
      .label=${label}
      .text=${text}
      .instances=${this.instances}
      @text-changed=${(event: CustomEvent<string>) => typed(event.detail)}
    ></sy-value-input>`;
  }

  #instances({ key, label, resource, instances = new Map() }: FormEntry, named: string) {
    const shown = this.several.get(key);
    return html`<div class="instances" role="group" aria-label=${label}>
      <div class="label">${named}</div>
      ${[...(shown ?? instances)].map(
        ([id, text]) =>
          html`<div class="instance">
            ${this.#input(`${key}/${id}`, resource, `Instance ${id}`, text, (typed) => this.#set(key, instances, id, typed))}
            ${
              shown === undefined || shown.size === 1
                ? nothing
                : html`<button
                  type="button"
                  class="bare small"
                  aria-label=${`Leave instance ${id} of ${label} out`}
                  @click=${() => {
                    const left = new Map(shown);
                    left.delete(id);
                    this.several = new Map(this.several).set(key, left);
                  }}
                >
                  ✕
                </button>`
            }
          </div>`,
      )}
      <button
        type="button"
        class="small"
        aria-label=${`Add instance of ${label}`}
        @click=${() => this.#set(key, instances, freeId(shown ?? instances), '')}
      >
        Add instance
      </button>
    </div>`;
  }

  #set(key: string, before: ReadonlyMap<number, string>, id: number, text: string): void {
    const all = new Map(this.several.get(key) ?? before).set(id, text);
    this.several = new Map(this.several).set(key, new Map([...all].sort(([a], [b]) => a - b)));
  }

  #give({ key, instances }: FormEntry): void {
    if (instances === undefined) this.given = new Map(this.given).set(key, undefined);
    else this.several = new Map(this.several).set(key, instances.size > 0 ? instances : new Map([[0, '']]));
  }

  #tick(entry: FormEntry): void {
    const [given, several] = [new Map(this.given), new Map(this.several)];
    if (given.delete(entry.key) || several.delete(entry.key)) {
      this.given = given;
      this.several = several;
    } else {
      this.#give(entry);
    }
  }

  #isGiven(key: string): boolean {
    const [resource = '', instance] = key.startsWith('/') ? [key] : key.split('/');
    if (instance === undefined) return this.given.has(resource);
    return this.several.get(resource)?.has(Number(instance)) === true;
  }

  #submitted(event: Event): void {
    event.preventDefault();
    const values: Record<string, ApiValue> = {};
    let faulty: ValueInput | undefined;
    for (const input of this.renderRoot.querySelectorAll<ValueInput>('sy-value-input')) {
      const key = input.dataset['key'] ?? '';
      if (!this.#isGiven(key)) continue;
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

function freeId(taken: ReadonlyMap<number, string>): number {
  let id = 0;
  while (taken.has(id)) id++;
  return id;
}

customElements.define('sy-values-form', ValuesForm);
