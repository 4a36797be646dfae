import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { asProblem } from '../data/problem.ts';
import { offeredRates, rateText, samplingRate } from '../data/sampling.ts';
import { Permission } from '../permission.ts';
import { base } from '../styles/shared.ts';

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
    new Permission(this);
    this.period = undefined;
    this.sensor = '';
    this.ask = undefined;
    this.asked = undefined;
    this.problem = undefined;
  }

  override render() {
    if (this.period === undefined || this.ask === undefined) return nothing;
    const now = samplingRate(this.period);
    return html`${
      this.problem === undefined
        ? nothing
        : html`<span class="problem" role="alert">${this.problem.title}: ${this.problem.detail ?? ''}</span>`
    }
      ${this.asked === undefined ? nothing : html`<span class="waits">◌ asking for ${rateText(this.asked)}</span>`}
      <select data-needs="operate"
        aria-label=${`Sampling rate of ${this.sensor}`}
        ?disabled=${this.asked !== undefined}
        @change=${this.#changed}
      >
        ${offeredRates(now).map((rate) => html`<option value=${rate} .selected=${rate === now}>${rateText(rate)}</option>`)}
      </select>`;
  }

  async #changed(event: Event): Promise<void> {
    const select = event.target as HTMLSelectElement;
    const rate = Number(select.value);
    this.problem = undefined;
    this.asked = rate;
    // Until the device has said so, it is still what it was.
    select.value = String(samplingRate(this.period ?? 0));
    try {
      await this.ask?.(rate === 0 ? 0 : Math.round(1e6 / rate));
      announce(`${this.sensor} is read at ${rateText(rate)}`);
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.asked = undefined;
  }
}

customElements.define('sy-sampling-select', SamplingSelect);
