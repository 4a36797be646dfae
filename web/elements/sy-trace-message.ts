import { css, html, LitElement, nothing } from 'lit';
import type { ApiTraceMessage, ApiTracePayload } from '../data/api-types.ts';
import { identifierAt, pathName, valueText } from '../data/last-values.ts';
import { counted } from '../data/numbers.ts';
import { exactTime } from '../data/time.ts';
import { elapsedText, isErrorCode } from '../data/trace.ts';
import { base, clamps, controls } from '../styles/shared.ts';
import './sy-copy-button.ts';
import './sy-hex-dump.ts';
import './sy-identifier.ts';

/** Values and links that are listed; a pack may have thousands. */
const mostItems = 200;
/** Text of a payload that is shown; the bytes have all of it. */
const mostText = 4000;

/** All of one message. Fires `message-left` when it is closed, `message-chosen` with the id of another one. */
export class TraceMessage extends LitElement {
  static override properties = {
    message: { attribute: false },
    others: { attribute: false },
  };

  static override styles = [
    base,
    clamps,
    controls,
    css`
      :host {
        display: grid;
        align-content: start;
        gap: 16px;
        padding: 12px 16px 24px;
        overflow: auto;
      }
      header {
        display: flex;
        align-items: start;
        gap: 8px;
      }
      header h2 {
        flex: 1;
        min-width: 0;
        font-size: 16px;
        line-height: 28px;
        overflow-wrap: anywhere;
      }
      h2 .error {
        color: var(--sy-bad);
      }
      .close {
        width: 28px;
        padding: 0;
      }
      .close svg {
        width: 16px;
        height: 16px;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.6;
      }
      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 2px 16px;
      }
      dt {
        color: var(--sy-text-3);
      }
      dd {
        overflow-wrap: anywhere;
        white-space: pre-line;
      }
      section {
        display: grid;
        gap: 6px;
        min-width: 0;
      }
      .bar {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .bar h3 {
        flex: 1;
      }
      h3 {
        font-size: var(--sy-small);
        font-weight: 600;
        color: var(--sy-text-2);
      }
      table {
        width: 100%;
        border-collapse: collapse;
        border-top: 1px solid var(--sy-rule);
      }
      th,
      td {
        padding: 3px 12px 3px 0;
        border-bottom: 1px solid var(--sy-rule);
        font-weight: inherit;
        text-align: left;
        vertical-align: top;
        overflow-wrap: anywhere;
      }
      tbody th {
        width: 168px;
      }
      th .quiet {
        margin-right: 8px;
        font-variant-numeric: tabular-nums;
      }
      .path {
        white-space: nowrap;
        color: var(--sy-text-3);
      }
      ul {
        list-style: none;
      }
      .others {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 8px;
      }
      pre {
        margin: 0;
        padding: 8px;
        max-height: 320px;
        border-radius: var(--sy-radius);
        background: var(--sy-surface);
        font: 12px/18px var(--sy-mono);
        white-space: pre-wrap;
        overflow: auto;
        overflow-wrap: anywhere;
      }
      .note {
        color: var(--sy-text-2);
      }
      .problem {
        color: var(--sy-bad);
      }
    `,
  ];

  declare message: ApiTraceMessage | undefined;
  /** Those of the same exchange, with what they are called. */
  declare others: readonly ApiTraceMessage[];

  constructor() {
    super();
    this.message = undefined;
    this.others = [];
  }

  override render() {
    const { message } = this;
    if (message === undefined) return nothing;
    const { direction, hex, size, payload, truncated } = message;
    return html`<header>
        <h2>${this.#title(message)}</h2>
        <button
          class="bare small close"
          aria-label="Close"
          title="Close (Esc)"
          @click=${() => this.dispatchEvent(new Event('message-left'))}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="m3 3 10 10M13 3 3 13" /></svg>
        </button>
      </header>
      <dl>
        <dt>${direction === 'in' ? 'From' : 'To'}</dt>
        <dd class="mono">${message.peer}</dd>
        <dt>Time</dt>
        <dd>${exactTime(message.at)}</dd>
        ${this.#facts(message)}
      </dl>
      ${this.#exchange()} ${this.#options(message)}
      ${payload === undefined ? nothing : this.#payload(payload, message.contentFormat)}
      <section>
        <div class="bar">
          <h3>Datagram <span class="quiet">${counted(size, 'byte')}</span></h3>
          <sy-copy-button .text=${hex} label="Copy hex" what="the datagram in hex"></sy-copy-button>
        </div>
        <sy-hex-dump .hex=${hex} .size=${size} .payload=${payload?.length ?? 0}></sy-hex-dump>
        ${truncated === true ? html`<p class="note">Its first ${hex.length / 2} bytes were kept.</p>` : nothing}
      </section>`;
  }

  #title({ malformed, type, code, name, path }: ApiTraceMessage) {
    if (malformed !== undefined) return html`<span class="error">Malformed</span>`;
    const empty = code === '0.00';
    return html`${type} <span class=${isErrorCode(code) ? 'error' : ''}>${empty ? '' : `${code} `}${name}</span>
      ${path === undefined ? nothing : html`<span class="mono">${path}</span>`}`;
  }

  #facts(message: ApiTraceMessage) {
    const { malformed, messageId, token, elapsed, retransmission, duplicate } = message;
    if (malformed !== undefined) {
      return html`<dt>Why</dt>
        <dd class="problem">${malformed}</dd>`;
    }
    return html`<dt>Message id</dt>
      <dd>${messageId}</dd>
      ${
        token === '' || token === undefined
          ? nothing
          : html`<dt>Token</dt>
            <dd class="mono">${token}</dd>`
      }
      ${
        elapsed === undefined
          ? nothing
          : html`<dt>Answered after</dt>
            <dd>${elapsedText(elapsed)}</dd>`
      }
      ${
        retransmission === undefined
          ? nothing
          : html`<dt>Sent again</dt>
            <dd>${retransmission === 1 ? 'the first time' : `${retransmission} times by now`}</dd>`
      }
      ${
        duplicate === true
          ? html`<dt>Duplicate</dt>
            <dd>the same bytes came before</dd>`
          : nothing
      }`;
  }

  #exchange() {
    if (this.others.length === 0) return nothing;
    return html`<section aria-label="Of the same exchange">
      <h3>Same exchange</h3>
      <div class="others">
        ${this.others.map(
          ({ id, type, code, name, direction }) =>
            html`<button
              class="small"
              @click=${() => this.dispatchEvent(new CustomEvent('message-chosen', { detail: id }))}
            >
              ${direction === 'in' ? '←' : '→'} ${type} ${code === '0.00' ? '' : code} ${name}
            </button>`,
        )}
      </div>
    </section>`;
  }

  #options({ options }: ApiTraceMessage) {
    if (options.length === 0) return nothing;
    return html`<section>
      <h3>Options</h3>
      <table>
        <tbody>
          ${options.map(
            ({ number, name, value }) =>
              html`<tr>
                <th scope="row"><span class="quiet">${number}</span>${name}</th>
                <td class="mono">${value === '' ? html`<span class="quiet">(empty)</span>` : value}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </section>`;
  }

  #payload(payload: ApiTracePayload, format: number | undefined) {
    const { length, values, removed, links, paths, text, fragment, problem } = payload;
    const decoded = values ?? links ?? paths;
    return html`<section>
      <div class="bar">
        <h3>
          Payload
          <span class="quiet">${counted(length, 'byte')}${format === undefined ? '' : `, format ${format}`}</span>
        </h3>
      </div>
      ${
        fragment === undefined
          ? nothing
          : html`<p class="note">
            Block ${fragment.number} of a larger body, ${fragment.size} bytes each${fragment.more ? '' : '; the last one'}.
          </p>`
      }
      ${problem === undefined ? nothing : html`<p class="problem">It cannot be read: ${problem}</p>`}
      ${values === undefined ? nothing : this.#values(values)}
      ${removed === undefined ? nothing : html`<p>Removes ${removed.join(', ')}</p>`}
      ${links === undefined ? nothing : this.#links(links)}
      ${
        paths === undefined
          ? nothing
          : html`<ul>
            ${paths.map((path) => html`<li><span class="mono">${path}</span> <span class="quiet">${placeName(path)}</span></li>`)}
          </ul>`
      }
      ${decoded === undefined && text !== undefined ? html`<pre tabindex="0">${text.slice(0, mostText)}</pre>` : nothing}
    </section>`;
  }

  #values(values: NonNullable<ApiTracePayload['values']>) {
    return html`<table>
        <thead class="only-spoken">
          <tr>
            <th scope="col">Path</th>
            <th scope="col">Resource</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          ${values.slice(0, mostItems).map(({ path, value, name, units, takenAt }) => {
            const identifier = identifierAt(path);
            const shown = valueText(path, value, units);
            return html`<tr title=${takenAt === undefined ? nothing : `taken at ${exactTime(takenAt)}`}>
              <td class="path mono">${path}</td>
              <td>${name ?? pathName(path).resource}</td>
              <td>
                ${
                  identifier !== undefined && typeof value === 'string'
                    ? html`<sy-identifier kind=${identifier} .value=${value}></sy-identifier>`
                    : html`<div class="clamp" title=${shown}>${shown}</div>`
                }
              </td>
            </tr>`;
          })}
        </tbody>
      </table>
      ${beyond(values.length)}`;
  }

  #links(links: NonNullable<ApiTracePayload['links']>) {
    return html`<table>
        <tbody>
          ${links.slice(0, mostItems).map(
            ({ path, name, attributes }) =>
              html`<tr>
                <td class="path mono">${path}</td>
                <td>${name}</td>
                <td class="mono">
                  ${Object.entries(attributes)
                    .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
                    .join(' ')}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
      ${beyond(links.length)}`;
  }
}

function beyond(count: number) {
  return count > mostItems ? html`<p class="note">… and ${count - mostItems} more</p>` : nothing;
}

function placeName(path: string): string {
  const { object, resource } = pathName(path);
  const levels = path.split('/').filter(Boolean).length;
  return levels === 0 ? 'everything' : levels < 3 ? object : `${object} · ${resource}`;
}

customElements.define('sy-trace-message', TraceMessage);
