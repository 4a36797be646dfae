import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { thinSpace } from '../data/numbers.ts';
import { asProblem } from '../data/problem.ts';
import { base } from '../styles/shared.ts';

/** Rates to choose from, Hz. */
const rates = [0.1, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** How often a sensor is read, as its device says, and the wish for another rate. Shows the new one when it is true. */
export class SamplingSelect extends LitElement {
  static override properties = {
    period: { type: Number },
    sensor: { type: String },
    ask: { attribute: false },
    asked: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    css`
      :host {
        display: inline-flex;
        align-items: baseline;
        gap: 8px;
        white-space: nowrap;
      }
      select {
        height: 24px;
        padding: 0 4px;
        border: 1px solid var(--sy-rule);
        border-radius: 4px;
        background: var(--sy-raised);
        color: var(--sy-text-2);
        font: inherit;
      }
      .waits {
        color: var(--sy-waiting);
      }
      .problem {
        color: var(--sy-bad);
        white-space: normal;
      }
    `,
  ];

  /** µs, as the device said last. */
  declare period: number | undefined;
  /** What it measures, for who does not see where the control stands. */
  declare sensor: string;
  /** Asks the device; rejects with ProblemError. Undefined while it cannot be asked. */
  declare ask: ((period: number) => Promise<void>) | undefined;
  declare asked: number | undefined;
  declare problem: ApiProblem | undefined;

  constructor() {
    super();
    this.period = undefined;
    this.sensor = '';
    this.ask = undefined;
    this.asked = undefined;
    this.problem = undefined;
  }

  override render() {
    if (this.period === undefined || this.ask === undefined) return nothing;
    const now = 1e6 / this.period;
    const offered = [...new Set([...rates, now])].sort((a, b) => a - b);
    return html`${
      this.problem === undefined
        ? nothing
        : html`<span class="problem" role="alert">${this.problem.title}: ${this.problem.detail ?? ''}</span>`
    }
      ${this.asked === undefined ? nothing : html`<span class="waits">◌ asking for ${rateText(this.asked)}</span>`}
      <select
        aria-label=${`Sampling rate of ${this.sensor}`}
        ?disabled=${this.asked !== undefined}
        @change=${this.#changed}
      >
        ${offered.map((rate) => html`<option value=${rate} .selected=${rate === now}>${rateText(rate)}</option>`)}
      </select>`;
  }

  async #changed(event: Event): Promise<void> {
    const select = event.target as HTMLSelectElement;
    const rate = Number(select.value);
    this.problem = undefined;
    this.asked = rate;
    // Until the device has said so, it is still what it was.
    select.value = String(1e6 / (this.period ?? 1e6));
    try {
      await this.ask?.(Math.round(1e6 / rate));
      announce(`${this.sensor} is read at ${rateText(rate)}`);
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.asked = undefined;
  }
}

function rateText(rate: number): string {
  return `${Number(rate.toPrecision(4))}${thinSpace}Hz`;
}

customElements.define('sy-sampling-select', SamplingSelect);
