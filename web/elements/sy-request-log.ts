import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiLink, ApiReadResult } from '../data/api-types.ts';
import { curlOf } from '../data/device-operations.ts';
import { identifierAt, pathName, valueText } from '../data/last-values.ts';
import { durationText } from '../data/time.ts';
import type { LoggedRequest } from '../device-requests-controller.ts';
import { base, controls } from '../styles/shared.ts';
import { Ticker } from '../ticker.ts';
import './sy-copy-button.ts';
import './sy-identifier.ts';
import './sy-time-text.ts';

const mostItems = 200;

/** Content formats by their id, as people call them. */
const formatNames: Readonly<Record<number, string>> = {
  0: 'text',
  40: 'links',
  42: 'opaque',
  60: 'CBOR',
  110: 'SenML JSON',
  112: 'SenML CBOR',
  11542: 'TLV',
  11543: 'JSON',
  11544: 'LwM2M CBOR',
};

/** What was asked of the device, newest first: how it ended, what it answered. Fires `given-up` with the request's id. */
export class RequestLog extends LitElement {
  static override properties = { requests: { attribute: false } };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: block;
      }
      h2 {
        margin-bottom: 8px;
      }
      ol {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      li {
        display: grid;
        grid-template-columns: 10px minmax(0, 1fr) auto;
        gap: 2px 10px;
        padding: 8px 0;
        border-bottom: 1px solid var(--sy-rule);
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
        overflow-wrap: anywhere;
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
        grid-column: 2 / -1;
        min-width: 0;
        color: var(--sy-text-2);
        font-size: var(--sy-small);
        overflow-wrap: anywhere;
      }
      .bad {
        color: var(--sy-bad);
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
    `,
  ];

  declare requests: readonly LoggedRequest[];

  constructor() {
    super();
    this.requests = [];
    new Ticker(this);
  }

  override render() {
    if (this.requests.length === 0) return nothing;
    return html`<section aria-label="Requests">
      <h2>Requests</h2>
      <ol>
        ${repeat(
          this.requests,
          ({ id }) => id,
          (request) => this.#request(request),
        )}
      </ol>
    </section>`;
  }

  #request(request: LoggedRequest) {
    const { id, operation, held, startedAt, endedAt, state } = request;
    return html`<li class=${state}>
      <span class="dot"></span>
      <span class="title">${operation.title} ${this.#outcome(request)}</span>
      <span class="end">
        ${
          state === 'running'
            ? html`<button class="small" @click=${() => this.#giveUp(id)}>Stop waiting</button>`
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
      ${this.#more(request)}
    </li>`;
  }

  #outcome({ operation, state, problem, command, answer }: LoggedRequest) {
    switch (state) {
      case 'running':
        return html`<span class="quiet">in progress…</span>`;
      case 'held':
        return html`<span class="quiet">waits for the device: ${command?.state}</span>`;
      case 'given-up':
        return html`<span class="quiet">not waited for any longer; the device may have got it</span>`;
      case 'failed':
        return html`<span class="bad">${problem?.coapCode ?? command?.state ?? ''} ${problem?.title ?? ''}</span>`;
      case 'done': {
        const format = (answer as Partial<ApiReadResult> | undefined)?.contentFormat;
        const name = format === undefined ? '' : ` · ${formatNames[format] ?? format}`;
        return html`<span class="quiet">${operation.success}${name}</span>`;
      }
    }
  }

  #more({ problem, command, answer, state }: LoggedRequest) {
    if (state === 'failed') {
      const reason = problem?.detail ?? command?.reason;
      return reason === undefined ? nothing : html`<div class="more">${reason}</div>`;
    }
    if (state === 'held') {
      return html`<div class="more">It is carried out when the device is next heard, also after a restart of the server.</div>`;
    }
    if (state !== 'done' || typeof answer !== 'object' || answer === null) return nothing;
    if ('path' in answer && !('items' in answer)) return html`<div class="more">${String(answer.path)}</div>`;
    const { items } = answer as { readonly items?: ApiReadResult['items'] | readonly ApiLink[] };
    if (items === undefined) return nothing;
    return html`<div class="more">
      <table aria-label="Answer">
        <tbody>
          ${items.slice(0, mostItems).map((item) => ('value' in item ? this.#value(item) : this.#link(item)))}
        </tbody>
      </table>
      ${items.length > mostItems ? html`<p>and ${items.length - mostItems} more</p>` : nothing}
    </div>`;
  }

  #value({ path, value, units }: ApiReadResult['items'][number]) {
    const identifier = identifierAt(path);
    return html`<tr>
      <td class="mono">${path}</td>
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

  #link({ path, name, attributes }: ApiLink) {
    const told = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
    return html`<tr>
      <td class="mono">${path}</td>
      <td>${name ?? ''}</td>
      <td class="mono">${told.join(' ')}</td>
    </tr>`;
  }

  #giveUp(id: number): void {
    this.dispatchEvent(new CustomEvent('given-up', { detail: id }));
  }
}

customElements.define('sy-request-log', RequestLog);
