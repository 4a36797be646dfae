import { css, html, LitElement, nothing } from 'lit';
import type { ApiJob } from '../../server/api/schemas/jobs.ts';
import { deviceStateWords, endedDevices, progressText, segmentsOf } from '../data/jobs.ts';
import { base } from '../styles/shared.ts';

/** How far a job is: its devices by state, in one bar. */
export class JobBar extends LitElement {
  static override properties = { job: { attribute: false }, large: { type: Boolean } };

  static override styles = [
    base,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .bar {
        display: flex;
        gap: 1px;
        height: 6px;
        border-radius: 3px;
        background: var(--sy-rule);
        overflow: hidden;
      }
      .large {
        height: 12px;
        border-radius: 6px;
      }
      i {
        display: block;
        height: 100%;
        background: var(--sy-rule);
        transition: width var(--sy-quick);
      }
      .done {
        background: var(--sy-good);
      }
      .failed,
      .expired {
        background: var(--sy-bad);
      }
      .unknown,
      .cancelled {
        background: var(--sy-unknown);
      }
      .accepted,
      .sent {
        background: var(--sy-waiting);
      }
      .queued {
        background: var(--sy-asleep);
      }
    `,
  ];

  declare job: ApiJob | undefined;
  declare large: boolean;

  constructor() {
    super();
    this.job = undefined;
    this.large = false;
  }

  override render() {
    const { job } = this;
    if (job === undefined) return nothing;
    const parts = segmentsOf(job);
    const told = parts.map(({ state }) => `${job.counts[state]} ${deviceStateWords[state].toLowerCase()}`);
    return html`<div
      class="bar ${this.large ? 'large' : ''}"
      role="progressbar"
      aria-label="Progress"
      aria-valuemin="0"
      aria-valuemax=${Math.max(1, job.total)}
      aria-valuenow=${endedDevices(job)}
      aria-valuetext=${`${progressText(job)}: ${told.join(', ')}`}
      title=${told.join(', ')}
    >
      ${parts.map(({ state, share }) => html`<i class=${state} .style=${`width: ${share.toFixed(2)}%`}></i>`)}
    </div>`;
  }
}

customElements.define('sy-job-bar', JobBar);
