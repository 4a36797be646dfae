import '@lit-labs/virtualizer';
import type { LitVirtualizer } from '@lit-labs/virtualizer';
import type { RangeChangedEvent, VisibilityChangedEvent } from '@lit-labs/virtualizer/events.js';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { ApiDevice } from '../data/api-types.ts';
import { lifetimeEnd } from '../data/device-list.ts';
import { hrefOf } from '../data/routes.ts';
import { signalIsOld } from '../data/signal.ts';
import { base, skeletons } from '../styles/shared.ts';
import './sy-signal-meter.ts';
import './sy-state-badge.ts';
import './sy-time-text.ts';

/** So many rows before the last one, the next page is asked for. */
const rowsAhead = 40;
const columns = [
  'State',
  'Endpoint',
  'Model',
  'Carrier',
  'Signal',
  'Last heard',
  'Lifetime left',
  'Node',
] as const;

/**
 * The devices as a table of which only the visible rows exist. Arrows move through the rows; each
 * endpoint is a link. Fires `end-approached` when more rows will be needed soon.
 */
export class DeviceTable extends LitElement {
  static override properties = {
    devices: { attribute: false },
    total: { type: Number },
    busy: { type: Boolean },
  };

  static override styles = [
    base,
    skeletons,
    css`
      :host {
        display: grid;
        grid-template-rows: minmax(0, 1fr);
        min-height: 0;
      }
      .table {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        min-height: 0;
        border-top: 1px solid var(--sy-rule);
      }
      .row {
        display: grid;
        grid-template-columns:
          140px minmax(200px, 2fr) minmax(130px, 1.3fr) minmax(90px, 1fr) 160px
          110px 110px minmax(80px, 140px);
        align-items: center;
        gap: 16px;
        width: 100%;
        height: var(--sy-row);
        padding: 0 16px;
        border-bottom: 1px solid var(--sy-rule);
      }
      .row > * {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .head {
        height: 32px;
        background: var(--sy-surface);
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      /* As wide as the rows, beside which there is room for a scrollbar. */
      .heads {
        background: var(--sy-surface);
        scrollbar-gutter: stable;
        overflow: hidden;
      }
      .rows {
        scrollbar-gutter: stable;
        overflow-x: hidden;
      }
      .rows .row {
        cursor: pointer;
      }
      .rows .row:hover,
      .rows .row:focus-within {
        background: var(--sy-hover);
      }
      .rows .endpoint {
        font-weight: 550;
      }
      .gone > .carrier,
      .gone > .model {
        color: var(--sy-text-3);
      }
      .endpoint a {
        color: var(--sy-text);
      }
      .endpoint a:focus-visible {
        outline-offset: -2px;
      }
      .right {
        text-align: right;
      }
      .busy {
        opacity: 0.6;
      }
      @media (max-width: 1100px) {
        .row {
          grid-template-columns: 130px minmax(160px, 2fr) minmax(90px, 1fr) 150px 100px 100px;
        }
        .model,
        .node {
          display: none;
        }
      }
      @media (max-width: 760px) {
        :host {
          --sy-row: 64px;
        }
        .head {
          display: none;
        }
        .row {
          grid-template:
            'endpoint endpoint endpoint' 22px
            'state carrier signal' 20px / auto minmax(0, 1fr) auto;
          align-content: center;
          gap: 2px 12px;
        }
        .endpoint {
          grid-area: endpoint;
        }
        .state {
          grid-area: state;
        }
        .carrier {
          grid-area: carrier;
          color: var(--sy-text-2);
        }
        .signal {
          grid-area: signal;
        }
        .signal sy-signal-meter::part(word),
        .heard,
        .left {
          display: none;
        }
      }
      .heard-too {
        display: none;
      }
      @media (max-width: 760px) {
        .heard-too {
          display: inline;
        }
      }
    `,
  ];

  /** Undefined while the first page loads. */
  declare devices: readonly ApiDevice[] | undefined;
  declare total: number;
  declare busy: boolean;

  constructor() {
    super();
    this.devices = undefined;
    this.total = 0;
    this.busy = false;
  }

  /** Moves the focus to a row, scrolling it into view. */
  async focusRow(index: number): Promise<void> {
    const last = (this.devices?.length ?? 0) - 1;
    if (last < 0) return;
    const wanted = Math.max(0, Math.min(index, last));
    const virtualizer = this.renderRoot.querySelector('lit-virtualizer') as LitVirtualizer | null;
    virtualizer?.element(wanted)?.scrollIntoView({ block: 'nearest' });
    // The row exists some frames after it has come into view.
    for (let frame = 0; frame < 20; frame++) {
      const link = this.renderRoot.querySelector<HTMLElement>(`[data-index="${wanted}"] a`);
      if (link !== null) {
        link.focus({ preventScroll: true });
        return;
      }
      await new Promise(requestAnimationFrame);
    }
  }

  override render() {
    return html`<div
      class="table"
      role="table"
      aria-label="Devices"
      aria-rowcount=${this.devices === undefined ? -1 : this.total + 1}
      aria-busy=${this.busy}
      @keydown=${this.#keyed}
    >
      <div role="rowgroup" class="heads">
        <div class="row head" role="row" aria-rowindex="1">
          ${columns.map(
            (title, index) =>
              html`<span role="columnheader" class=${cellClasses[index] ?? ''}>${title}</span>`,
          )}
        </div>
      </div>
      ${this.devices === undefined ? this.#skeleton() : this.#rows(this.devices)}
    </div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    // A short first page may leave the end in view: nothing would scroll, and nothing would ask.
    if (changed.has('devices') && this.devices !== undefined && this.devices.length < this.total) {
      this.#lookAhead(this.#lastShown);
    }
  }

  #lastShown = 0;
  #firstVisible = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    // A list that was left and is come back to: what was at the top is there again.
    const top = this.#firstVisible;
    if (!this.hasUpdated || top === 0) return;
    requestAnimationFrame(() => {
      const virtualizer = this.renderRoot.querySelector('lit-virtualizer') as LitVirtualizer | null;
      virtualizer?.element(top)?.scrollIntoView({ block: 'start' });
    });
  }

  #rows(devices: readonly ApiDevice[]) {
    return html`<lit-virtualizer
      scroller
      role="rowgroup"
      class=${this.busy ? 'rows busy' : 'rows'}
      .items=${devices as ApiDevice[]}
      .keyFunction=${(device: ApiDevice) => device.endpoint}
      .renderItem=${renderRow}
      @rangeChanged=${(event: RangeChangedEvent) => this.#lookAhead(event.last)}
      @visibilityChanged=${(event: VisibilityChangedEvent) => {
        if (this.isConnected && event.first >= 0) this.#firstVisible = event.first;
      }}
      @click=${this.#clicked}
    ></lit-virtualizer>`;
  }

  #skeleton() {
    return html`<div role="rowgroup" aria-hidden="true" class="rows">
      ${Array.from(
        { length: 12 },
        () =>
          html`<div class="row">${cellClasses.map((name) => html`<span class=${name}><i class="bone"></i></span>`)}</div>`,
      )}
    </div>`;
  }

  #lookAhead(last: number): void {
    this.#lastShown = last;
    const loaded = this.devices?.length ?? 0;
    if (loaded < this.total && last >= loaded - rowsAhead) this.dispatchEvent(new Event('end-approached'));
  }

  /** The whole row opens, as its link does; selecting text in it does not. */
  #clicked(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    if (target.closest('a') !== null || event.button !== 0 || String(getSelection()) !== '') return;
    const link = target.closest('.row')?.querySelector('a');
    if (link === null || link === undefined) return;
    link.dispatchEvent(
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

  #keyed(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    if (row === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(row.dataset['index']);
    const page = Math.max(1, Math.floor(this.clientHeight / row.offsetHeight) - 2);
    const target = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: (this.devices?.length ?? 1) - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.focusRow(target);
  }
}

const cellClasses = ['state', 'endpoint', 'model', 'carrier', 'signal', 'heard', 'left', 'node'] as const;

function renderRow(device: ApiDevice, index: number) {
  const { registration } = device;
  return html`<div class=${registration === undefined ? 'row gone' : 'row'} role="row" aria-rowindex=${index + 2} data-index=${index}>
    <span role="cell" class="state"
      ><sy-state-badge .device=${device}></sy-state-badge
    ></span>
    <span role="cell" class="endpoint"
      ><a href=${hrefOf({ name: 'device', endpoint: device.endpoint })} title=${device.endpoint}
        >${device.endpoint}</a
      ></span
    >
    <span role="cell" class="model" title=${[device.manufacturer, device.model].filter(Boolean).join(' ')}
      >${device.model ?? html`<span class="quiet">–</span>`}</span
    >
    <span role="cell" class="carrier" title=${device.carrier || nothing}
      >${carrierText(device.carrier)}<span class="heard-too"
        > · <sy-time-text .at=${device.lastSeen}></sy-time-text></span
    ></span>
    <span role="cell" class="signal"><sy-signal-meter .dbm=${device.signal} ?stale=${signalIsOld(device)}></sy-signal-meter></span>
    <span role="cell" class="heard"><sy-time-text .at=${device.lastSeen}></sy-time-text></span>
    <span role="cell" class="left"
      >${
        registration === undefined
          ? html`<span class="quiet">–</span>`
          : html`<sy-time-text mode="until" .at=${lifetimeEnd(registration)}></sy-time-text>`
      }</span
    >
    <span role="cell" class="node quiet" title=${registration?.node ?? nothing}
      >${registration?.node ?? '–'}</span
    >
  </div>`;
}

function carrierText(carrier: string | undefined) {
  if (carrier === undefined) return html`<span class="quiet">–</span>`;
  return carrier === '' ? html`<span class="quiet">disconnected</span>` : carrier;
}

customElements.define('sy-device-table', DeviceTable);
