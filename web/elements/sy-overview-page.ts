import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { liveContext } from '../contexts.ts';
import type { ApiEvent, ApiOverview } from '../data/api-types.ts';
import { devicesQuery, everything } from '../data/devices-query.ts';
import { formatCount, formatMeasure } from '../data/numbers.ts';
import {
  changeText,
  fetchDay,
  fetchOverview,
  fetchTrouble,
  type Points,
  pointsOf,
  troubleText,
  troubleTypes,
  withTrouble,
} from '../data/overview.ts';
import { hrefOf } from '../data/routes.ts';
import { Loaded } from '../loaded.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import './sy-connect-hint.ts';
import './sy-problem-panel.ts';
import './sy-sparkline.ts';
import './sy-time-text.ts';

const renewMs = 5000;
const renewDayMs = 60_000;
/** Trouble may come by the hundred: it is shown together, ms. */
const flushMs = 300;

interface Tile {
  readonly label: string;
  readonly value: string;
  readonly more?: string;
  readonly href: string;
  readonly points: Points;
  /** Undefined: nothing is known of it. */
  readonly change: ReturnType<typeof changeText> | undefined;
  readonly bad?: boolean;
}

/** How it is with the fleet, at one look: figures, carriers, and what went wrong last. */
export class OverviewPage extends LitElement {
  static override styles = [
    base,
    controls,
    skeletons,
    pageParts,
    css`
      .page {
        max-width: 1440px;
      }
      .tiles {
        display: grid;
        grid-template-columns: repeat(6, minmax(0, 1fr));
        gap: 16px;
        list-style: none;
      }
      .tile {
        display: grid;
        grid-template-rows: 20px 32px 18px 32px;
        gap: 4px;
        height: 100%;
        padding: 12px 16px;
        border: 1px solid var(--sy-rule);
        border-radius: 8px;
        color: var(--sy-text);
      }
      .tile.short {
        grid-template-rows: 20px 32px;
      }
      a.tile:hover {
        border-color: var(--sy-edge);
        background: var(--sy-hover);
        text-decoration: none;
      }
      .label {
        color: var(--sy-text-2);
        white-space: nowrap;
      }
      .value {
        overflow: hidden;
        font-size: 24px;
        font-weight: 650;
        line-height: 32px;
        white-space: nowrap;
        font-variant-numeric: tabular-nums;
      }
      .value small {
        color: var(--sy-text-3);
        font-size: 13px;
        font-weight: 400;
      }
      .change {
        overflow: hidden;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        line-height: 18px;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .halves {
        display: grid;
        grid-template-columns: minmax(280px, 1fr) minmax(0, 2fr);
        gap: 32px;
        align-items: start;
      }
      h2 {
        margin-bottom: 8px;
      }
      ul {
        list-style: none;
      }
      .bars a {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px 16px;
        padding: 8px 0;
        border-bottom: 1px solid var(--sy-rule);
        color: var(--sy-text);
      }
      .bars .name {
        overflow-wrap: anywhere;
      }
      .bars .count {
        font-variant-numeric: tabular-nums;
      }
      .bar {
        grid-column: 1 / -1;
        height: 6px;
        border-radius: 3px;
        background: var(--sy-rule);
        overflow: hidden;
      }
      .bar i {
        display: block;
        height: 100%;
        border-radius: 3px;
        background: var(--sy-plot-line);
      }
      .trouble li {
        display: grid;
        grid-template-columns: 10px minmax(0, 1fr) auto;
        gap: 0 12px;
        align-items: baseline;
        padding: 8px 0;
        border-bottom: 1px solid var(--sy-rule);
      }
      .trouble .mark {
        width: 8px;
        height: 8px;
        border: 2px solid var(--sy-bad);
        border-radius: 2px;
        transform: rotate(45deg);
      }
      .trouble .what {
        overflow-wrap: anywhere;
        color: var(--sy-text-2);
      }
      .trouble .what a {
        font-weight: 550;
        color: var(--sy-text);
      }
      .none {
        padding: 16px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      @media (max-width: 1180px) {
        .tiles {
          grid-template-columns: repeat(3, minmax(0, 1fr));
        }
      }
      @media (max-width: 760px) {
        .tiles {
          grid-template-columns: repeat(2, minmax(0, 1fr));
          gap: 8px;
        }
        .tile {
          padding: 10px 12px;
        }
        .value {
          font-size: 20px;
        }
        .halves {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  readonly #overview = new Loaded(this, fetchOverview, { every: renewMs });
  readonly #day = new Loaded(this, fetchDay, { every: renewDayMs });
  readonly #trouble = new Loaded(this, fetchTrouble, { every: renewDayMs });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  #news: readonly ApiEvent[] = [];
  #flush: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = this.#live.value?.watch(
      { types: troubleTypes },
      { onEvent: (event) => this.#take(event), onGap: () => this.#trouble.load() },
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    clearTimeout(this.#flush);
    this.#flush = undefined;
  }

  override render() {
    const { value, problem } = this.#overview;
    return html`<div class="page">
      <div class="head"><h1>Overview</h1></div>
      ${problem === undefined ? nothing : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#overview.load()}></sy-problem-panel>`}
      ${value === undefined ? this.#skeleton(problem === undefined) : value.devices.known === 0 ? html`<sy-connect-hint></sy-connect-hint>` : this.#fleet(value)}
    </div>`;
  }

  #fleet(overview: ApiOverview) {
    return html`<ul class="tiles" aria-label="The fleet in figures">
        ${this.#tiles(overview).map((tile) => html`<li>${this.#tile(tile, overview.now)}</li>`)}
      </ul>
      <div class="halves">
        <section aria-labelledby="carriers">
          <h2 id="carriers">Registered devices by carrier</h2>
          ${this.#carriers(overview)}
        </section>
        <section aria-labelledby="trouble">
          <h2 id="trouble">Latest trouble</h2>
          ${this.#troubles()}
        </section>
      </div>`;
  }

  #tiles({ devices, switches, readingsPerSecond, comparison }: ApiOverview): readonly Tile[] {
    const day = this.#day.value;
    const state = (name: 'registered' | 'awake' | 'asleep' | 'lost', label: string): Tile => ({
      label,
      value: formatCount(devices[name]),
      href: devicesHref({ states: [name] }),
      points: pointsOf(day, name),
      change: comparison === null ? undefined : changeText(devices[name], comparison.devices?.[name]),
      bad: name === 'lost',
    });
    const states = [
      state('registered', 'Registered'),
      state('awake', 'Awake'),
      state('asleep', 'Asleep'),
      state('lost', 'Lost'),
    ];
    // To who sees one tenant's devices: what is counted for all alone is not told.
    if (switches === null || readingsPerSecond === null || comparison === null) return states;
    const before = comparison.switches;
    return [
      ...states,
      {
        label: 'Switches today',
        value: formatCount(switches.ack),
        more: `ACK · ${formatCount(switches.nack)} NACK`,
        href: hrefOf({ name: 'commands', query: 'kind=carrier-switch' }),
        points: pointsOf(day, 'switches-ack'),
        change: changeText(switches.ack + switches.nack, before === null ? null : before.ack + before.nack),
      },
      {
        label: 'Readings per second',
        value: formatRate(readingsPerSecond),
        href: devicesHref({ heard: '5m', sort: 'lastSeen', descending: true }),
        points: pointsOf(day, 'readings'),
        change: changeText(readingsPerSecond, comparison.readingsPerSecond),
      },
    ];
  }

  #tile({ label, value, more, href, points, change, bad }: Tile, now: number) {
    return html`<a class=${change === undefined ? 'tile short' : 'tile'} href=${href}>
      <span class="label">${label}</span>
      <span class="value">${value}${more === undefined ? nothing : html` <small>${more}</small>`}</span>
      ${
        change === undefined
          ? nothing
          : html`<span class="change" title=${change.meaning}
                >${change.text === '—' ? html`—<span class="only-spoken"> ${change.meaning}</span>` : change.text}${change.text.startsWith('▲') || change.text.startsWith('▼') ? ' on last week' : nothing}</span
              >
              <sy-sparkline
                tone=${bad === true ? 'bad' : ''}
                .points=${points}
                .step=${this.#day.value?.step ?? 0}
                .to=${now}
              ></sy-sparkline>`
      }
    </a>`;
  }

  #carriers({ carriers, devices }: ApiOverview) {
    if (carriers.length === 0) return html`<p class="none">No device is registered now.</p>`;
    return html`<ul class="bars">
      ${carriers.map(({ carrier, count }) => {
        const width = `width: ${((count / Math.max(1, devices.registered)) * 100).toFixed(2)}%`;
        return html`<li>
          <a href=${devicesHref({ states: ['registered'], texts: { carrier: [carrier ?? ''] } })}>
            <span class="name">${carrier ?? 'none, or not known'}</span>
            <span class="count">${formatCount(count)}</span>
            <span class="bar"><i .style=${width}></i></span>
          </a>
        </li>`;
      })}
    </ul>`;
  }

  #troubles() {
    const { value, problem } = this.#trouble;
    if (value === undefined) {
      return problem === undefined
        ? html`<p class="none"><i class="bone"></i></p>`
        : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#trouble.load()}></sy-problem-panel>`;
    }
    const events = withTrouble(value, this.#news);
    if (events.length === 0) {
      return html`<p class="none">
        None. Registrations that run out, commands that fail, observations that are refused, webhooks and jobs that fail
        are told here.
      </p>`;
    }
    return html`<ul class="trouble">
      ${repeat(
        events,
        ({ id }) => id,
        (event) => {
          const { who, text, href } = troubleText(event);
          return html`<li>
            <span class="mark"></span>
            <span class="what">${href === undefined ? who : html`<a href=${href}>${who}</a>`} ${text}</span>
            <sy-time-text .at=${event.at}></sy-time-text>
          </li>`;
        },
      )}
    </ul>`;
  }

  #skeleton(loading: boolean) {
    if (!loading) return nothing;
    return html`<div class="tiles" aria-hidden="true">
      ${Array.from({ length: 6 }, () => html`<div class="tile"><i class="bone"></i><i class="bone"></i></div>`)}
    </div>`;
  }

  #take(event: ApiEvent): void {
    if (event.trouble !== true) return;
    this.#news = withTrouble(this.#news, [event]);
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      this.requestUpdate();
    }, flushMs);
  }
}

function devicesHref(view: Partial<typeof everything> & { readonly heard?: '5m' }): string {
  return hrefOf({ name: 'devices', query: devicesQuery({ ...everything, ...view }) });
}

function formatRate(rate: number): string {
  if (rate >= 100) return formatCount(Math.round(rate));
  return rate === 0 ? '0' : formatMeasure(rate, 2);
}

customElements.define('sy-overview-page', OverviewPage);
