import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { identifierAt, type LastValues, valueText } from '../data/last-values.ts';
import { counted } from '../data/numbers.ts';
import {
  filterTree,
  parentOf,
  type TreeNode,
  type TreeRow,
  trailOf,
  visibleRows,
} from '../data/object-tree.ts';
import { rowRuns } from '../data/row-runs.ts';
import { base } from '../styles/shared.ts';
import { VisibleRows } from '../visible-rows.ts';
import './sy-identifier.ts';
import './sy-time-text.ts';

const typeAheadMs = 700;
const rowHeight = 32;

/** What is drawn: a row, or the room of those that are not. */
type Line =
  | { readonly key: string; readonly gap: number }
  | { readonly key: string; readonly row: TreeRow; readonly entry: boolean };

/**
 * The object tree of a device (WAI-ARIA tree pattern), with the newest value of each resource and its age. Only the rows
 * in sight are drawn. Fires `place-chosen` with a path, and `place-ticked` with one while several are being picked.
 */
export class ObjectTree extends LitElement {
  static override properties = {
    tree: { attribute: false },
    values: { attribute: false },
    selected: { type: String },
    filter: { type: String },
    picking: { type: Boolean },
    ticked: { attribute: false },
    active: { state: true },
    open: { state: true },
  };

  static override styles = [
    base,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      [role='treeitem'] {
        display: grid;
        grid-template-columns: 16px minmax(88px, 1fr) auto 44px;
        align-items: center;
        gap: 0 6px;
        height: 32px;
        padding: 0 8px;
        border-radius: var(--sy-radius);
        cursor: pointer;
      }
      [role='treeitem'].picking {
        grid-template-columns: 16px 16px minmax(88px, 1fr) auto 44px;
      }
      .level-2 {
        padding-left: 24px;
      }
      .level-3 {
        padding-left: 40px;
      }
      .level-4 {
        padding-left: 56px;
      }
      [role='treeitem']:hover {
        background: var(--sy-hover);
      }
      [role='treeitem'].selected,
      [role='treeitem'].selected:hover {
        background: var(--sy-accent-weak);
      }
      [role='treeitem']:focus-visible {
        outline-offset: -2px;
      }
      .twist {
        width: 16px;
        height: 16px;
        fill: none;
        stroke: var(--sy-text-3);
        stroke-width: 1.6;
        transition: transform var(--sy-quick);
      }
      [aria-expanded='true'] > .twist {
        transform: rotate(90deg);
      }
      .name {
        display: flex;
        align-items: baseline;
        gap: 8px;
        min-width: 0;
      }
      .title {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .level-1 .title {
        font-weight: 600;
      }
      .unseen .title {
        color: var(--sy-text-3);
        font-style: italic;
      }
      .id {
        flex: none;
        color: var(--sy-text-3);
        font: 12px / 18px var(--sy-mono);
      }
      .operations {
        flex: none;
        color: var(--sy-text-3);
        font-size: 11px;
        letter-spacing: 0.04em;
      }
      .value {
        max-width: 168px;
        overflow: hidden;
        font-variant-numeric: tabular-nums;
        text-align: right;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .value.wide {
        grid-column: -3 / -1;
        max-width: none;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .age {
        font-size: var(--sy-small);
        text-align: right;
      }
      .value.undefined {
        color: var(--sy-waiting);
      }
      .none {
        padding: 16px;
        color: var(--sy-text-2);
      }
      input {
        width: 16px;
        height: 16px;
        margin: 0;
        accent-color: var(--sy-accent);
        pointer-events: none;
      }
      @media (max-width: 400px) {
        .value {
          max-width: 112px;
        }
        .operations {
          display: none;
        }
      }
    `,
  ];

  declare tree: readonly TreeNode[];
  declare values: LastValues;
  declare selected: string;
  declare filter: string;
  /** Several are being picked, for a composite operation. */
  declare picking: boolean;
  declare ticked: ReadonlySet<string>;
  declare active: string;
  declare open: ReadonlySet<string>;
  readonly #sight = new VisibleRows(this, rowHeight, () => this.renderRoot.querySelector('[role=tree]'));
  #rows: readonly TreeRow[] = [];
  #typed = '';
  #typedAt = 0;
  /** Where the reader has come from outside, by a link or by going back: it is brought into sight once it is there. */
  #sought = '';

  constructor() {
    super();
    this.tree = [];
    this.values = new Map();
    this.selected = '';
    this.filter = '';
    this.picking = false;
    this.ticked = new Set();
    this.active = '';
    this.open = new Set();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('selected') && this.selected !== '') {
      if (this.selected !== this.active) this.#sought = this.selected;
      this.active = this.selected;
      // What a link leads to is seen: everything above it is open.
      this.open = new Set([...this.open, ...trailOf(this.selected).slice(0, -1)]);
    }
    const filtered = this.filter.trim() !== '';
    // New values change which rows there are only where the filter looks at them.
    const asked = ['tree', 'open', 'filter', ...(filtered ? ['values'] : [])] as const;
    if (asked.some((name) => changed.has(name as keyof ObjectTree))) {
      const tree = filterTree(this.tree, this.filter, this.values);
      this.#rows = visibleRows(tree, (path) => this.#isOpen(path));
    }
  }

  protected override updated(): void {
    // The content policy allows no style in a template.
    for (const gap of this.renderRoot.querySelectorAll<HTMLElement>('.gap'))
      gap.style.height = `${Number(gap.dataset['rows']) * rowHeight}px`;
    if (this.#sought === '') return;
    const row = this.renderRoot.querySelector(`[data-path="${this.#sought}"]`);
    if (row === null) return;
    this.#sought = '';
    row.scrollIntoView({ block: 'nearest' });
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  override render() {
    const rows = this.#rows;
    if (rows.length === 0) {
      return html`<p class="none">
        ${this.filter === '' ? 'The device has listed no object.' : `Nothing here is called “${this.filter}”, or has it as its value.`}
      </p>`;
    }
    const entry = Math.max(
      0,
      rows.findIndex(({ node }) => node.path === this.active),
    );
    const { runs, after } = rowRuns(rows.length, this.#sight, entry);
    const lines = runs.flatMap(({ gap, first, end }): Line[] => [
      { key: `gap before ${rows[first]?.node.path}`, gap },
      ...rows.slice(first, end).map((row, at) => ({ key: row.node.path, row, entry: first + at === entry })),
    ]);
    // One list by keys: a row that has the focus stays the element that it is, whatever comes and goes around it.
    return html`<div
      role="tree"
      aria-label="Objects"
      aria-multiselectable=${this.picking ? 'true' : nothing}
      @keydown=${this.#keyed}
    >
      ${repeat(
        [...lines, { key: 'gap behind', gap: after }],
        ({ key }) => key,
        (line) =>
          'gap' in line
            ? html`<div class="gap" role="none" data-rows=${line.gap}></div>`
            : this.#row(line.row, line.entry),
      )}
    </div>`;
  }

  #row({ node, position, siblings }: TreeRow, entry: boolean) {
    const { path, level, id, name, children, seen, resource } = node;
    const expandable = children.length > 0;
    const selected = this.picking ? this.ticked.has(path) : path === this.selected;
    return html`<div
      role="treeitem"
      class=${`level-${level}${seen ? '' : ' unseen'}${this.picking ? ' picking' : ''}${selected ? ' selected' : ''}`}
      data-path=${path}
      aria-level=${level}
      aria-posinset=${position}
      aria-setsize=${siblings}
      aria-expanded=${expandable ? this.#isOpen(path) : nothing}
      aria-selected=${selected}
      tabindex=${entry ? 0 : -1}
      @click=${(event: MouseEvent) => this.#clicked(event, node)}
    >
      ${
        expandable
          ? html`<svg class="twist" viewBox="0 0 16 16" aria-hidden="true"><path d="m6 4 4 4-4 4" /></svg>`
          : html`<span></span>`
      }
      ${
        this.picking
          ? html`<input type="checkbox" tabindex="-1" aria-hidden="true" .checked=${selected} />`
          : nothing
      }
      <span class="name" title=${name}>
        <span class="title">${name}</span>
        <span class="id">${level === 1 ? path : id}</span>
        ${resource === undefined || level === 4 ? nothing : html`<span class="operations">${resource.operations}</span>`}
        ${seen ? nothing : html`<span class="only-spoken">${level === 2 ? 'not listed by the device' : 'not shown by the device so far'}</span>`}
      </span>
      ${this.#value(node)}
    </div>`;
  }

  #value({ path, level, model, children, seen }: TreeNode) {
    if (level === 1) {
      return html`<span class=${`value wide${model === undefined ? ' undefined' : ''}`}
        >${model === undefined ? 'no definition' : model.version}</span
      >`;
    }
    const last = this.values.get(path);
    if (last === undefined) {
      const count = level === 3 && children.length > 0 ? counted(children.length, 'instance') : '';
      return html`<span class="value wide">${level === 2 && !seen ? 'not listed' : count}</span>`;
    }
    const identifier = identifierAt(path);
    const text = valueText(path, last.value);
    return html`${
      identifier !== undefined && typeof last.value === 'string'
        ? html`<sy-identifier class="value" plain kind=${identifier} .value=${last.value}></sy-identifier>`
        : html`<span class="value" title=${text}>${text.slice(0, 80)}</span>`
    }<sy-time-text class="age" mode="age" .at=${last.takenAt}></sy-time-text>`;
  }

  #isOpen(path: string): boolean {
    // What a filter leaves is shown, but for the resources of an object that matches as a whole.
    return this.open.has(path) || (this.filter.trim() !== '' && path.split('/').length <= 3);
  }

  #clicked(event: MouseEvent, { path, children }: TreeNode): void {
    const onTwist = event.composedPath().some((target) => target instanceof SVGElement);
    const wasActive = this.active === path;
    this.active = path;
    if (onTwist) {
      this.#toggle([path]);
    } else if (this.picking) {
      this.#tick(path);
    } else {
      if (children.length > 0 && (wasActive || !this.open.has(path))) this.#toggle([path]);
      this.#choose(path);
    }
  }

  #toggle(paths: readonly string[], open?: boolean): void {
    const next = new Set(this.open);
    for (const path of paths) {
      if (open ?? !next.has(path)) next.add(path);
      else next.delete(path);
    }
    this.open = next;
  }

  #choose(path: string): void {
    this.dispatchEvent(new CustomEvent('place-chosen', { detail: path }));
  }

  #tick(path: string): void {
    this.dispatchEvent(new CustomEvent('place-ticked', { detail: path }));
  }

  async #go(path: string | undefined): Promise<void> {
    if (path === undefined) return;
    this.active = path;
    await this.updateComplete;
    this.focus();
  }

  readonly #keyed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = this.#rows.map(({ node }) => node);
    const at = Math.max(
      0,
      rows.findIndex(({ path }) => path === this.active),
    );
    const node = rows[at];
    if (node === undefined) return;
    const { path, children } = node;
    const isOpen = this.#isOpen(path);
    const chosen = () => (this.picking ? this.#tick(path) : this.#choose(path));
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.#go(rows[at + 1]?.path),
      ArrowUp: () => this.#go(rows[at - 1]?.path),
      Home: () => this.#go(rows[0]?.path),
      End: () => this.#go(rows.at(-1)?.path),
      ArrowRight: () => {
        if (children.length > 0 && !isOpen) this.#toggle([path], true);
        else this.#go(children[0]?.path);
      },
      ArrowLeft: () => {
        if (children.length > 0 && isOpen) this.#toggle([path], false);
        else this.#go(parentOf(path) || undefined);
      },
      Enter: chosen,
      ' ': chosen,
      '*': () => {
        const siblings = rows.filter((row) => parentOf(row.path) === parentOf(path));
        this.#toggle(
          siblings.filter((row) => row.children.length > 0).map((row) => row.path),
          true,
        );
      },
    };
    if (keys[event.key] !== undefined) this.#typed = '';
    const action = keys[event.key] ?? this.#typeAhead(event.key, rows, at);
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  /** The next row that begins with what was typed in a run. Keys that mean something to the page stay the page's. */
  #typeAhead(key: string, rows: readonly TreeNode[], at: number): (() => void) | undefined {
    if (!/^[\p{L}\p{N}]$/u.test(key)) return undefined;
    const now = performance.now();
    this.#typed = now - this.#typedAt < typeAheadMs ? this.#typed + key.toLowerCase() : key.toLowerCase();
    this.#typedAt = now;
    const typed = this.#typed;
    const from = typed.length === 1 ? at + 1 : at;
    const order = [...rows.slice(from), ...rows.slice(0, from)];
    const found = order.find(
      ({ name, id }) => name.toLowerCase().startsWith(typed) || String(id).startsWith(typed),
    );
    return () => this.#go(found?.path);
  }
}

customElements.define('sy-object-tree', ObjectTree);
