import { css, html, LitElement } from 'lit';
import type { LastValues } from '../data/last-values.ts';
import type { TreeNode } from '../data/object-tree.ts';
import { base, fields, skeletons } from '../styles/shared.ts';
import './sy-object-tree.ts';

/**
 * The object tree with its filter and switches. Fires `place-chosen` and `place-ticked` with a path, `all-changed` and
 * `picking-changed` with what is ticked.
 */
export class TreePane extends LitElement {
  static override properties = {
    tree: { attribute: false },
    values: { attribute: false },
    selected: { type: String },
    all: { type: Boolean },
    picking: { type: Boolean },
    ticked: { attribute: false },
    filter: { state: true },
  };

  static override styles = [
    base,
    fields,
    skeletons,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-width: 0;
        min-height: 0;
      }
      .tools {
        display: grid;
        gap: 8px;
        padding: 12px 16px;
        border-bottom: 1px solid var(--sy-rule);
      }
      .switches {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
      }
      .switches label {
        display: flex;
        gap: 6px;
        align-items: center;
        min-height: 24px;
        color: var(--sy-text-2);
        font-size: var(--sy-small);
      }
      .scroll {
        flex: 1;
        min-height: 0;
        padding: 8px;
        overflow: auto;
      }
      .bones {
        display: grid;
        gap: 20px;
        padding: 12px;
      }
      .bone:nth-child(3n) {
        width: 52%;
      }
      .bone:nth-child(3n + 1) {
        width: 70%;
      }
      .bone:nth-child(3n + 2) {
        width: 60%;
      }
      @media (max-width: 760px) {
        .scroll {
          padding: 8px 4px;
          overflow: visible;
        }
      }
    `,
  ];

  /** Undefined while it is loaded. */
  declare tree: readonly TreeNode[] | undefined;
  declare values: LastValues;
  declare selected: string;
  /** All that is defined is in it. */
  declare all: boolean;
  declare picking: boolean;
  declare ticked: ReadonlySet<string>;
  declare filter: string;

  constructor() {
    super();
    this.tree = undefined;
    this.values = new Map();
    this.selected = '';
    this.all = false;
    this.picking = false;
    this.ticked = new Set();
    this.filter = '';
  }

  override render() {
    return html`<div class="tools">
        <input
          type="search"
          aria-label="Filter by name, id, path or value"
          placeholder="Name, id, /path or value"
          autocomplete="off"
          .value=${this.filter}
          @input=${(event: Event) => {
            this.filter = (event.target as HTMLInputElement).value;
          }}
        />
        <div class="switches">
          <label title="Resources too that the definition has, and the device has not shown"
            ><input type="checkbox" .checked=${this.all} @change=${(event: Event) => this.#switched('all-changed', event)} />All
            defined</label
          >
          <label title="For one message that reads, writes or observes several places"
            ><input
              type="checkbox"
              .checked=${this.picking}
              @change=${(event: Event) => this.#switched('picking-changed', event)}
            />Pick several</label
          >
        </div>
      </div>
      <div class="scroll">
        ${
          this.tree === undefined
            ? html`<div class="bones" role="img" aria-busy="true" aria-label="Loading objects">
              ${[1, 2, 3, 4, 5, 6, 7].map(() => html`<i class="bone"></i>`)}
            </div>`
            : html`<sy-object-tree
              .tree=${this.tree}
              .values=${this.values}
              .selected=${this.selected}
              .filter=${this.filter}
              ?picking=${this.picking}
              .ticked=${this.ticked}
              @place-chosen=${this.#passOn}
              @place-ticked=${this.#passOn}
            ></sy-object-tree>`
        }
      </div>`;
  }

  #switched(what: string, event: Event): void {
    this.dispatchEvent(new CustomEvent(what, { detail: (event.target as HTMLInputElement).checked }));
  }

  #passOn({ type, detail }: CustomEvent<string>): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define('sy-tree-pane', TreePane);
