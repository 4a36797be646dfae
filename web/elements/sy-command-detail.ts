import { css, html, LitElement, nothing } from 'lit';
import type { ApiCommand, ApiValue } from '../data/api-types.ts';
import { commandStateWords } from '../data/command-words.ts';
import { identifierAt, pathName, valueText } from '../data/last-values.ts';
import { hrefOf } from '../data/routes.ts';
import { clockTime, durationText, exactTime } from '../data/time.ts';
import { facts } from '../styles/page.ts';
import { base } from '../styles/shared.ts';
import './sy-identifier.ts';
import './sy-switch-timeline.ts';
import './sy-time-text.ts';

/** Values of an answer that are shown. */
const mostItems = 50;

interface Item {
  readonly path: string;
  readonly value: ApiValue;
  readonly units?: string;
}

/** A command step by step, what came of it, and what is to be known of it beside. */
export class CommandDetail extends LitElement {
  static override properties = { command: { attribute: false } };

  static override styles = [
    base,
    facts,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(240px, 420px) minmax(0, 1fr);
        gap: 16px 48px;
      }
      h2 {
        margin-bottom: 8px;
        font-size: var(--sy-small);
        font-weight: 600;
        color: var(--sy-text-2);
      }
      ol {
        display: grid;
        gap: 4px;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 12px;
      }
      .note {
        grid-column: 1 / -1;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .when {
        color: var(--sy-text-3);
      }
      table {
        border-collapse: collapse;
      }
      td,
      th {
        padding: 2px 16px 2px 0;
        font-weight: inherit;
        text-align: left;
        vertical-align: top;
        overflow-wrap: anywhere;
      }
      section {
        min-width: 0;
      }
      dl.facts {
        grid-column: 1 / -1;
      }
      @media (max-width: 760px) {
        :host {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  declare command: ApiCommand | undefined;

  constructor() {
    super();
    this.command = undefined;
  }

  override render() {
    const { command } = this;
    if (command === undefined) return nothing;
    return html`<section>
        ${
          command.kind === 'carrier-switch'
            ? html`<sy-switch-timeline .command=${command}></sy-switch-timeline>`
            : html`<h2>What happened</h2>
              ${this.#steps(command)}`
        }
      </section>
      ${this.#result(command)}
      <dl class="facts">
        <div><dt>Command</dt><dd class="mono">${command.id}</dd></div>
        <div><dt>Number at the device</dt><dd>${command.number}</dd></div>
        <div><dt>Sent</dt><dd>${times(command.attempts)}</dd></div>
        ${
          command.state === 'queued'
            ? html`<div>
              <dt>Expires in</dt>
              <dd><sy-time-text mode="until" .at=${command.expiresAt}></sy-time-text></dd>
            </div>`
            : nothing
        }
        ${
          command.job === undefined
            ? nothing
            : html`<div>
              <dt>Job</dt>
              <dd><a href=${hrefOf({ name: 'job', job: command.job })}>${command.job}</a></dd>
            </div>`
        }
      </dl>`;
  }

  #steps({ history }: ApiCommand) {
    return html`<ol>
      ${history.map(({ state, at, reason }, index) => {
        const before = history[index - 1]?.at;
        return html`<li>
          <span>${commandStateWords[state]}</span>
          <span class="when" title=${exactTime(at)}
            >${before === undefined ? clockTime(at) : `+${durationText(Math.max(1, at - before))}`}</span
          >
          ${reason === undefined ? nothing : html`<span class="note">${reason}</span>`}
        </li>`;
      })}
    </ol>`;
  }

  #result({ result, kind }: ApiCommand) {
    if (result === undefined || kind === 'carrier-switch') return html`<section></section>`;
    const items = Array.isArray(result['items']) ? (result['items'] as readonly Item[]) : [];
    const values = items.filter(({ value }) => value !== undefined);
    const { coapCode, path } = result;
    if (values.length === 0 && coapCode === undefined && typeof path !== 'string')
      return html`<section></section>`;
    return html`<section>
      <h2>Answer of the device</h2>
      ${typeof coapCode === 'string' ? html`<p>${coapCode}</p>` : nothing}
      ${values.length === 0 && typeof path === 'string' ? html`<p class="mono">${path}</p>` : nothing}
      ${
        values.length === 0
          ? nothing
          : html`<table aria-label="Values">
            <tbody>${values.slice(0, mostItems).map(valueRow)}</tbody>
          </table>`
      }
      ${values.length > mostItems ? html`<p class="quiet">and ${values.length - mostItems} more</p>` : nothing}
    </section>`;
  }
}

function valueRow({ path, value, units }: Item) {
  const identifier = identifierAt(path);
  return html`<tr>
    <th scope="row" class="mono">${path}</th>
    <td>${pathName(path).resource}</td>
    <td>
      ${
        identifier !== undefined && typeof value === 'string'
          ? html`<sy-identifier kind=${identifier} .value=${value}></sy-identifier>`
          : valueText(path, value, units)
      }
    </td>
  </tr>`;
}

function times(count: number): string {
  if (count === 0) return 'not yet';
  return count === 1 ? 'once' : `${count} times`;
}

customElements.define('sy-command-detail', CommandDetail);
