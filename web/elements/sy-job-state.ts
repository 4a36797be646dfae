import { css, html, LitElement } from 'lit';
import { type JobState, jobStateWords } from '../data/jobs.ts';
import { base } from '../styles/shared.ts';

const marks: Readonly<Record<JobState, string>> = {
  preparing: '◌',
  running: '▶',
  paused: '‖',
  cancelling: '◌',
  done: '✓',
  cancelled: '–',
  stopped: '■',
};

/** How it is with a job: a mark and a word beside the colour. */
export class JobStateBadge extends LitElement {
  static override properties = { state: { type: String } };

  static override styles = [
    base,
    css`
      :host {
        display: inline-flex;
        white-space: nowrap;
      }
      .row {
        display: inline-flex;
        gap: 6px;
        color: var(--sy-waiting);
      }
      .mark {
        display: inline-block;
        width: 14px;
        text-align: center;
        font-size: 12px;
      }
      .running {
        color: var(--sy-accent);
      }
      .done {
        color: var(--sy-good);
      }
      .stopped {
        color: var(--sy-bad);
      }
      .cancelled {
        color: var(--sy-text-3);
      }
    `,
  ];

  declare state: JobState;

  constructor() {
    super();
    this.state = 'preparing';
  }

  override render() {
    const { state } = this;
    return html`<span class="row ${state}"
      ><span class="mark" aria-hidden="true">${marks[state]}</span>${jobStateWords[state]}</span
    >`;
  }
}

customElements.define('sy-job-state', JobStateBadge);
