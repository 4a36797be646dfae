import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { identifierAt, valueText } from '../data/last-values.ts';
import { filterTree, parentOf, type TreeNode, visibleNodes } from '../data/object-tree.ts';
import { base } from '../styles/shared.ts';
import './sy-identifier.ts';
import './sy-time-text.ts';

const typeAheadMs = 700;

/**
 * The object tree of a device (WAI-ARIA tree pattern). Fires `place-chosen` with a path, and `place-ticked` with one
 * while several are being picked.
 */
export class ObjectTree extends LitElement {
  static override properties = {
    tree: { attribute: false },
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
      .row {
        display: grid;
        grid-template-columns: 16px minmax(0, 1fr) auto;
        align-items: center;
        gap: 0 6px;
        min-height: 30px;
        padding: 3px 8px;
        border-radius: var(--sy-radius);
        cursor: pointer;
        content-visibility: auto;
        contain-intrinsic-size: auto 30px;
      }
      .row.picking {
        grid-template-columns: 16px 16px minmax(0, 1fr) auto;
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
      [aria-selected='true'],
      [aria-selected='true']:hover {
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
        max-width: 150px;
        overflow: hidden;
        color: var(--sy-text-2);
        font-variant-numeric: tabular-nums;
        text-overflow: ellipsis;
        white-space: nowrap;
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
      }
    `,
  ];

  declare tree: readonly TreeNode[];
  declare selected: string;
  declare filter: string;
  /** Several are being picked, for a composite operation. */
  declare picking: boolean;
  declare ticked: ReadonlySet<string>;
  declare active: string;
  declare open: ReadonlySet<string>;
  #typed = '';
  #typedAt = 0;

  constructor() {
    super();
    this.tree = [];
    this.selected = '';
    this.filter = '';
    this.picking = false;
    this.ticked = new Set();
    this.active = '';
    this.open = new Set();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('selected') || this.selected === '') return;
    this.active = this.selected;
    // What a link leads to is seen: everything above it is open.
    const open = new Set(this.open);
    for (let at = parentOf(this.selected); at !== ''; at = parentOf(at)) open.add(at);
    this.open = open;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('selected') || (changed.has('tree') && changed.get('tree')?.length === 0)) {
      this.renderRoot.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
    }
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  override render() {
    const rows = this.#rows();
    if (rows.length === 0) {
      return html`<p class="none">
        ${this.filter === '' ? 'The device has listed no object.' : `Nothing here is called “${this.filter}”, or has it as its value.`}
      </p>`;
    }
    const entry = rows.some(({ path }) => path === this.active) ? this.active : rows[0]?.path;
    return html`<div role="tree" aria-label="Objects" aria-multiselectable=${this.picking ? 'true' : nothing} @keydown=${this.#keyed}>
      ${repeat(
        rows,
        ({ path }) => path,
        (node) => this.#row(node, node.path === entry),
      )}
    </div>`;
  }

  #row(node: TreeNode, entry: boolean) {
    const { path, level, name, children, seen, resource } = node;
    const expandable = children.length > 0;
    return html`<div
      role="treeitem"
      class=${`row level-${level} ${seen ? '' : 'unseen'} ${this.picking ? 'picking' : ''}`}
      data-path=${path}
      aria-level=${level}
      aria-expanded=${expandable ? this.#isOpen(path) : nothing}
      aria-selected=${this.picking ? this.ticked.has(path) : path === this.selected}
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
          ? html`<input type="checkbox" tabindex="-1" aria-hidden="true" .checked=${this.ticked.has(path)} />`
          : nothing
      }
      <span class="name">
        <span class="title">${name}</span>
        <span class="id">${level === 1 ? path : node.id}</span>
        ${resource === undefined || level === 4 ? nothing : html`<span class="operations">${resource.operations}</span>`}
      </span>
      <span class="value">${this.#value(node)}</span>
    </div>`;
  }

  #value({ path, level, last, model }: TreeNode) {
    if (level === 1)
      return model === undefined ? 'no definition' : html`<span class="quiet">${model.version}</span>`;
    if (last === undefined) return nothing;
    const identifier = identifierAt(path);
    if (identifier !== undefined && typeof last.value === 'string') {
      return html`<sy-identifier plain kind=${identifier} .value=${last.value}></sy-identifier>`;
    }
    return valueText(path, last.value);
  }

  #rows(): readonly TreeNode[] {
    const tree = filterTree(this.tree, this.filter);
    return visibleNodes(tree, (path) => this.#isOpen(path));
  }

  #isOpen(path: string): boolean {
    // What a filter leaves is shown, but for the resources of an object that matches as a whole.
    return this.open.has(path) || (this.filter.trim() !== '' && path.split('/').length <= 3);
  }

  #clicked(event: MouseEvent, node: TreeNode): void {
    const onTwist = event.composedPath().some((target) => target instanceof SVGElement);
    this.active = node.path;
    if (this.picking && !onTwist) {
      this.#tick(node.path);
      return;
    }
    if (node.children.length > 0) this.#toggle(node.path);
    if (!onTwist) this.#choose(node.path);
  }

  #toggle(path: string, open = !this.open.has(path)): void {
    const next = new Set(this.open);
    if (open) next.add(path);
    else next.delete(path);
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
    const rows = this.#rows();
    const at = Math.max(
      0,
      rows.findIndex(({ path }) => path === this.active),
    );
    const node = rows[at];
    if (node === undefined) return;
    const { path, children } = node;
    const isOpen = this.#isOpen(path);
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.#go(rows[at + 1]?.path),
      ArrowUp: () => this.#go(rows[at - 1]?.path),
      Home: () => this.#go(rows[0]?.path),
      End: () => this.#go(rows.at(-1)?.path),
      ArrowRight: () => {
        if (children.length > 0 && !isOpen) this.#toggle(path, true);
        else this.#go(children[0]?.path);
      },
      ArrowLeft: () => {
        if (children.length > 0 && isOpen) this.#toggle(path, false);
        else this.#go(parentOf(path) || undefined);
      },
      Enter: () => (this.picking ? this.#tick(path) : this.#choose(path)),
      ' ': () => (this.picking ? this.#tick(path) : this.#choose(path)),
      '*': () => {
        for (const sibling of rows.filter((row) => parentOf(row.path) === parentOf(path))) {
          if (sibling.children.length > 0) this.#toggle(sibling.path, true);
        }
      },
    };
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
