import { css, html, LitElement, nothing, type PropertyValues, unsafeCSS } from 'lit';
import uPlot from 'uplot';
import plotStyles from 'uplot/dist/uPlot.min.css?inline';
import { axisTime, axisValue } from '../data/axis-labels.ts';
import { decimate } from '../data/decimate.ts';
import { type DrawnRange, drawRange } from '../data/draw-range.ts';
import { formatMeasure } from '../data/numbers.ts';
import { type Latest, lastOf, latestOf, type Pointed, rateOf, type Summary } from '../data/plot-facts.ts';
import type { LoadedRange } from '../data/range-feed.ts';
import type { SeriesBuffer } from '../data/series-buffer.ts';
import { durationText, exactTime, momentText } from '../data/time.ts';
import type { TimeWindow } from '../data/time-window.ts';
import { drawingUnit, fitScale, type ValueScale } from '../data/value-scale.ts';
import { base } from '../styles/shared.ts';
import { themedEvent } from '../theme.ts';

const plotHeight = 128;
const axisHeight = 28;
const valueAxisWidth = 64;
/** Half the width of a label on the time axis, without the padding to its right. */
const halfLabel = 16;
/** Points are drawn where there is so much room for each; ms apart does not matter. */
const pixelsPerPoint = 10;
/** Wider lines look better, and cost three times as much to draw where no GPU helps: only for so few points. */
const hairline = 1;
const strong = 1.5;
const mostStrongPoints = 1500;

/** The window that a reader has picked by dragging; ms. */
export type WindowPicked = CustomEvent<TimeWindow>;

/** One sensor's readings by the time taken. Drawn by its board, frame by frame. Fires `window-picked`, `window-left`. */
export class ReadingPlot extends LitElement {
  static override properties = {
    heading: { type: String },
    unit: { type: String },
    path: { type: String },
    timeAxis: { type: Boolean, attribute: 'time-axis' },
    latest: { state: true },
    pointed: { state: true },
    summary: { state: true },
  };

  static override styles = [
    base,
    unsafeCSS(plotStyles),
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 12px;
        min-height: 24px;
      }
      h3,
      .now {
        min-width: 0;
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      h3 {
        font-size: var(--sy-size);
        font-weight: 600;
      }
      .now {
        font-weight: 550;
      }
      .stale {
        color: var(--sy-text-3);
        font-weight: inherit;
      }
      .range {
        margin-left: auto;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        white-space: nowrap;
      }
      .canvas {
        height: ${plotHeight}px;
        overflow: hidden;
      }
      .canvas.axis {
        height: ${plotHeight + axisHeight}px;
      }
      .u-select {
        background: var(--sy-plot-fill);
        border: solid var(--sy-accent);
        border-width: 0 1px;
      }
      .u-hz .u-cursor-x,
      .u-vt .u-cursor-y {
        border-right: 1px solid var(--sy-edge);
      }
      .line {
        color: var(--sy-plot-line);
      }
      .band {
        color: var(--sy-plot-band);
      }
      .grid {
        color: var(--sy-plot-grid);
      }
      .text {
        color: var(--sy-text-3);
      }
    `,
  ];

  declare heading: string;
  declare unit: string;
  declare path: string;
  declare timeAxis: boolean;
  declare latest: Latest | undefined;
  declare pointed: Pointed | undefined;
  declare summary: Summary | undefined;

  #plot: uPlot | undefined;
  #window: TimeWindow = { from: 0, to: 1 };
  /** In `#unit`, as all that is handed to the plot. */
  #scale: ValueScale | undefined;
  #unit = 1;
  #summarised = 0;
  /** What is drawn now where it is no buffer: the same is not drawn again. */
  #range: LoadedRange | undefined;
  #drawn: DrawnRange | undefined;
  #now = 0;
  readonly #resize = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width > 0) this.#plot?.setSize({ width, height: this.#height });
  });
  /** Colours are on the canvas: another theme means another plot. */
  readonly #recolour = () => this.#build();
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    super();
    this.heading = '';
    this.unit = '';
    this.path = '';
    this.timeAxis = false;
    this.latest = undefined;
    this.pointed = undefined;
    this.summary = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener(themedEvent, this.#recolour);
    this.#dark.addEventListener('change', this.#recolour);
    if (this.hasUpdated) this.#build();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener(themedEvent, this.#recolour);
    this.#dark.removeEventListener('change', this.#recolour);
    this.#resize.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  /** CSS pixels of the time axis: what the board needs to know how far a frame moves it. */
  get plotWidth(): number {
    return this.#plot === undefined ? 0 : this.#plot.bbox.width / devicePixelRatio;
  }

  /** Draws the window out of the buffer. `now` tells whether the newest value is still fresh. */
  draw(buffer: SeriesBuffer, window: TimeWindow, now: number): void {
    const plot = this.#plot;
    if (plot === undefined || this.plotWidth <= 0) return;
    this.#range = undefined;
    this.#drawn = undefined;
    const span = window.to - window.from;
    const drawn = decimate(buffer.times, buffer.values, window.from, window.to, span / this.plotWidth);
    const none = new Array<null>(drawn.times.length).fill(null);
    this.#show({ ...drawn, least: none, greatest: none }, window);
    this.#tell(now, () => ({
      latest: latestOf(buffer, now),
      summary: { ...drawn, rate: rateOf(buffer, window), step: 0 },
    }));
  }

  /** Draws the window out of a range that the server has drawn together: mean, and a band from minimum to maximum. */
  drawRange(range: LoadedRange | undefined, buffer: SeriesBuffer, window: TimeWindow, now: number): void {
    const plot = this.#plot;
    if (plot === undefined || this.plotWidth <= 0) return;
    const pixel = (window.to - window.from) / this.plotWidth;
    const { from, to } = this.#window;
    const isSame =
      range === this.#range &&
      this.#drawn !== undefined &&
      Math.abs(window.to - to) < pixel / 2 &&
      Math.abs(window.from - from) < pixel / 2;
    if (!isSame) {
      const drawn = drawRange(range ?? { ...window, step: 0, items: [], loadedAt: now }, window, now);
      this.#range = range;
      this.#drawn = drawn;
      this.#show(drawn, window);
    }
    const drawn = this.#drawn as DrawnRange;
    this.#tell(now, () => ({
      latest: latestOf(buffer, now) ?? lastOf(range, now),
      summary: { ...drawn, rate: 0, step: range?.step ?? 0 },
    }));
  }

  #show(drawn: DrawnRange, window: TimeWindow): void {
    const plot = this.#plot;
    if (plot === undefined) return;
    this.#window = window;
    const unit = drawn.count === 0 ? this.#unit : drawingUnit(drawn.minimum, drawn.maximum);
    if (unit !== this.#unit) this.#scale = undefined;
    this.#unit = unit;
    this.#scale = fitScale(this.#scale, drawn.minimum / unit, drawn.maximum / unit);
    const line = plot.series[1];
    if (line !== undefined) line.width = drawn.times.length > mostStrongPoints ? hairline : strong;
    const inUnits = (values: (number | null)[]) =>
      unit === 1 ? values : values.map((value) => (value === null ? null : value / unit));
    plot.setData([drawn.times, inUnits(drawn.values), inUnits(drawn.greatest), inUnits(drawn.least)], true);
  }

  /** Text is for reading: four times a second is all that it changes. */
  #tell(
    now: number,
    texts: () => { latest: Latest | undefined; summary: Summary & { count: number } },
  ): void {
    if (Math.abs(now - this.#summarised) < 250) return;
    this.#summarised = now;
    this.#now = now;
    const { latest, summary } = texts();
    this.latest = latest;
    const { count, minimum, maximum, rate, step } = summary;
    this.summary = count === 0 ? undefined : { minimum, maximum, rate, step };
  }

  override render() {
    return html`<div class="head">
        <h3>${this.heading}</h3>
        ${this.#reading()}
        <span class="range"><span aria-hidden="true">${this.#extent()}</span> <slot></slot></span>
      </div>
      <div class=${this.timeAxis ? 'canvas axis' : 'canvas'} role="img" aria-label=${this.#spoken()}></div>
      <span class="line"></span><span class="band"></span><span class="grid"></span><span class="text"></span>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (this.#plot === undefined || changed.has('timeAxis')) this.#build();
  }

  #reading() {
    if (this.pointed !== undefined) {
      const { time, value, extent } = this.pointed;
      const moment = momentText(time, this.#now);
      const at =
        extent === undefined
          ? `at ${moment}.${String(Math.floor(time % 1000)).padStart(3, '0')}`
          : `around ${moment}`;
      return html`<span class="now" title=${exactTime(time)}>${this.#measure(value)}</span>
        ${
          extent === undefined
            ? nothing
            : html`<span class="quiet">mean of ${formatMeasure(extent[0])} to ${formatMeasure(extent[1])}</span>`
        }
        <span class="quiet">${at}</span>`;
    }
    if (this.latest === undefined) return html`<span class="quiet">no reading</span>`;
    return html`<span class=${this.latest.stale ? 'now stale' : 'now'} data-fact="latest"
      >${this.#measure(this.latest.value)}</span
    >`;
  }

  #extent() {
    if (this.summary === undefined) return nothing;
    const { minimum, maximum, rate, step } = this.summary;
    const pace = rate > 0 ? ` · ${formatMeasure(rate, 3)}/s` : '';
    const steps = step > 0 ? ` · mean and extent of ${durationText(step)}` : '';
    return `${formatMeasure(minimum)} to ${formatMeasure(maximum)}${pace}${steps}`;
  }

  #spoken(): string {
    if (this.summary === undefined) return `${this.heading}: no reading in the time shown`;
    const { minimum, maximum } = this.summary;
    return `${this.heading}: from ${this.#measure(minimum)} to ${this.#measure(maximum)} in the time shown`;
  }

  #measure(value: number): string {
    return this.unit === '' ? formatMeasure(value) : `${formatMeasure(value)}\u202f${this.unit}`;
  }

  get #height(): number {
    return this.timeAxis ? plotHeight + axisHeight : plotHeight;
  }

  #colour(name: 'line' | 'band' | 'grid' | 'text'): string {
    const probe = this.renderRoot.querySelector(`.${name}`);
    return probe === null ? '' : getComputedStyle(probe).color;
  }

  #build(): void {
    const host = this.renderRoot.querySelector<HTMLElement>('.canvas');
    if (host === null) return;
    this.#plot?.destroy();
    this.#scale = undefined;
    this.#drawn = undefined;
    const text = this.#colour('text');
    const grid = { stroke: this.#colour('grid'), width: 1 };
    const font = `12px ${getComputedStyle(this).fontFamily}`;
    this.#plot = new uPlot(
      {
        width: Math.max(1, Math.floor(host.clientWidth)),
        height: this.#height,
        ms: 1,
        legend: { show: false },
        padding: [8, 16, this.timeAxis ? 0 : 8, 0],
        cursor: {
          y: false,
          sync: { key: 'readings', setSeries: false },
          drag: { x: true, y: false, setScale: false, dist: 4 },
          // On the line alone, and not on the edges of the band.
          points: { size: (_plot, series) => (series === 1 ? 7 : 0), fill: this.#colour('line') },
          bind: {
            dblclick: () => () => {
              this.dispatchEvent(new Event('window-left', { bubbles: true, composed: true }));
              return null;
            },
          },
        },
        scales: {
          x: { time: true, range: () => [this.#window.from, this.#window.to] },
          y: { range: () => [this.#scale?.low ?? 0, this.#scale?.high ?? 1] },
        },
        axes: [
          {
            size: this.timeAxis ? axisHeight : 0,
            stroke: text,
            font,
            grid,
            ticks: { show: false },
            values: (_plot, splits, _axis, _space, step) =>
              splits.map((split) => (this.#hasRoom(split) ? axisTime(split, step, this.#window) : '')),
          },
          {
            size: valueAxisWidth,
            stroke: text,
            font,
            grid,
            ticks: { show: false },
            space: 28,
            // Without a reading there is no scale that could be told.
            values: (_plot, splits) => {
              const told = splits.map((split) => split * this.#unit);
              return told.map((value) => (this.#scale === undefined ? '' : axisValue(value, told)));
            },
          },
        ],
        series: [
          {},
          {
            stroke: this.#colour('line'),
            width: hairline,
            // Rounded to pixels, a slow curve becomes a staircase.
            pxAlign: 0,
            points: {
              show: (plot, _series, first, last) =>
                (last - first) * pixelsPerPoint < plot.bbox.width / devicePixelRatio,
              size: 5,
              width: 0,
              fill: this.#colour('line'),
            },
          },
          { points: { show: false } },
          { points: { show: false } },
        ],
        bands: [{ series: [2, 3], fill: this.#colour('band') }],
        hooks: {
          setCursor: [(plot) => this.#point(plot)],
          setSelect: [(plot) => this.#picked(plot)],
        },
      },
      [[], [], [], []],
      host,
    );
    this.#resize.disconnect();
    this.#resize.observe(host);
    this.dispatchEvent(new Event('rebuilt', { bubbles: true, composed: true }));
  }

  /** A label that the plot's right edge would cut is left out. */
  #hasRoom(time: number): boolean {
    const { from, to } = this.#window;
    return this.timeAxis && ((to - time) / (to - from)) * this.plotWidth > halfLabel;
  }

  #point(plot: uPlot): void {
    const index = plot.cursor.idx;
    const time = index === null || index === undefined ? undefined : plot.data[0][index];
    const value = index === null || index === undefined ? undefined : plot.data[1]?.[index];
    const away = plot.cursor.left === undefined || plot.cursor.left < 0;
    if (away || typeof index !== 'number' || typeof time !== 'number' || typeof value !== 'number') {
      this.pointed = undefined;
      return;
    }
    const [least, greatest] = [this.#drawn?.least[index], this.#drawn?.greatest[index]];
    const isStep = (this.#range?.step ?? 0) > 0 && typeof least === 'number' && typeof greatest === 'number';
    this.pointed = { time, value: value * this.#unit, extent: isStep ? [least, greatest] : undefined };
  }

  #picked(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const window = { from: plot.posToVal(left, 'x'), to: plot.posToVal(left + width, 'x') };
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.dispatchEvent(new CustomEvent('window-picked', { detail: window, bubbles: true, composed: true }));
  }
}

customElements.define('sy-reading-plot', ReadingPlot);
