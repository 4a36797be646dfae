import { css, html, LitElement } from 'lit';
import type { ApiCommand } from '../data/api-types.ts';
import { isFinal, outcomeWord, switchTarget } from '../data/switch-progress.ts';
import { durationText } from '../data/time.ts';
import { tables } from '../styles/page.ts';
import { base } from '../styles/shared.ts';
import './sy-time-text.ts';

const marks: Readonly<Partial<Record<ApiCommand['state'], string>>> = {
  done: '✓',
  failed: '✕',
  expired: '✕',
  unknown: '?',
  cancelled: '–',
};

/** How the switches before went: outcome, reason, how long each took. */
export class SwitchHistory extends LitElement {
  static override properties = { commands: { attribute: false } };

  static override styles = [
    base,
    tables,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      h2 {
        margin-bottom: 8px;
      }
      .outcome {
        width: 104px;
        white-space: nowrap;
      }
      .target {
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .reason {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
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
      @media (max-width: 760px) {
        thead {
          display: none;
        }
        table,
        tbody {
          display: block;
        }
        tr {
          display: grid;
          grid-template-columns: 96px minmax(0, 1fr) auto;
          padding: 6px 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        td,
        tbody th {
          padding: 0 8px 0 0;
          border: none;
        }
        .outcome {
          width: auto;
        }
        .reason {
          grid-column: 2 / -1;
          grid-row: 2;
        }
        .took {
          grid-column: 1;
          grid-row: 2;
          color: var(--sy-text-3);
          text-align: left;
        }
        .reason:empty {
          display: none;
        }
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
    return html`<section aria-label="History of switches">
      <h2>History of switches</h2>
      ${
        ended.length === 0
          ? html`<p class="quiet">No switch has ended yet.</p>`
          : html`<table>
            <thead>
              <tr>
                <th scope="col" class="outcome">Outcome</th>
                <th scope="col">Switched to</th>
                <th scope="col">When</th>
                <th scope="col" class="number">Took</th>
                <th scope="col">Reason</th>
              </tr>
            </thead>
            <tbody>${ended.map(entry)}</tbody>
          </table>`
      }
    </section>`;
  }
}

function entry(command: ApiCommand) {
  return html`<tr>
    <td class="outcome ${command.state}"><span aria-hidden="true">${marks[command.state]}</span> ${outcomeWord(command)}</td>
    <th scope="row" class="target" title=${`Command ${command.number}`}>${switchTarget(command)}</th>
    <td class="when quiet"><sy-time-text mode="plain" .at=${command.updatedAt}></sy-time-text></td>
    <td class="took number">${durationText(Math.max(1, command.updatedAt - command.createdAt))}</td>
    <td class="reason">${command.state === 'done' ? '' : (command.reason ?? '')}</td>
  </tr>`;
}

customElements.define('sy-switch-history', SwitchHistory);
