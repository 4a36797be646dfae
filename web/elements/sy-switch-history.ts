import { css, html, LitElement, nothing } from 'lit';
import type { ApiCommand } from '../data/api-types.ts';
import { isFinal, outcomeWord, switchTarget } from '../data/switch-progress.ts';
import { durationText } from '../data/time.ts';
import { base } from '../styles/shared.ts';
import './sy-time-text.ts';

const marks: Readonly<Partial<Record<ApiCommand['state'], string>>> = {
  done: '✓',
  failed: '✕',
  expired: '✕',
  unknown: '?',
  cancelled: '–',
};

/** How the switches before went. */
export class SwitchHistory extends LitElement {
  static override properties = { commands: { attribute: false } };

  static override styles = [
    base,
    css`
      h2 {
        margin-bottom: 8px;
      }
      ol {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      li {
        display: grid;
        grid-template-columns: 84px minmax(0, 1fr) auto;
        gap: 0 12px;
        padding: 6px 0;
        border-bottom: 1px solid var(--sy-rule);
      }
      .done {
        color: var(--sy-good);
      }
      .failed,
      .expired {
        color: var(--sy-bad);
      }
      .unknown,
      .cancelled {
        color: var(--sy-text-3);
      }
      .target {
        overflow-wrap: anywhere;
      }
      .when {
        color: var(--sy-text-3);
      }
      .reason {
        grid-column: 2 / -1;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare commands: readonly ApiCommand[];

  constructor() {
    super();
    this.commands = [];
  }

  override render() {
    const ended = this.commands.filter(isFinal);
    return html`<section>
      <h2>History of switches</h2>
      ${
        ended.length === 0
          ? html`<p class="quiet">No switch has ended yet.</p>`
          : html`<ol>${ended.map(entry)}</ol>`
      }
    </section>`;
  }
}

function entry(command: ApiCommand) {
  const took = durationText(command.updatedAt - command.createdAt);
  return html`<li>
    <span class=${command.state}><span aria-hidden="true">${marks[command.state]}</span> ${outcomeWord(command)}</span>
    <span class="target" title=${`Command ${command.number}, took ${took}`}>${switchTarget(command)}</span>
    <span class="when"><sy-time-text mode="plain" .at=${command.updatedAt}></sy-time-text></span>
    ${command.reason === undefined || command.state === 'done' ? nothing : html`<span class="reason">${command.reason}</span>`}
  </li>`;
}

customElements.define('sy-switch-history', SwitchHistory);
