import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { clockContext } from '../contexts.ts';
import type { ApiCommand } from '../data/api-types.ts';
import { thinSpace } from '../data/numbers.ts';
import { isFinal, outcomeWord, type SwitchStep, switchSteps, switchTitle } from '../data/switch-progress.ts';
import { clockTime, durationText, exactTime } from '../data/time.ts';
import { base } from '../styles/shared.ts';
import { Ticker } from '../ticker.ts';

const marks: Readonly<Record<SwitchStep['status'], string>> = {
  done: '✓',
  current: '◌',
  ahead: '○',
  failed: '✕',
  unclear: '?',
};
const spoken: Readonly<Record<SwitchStep['status'], string>> = {
  done: 'done',
  current: 'in progress',
  ahead: 'to come',
  failed: 'failed',
  unclear: 'unclear',
};

/** A switch step by step, each as the device and the card have said it. */
export class SwitchTimeline extends LitElement {
  static override properties = { command: { attribute: false } };

  static override styles = [
    base,
    css`
      .title {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 16px;
        margin-bottom: 8px;
        font-weight: 600;
      }
      .what {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .word {
        font-weight: 500;
        color: var(--sy-waiting);
      }
      .word.done {
        color: var(--sy-good);
      }
      .word.failed,
      .word.expired {
        color: var(--sy-bad);
      }
      .word.cancelled,
      .word.unknown {
        color: var(--sy-text-3);
      }
      ol {
        display: grid;
        gap: 4px;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: 20px minmax(0, 1fr) auto;
        align-items: baseline;
        gap: 0 4px;
      }
      .mark {
        display: inline-block;
        width: 16px;
        text-align: center;
      }
      .done .mark {
        color: var(--sy-good);
      }
      .current .mark {
        color: var(--sy-waiting);
        animation: turn 1.4s linear infinite;
      }
      .current .label {
        font-weight: 600;
      }
      .failed .mark,
      .failed .note {
        color: var(--sy-bad);
      }
      .ahead,
      .unclear .mark {
        color: var(--sy-text-3);
      }
      .note {
        grid-column: 2 / -1;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .when {
        color: var(--sy-text-3);
      }
      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .current .mark {
          animation: none;
        }
      }
    `,
  ];

  declare command: ApiCommand | undefined;
  readonly #clock = new ContextConsumer(this, { context: clockContext });

  constructor() {
    super();
    new Ticker(this);
  }

  override render() {
    const { command } = this;
    if (command === undefined) return nothing;
    const steps = switchSteps(command);
    return html`<div class="title">
        <span class="what">${switchTitle(command)}</span>
        <span class="word ${command.state}" data-outcome=${command.state}>${outcomeWord(command)}</span>
      </div>
      <ol>
        ${steps.map((step, index) => this.#step(step, index === 0 ? undefined : steps[index - 1]?.at))}
      </ol>`;
  }

  #step(step: SwitchStep, before: number | undefined) {
    return html`<li class=${step.status} aria-current=${step.status === 'current' ? 'step' : nothing}>
      <span class="mark" aria-hidden="true">${marks[step.status]}</span>
      <span class="label">${step.label}<span class="only-spoken">, ${spoken[step.status]}</span></span>
      ${
        step.at === undefined
          ? nothing
          : html`<span class="when" title=${exactTime(step.at)}>${this.#when(step, step.at, before)}</span>`
      }
      ${step.note === undefined ? nothing : html`<span class="note">${step.note}</span>`}
    </li>`;
  }

  /** The first step by the clock, those after it by how long they took; the current one by how long it takes. */
  #when(step: SwitchStep, at: number, before: number | undefined): string {
    if (step.status === 'current' && this.command !== undefined && !isFinal(this.command)) {
      const now = this.#clock.value?.now() ?? Date.now();
      return `for ${durationText(Math.max(1000, Math.floor((now - at) / 1000) * 1000))}`;
    }
    return before === undefined ? clockTime(at) : `+${stepText(at - before)}`;
  }
}

/** Steps are short, and how short matters: `80 ms`, `2.4 s`, `1 min 3 s`. */
function stepText(duration: number): string {
  return duration >= 950 && duration < 9_950
    ? `${(duration / 1000).toFixed(1)}${thinSpace}s`
    : durationText(Math.max(1, duration));
}

customElements.define('sy-switch-timeline', SwitchTimeline);
