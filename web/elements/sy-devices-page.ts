import { ContextConsumer } from '@lit/context';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, clockContext, liveContext, meContext, serverContext } from '../contexts.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { type BulkKind, bulkKinds, bulkVerbs } from '../data/bulk-operations.ts';
import {
  type DeviceSort,
  type DevicesView,
  devicesQuery,
  everything,
  isFiltered,
  jobFilter,
  parseDevicesQuery,
  sortedBy,
  sorts,
} from '../data/devices-query.ts';
import { formatCount } from '../data/numbers.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { nothingSelected, type Selection, selectedCount, withRows } from '../data/selection.ts';
import { fetchTenants } from '../data/tenants.ts';
import { DeviceListController } from '../device-list-controller.ts';
import { isSearchWanted, isTyping, navigate } from '../navigation.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';
import { devicesPageStyles } from './devices-page-styles.ts';
import './sy-bulk-dialog.ts';
import type { BulkDialog } from './sy-bulk-dialog.ts';
import './sy-connect-hint.ts';
import './sy-device-filters.ts';
import type { ViewChangedEvent } from './sy-device-filters.ts';
import './sy-device-table.ts';
import type { DeviceTable, RowsChosenEvent, RowsShownEvent, SortChosenEvent } from './sy-device-table.ts';
import './sy-problem-panel.ts';
import './sy-view-menu.ts';

/** How long the reader's fingers rest before the search is sent. */
const typingPauseMs = 150;
/** More rows than this are not chosen by a range; all that match can be. */
const longestRange = 10_000;

const sortWords: Readonly<Record<DeviceSort, string>> = {
  endpoint: 'Endpoint',
  model: 'Model',
  carrier: 'Carrier',
  signal: 'Signal',
  lastSeen: 'Last heard',
  firstSeen: 'First seen',
  firmware: 'Firmware',
};

/** All devices: searched, filtered and sorted by the server, live, each row a link; one action on many of them. */
export class DevicesPage extends LitElement {
  static override properties = {
    query: { type: String },
    selection: { state: true },
    selectionProblem: { state: true },
    tenants: { state: true },
  };

  static override styles = [base, controls, fields, devicesPageStyles];

  /** Of the address. */
  declare query: string;
  declare selection: Selection;
  declare selectionProblem: ApiProblem | undefined;
  /** Those that have devices; none where the reader sees one's alone. */
  declare tenants: readonly string[];

  readonly #devices = new DeviceListController(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });
  readonly #server = new ContextConsumer(this, { context: serverContext, subscribe: true });
  readonly #me = new ContextConsumer(this, {
    context: meContext,
    subscribe: true,
    callback: () => this.#loadTenants(),
  });
  readonly #permission = new Permission(this);
  #view: DevicesView = everything;
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.query = '';
    this.selection = nothingSelected;
    this.selectionProblem = undefined;
    this.tenants = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('keydown', this.#keyed);
    if (this.hasUpdated) this.requestUpdate('query', null);
    this.#loadTenants();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.#keyed);
    clearTimeout(this.#typing);
    this.#typing = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('query')) return;
    this.#view = parseDevicesQuery(this.query);
    const before = changed.get('query');
    if (typeof before !== 'string') return;
    // What is chosen is chosen among what was shown; another order shows the same.
    const order = { sort: this.#view.sort, descending: this.#view.descending };
    const same = devicesQuery({ ...parseDevicesQuery(before), ...order }) === devicesQuery(this.#view);
    if (!same) this.selection = nothingSelected;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (isSearchWanted()) {
      // Once: going back to here later is not another wish to search.
      history.replaceState(null, '');
      this.#focusSearch();
    }
    if (!changed.has('query')) return;
    const api = this.#api.value;
    const live = this.#live.value;
    if (api === undefined || live === undefined) return;
    this.#devices.connect(api, live, this.#clock.value);
    this.#devices.show(this.#view).then(() => {
      const { rows, problem } = this.#devices;
      if (problem !== undefined) announce(problem.title);
      else if (rows !== undefined) announce(`${formatCount(rows.total)} devices`);
    });
    const input = this.#search;
    // What is being typed is ahead of the address; everything else follows it.
    if (input !== null && this.#typing === undefined && input.value.trim() !== this.#view.search) {
      input.value = this.#view.search;
    }
  }

  override render() {
    const view = this.#view;
    return html`<div class="top">
        <h1>Devices</h1>
        <span class="counts">${this.#counts()}</span>
        <div class="tools">
          <div class="search">
            <input
              type="search"
              aria-label=${`Search devices by ${this.#searchable}`}
              placeholder=${this.#searchable}
              autocomplete="off"
              spellcheck="false"
              .defaultValue=${view.search}
              @input=${this.#typed}
              @keydown=${this.#leaveSearch}
            /><kbd aria-hidden="true">/</kbd>
          </div>
          <label class="sorting"
            ><span class="only-spoken">Sort by</span>
            <select @change=${this.#sortPicked}>
              ${sorts.flatMap((sort) =>
                [false, true].map(
                  (descending) =>
                    html`<option
                      value=${`${descending ? '-' : ''}${sort}`}
                      .selected=${view.sort === sort && view.descending === descending}
                    >
                      ${sortWords[sort]} ${descending ? '↓' : '↑'}
                    </option>`,
                ),
              )}
            </select></label
          >
          <sy-view-menu .query=${devicesQuery(view)}></sy-view-menu>
        </div>
      </div>
      <sy-device-filters
        .view=${view}
        ?tenants=${this.tenants.length > 0}
        @view-changed=${(event: ViewChangedEvent) => this.#go(event.view)}
      ></sy-device-filters>
      ${this.#problem(this.#devices.pageProblem, () => this.#devices.renew())}
      ${this.#problem(this.selectionProblem, undefined)} ${this.#body()} ${this.#actions()}
      <sy-bulk-dialog @job-ended=${() => this.#loadTenants()}></sy-bulk-dialog>`;
  }

  #problem(problem: ApiProblem | undefined, again: (() => void) | undefined) {
    if (problem === undefined) return nothing;
    return html`<div class="problem">
      <sy-problem-panel .problem=${problem} ?retry=${again !== undefined} @retried=${() => again?.()}></sy-problem-panel>
    </div>`;
  }

  #body() {
    const { rows, version, loading, problem } = this.#devices;
    if (problem !== undefined) return this.#problem(problem, () => this.#devices.load());
    if (rows !== undefined && rows.total === 0 && !loading) return this.#empty();
    return html`<sy-device-table
      .rows=${rows}
      .version=${version}
      .sort=${this.#view.sort}
      .descending=${this.#view.descending}
      .selection=${this.selection}
      ?tenants=${this.tenants.length > 0}
      ?busy=${loading}
      @rows-shown=${(event: RowsShownEvent) => this.#devices.look(event.first, event.last)}
      @sort-chosen=${(event: SortChosenEvent) => this.#go(sortedBy(this.#view, event.sort))}
      @rows-chosen=${this.#rowsChosen}
    ></sy-device-table>`;
  }

  #empty() {
    const view = this.#view;
    if (!isFiltered(view)) return html`<sy-connect-hint></sy-connect-hint>`;
    const bySearch = view.search !== '';
    const alone = bySearch && !isFiltered({ ...view, search: '' });
    return html`<div class="none">
      <h2>${alone ? `No device matches “${view.search}”` : 'No device matches these filters'}</h2>
      ${
        bySearch
          ? html`<p>${
              this.#permission.may('operate')
                ? 'The endpoint is searched in every part; ICCID, IMSI, IMEI and serial number from their start.'
                : 'The endpoint is searched in every part.'
            }</p>`
          : nothing
      }
      <button @click=${() => this.#go(everything)}>Show all devices</button>
    </div>`;
  }

  #counts() {
    const { rows } = this.#devices;
    const devices = this.#server.value?.devices;
    if (rows === undefined) return nothing;
    if (isFiltered(this.#view)) return `${formatCount(rows.total)} match`;
    const all = `${formatCount(rows.total)} known`;
    return devices === undefined ? all : `${all} · ${formatCount(devices.registered)} registered`;
  }

  #actions() {
    const total = this.#devices.rows?.total ?? 0;
    const count = selectedCount(this.selection, total);
    if (count === 0) return nothing;
    const all = this.selection.kind === 'all';
    return html`<div class="actions" role="region" aria-label="Selected devices">
      <span class="count" role="status"
        >${all ? `All ${formatCount(total)} that match` : `${formatCount(count)} selected`}</span
      >
      ${
        all || count >= total
          ? nothing
          : html`<button class="bare small" @click=${() => this.#choose({ kind: 'all' })}>
              Select all ${formatCount(total)} that match
            </button>`
      }
      <span class="verbs">
        ${this.#kinds.map(
          (kind) =>
            html`<button data-needs=${kind === 'forget' || kind === 'tenant' ? 'administer' : 'operate'} class=${kind === 'forget' ? 'small danger' : 'small'} @click=${() => this.#act(kind)}>
              ${bulkVerbs[kind]}
            </button>`,
        )}
        <button class="bare small" @click=${() => this.#choose(nothingSelected)}>Clear</button>
      </span>
    </div>`;
  }

  /** By numbers only who sees them whole. */
  get #searchable(): string {
    return this.#permission.may('operate') ? 'Endpoint, ICCID, IMSI, IMEI, serial number' : 'Endpoint';
  }

  /** Who sees one tenant's devices does not give them away. */
  get #kinds(): readonly BulkKind[] {
    return bulkKinds.filter((kind) => kind !== 'tenant' || this.#me.value?.tenant === undefined);
  }

  async #loadTenants(): Promise<void> {
    const api = this.#api?.value;
    if (api === undefined || this.#me.value === undefined || this.#me.value.tenant !== undefined) return;
    try {
      this.tenants = await fetchTenants(api);
    } catch {
      // What is wrong with the server is said by the list.
      this.tenants = [];
    }
  }

  #choose(selection: Selection): void {
    this.selection = selection;
    this.selectionProblem = undefined;
  }

  async #rowsChosen({ index, from, chosen }: RowsChosenEvent): Promise<void> {
    this.selectionProblem = undefined;
    if (index === undefined) {
      this.#choose(chosen ? { kind: 'all' } : nothingSelected);
      return;
    }
    const first = Math.min(index, from ?? index);
    const last = Math.min(Math.max(index, from ?? index), first + longestRange - 1);
    try {
      const endpoints = await this.#devices.endpointsOf(first, last);
      this.selection = withRows(this.selection, endpoints, chosen);
    } catch (error) {
      this.selectionProblem = asProblem(error);
    }
  }

  #act(kind: BulkKind): void {
    const { selection } = this;
    const count = selectedCount(selection, this.#devices.rows?.total ?? 0);
    const devices =
      selection.kind === 'all'
        ? { filter: jobFilter(this.#view, this.#clock.value?.now() ?? Date.now()) }
        : { endpoints: [...selection.endpoints] };
    this.renderRoot.querySelector<BulkDialog>('sy-bulk-dialog')?.open(kind, devices, count);
  }

  #go(view: DevicesView, options: { readonly replace?: boolean } = {}): void {
    clearTimeout(this.#typing);
    this.#typing = undefined;
    const input = this.#search;
    if (input !== null && input.value.trim() !== view.search) input.value = view.search;
    navigate(hrefOf({ name: 'devices', query: devicesQuery(view) }), options);
  }

  #typed(): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      const search = this.#search?.value.trim() ?? '';
      // One step back for a search, not one for each letter of it.
      this.#go({ ...this.#view, search }, { replace: this.#view.search !== '' });
    }, typingPauseMs);
  }

  #sortPicked(event: Event): void {
    const { value } = event.target as HTMLSelectElement;
    const sort = sorts.find((name) => name === value.replace(/^-/, ''));
    if (sort !== undefined) this.#go({ ...this.#view, sort, descending: value.startsWith('-') });
  }

  #leaveSearch(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      this.#table?.focusRow(0);
    }
  }

  readonly #keyed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (event.key === '/' && !isTyping(event)) {
      event.preventDefault();
      this.#focusSearch();
    } else if (event.key === 'ArrowDown' && (target === document.body || this.#isFrame(target))) {
      event.preventDefault();
      this.#table?.focusRow(0);
    }
  };

  #isFrame(target: EventTarget | undefined): boolean {
    return target instanceof HTMLElement && target.localName === 'main';
  }

  #focusSearch(): void {
    this.#search?.focus();
    this.#search?.select();
  }

  get #search(): HTMLInputElement | null {
    return this.renderRoot.querySelector('.search input');
  }

  get #table(): DeviceTable | null {
    return this.renderRoot.querySelector('sy-device-table');
  }
}

customElements.define('sy-devices-page', DevicesPage);
