import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiDevice } from '../data/api-types.ts';
import { lifetimeEnd } from '../data/device-list.ts';
import type { DeviceRows } from '../data/device-rows.ts';
import type { DeviceSort } from '../data/devices-query.ts';
import { hrefOf } from '../data/routes.ts';
import { isSelected, nothingSelected, type Selection, selectedCount } from '../data/selection.ts';
import { signalIsOld } from '../data/signal.ts';
import { base, skeletons } from '../styles/shared.ts';
import { deviceTableStyles } from './device-table-styles.ts';
import './sy-signal-meter.ts';
import './sy-state-badge.ts';
import './sy-time-text.ts';

/** Rows beyond those in view that exist: keys and small steps find them there. */
const overscan = 10;

interface Column {
  readonly name: string;
  readonly title: string;
  readonly sort?: DeviceSort;
}

const columns: readonly Column[] = [
  { name: 'state', title: 'State' },
  { name: 'endpoint', title: 'Endpoint', sort: 'endpoint' },
  { name: 'model', title: 'Model', sort: 'model' },
  { name: 'carrier', title: 'Carrier', sort: 'carrier' },
  { name: 'signal', title: 'Signal', sort: 'signal' },
  { name: 'heard', title: 'Last heard', sort: 'lastSeen' },
  { name: 'left', title: 'Lifetime left' },
  { name: 'node', title: 'Node' },
];
/** Where there are tenants. */
const columnsOfTenants: readonly Column[] = [...columns, { name: 'tenant', title: 'Tenant' }];

/** Rows that the reader looks at. */
export class RowsShownEvent extends Event {
  readonly first: number;
  readonly last: number;

  constructor(first: number, last: number) {
    super('rows-shown');
    this.first = first;
    this.last = last;
  }
}

/** The reader wants the list by this column. */
export class SortChosenEvent extends Event {
  readonly sort: DeviceSort;

  constructor(sort: DeviceSort) {
    super('sort-chosen');
    this.sort = sort;
  }
}

/** A row was chosen, or is not any more; with all from `from` where that was asked for. `index` undefined: all rows. */
export class RowsChosenEvent extends Event {
  readonly index: number | undefined;
  readonly from: number | undefined;
  readonly chosen: boolean;

  constructor(index: number | undefined, from: number | undefined, chosen: boolean) {
    super('rows-chosen');
    this.index = index;
    this.from = from;
    this.chosen = chosen;
  }
}

/**
 * The devices as a table of which only the rows in view exist, each at its own place: it can be scrolled to any of
 * them at once. Arrows move through the rows, x chooses one; each endpoint is a link.
 */
export class DeviceTable extends LitElement {
  static override properties = {
    rows: { attribute: false },
    version: { type: Number },
    busy: { type: Boolean },
    sort: { type: String },
    descending: { type: Boolean },
    selection: { attribute: false },
    tenants: { type: Boolean },
    window: { state: true },
  };

  static override styles = [base, skeletons, deviceTableStyles];

  /** Undefined while the first page loads. */
  declare rows: DeviceRows | undefined;
  /** Rises when the rows have changed. */
  declare version: number;
  declare busy: boolean;
  declare sort: DeviceSort;
  declare descending: boolean;
  declare selection: Selection;
  /** There are tenants: each row says whose it is. */
  declare tenants: boolean;
  /** The rows that exist. */
  declare window: { readonly first: number; readonly last: number };
  #rowHeight = 40;
  #scrollTop = 0;
  /** The row that the reader chose last: where a range begins. */
  #anchor: number | undefined;
  readonly #sizes = new ResizeObserver(() => this.#measure());

  constructor() {
    super();
    this.rows = undefined;
    this.version = 0;
    this.busy = false;
    this.sort = 'endpoint';
    this.descending = false;
    this.selection = nothingSelected;
    this.tenants = false;
    this.window = { first: 0, last: 40 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#sizes.observe(this);
    if (!this.hasUpdated) return;
    // A list that was left and is come back to: it stands where it stood.
    const top = this.#scrollTop;
    requestAnimationFrame(() => {
      if (this.#body !== null) this.#body.scrollTop = top;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes.disconnect();
  }

  /** Moves the focus to a row, scrolling it into view. */
  async focusRow(index: number): Promise<void> {
    const last = (this.rows?.total ?? 0) - 1;
    const body = this.#body;
    if (last < 0 || body === null) return;
    const wanted = Math.max(0, Math.min(index, last));
    const top = wanted * this.#rowHeight;
    if (top < body.scrollTop) body.scrollTop = top;
    else if (top + this.#rowHeight > body.scrollTop + body.clientHeight) {
      body.scrollTop = top + this.#rowHeight - body.clientHeight;
    }
    this.#look();
    await this.updateComplete;
    // One that is not loaded yet takes the focus itself, and its link when it is there.
    const row = this.renderRoot.querySelector<HTMLElement>(`[data-index="${wanted}"]`);
    (row?.querySelector('a') ?? row)?.focus({ preventScroll: true });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('rows') || this.rows === undefined) return;
    if (changed.get('rows') !== undefined) {
      // Another list: it begins at its beginning.
      this.#scrollTop = 0;
      this.#anchor = undefined;
      if (this.#body !== null) this.#body.scrollTop = 0;
    }
    this.window = this.#windowAt(this.#scrollTop);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('rows')) this.#measure();
    const row = this.#focusedRow();
    // It was loaded while it had the focus.
    if (changed.has('version') && row !== null) row.querySelector('a')?.focus({ preventScroll: true });
  }

  override render() {
    const { rows } = this;
    return html`<div
      class=${this.tenants ? 'table of-tenants' : 'table'}
      role="table"
      aria-label="Devices"
      aria-rowcount=${rows === undefined ? -1 : rows.total + 1}
      aria-busy=${this.busy}
      @keydown=${this.#keyed}
    >
      <div role="rowgroup" class="heads">
        <div class="row head" role="row" aria-rowindex="1">
          ${this.#chooseAll()} ${this.#columns.map((column) => this.#head(column))}
        </div>
      </div>
      ${rows === undefined ? this.#skeleton() : this.#rows(rows)}
    </div>`;
  }

  get #columns(): readonly Column[] {
    return this.tenants ? columnsOfTenants : columns;
  }

  #head({ name, title, sort }: Column) {
    if (sort === undefined) return html`<span role="columnheader" class=${name}>${title}</span>`;
    const own = this.sort === sort;
    const direction = this.descending ? 'descending' : 'ascending';
    return html`<span role="columnheader" class=${name} aria-sort=${own ? direction : 'none'}
      ><button class=${own ? 'sorted' : ''} @click=${() => this.dispatchEvent(new SortChosenEvent(sort))}>
        ${title}<span class="arrow" aria-hidden="true">${own && this.descending ? '↓' : '↑'}</span>
      </button></span
    >`;
  }

  #chooseAll() {
    const total = this.rows?.total ?? 0;
    const count = selectedCount(this.selection, total);
    return html`<span role="columnheader" class="choose"
      ><input
        type="checkbox"
        aria-label="Select all that match"
        ?disabled=${total === 0}
        .checked=${total > 0 && count >= total}
        .indeterminate=${count > 0 && count < total}
        @change=${(event: Event) => {
          const { checked } = event.target as HTMLInputElement;
          this.dispatchEvent(new RowsChosenEvent(undefined, undefined, checked));
        }}
    /></span>`;
  }

  #rows(rows: DeviceRows) {
    const { first, last } = this.window;
    const indexes = Array.from(
      { length: Math.max(0, Math.min(last, rows.total - 1) - first + 1) },
      (_, offset) => first + offset,
    );
    return html`<div class=${this.busy ? 'body busy' : 'body'} @scroll=${this.#scrolled}>
      <div
        role="rowgroup"
        class="rows"
        .style=${`height: ${rows.total * this.#rowHeight}px`}
        @click=${this.#clicked}
      >
        ${repeat(
          indexes,
          (index) => index,
          (index) => this.#row(rows.get(index), index),
        )}
      </div>
    </div>`;
  }

  /** One element whether it is loaded or not: what has the focus keeps it when its device comes. */
  #row(device: ApiDevice | undefined, index: number) {
    const chosen = device !== undefined && isSelected(this.selection, device.endpoint);
    const gone = device !== undefined && device.registration === undefined;
    return html`<div
      class=${`row${gone ? ' gone' : ''}${chosen ? ' chosen' : ''}`}
      role="row"
      aria-rowindex=${index + 2}
      data-index=${index}
      tabindex="-1"
      .style=${`top: ${index * this.#rowHeight}px`}
    >
      ${
        device === undefined
          ? unloaded(this.#columns)
          : html`${this.#choice(device.endpoint, index, chosen)}${cells(device)}${this.tenants ? tenantCell(device) : nothing}`
      }
    </div>`;
  }

  #choice(endpoint: string, index: number, chosen: boolean) {
    return html`<span role="cell" class="choose"
      ><input
        type="checkbox"
        tabindex="-1"
        aria-label=${`Select ${endpoint}`}
        ?disabled=${this.selection.kind === 'all'}
        .checked=${chosen}
        @click=${(event: MouseEvent) => this.#choose(event, index)}
    /></span>`;
  }

  #skeleton() {
    return html`<div aria-hidden="true" class="body still">
      ${Array.from(
        { length: 12 },
        () =>
          html`<div class="row still"><span class="choose"></span>${this.#columns.map(
            ({ name }) => html`<span class=${name}><i class="bone"></i></span>`,
          )}</div>`,
      )}
    </div>`;
  }

  get #body(): HTMLElement | null {
    return this.renderRoot.querySelector('.body:not(.still)');
  }

  #measure(): void {
    const height = Number.parseFloat(getComputedStyle(this).getPropertyValue('--sy-row')) || 40;
    if (height !== this.#rowHeight) {
      // The same row stays at the top.
      this.#scrollTop = (this.#scrollTop / this.#rowHeight) * height;
      this.#rowHeight = height;
      this.requestUpdate();
      this.updateComplete.then(() => {
        if (this.#body !== null) this.#body.scrollTop = this.#scrollTop;
      });
    }
    this.#look();
  }

  #scrolled(): void {
    // What is detached scrolls to its top, and is to come back to where it was.
    if (!this.isConnected || this.#body === null) return;
    this.#scrollTop = this.#body.scrollTop;
    this.#look();
  }

  #look(): void {
    const body = this.#body;
    if (body === null || this.rows === undefined || body.clientHeight === 0) return;
    const window = this.#windowAt(body.scrollTop, body.clientHeight);
    if (window.first !== this.window.first || window.last !== this.window.last) this.window = window;
    const first = Math.floor(body.scrollTop / this.#rowHeight);
    const last = Math.floor((body.scrollTop + body.clientHeight) / this.#rowHeight);
    this.dispatchEvent(new RowsShownEvent(first, last));
  }

  #windowAt(
    top: number,
    height = this.clientHeight || 900,
  ): { readonly first: number; readonly last: number } {
    const first = Math.max(0, Math.floor(top / this.#rowHeight) - overscan);
    return { first, last: Math.ceil((top + height) / this.#rowHeight) + overscan };
  }

  #choose(event: MouseEvent, index: number): void {
    const { checked } = event.target as HTMLInputElement;
    this.#chosen(index, checked, event.shiftKey);
    event.stopPropagation();
  }

  #chosen(index: number, chosen: boolean, range: boolean): void {
    const from = range ? this.#anchor : undefined;
    this.#anchor = index;
    this.dispatchEvent(new RowsChosenEvent(index, from, chosen));
  }

  /** The whole row opens, as its link does; selecting text in it does not. */
  #clicked(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    if (target.closest('a, .choose') !== null || event.button !== 0 || String(getSelection()) !== '') return;
    target
      .closest('.row')
      ?.querySelector('a')
      ?.dispatchEvent(
        new MouseEvent('click', {
          bubbles: true,
          composed: true,
          cancelable: true,
          ctrlKey: event.ctrlKey,
          metaKey: event.metaKey,
          shiftKey: event.shiftKey,
        }),
      );
  }

  #focusedRow(): HTMLElement | null {
    const focused = (this.renderRoot as ShadowRoot).activeElement;
    return focused instanceof HTMLElement && focused.dataset['index'] !== undefined ? focused : null;
  }

  #keyed(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    if (row === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(row.dataset['index']);
    if (event.key === 'x' || event.key === 'X') {
      const device = this.rows?.get(index);
      if (device === undefined || this.selection.kind === 'all') return;
      event.preventDefault();
      this.#chosen(index, !isSelected(this.selection, device.endpoint), event.shiftKey);
      return;
    }
    const page = Math.max(1, Math.floor((this.#body?.clientHeight ?? 0) / this.#rowHeight) - 1);
    const target = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: (this.rows?.total ?? 1) - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.focusRow(target);
  }
}

const unloaded = (shown: readonly Column[]) => html`<span role="cell" class="choose"></span>
  ${shown.map(
    ({ name }) =>
      html`<span role="cell" class=${name}><i class="bone"></i><span class="only-spoken">loading</span></span>`,
  )}`;

function tenantCell({ tenant }: ApiDevice) {
  return html`<span role="cell" class="tenant" title=${tenant ?? nothing}
    >${tenant ?? html`<span class="quiet">–</span>`}</span
  >`;
}

function cells(device: ApiDevice) {
  const { registration } = device;
  return html`<span role="cell" class="state"><sy-state-badge .device=${device}></sy-state-badge></span>
    <span role="cell" class="endpoint"
      ><a href=${hrefOf({ name: 'device', endpoint: device.endpoint })} title=${device.endpoint}
        >${device.endpoint}</a
      ></span
    >
    <span role="cell" class="model" title=${[device.manufacturer, device.model].filter(Boolean).join(' ')}
      >${device.model || html`<span class="quiet">–</span>`}</span
    >
    <span role="cell" class="carrier" title=${device.carrier || nothing}
      >${carrierText(device.carrier)}<span class="heard-too"
        > · <sy-time-text .at=${device.lastSeen}></sy-time-text></span
    ></span>
    <span role="cell" class="signal"
      ><sy-signal-meter .dbm=${device.signal} ?stale=${signalIsOld(device)}></sy-signal-meter
    ></span>
    <span role="cell" class="heard"><sy-time-text .at=${device.lastSeen}></sy-time-text></span>
    <span role="cell" class="left"
      >${
        registration === undefined
          ? html`<span class="quiet">–</span>`
          : html`<sy-time-text mode="until" .at=${lifetimeEnd(registration)}></sy-time-text>`
      }</span
    >
    <span role="cell" class="node quiet" title=${registration?.node ?? nothing}>${registration?.node ?? '–'}</span>`;
}

function carrierText(carrier: string | undefined) {
  if (carrier === undefined) return html`<span class="quiet">–</span>`;
  return carrier === '' ? html`<span class="quiet">disconnected</span>` : carrier;
}

customElements.define('sy-device-table', DeviceTable);
