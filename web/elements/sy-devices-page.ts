import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, liveContext, serverContext } from '../contexts.ts';
import { type DeviceState, devicesQuery, parseDevicesQuery } from '../data/devices-query.ts';
import { formatCount } from '../data/numbers.ts';
import { hrefOf } from '../data/routes.ts';
import { DeviceListController } from '../device-list-controller.ts';
import { isSearchWanted, navigate } from '../navigation.ts';
import { base, controls } from '../styles/shared.ts';
import './sy-connect-hint.ts';
import './sy-device-table.ts';
import type { DeviceTable } from './sy-device-table.ts';
import './sy-problem-panel.ts';

/** How long the reader's fingers rest before the search is sent. */
const typingPauseMs = 200;

/** All devices: searched and filtered by the server, live, each row a link. */
export class DevicesPage extends LitElement {
  static override properties = {
    query: { type: String },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
      }
      .top {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        padding: 16px;
      }
      h1 {
        font-size: var(--sy-large);
        line-height: 28px;
        font-weight: 650;
      }
      .counts {
        color: var(--sy-text-2);
      }
      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
        margin-left: auto;
      }
      .search {
        position: relative;
      }
      input {
        width: 384px;
        max-width: 100%;
        height: 32px;
        padding: 0 32px 0 12px;
        border: 1px solid var(--sy-edge);
        border-radius: var(--sy-radius);
        background: var(--sy-raised);
        color: var(--sy-text);
        font: inherit;
      }
      input::placeholder {
        color: var(--sy-text-3);
        opacity: 1;
      }
      .search kbd {
        position: absolute;
        right: 8px;
        top: 6px;
        padding: 0 6px;
        border: 1px solid var(--sy-rule);
        border-radius: 4px;
        color: var(--sy-text-3);
        font: 12px / 18px var(--sy-mono);
        pointer-events: none;
      }
      input:focus + kbd,
      input:not(:placeholder-shown) + kbd {
        display: none;
      }
      sy-device-table {
        flex: 1;
        min-height: 0;
      }
      .problem {
        padding: 0 16px 16px;
      }
      .none {
        padding: 64px 24px;
        text-align: center;
        color: var(--sy-text-2);
      }
      .none button {
        margin-top: 16px;
      }
      .none h2 {
        color: var(--sy-text);
        font-size: 16px;
        overflow-wrap: anywhere;
      }
      @media (max-width: 600px) {
        .top {
          padding: 12px 16px;
        }
        .tools,
        .search,
        input {
          width: 100%;
        }
        .search kbd {
          display: none;
        }
      }
    `,
  ];

  /** What the address says behind its question mark. */
  declare query: string;

  readonly #devices = new DeviceListController(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  readonly #server = new ContextConsumer(this, { context: serverContext, subscribe: true });
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.query = '';
  }

  get search(): string {
    return parseDevicesQuery(this.query).search;
  }

  get state(): DeviceState | undefined {
    return parseDevicesQuery(this.query).state;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('keydown', this.#keyed);
    if (this.hasUpdated) this.requestUpdate('query', null);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.#keyed);
    clearTimeout(this.#typing);
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
    this.#devices.connect(api, live);
    this.#devices.show({ search: this.search, state: this.state }).then(() => {
      const { list, problem } = this.#devices;
      if (problem !== undefined) announce(problem.title);
      else if (list !== undefined) announce(`${formatCount(list.total)} devices`);
    });
    const input = this.renderRoot.querySelector('input');
    // What is being typed is ahead of the address; everything else follows it.
    if (input !== null && this.#typing === undefined && input.value.trim() !== this.search) {
      input.value = this.search;
    }
  }

  override render() {
    return html`<div class="top">
        <h1>Devices</h1>
        <span class="counts">${this.#counts()}</span>
        <div class="tools">
          <div class="search">
            <input
              type="search"
              aria-label="Search devices by endpoint, ICCID, IMSI, IMEI or serial number"
              placeholder="Endpoint, ICCID, IMSI, IMEI, serial number"
              autocomplete="off"
              spellcheck="false"
              .defaultValue=${this.search}
              @input=${this.#typed}
              @keydown=${this.#leaveSearch}
            /><kbd aria-hidden="true">/</kbd>
          </div>
          <div class="segments" role="group" aria-label="Filter by state">
            ${this.#chip('All', undefined)} ${this.#chip('Registered', 'registered')}
            ${this.#chip('Not registered', 'unregistered')}
          </div>
        </div>
      </div>
      <div class="problem" ?hidden=${this.#devices.pageProblem === undefined}>
        <sy-problem-panel
          .problem=${this.#devices.pageProblem}
          retry
          @retried=${() => this.#devices.more()}
        ></sy-problem-panel>
      </div>
      ${this.#body()}`;
  }

  #body() {
    const { list, loading, problem } = this.#devices;
    if (problem !== undefined) {
      return html`<div class="problem">
        <sy-problem-panel .problem=${problem} retry @retried=${() => this.#devices.load()}></sy-problem-panel>
      </div>`;
    }
    if (list !== undefined && list.devices.length === 0 && !loading) return this.#empty();
    return html`<sy-device-table
      .devices=${list?.devices}
      .total=${list?.total ?? 0}
      ?busy=${loading}
      @end-approached=${() => this.#devices.more()}
    ></sy-device-table>`;
  }

  #empty() {
    if (this.search === '' && this.state === undefined) return html`<sy-connect-hint></sy-connect-hint>`;
    const what =
      this.search === ''
        ? this.state === 'registered'
          ? 'No device is registered now'
          : 'Every device is registered'
        : `No device matches “${this.search}”`;
    return html`<div class="none">
      <h2>${what}</h2>
      ${
        this.search === ''
          ? nothing
          : html`<p>
            The endpoint is searched in every part; ICCID, IMSI, IMEI and serial number from their start.
          </p>`
      }
      <button @click=${() => this.#go('', undefined)}>Show all devices</button>
    </div>`;
  }

  #counts() {
    const { list } = this.#devices;
    const devices = this.#server.value?.devices;
    if (list === undefined) return nothing;
    if (list.search !== '' || list.state !== undefined) return `${formatCount(list.total)} match`;
    const all = `${formatCount(list.total)} known`;
    return devices === undefined ? all : `${all} · ${formatCount(devices.registered)} registered`;
  }

  #chip(label: string, state: DeviceState | undefined) {
    return html`<button aria-pressed=${this.state === state} @click=${() => this.#go(this.search, state)}>
      ${label}
    </button>`;
  }

  #go(search: string, state: DeviceState | undefined): void {
    clearTimeout(this.#typing);
    this.#typing = undefined;
    const input = this.renderRoot.querySelector('input');
    if (input !== null) input.value = search;
    this.#address(search, state);
  }

  #address(search: string, state: DeviceState | undefined, options: { readonly replace?: boolean } = {}) {
    navigate(hrefOf({ name: 'devices', query: devicesQuery({ search, state }) }), options);
  }

  #typed(event: Event): void {
    const search = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      this.#typing = undefined;
      // One step back for a search, not one for each letter of it.
      this.#address(search, this.state, { replace: this.search !== '' });
    }, typingPauseMs);
  }

  #leaveSearch(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      this.#table()?.focusRow(0);
    }
  }

  readonly #keyed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    const typing = target instanceof HTMLInputElement;
    if (event.key === '/' && !typing) {
      event.preventDefault();
      this.#focusSearch();
    } else if (event.key === 'ArrowDown' && (target === document.body || this.#isFrame(target))) {
      event.preventDefault();
      this.#table()?.focusRow(0);
    }
  };

  #isFrame(target: EventTarget | undefined): boolean {
    return target instanceof HTMLElement && target.localName === 'main';
  }

  #focusSearch(): void {
    const input = this.renderRoot.querySelector('input');
    input?.focus();
    input?.select();
  }

  #table(): DeviceTable | null {
    return this.renderRoot.querySelector('sy-device-table');
  }
}

customElements.define('sy-devices-page', DevicesPage);
