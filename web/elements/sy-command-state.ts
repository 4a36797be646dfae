import { css, html, LitElement } from 'lit';
import { deviceStateMeanings, deviceStateWords, type JobDeviceState } from '../data/jobs.ts';
import { base } from '../styles/shared.ts';

const marks: Readonly<Record<JobDeviceState, string>> = {
  waiting: '○',
  queued: '◔',
  sent: '◑',
  accepted: '◕',
  done: '✓',
  failed: '✕',
  cancelled: '–',
  expired: '✕',
  unknown: '?',
};

/** Where a command, or a device in a job, stands: a mark and a word beside the colour. */
export class CommandStateBadge extends LitElement {
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
      }
      .waiting,
      .cancelled,
      .unknown {
        color: var(--sy-text-3);
      }
      .done {
        color: var(--sy-good);
      }
      .failed,
      .expired {
        color: var(--sy-bad);
      }
    `,
  ];

  declare state: JobDeviceState;

  constructor() {
    super();
    this.state = 'waiting';
  }

  override render() {
    const { state } = this;
    return html`<span class="row ${state}" title=${deviceStateMeanings[state]}
      ><span class="mark" aria-hidden="true">${marks[state]}</span>${deviceStateWords[state]}</span
    >`;
  }
}

customElements.define('sy-command-state', CommandStateBadge);
