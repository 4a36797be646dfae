import { css, html, LitElement, nothing } from 'lit';
import { formatCount } from '../data/numbers.ts';
import { placeBeside, popovers } from '../styles/popover.ts';
import { base, controls, fields } from '../styles/shared.ts';

/** Something that a filter can be set to. */
export interface FilterChoice {
  /** As the filter has it; unique among the choices. */
  readonly value: string;
  readonly label: string;
  /** Devices that have it; not told where nobody counted. */
  readonly count?: number;
}

/** More choices than this get a field to find one in. */
const manyChoices = 10;

/** The reader has set a filter: to these values, or to none. */
export class FilterChangedEvent extends Event {
  readonly values: readonly string[];

  constructor(values: readonly string[]) {
    super('filter-changed');
    this.values = values;
  }
}

/**
 * One filter as a chip: what it is set to, a list of what it can be set to, and a button that takes it off. Fires
 * `filter-changed`, and `filter-opened` when the choices are wanted.
 */
export class FilterChip extends LitElement {
  static override properties = {
    label: { type: String },
    text: { type: String },
    choices: { attribute: false },
    chosen: { attribute: false },
    single: { type: Boolean },
    failed: { type: Boolean },
    open: { state: true },
    sought: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    popovers,
    css`
      :host {
        display: inline-flex;
        flex: none;
        max-width: 100%;
      }
      .chip {
        display: inline-flex;
        max-width: 100%;
        border: 1px dashed var(--sy-edge);
        border-radius: 16px;
        color: var(--sy-text-2);
        font-size: var(--sy-small);
        line-height: 16px;
      }
      .chip.set {
        border: 1px solid var(--sy-accent);
        background: var(--sy-accent-weak);
        color: var(--sy-accent);
      }
      .chip button {
        min-width: 0;
        min-height: 26px;
        padding: 4px 12px;
        border: none;
        border-radius: 16px;
        background: none;
        color: inherit;
        font-size: inherit;
        line-height: inherit;
      }
      .chip button:hover {
        background: var(--sy-hover);
      }
      .chip.set .take-off {
        padding: 4px 9px 4px 5px;
      }
      .chip.set .opener {
        padding-right: 5px;
      }
      .value {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        max-width: 240px;
        font-weight: 600;
      }
      .choices {
        display: grid;
      }
      label.choice {
        display: flex;
        align-items: center;
        gap: 8px;
        min-height: 32px;
        padding: 4px 8px;
        border-radius: 4px;
        cursor: pointer;
      }
      label.choice:hover {
        background: var(--sy-hover);
      }
      .choice .name {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .choice .count {
        color: var(--sy-text-3);
        font-variant-numeric: tabular-nums;
      }
      .find {
        margin-bottom: 8px;
      }
      .note {
        padding: 8px;
        color: var(--sy-text-3);
      }
    `,
  ];

  declare label: string;
  /** What it is set to, in words; empty: it is not set. */
  declare text: string;
  /** Undefined while they are loaded. */
  declare choices: readonly FilterChoice[] | undefined;
  declare chosen: readonly string[];
  /** One choice at most. */
  declare single: boolean;
  /** The choices could not be loaded. */
  declare failed: boolean;
  declare open: boolean;
  declare sought: string;

  constructor() {
    super();
    this.label = '';
    this.text = '';
    this.choices = undefined;
    this.chosen = [];
    this.single = false;
    this.failed = false;
    this.open = false;
    this.sought = '';
  }

  override render() {
    const set = this.text !== '';
    return html`<span class=${set ? 'chip set' : 'chip'}>
        <button class="opener" popovertarget="menu" aria-expanded=${this.open} aria-haspopup="dialog">
          ${set ? html`${this.label}: <span class="value">${this.text}</span>` : html`<span aria-hidden="true">+</span> ${this.label}`}
        </button>
        ${
          set
            ? html`<button class="take-off" aria-label=${`Take off the filter ${this.label}`} @click=${() => this.#set([])}>✕</button>`
            : nothing
        }
      </span>
      <div
        id="menu"
        popover="auto"
        role="dialog"
        aria-label=${`Filter by ${this.label.toLowerCase()}`}
        @beforetoggle=${this.#toggling}
        @toggle=${this.#toggled}
      >
        ${this.open ? this.#menu() : nothing}
      </div>`;
  }

  protected override updated(): void {
    if (this.open) this.#place();
  }

  #menu() {
    const all = this.#all();
    if (all === undefined) {
      return html`<p class="note" role="status">${this.failed ? 'What there is could not be loaded' : 'Loading…'}</p>`;
    }
    const sought = this.sought.toLowerCase();
    const shown = all.filter(({ label }) => label.toLowerCase().includes(sought));
    return html`${
      all.length > manyChoices
        ? html`<input
            class="find"
            type="search"
            aria-label=${`Find a ${this.label.toLowerCase()}`}
            placeholder="Find"
            .value=${this.sought}
            @input=${(event: Event) => {
              this.sought = (event.target as HTMLInputElement).value;
            }}
          />`
        : nothing
    }
      <div class="choices">
        ${shown.map(
          ({ value, label, count }) =>
            html`<label class="choice">
              <input
                type=${this.single ? 'radio' : 'checkbox'}
                name="choice"
                .checked=${this.chosen.includes(value)}
                @change=${() => this.#choose(value)}
              />
              <span class="name">${label}</span>
              ${count === undefined ? nothing : html`<span class="count">${formatCount(count)}</span>`}
            </label>`,
        )}
      </div>
      ${shown.length === 0 ? html`<p class="note">${all.length === 0 ? 'No device tells one' : 'Nothing like it'}</p>` : nothing}`;
  }

  /** What is chosen stays in the list, though no device has it now. */
  #all(): readonly FilterChoice[] | undefined {
    if (this.choices === undefined) return undefined;
    const known = new Set(this.choices.map(({ value }) => value));
    const missing = this.chosen.filter((value) => !known.has(value));
    return [...this.choices, ...missing.map((value) => ({ value, label: value || 'not known', count: 0 }))];
  }

  #choose(value: string): void {
    if (this.single) {
      this.#set([value]);
      this.renderRoot.querySelector<HTMLElement>('#menu')?.hidePopover();
    } else if (this.chosen.includes(value)) this.#set(this.chosen.filter((other) => other !== value));
    else this.#set([...this.chosen, value]);
  }

  #set(values: readonly string[]): void {
    this.dispatchEvent(new FilterChangedEvent(values));
  }

  #toggling(event: ToggleEvent): void {
    this.open = event.newState === 'open';
    if (!this.open) return;
    this.sought = '';
    this.dispatchEvent(new Event('filter-opened'));
  }

  #toggled(event: ToggleEvent): void {
    if (event.newState !== 'open') return;
    this.#place();
    this.renderRoot.querySelector<HTMLElement>('#menu input')?.focus();
  }

  #place(): void {
    const menu = this.renderRoot.querySelector<HTMLElement>('#menu');
    const button = this.renderRoot.querySelector<HTMLElement>('.chip');
    if (menu !== null && button !== null) placeBeside(menu, button);
  }
}

customElements.define('sy-filter-chip', FilterChip);
