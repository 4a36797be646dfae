import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../announce.ts';
import { clockContext, liveContext } from '../contexts.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { csvFileName, csvParts, exportAddress } from '../data/csv-export.ts';
import { fillFeed, isDrawnOfReadings } from '../data/fill-feed.ts';
import type { LastValues } from '../data/last-values.ts';
import { onReopened } from '../data/live-stream.ts';
import { asProblem } from '../data/problem.ts';
import type { SensorFeed } from '../data/sensor-feed.ts';
import { type Sensor, sensorTitle, sensorUnit } from '../data/sensors.ts';
import { durationText, momentText, relativeTime } from '../data/time.ts';
import {
  follow,
  hold,
  pan,
  pick,
  ranges,
  type TimeWindow,
  type View,
  windowOf,
  zoom,
} from '../data/time-window.ts';
import { base, controls } from '../styles/shared.ts';
import { Ticker } from '../ticker.ts';
import './sy-problem-panel.ts';
import './sy-reading-plot.ts';
import './sy-sampling-select.ts';
import type { ReadingPlot, WindowPicked } from './sy-reading-plot.ts';

/** A silence of all sensors that is worth a word. */
const quietMs = 10_000;

/** Where the board gets its readings. */
export interface ReadingsSource {
  readonly sensors: ReadonlyMap<number, Sensor>;
  readonly feeds: ReadonlyMap<number, SensorFeed>;
  /** The newest of every path, older than the time shown too. */
  readonly values: LastValues;
  /** Rises with each reading. */
  readonly version: number;
  /** Asks the device to read a sensor at another period, µs. Rejects with ProblemError. */
  setSamplingPeriod(instance: number, period: number): Promise<void>;
}

/** One plot per sensor on one time axis, that of when the readings were taken. */
export class ReadingsBoard extends LitElement {
  static override properties = {
    endpoint: { type: String },
    source: { attribute: false, hasChanged: () => true },
    registered: { type: Boolean },
    disconnected: { type: Boolean },
    view: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        margin-bottom: 8px;
      }
      .end {
        display: flex;
        gap: 8px;
        margin-left: auto;
      }
      .segments button {
        white-space: nowrap;
      }
      .state {
        min-width: 0;
        color: var(--sy-text-2);
      }
      .live {
        color: var(--sy-good);
        font-weight: 550;
      }
      .gone {
        color: var(--sy-text-3);
        font-weight: 550;
      }
      .held {
        color: var(--sy-waiting);
        font-weight: 550;
      }
      .plots {
        display: grid;
        gap: 12px;
        border-top: 1px solid var(--sy-rule);
        padding-top: 12px;
      }
      .note {
        margin-top: 8px;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .none {
        padding: 32px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      @media (max-width: 600px) {
        .end {
          flex-wrap: wrap;
          width: 100%;
          margin-left: 0;
        }
        .segments {
          width: 100%;
        }
        .segments button {
          flex: 1 1 auto;
          padding: 0 2px;
        }
      }
    `,
  ];

  declare endpoint: string;
  declare source: ReadingsSource | undefined;
  /** Whether anything can come from the device, and whether it can be asked for another rate. */
  declare registered: boolean;
  /** Whether its card was last heard to be on no carrier: what comes all the same is live. */
  declare disconnected: boolean;
  declare view: View;
  declare problem: ApiProblem | undefined;

  readonly #clock = new ContextConsumer(this, { context: clockContext });
  readonly #live = new ContextConsumer(this, {
    context: liveContext,
    callback: (live) => {
      this.#stopReopening?.();
      this.#stopReopening = onReopened(live, () => {
        if (this.problem !== undefined) this.#fill();
      });
    },
  });
  #stopReopening: (() => void) | undefined;
  #frame = 0;
  #dirty = true;
  #drawnVersion = -1;
  #drawnWindow: TimeWindow = { from: 0, to: 0 };
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');

  constructor() {
    super();
    this.endpoint = '';
    this.source = undefined;
    this.registered = false;
    this.disconnected = false;
    this.view = follow(ranges[1].span);
    this.problem = undefined;
    new Ticker(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#frame = requestAnimationFrame(this.#draw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopReopening?.();
    cancelAnimationFrame(this.#frame);
  }

  get #now(): number {
    return this.#clock.value?.now() ?? Date.now();
  }

  override render() {
    const sensors = [...(this.source?.sensors.values() ?? [])].filter(({ instance }) =>
      this.source?.feeds.has(instance),
    );
    return html`<section aria-label="Readings">
      <div class="tools">
        <h2>Readings</h2>
        <span class="state">${this.#state()}</span>
        <div class="end">
          <div class="segments" role="group" aria-label="Time shown">
            ${ranges.map(
              ({ label, span }) =>
                html`<button
                  class="small"
                  aria-pressed=${this.view.mode === 'following' && this.view.span === span}
                  @click=${() => this.#look(follow(span))}
                >
                  ${label}
                </button>`,
            )}
          </div>
          <button class="small" @click=${this.#toggle}>
            ${this.view.mode === 'following' ? 'Pause' : 'Back to live'}
          </button>
          <button class="small" ?disabled=${sensors.length === 0} @click=${this.#export}>Export CSV</button>
        </div>
      </div>
      ${
        this.problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${this.problem} retry @retried=${this.#fill}></sy-problem-panel>`
      }
      ${sensors.length === 0 ? this.#none() : this.#plots(sensors)}
    </section>`;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('endpoint')) this.view = follow(ranges[1].span);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('view') || changed.has('source')) {
      this.#dirty = true;
    }
    // After a failure it is the reader who tries again, or looks elsewhere: not each new reading, and not the clock.
    if (changed.has('view') || this.problem === undefined) this.#fill();
  }

  #plots(sensors: readonly Sensor[]) {
    return html`<div
        class="plots"
        role="group"
        tabindex="0"
        aria-label="Plots. Arrows move through time, plus and minus zoom, Escape goes back to live"
        @keydown=${this.#keyed}
        @window-picked=${(event: WindowPicked) => this.#look(pick(this.view, event.detail))}
        @window-left=${() => this.#look(follow(this.view.span))}
        @rebuilt=${() => {
          this.#dirty = true;
        }}
      >
        ${repeat(
          sensors,
          ({ instance }) => instance,
          (sensor, index) =>
            html`<sy-reading-plot
              data-instance=${sensor.instance}
              .heading=${sensorTitle(sensor)}
              .unit=${sensorUnit(sensor)}
              .path=${sensor.path}
              ?time-axis=${index === sensors.length - 1}
              ><sy-sampling-select
                .period=${sensor.samplingPeriod}
                .sensor=${sensorTitle(sensor)}
                .ask=${
                  this.registered
                    ? (period: number) => this.source?.setSamplingPeriod(sensor.instance, period)
                    : undefined
                }
              ></sy-sampling-select
            ></sy-reading-plot>`,
        )}
      </div>
      ${this.#note()}`;
  }

  #none() {
    return html`<p class="none">
      No reading of a sensor has been heard. They appear here as soon as the device notifies one.
    </p>`;
  }

  #state() {
    if (this.source === undefined || this.source.feeds.size === 0) return nothing;
    if (this.view.mode === 'following') {
      // The ticker asks once a second: with the stream gone, nothing here is live.
      const broken = this.#live.value?.status.state === 'broken';
      return html`${
        broken
          ? html`<span class="held">▲ not live</span>`
          : !this.registered
            ? html`<span class="gone">○ not registered</span>`
            : this.disconnected && this.#now - this.#newest() > quietMs
              ? html`<span class="gone">○ disconnected</span>`
              : html`<span class="live">● live</span>`
      }
      ${this.#silence()}`;
    }
    const { from, to } = this.view.window;
    return html`<span class="held">❚❚ held</span> ${momentText(from, this.#now)} to ${momentText(to, this.#now)},
      ${durationText(Math.max(1000, this.#now - to))} behind`;
  }

  /** How long no sensor has been heard, where that is worth a word. */
  #silence() {
    const newest = this.#newest();
    if (newest === 0) return '· no reading was heard';
    return !this.registered || this.#now - newest > quietMs
      ? `· last reading ${relativeTime(newest, this.#now)}`
      : nothing;
  }

  /** When the newest reading of a sensor was taken, ms since the epoch; 0 where there is none. */
  #newest(): number {
    const times = [...(this.source?.feeds.values() ?? [])].map((feed) => feed.buffer.lastTime ?? 0);
    const last = [...(this.source?.sensors.values() ?? [])].map(
      ({ path }) => this.source?.values.get(path)?.takenAt ?? 0,
    );
    return Math.max(0, ...times, ...last);
  }

  #note() {
    const feeds = [...(this.source?.feeds.values() ?? [])];
    const { from } = windowOf(this.view, this.#now);
    // What is renewed while it is shown is no news.
    const isLoading = feeds.some(
      (feed) =>
        feed.filling || (feed.past.loading && !((feed.past.range?.from ?? Number.POSITIVE_INFINITY) <= from)),
    );
    return html`<p class="note" role="status">${isLoading ? 'Loading older readings…' : ''}</p>`;
  }

  #look(view: View): void {
    this.view = view;
  }

  #toggle(): void {
    const now = this.#now;
    this.#look(this.view.mode === 'following' ? hold(this.view, now) : follow(this.view.span));
    announce(this.view.mode === 'following' ? 'Live' : 'Held');
  }

  #keyed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const now = this.#now;
    const view = {
      ArrowLeft: () => pan(this.view, -0.25, now),
      ArrowRight: () => pan(this.view, 0.25, now),
      '+': () => zoom(this.view, 0.5, now),
      '=': () => zoom(this.view, 0.5, now),
      '-': () => zoom(this.view, 2, now),
      Escape: () => follow(this.view.span),
      Home: () => follow(this.view.span),
    }[event.key];
    if (view === undefined) return;
    event.preventDefault();
    this.#look(view());
  }

  async #fill(): Promise<void> {
    const { source, view } = this;
    if (source === undefined) return;
    const now = this.#now;
    const window = windowOf(view, now);
    const wish = { window, following: view.mode === 'following', width: this.#plotWidth, now };
    this.problem = undefined;
    try {
      await Promise.all(
        [...source.feeds].map(async ([instance, feed]) => {
          if (await fillFeed(feed, source.sensors.get(instance), wish)) this.#dirty = true;
        }),
      );
    } catch (error) {
      // The page was left, or another device came: nobody waits for these any more.
      if (error instanceof DOMException && error.name === 'AbortError') return;
      this.problem = asProblem(error);
    }
  }

  get #plotWidth(): number {
    return this.renderRoot.querySelector<ReadingPlot>('sy-reading-plot')?.plotWidth ?? 0;
  }

  readonly #draw = () => {
    this.#frame = requestAnimationFrame(this.#draw);
    const { source } = this;
    if (source === undefined) return;
    const now = this.#now;
    const window = windowOf(this.view, now);
    const plots = [...this.renderRoot.querySelectorAll<ReadingPlot>('sy-reading-plot')];
    const width = plots[0]?.plotWidth ?? 0;
    if (width <= 0) return;
    const moved = ((window.to - this.#drawnWindow.to) / (window.to - window.from)) * width;
    // A still picture for who wants no motion, renewed once a second.
    const still = this.#calm.matches && Math.abs(window.to - this.#drawnWindow.to) < 1000;
    const stirred = Math.abs(moved) >= 0.5 || source.version !== this.#drawnVersion;
    if (!this.#dirty && (still || !stirred)) return;
    this.#dirty = false;
    this.#drawnVersion = source.version;
    this.#drawnWindow = window;
    for (const plot of plots) {
      const instance = Number(plot.dataset.instance);
      const feed = source.feeds.get(instance);
      if (feed === undefined) continue;
      if (isDrawnOfReadings(feed, source.sensors.get(instance), window, now))
        plot.draw(feed.buffer, window, now);
      else plot.drawRange(feed.past.range, feed.buffer, window, now);
    }
  };

  #export(): void {
    const { source } = this;
    if (source === undefined) return;
    const window = windowOf(this.view, this.#now);
    const shown = [...source.sensors.values()].flatMap((sensor) => {
      const feed = source.feeds.get(sensor.instance);
      return feed === undefined ? [] : [{ sensor, feed }];
    });
    if (shown.every(({ feed }) => feed.hasAllSince(window.from))) {
      const series = shown.map(({ sensor: { path, kind, units }, feed: { buffer } }) => {
        return { path, sensor: kind ?? '', units: units ?? '', buffer };
      });
      const address = URL.createObjectURL(new Blob([...csvParts(series, window)], { type: 'text/csv' }));
      this.#download(address, window);
      // The browser has taken it by the next turn at the latest a minute from now.
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } else {
      const paths = shown.map(({ sensor }) => sensor.path);
      this.#download(exportAddress(this.endpoint, paths, window), window);
    }
    announce('The readings are exported');
  }

  #download(address: string, window: TimeWindow): void {
    const link = document.createElement('a');
    link.href = address;
    link.download = csvFileName(this.endpoint, window);
    link.click();
  }
}

customElements.define('sy-readings-board', ReadingsBoard);
