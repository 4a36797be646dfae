import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { apiContext, clockContext, liveContext } from '../contexts.ts';
import {
  categoryLabels,
  dayLabel,
  type EventDay,
  type EventFilter,
  type EventRow,
  eventCategories,
  eventDays,
  eventFacts,
  eventQuery,
  eventWords,
  parseEventFilter,
} from '../data/device-events.ts';
import { formatCount } from '../data/numbers.ts';
import { hrefOf } from '../data/routes.ts';
import { clockTime, exactTime } from '../data/time.ts';
import { DeviceEventsController } from '../device-events-controller.ts';
import { navigate } from '../navigation.ts';
import { base, clamps, controls, skeletons } from '../styles/shared.ts';
import { Ticker } from '../ticker.ts';
import './sy-identifier.ts';
import './sy-problem-panel.ts';

/** The life of a device: what became of its registration, what was asked of it, what it reports, what it says it is. */
export class DeviceEvents extends LitElement {
  static override properties = {
    endpoint: { type: String },
    query: { type: String },
    open: { state: true },
  };

  static override styles = [
    base,
    clamps,
    controls,
    skeletons,
    css`
      :host {
        display: block;
        padding-bottom: 32px;
      }
      .tools {
        position: sticky;
        top: 0;
        z-index: 3;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        padding: 10px 16px;
        border-bottom: 1px solid var(--sy-rule);
        background: var(--sy-page);
      }
      .problem {
        padding: 16px 16px 0;
      }
      h2 {
        padding: 16px 16px 6px;
        border-bottom: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
        font-size: var(--sy-small);
      }
      ol {
        list-style: none;
      }
      li {
        border-bottom: 1px solid var(--sy-rule);
      }
      .row {
        display: grid;
        grid-template-columns: 72px 10px minmax(0, 1fr) 24px;
        align-items: baseline;
        gap: 0 12px;
        width: 100%;
        min-height: 36px;
        padding: 7px 16px;
        border: 0;
        border-radius: 0;
        background: none;
        font-weight: 400;
        text-align: left;
      }
      .row:hover:not(:disabled) {
        background: var(--sy-hover);
      }
      .row:focus-visible {
        outline-offset: -2px;
      }
      time {
        color: var(--sy-text-3);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .mark {
        align-self: center;
        width: 10px;
        height: 10px;
        border: 2px solid var(--sy-unknown);
        border-radius: 50%;
      }
      .good .mark {
        border-color: var(--sy-good);
        background: var(--sy-good);
      }
      .bad .mark {
        border-color: var(--sy-bad);
        border-radius: 2px;
        background: var(--sy-bad);
      }
      .waiting .mark {
        border-color: var(--sy-waiting);
      }
      .quiet-row .mark {
        width: 6px;
        height: 6px;
        margin: 0 2px;
        border: 0;
        background: var(--sy-rule);
      }
      .words {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .title {
        margin-right: 4px;
        font-weight: 550;
      }
      .quiet-row .title {
        color: var(--sy-text-2);
        font-weight: 400;
      }
      .bad .title {
        color: var(--sy-bad);
      }
      .detail {
        color: var(--sy-text-2);
      }
      .quiet-row .detail {
        color: var(--sy-text-3);
      }
      .twist {
        align-self: center;
        width: 16px;
        height: 16px;
        fill: none;
        stroke: var(--sy-text-3);
        stroke-width: 1.6;
        transition: transform var(--sy-quick);
      }
      [aria-expanded='true'] .twist {
        transform: rotate(180deg);
      }
      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 2px 16px;
        padding: 2px 16px 12px 122px;
      }
      dt {
        color: var(--sy-text-3);
      }
      dd {
        overflow-wrap: anywhere;
        white-space: pre-line;
      }
      .more {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 16px;
        color: var(--sy-text-3);
      }
      .none {
        display: grid;
        gap: 8px;
        max-width: 64ch;
        padding: 32px 16px;
        color: var(--sy-text-2);
      }
      .none h3 {
        color: var(--sy-text);
        font-size: 16px;
      }
      .none button {
        justify-self: start;
        margin-top: 8px;
      }
      .bones {
        display: grid;
        gap: 20px;
        padding: 24px 16px;
      }
      .bone:nth-child(3n) {
        width: 44%;
      }
      .bone:nth-child(3n + 1) {
        width: 62%;
      }
      @media (max-width: 760px) {
        /* Below the tabs, which stay. */
        .tools {
          position: static;
          flex-wrap: nowrap;
          overflow-x: auto;
          scrollbar-width: none;
        }
        .tools > * {
          flex: none;
        }
        .row {
          grid-template-columns: 60px 10px minmax(0, 1fr) 16px;
          gap: 0 8px;
        }
        .mark,
        .twist {
          align-self: start;
          margin-top: 5px;
        }
        .detail {
          display: block;
        }
        dl {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
          padding-left: 94px;
        }
        dd {
          margin-bottom: 6px;
        }
      }
    `,
  ];

  declare endpoint: string;
  declare query: string;
  /** Events whose details are shown, by id. */
  declare open: ReadonlySet<number>;
  readonly #events = new DeviceEventsController(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });

  constructor() {
    super();
    this.endpoint = '';
    this.query = '';
    this.open = new Set();
    // Today becomes yesterday.
    new Ticker(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.requestUpdate('endpoint', null);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('endpoint') && !changed.has('query')) return;
    const [api, live] = [this.#api.value, this.#live.value];
    if (api === undefined || live === undefined) return;
    this.#events.show(this.endpoint, parseEventFilter(this.query), { api, live });
  }

  override render() {
    const filter = parseEventFilter(this.query);
    const { categories, trouble } = filter;
    const pressed = (is: boolean) => (is ? 'true' : 'false');
    return html`<div class="tools">
        <div class="segments" role="group" aria-label="About">
          <button
            class="small"
            aria-pressed=${pressed(categories.length === 0)}
            @click=${() => this.#go({ ...filter, categories: [] })}
          >
            All
          </button>
          ${eventCategories.map(
            (category) =>
              html`<button
                class="small"
                aria-pressed=${pressed(categories.includes(category))}
                @click=${() =>
                  this.#go({
                    ...filter,
                    categories: categories.includes(category)
                      ? categories.filter((other) => other !== category)
                      : [...categories, category],
                  })}
              >
                ${categoryLabels[category]}
              </button>`,
          )}
        </div>
        <button class="small" aria-pressed=${pressed(trouble)} @click=${() => this.#go({ ...filter, trouble: !trouble })}>
          Trouble
        </button>
      </div>
      ${this.#problem()} ${this.#body(filter)}`;
  }

  #problem() {
    const { problem } = this.#events;
    if (problem === undefined) return nothing;
    return html`<div class="problem">
      <sy-problem-panel .problem=${problem} retry @retried=${() => this.#events.load()}></sy-problem-panel>
    </div>`;
  }

  #body(filter: EventFilter) {
    const { events, next, loading, problem } = this.#events;
    if (events === undefined) {
      if (problem !== undefined) return nothing;
      return html`<div class="bones" role="img" aria-busy="true" aria-label="Loading the events">
        ${Array.from({ length: 8 }, () => html`<i class="bone"></i>`)}
      </div>`;
    }
    if (events.length === 0) return this.#empty(filter);
    const now = this.#clock.value?.now() ?? Date.now();
    return html`${repeat(
      eventDays(events),
      ({ day }) => day,
      (day) => this.#day(day, now),
    )}
      <div class="more">
        ${
          next === null
            ? html`Nothing older is kept.`
            : html`<button ?disabled=${loading} @click=${() => this.#events.more()}>
              ${loading ? 'Loading…' : 'Earlier events'}
            </button>`
        }
      </div>`;
  }

  #empty({ categories, trouble }: EventFilter) {
    if (categories.length === 0 && !trouble) {
      return html`<div class="none">
        <h3>Nothing has happened yet</h3>
        <p>What becomes of the device's registration, and what is asked of it, shows here as it happens.</p>
      </div>`;
    }
    return html`<div class="none">
      <h3>${trouble ? 'No trouble' : 'No such events'}</h3>
      <p>${trouble ? 'Nothing of what is kept of this device needs to be looked at.' : 'Nothing of the kind is kept of this device.'}</p>
      <button @click=${() => this.#go({ categories: [], trouble: false })}>Show all events</button>
    </div>`;
  }

  #day({ day, rows }: EventDay, now: number) {
    return html`<section aria-label=${dayLabel(day, now)}>
      <h2>${dayLabel(day, now)}</h2>
      <ol>
        ${repeat(
          rows,
          ({ event }) => event.id,
          (row) => this.#row(row),
        )}
      </ol>
    </section>`;
  }

  #row({ event, count, since, movedFrom }: EventRow) {
    const { id, at } = event;
    const { title, detail, tone } = eventWords(event);
    const isOpen = this.open.has(id);
    const moved = movedFrom === undefined ? '' : ` · was at ${movedFrom} before`;
    const times = count === 1 ? '' : ` · ${formatCount(count)} times since ${clockTime(since)}`;
    return html`<li class=${tone === 'quiet' ? 'quiet-row' : tone}>
      <button class="row" aria-expanded=${isOpen} @click=${() => this.#toggle(id)}>
        <time datetime=${new Date(at).toISOString()} title=${exactTime(at)}>${clockTime(at)}</time>
        <i class="mark" aria-hidden="true"></i>
        <span class="words"
          ><span class="title">${title}</span> <span class="detail">${detail}${moved}${times}</span></span
        >
        <svg class="twist" viewBox="0 0 16 16" aria-hidden="true"><path d="m4 6 4 4 4-4" /></svg>
      </button>
      ${isOpen ? this.#facts({ event, count, since, movedFrom }) : nothing}
    </li>`;
  }

  #facts({ event }: EventRow) {
    return html`<dl>
      <dt>Time</dt>
      <dd>${exactTime(event.at)}</dd>
      ${eventFacts(event).map(
        ({ name, value, identifier }) =>
          html`<dt>${name}</dt>
            <dd>
              ${
                identifier === undefined
                  ? html`<div class="clamp" title=${value}>${value}</div>`
                  : html`<sy-identifier kind=${identifier} .value=${value}></sy-identifier>`
              }
            </dd>`,
      )}
      <dt>Event</dt>
      <dd>${event.type} ${event.id}</dd>
    </dl>`;
  }

  #toggle(id: number): void {
    const open = new Set(this.open);
    if (!open.delete(id)) open.add(id);
    this.open = open;
  }

  #go(filter: EventFilter): void {
    const query = eventQuery(filter);
    navigate(hrefOf({ name: 'device', endpoint: this.endpoint, tab: 'events', query }), { replace: true });
  }
}

customElements.define('sy-device-events', DeviceEvents);
