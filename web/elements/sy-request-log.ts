import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { curlOf } from '../data/device-operations.ts';
import { identifierAt, pathName, valueText } from '../data/last-values.ts';
import { counted } from '../data/numbers.ts';
import { answerParts, type LoggedRequest, outcomeDetail, outcomeText } from '../data/request-log.ts';
import { hrefOf } from '../data/routes.ts';
import { durationText } from '../data/time.ts';
import { base, clamps, controls } from '../styles/shared.ts';
import './sy-copy-button.ts';
import './sy-identifier.ts';
import './sy-time-text.ts';

const mostItems = 200;

/**
 * What was asked of the device, newest first: how it ended, what it answered. Fires `given-up` with a request's id, and
 * `tidied`.
 */
export class RequestLog extends LitElement {
  static override properties = {
    endpoint: { type: String },
    requests: { attribute: false },
    folded: { state: true },
  };

  static override styles = [
    base,
    clamps,
    controls,
    css`
      :host {
        display: block;
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        min-height: 32px;
      }
      header h2 {
        flex: 1;
      }
      .fold {
        margin-left: -8px;
        color: var(--sy-text);
        font-size: var(--sy-size);
        font-weight: 600;
      }
      .fold svg {
        width: 16px;
        height: 16px;
        fill: none;
        stroke: var(--sy-text-3);
        stroke-width: 1.6;
        transition: transform var(--sy-quick);
      }
      .fold[aria-expanded='false'] svg {
        transform: rotate(180deg);
      }
      ol {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      li {
        border-bottom: 1px solid var(--sy-rule);
      }
      .line {
        display: grid;
        grid-template-columns: 10px minmax(0, 1fr) auto;
        gap: 0 10px;
        padding: 6px 0;
      }
      .dot {
        width: 10px;
        height: 10px;
        margin-top: 5px;
        border: 2px solid var(--sy-waiting);
        border-radius: 50%;
      }
      .done .dot {
        border-color: var(--sy-good);
        background: var(--sy-good);
      }
      .failed .dot {
        border-color: var(--sy-bad);
        border-radius: 2px;
      }
      .given-up .dot {
        border-color: var(--sy-unknown);
      }
      .title {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .outcome {
        margin-left: 6px;
        color: var(--sy-text-2);
      }
      .failed .outcome {
        color: var(--sy-bad);
      }
      .end {
        display: flex;
        gap: 8px;
        align-items: center;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        white-space: nowrap;
      }
      .more {
        padding: 0 0 8px 20px;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      summary {
        color: var(--sy-text-2);
        font-size: var(--sy-small);
        cursor: pointer;
      }
      .scroll {
        overflow-x: auto;
      }
      table {
        border-collapse: collapse;
        margin-top: 4px;
      }
      td {
        padding: 2px 16px 2px 0;
        vertical-align: top;
        overflow-wrap: anywhere;
      }
      td.mono {
        white-space: nowrap;
      }
      td.value {
        max-width: 480px;
        color: var(--sy-text);
      }
      @media (max-width: 600px) {
        .end {
          grid-column: 2 / -1;
        }
        td.name {
          display: none;
        }
      }
    `,
  ];

  declare endpoint: string;
  declare requests: readonly LoggedRequest[];
  /** The newest alone, in a line. */
  declare folded: boolean;

  constructor() {
    super();
    this.endpoint = '';
    this.requests = [];
    this.folded = false;
  }

  override render() {
    if (this.requests.length === 0) return nothing;
    const ended = this.requests.some(({ endedAt }) => endedAt !== undefined);
    return html`<section aria-label="Requests">
      <header>
        <h2>
          <button class="bare small fold" aria-expanded=${!this.folded} @click=${this.#fold}>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d="m4 6 4 4 4-4" /></svg>
            Requests <span class="quiet">${this.requests.length}</span>
          </button>
        </h2>
        <button class="bare small" ?disabled=${!ended} @click=${() => this.dispatchEvent(new Event('tidied'))}>
          Clear
        </button>
      </header>
      <ol>
        ${repeat(
          this.folded ? this.requests.slice(0, 1) : this.requests,
          ({ id }) => id,
          (request, index) => this.#request(request, index === 0),
        )}
      </ol>
    </section>`;
  }

  #request(request: LoggedRequest, newest: boolean) {
    const { id, operation, held, startedAt, endedAt, state } = request;
    const detail = outcomeDetail(request);
    return html`<li class=${state}>
      <div class="line">
        <span class="dot"></span>
        <span class="title">${operation.title}<span class="outcome">${outcomeText(request)}</span></span>
        <span class="end">
          ${
            state === 'running' || (state === 'held' && request.command?.state === 'queued')
              ? html`<button
                class="small"
                @click=${() => this.dispatchEvent(new CustomEvent('given-up', { detail: id }))}
              >
                ${state === 'held' ? 'Cancel' : 'Stop waiting'}
              </button>`
              : nothing
          }
          ${endedAt === undefined || held ? nothing : durationText(endedAt - startedAt)}
          <sy-time-text mode="plain" .at=${startedAt}></sy-time-text>
          <sy-copy-button
            compact
            what="the request as a curl command"
            .text=${curlOf(operation, location.origin, held)}
          ></sy-copy-button>
        </span>
      </div>
      ${detail === undefined ? nothing : html`<p class="more">${detail}</p>`}
      ${state === 'done' && !this.folded ? this.#answer(request, newest) : nothing}
    </li>`;
  }

  #answer({ answer }: LoggedRequest, newest: boolean) {
    const { values, links, created } = answerParts(answer);
    if (created !== undefined) {
      return html`<p class="more">
        The new instance is
        <a class="mono" href=${this.#href(created)}>${created}</a>
      </p>`;
    }
    const count = values.length + links.length;
    if (count === 0) return nothing;
    return html`<details class="more" ?open=${newest}>
      <summary>${links.length > 0 ? counted(links.length, 'link') : counted(values.length, 'value')}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="What the device answered">
        <table>
          <tbody>
            ${values.slice(0, mostItems).map(({ path, value, units }) => this.#value(path, value, units))}
            ${links.slice(0, mostItems).map(
              ({ path, name, attributes }) =>
                html`<tr>
                  <td class="mono"><a href=${this.#href(path)}>${path}</a></td>
                  <td class="name">${name ?? ''}</td>
                  <td class="mono">
                    ${Object.entries(attributes)
                      .map(([key, text]) => (text === '' ? key : `${key}=${text}`))
                      .join(' ')}
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
        ${count > mostItems ? html`<p>and ${count - mostItems} more</p>` : nothing}
      </div>
    </details>`;
  }

  #value(path: string, value: string | number | boolean, units: string | undefined) {
    const identifier = identifierAt(path);
    return html`<tr>
      <td class="mono"><a href=${this.#href(path)}>${path}</a></td>
      <td class="name">${pathName(path).resource}</td>
      <td class="value">
        ${
          identifier !== undefined && typeof value === 'string'
            ? html`<sy-identifier kind=${identifier} .value=${value}></sy-identifier>`
            : html`<div class="clamp">${valueText(path, value, units).slice(0, 400)}</div>`
        }
      </td>
    </tr>`;
  }

  #fold(): void {
    this.folded = !this.folded;
  }

  #href(path: string): string {
    return hrefOf({ name: 'device', endpoint: this.endpoint, tab: 'objects', path });
  }
}

customElements.define('sy-request-log', RequestLog);
