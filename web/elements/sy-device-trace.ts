import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, liveContext } from '../contexts.ts';
import type { ApiTraceMessage } from '../data/api-types.ts';
import { isRegistered } from '../data/device-state.ts';
import { counted, formatCount } from '../data/numbers.ts';
import { hrefOf } from '../data/routes.ts';
import { clockTime, exactTime } from '../data/time.ts';
import {
  everything,
  exchangesOf,
  filterMessages,
  messageTypes,
  parseTraceView,
  type TraceFilter,
  traceFileUrl,
  traceQuery,
} from '../data/trace.ts';
import type { DeviceController } from '../device-controller.ts';
import { isTyping, navigate } from '../navigation.ts';
import { base, controls, fields, skeletons } from '../styles/shared.ts';
import { TraceController } from '../trace-controller.ts';
import './sy-problem-panel.ts';
import './sy-trace-message.ts';
import type { TraceTable } from './sy-trace-table.ts';
import './sy-trace-table.ts';

const typingPauseMs = 200;

/** Every CoAP message of a device, as it passed. */
export class DeviceTrace extends LitElement {
  static override properties = {
    endpoint: { type: String },
    query: { type: String },
    source: { attribute: false, hasChanged: () => true },
  };

  static override styles = [
    base,
    controls,
    fields,
    skeletons,
    css`
      :host {
        display: grid;
        grid-template-rows: auto auto minmax(0, 1fr);
        height: 100%;
        min-height: 0;
      }
      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        padding: 10px 16px;
        border-bottom: 1px solid var(--sy-rule);
      }
      .tools input[type='search'] {
        width: 240px;
        flex: 0 1 240px;
      }
      .end {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
        margin-left: auto;
      }
      .counts {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        white-space: nowrap;
      }
      a.button {
        min-height: 28px;
        padding: 3px 8px;
        font-size: var(--sy-small);
      }
      a.button:hover {
        background: var(--sy-hover);
        text-decoration: none;
      }
      .notes:not(:empty) {
        display: grid;
        gap: 8px;
        padding: 8px 16px;
        border-bottom: 1px solid var(--sy-rule);
      }
      .note {
        padding: 6px 12px;
        border-left: 3px solid var(--sy-waiting);
        background: var(--sy-waiting-weak);
      }
      .body {
        display: grid;
        grid-template: minmax(0, 1fr) / minmax(0, 1fr);
        min-height: 0;
      }
      .body.open {
        grid-template-columns: minmax(0, 1fr) clamp(360px, 40%, 600px);
      }
      sy-trace-message {
        min-height: 0;
        border-left: 1px solid var(--sy-rule);
        background: var(--sy-page);
      }
      .none {
        display: grid;
        align-content: start;
        gap: 8px;
        max-width: 64ch;
        padding: 32px 16px;
        color: var(--sy-text-2);
      }
      .none h2 {
        color: var(--sy-text);
        font-size: 16px;
      }
      .none button {
        justify-self: start;
        margin-top: 8px;
      }
      .bones {
        display: grid;
        gap: 16px;
        padding: 20px 16px;
      }
      .bone:nth-child(3n) {
        width: 62%;
      }
      .bone:nth-child(3n + 1) {
        width: 84%;
      }
      /* The page scrolls there: the messages have a frame of their own, as high as what is left of the screen. */
      @media (max-width: 760px), (max-height: 600px) {
        :host {
          height: calc(100dvh - 112px);
          min-height: 480px;
        }
      }
      /* One line of controls, which scrolls; a message that is open lies over all of it. */
      @media (max-width: 760px) {
        .tools {
          flex-wrap: nowrap;
          gap: 8px;
          padding: 8px 16px;
          overflow-x: auto;
          scrollbar-width: none;
        }
        .tools > * {
          flex: none;
        }
        .tools input[type='search'] {
          flex: none;
          width: 180px;
        }
        .end {
          flex-wrap: nowrap;
          margin-left: 0;
        }
        .counts {
          order: 1;
        }
        .body.open {
          grid-template-columns: minmax(0, 1fr);
        }
        sy-trace-message {
          position: fixed;
          inset: 48px 0 56px;
          z-index: 6;
          border-left: 0;
        }
      }
    `,
  ];

  declare endpoint: string;
  declare query: string;
  declare source: DeviceController;
  readonly #trace = new TraceController(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  #typing: ReturnType<typeof setTimeout> | undefined;
  #exchanges: { readonly of: readonly ApiTraceMessage[]; readonly map: ReadonlyMap<number, number> } = {
    of: [],
    map: new Map(),
  };
  #shown: {
    readonly of: readonly ApiTraceMessage[];
    readonly query: string;
    readonly messages: readonly ApiTraceMessage[];
  } = { of: [], query: '', messages: [] };

  constructor() {
    super();
    this.endpoint = '';
    this.query = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('keydown', this.#keyed);
    if (this.hasUpdated) this.requestUpdate('endpoint', null);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.#keyed);
    clearTimeout(this.#typing);
    this.#typing = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const input = this.renderRoot.querySelector('input');
    const { filter, message } = parseTraceView(this.query);
    // What is being typed is ahead of the address; everything else follows it.
    if (input !== null && this.#typing === undefined && input.value.trim() !== filter.text)
      input.value = filter.text;
    if (!changed.has('endpoint')) return;
    const [api, live] = [this.#api.value, this.#live.value];
    if (api === undefined || live === undefined) return;
    this.#trace.show(this.endpoint, { api, live }, message !== undefined);
  }

  override render() {
    return html`<div class="tools">${this.#tools()}</div>
      <div class="notes">${this.#notes()}</div>
      ${this.#body()}`;
  }

  #tools() {
    const { filter } = parseTraceView(this.query);
    const { direction, types, trouble } = filter;
    const { paused, waiting } = this.#trace;
    const pressed = (is: boolean) => (is ? 'true' : 'false');
    return html`<input
        type="search"
        aria-label="Find in the messages"
        placeholder="Path, value, option, token, hex"
        autocomplete="off"
        spellcheck="false"
        .defaultValue=${filter.text}
        @input=${this.#typed}
        @keydown=${this.#leaveSearch}
      />
      <div class="segments" role="group" aria-label="Direction">
        ${([undefined, 'in', 'out'] as const).map(
          (way) =>
            html`<button
              class="small"
              aria-pressed=${pressed(direction === way)}
              @click=${() => this.#filter({ direction: way })}
            >
              ${way === undefined ? 'All' : way === 'in' ? '← In' : 'Out →'}
            </button>`,
        )}
      </div>
      <div class="segments" role="group" aria-label="Types">
        ${messageTypes.map(
          (type) =>
            html`<button
              class="small"
              aria-pressed=${pressed(types.includes(type))}
              @click=${() =>
                this.#filter({
                  types: types.includes(type) ? types.filter((other) => other !== type) : [...types, type],
                })}
            >
              ${type}
            </button>`,
        )}
      </div>
      <button
        class="small"
        aria-pressed=${pressed(trouble)}
        title="Errors, resets, malformed messages, retransmissions and duplicates"
        @click=${() => this.#filter({ trouble: !trouble })}
      >
        Trouble
      </button>
      <div class="end">
        <span class="counts">${this.#counts()}</span
        ><button class="small pause" aria-pressed=${pressed(paused)} title="Space" @click=${this.#pause}>
          ${paused ? `Resume${waiting > 0 ? ` (${formatCount(waiting)} new)` : ''}` : 'Pause'}
        </button>
        <button
          class="small"
          ?disabled=${(this.#trace.messages?.length ?? 0) === 0}
          @click=${() => this.#trace.clear()}
        >
          Clear
        </button>
        <a class="button" href=${traceFileUrl(this.endpoint, 'pcapng')} download=${`${this.endpoint}.pcapng`}
          >pcapng</a
        >
        <a class="button" href=${traceFileUrl(this.endpoint, 'text')} download=${`${this.endpoint}.txt`}>Text</a>
      </div>`;
  }

  #counts() {
    const { messages, since } = this.#trace;
    if (messages === undefined) return nothing;
    const shown = this.#messages().length;
    const count =
      shown === messages.length
        ? counted(messages.length, 'message')
        : `${formatCount(shown)} of ${counted(messages.length, 'message')}`;
    return since === undefined
      ? count
      : html`<span title=${`Older messages are no longer kept: ${exactTime(since)}`}
          >${count} · since ${clockTime(since)}</span
        >`;
  }

  #notes() {
    const { problem, messages, refused } = this.#trace;
    return html`${
      problem === undefined || messages === undefined
        ? nothing
        : html`<sy-problem-panel
          .problem=${problem}
          retry
          @retried=${() => this.#trace.load()}
        ></sy-problem-panel>`
    }${
      refused
        ? html`<p class="note" role="status">
          The messages of 64 devices are followed already: those of this one do not come live. Open the page again to see
          the newest.
        </p>`
        : nothing
    }`;
  }

  #body() {
    const { messages, problem } = this.#trace;
    if (messages === undefined) {
      if (problem !== undefined) {
        return html`<div class="none">
          <sy-problem-panel
            .problem=${problem}
            ?retry=${problem.code !== 'trace_off'}
            @retried=${() => this.#trace.load()}
          ></sy-problem-panel>
        </div>`;
      }
      return html`<div class="bones" role="img" aria-busy="true" aria-label="Loading the messages">
        ${Array.from({ length: 9 }, () => html`<i class="bone"></i>`)}
      </div>`;
    }
    const shown = this.#messages();
    if (shown.length === 0) return this.#empty(messages.length);
    const selected = parseTraceView(this.query).message;
    const message = messages.find(({ id }) => id === selected);
    const exchanges = this.#exchangesOf(messages);
    const exchange = message === undefined ? undefined : exchanges.get(message.id);
    return html`<div class=${`body${message === undefined ? '' : ' open'}`}>
      <sy-trace-table
        .messages=${shown}
        .exchanges=${exchanges}
        .selected=${message?.id}
        @message-chosen=${this.#chosen}
      ></sy-trace-table>
      ${
        message === undefined
          ? nothing
          : html`<sy-trace-message
            role="region"
            aria-label="Message"
            .message=${message}
            .others=${messages.filter(({ id }) => id !== message.id && exchanges.get(id) === exchange).slice(0, 12)}
            @message-chosen=${this.#chosen}
            @message-left=${this.#left}
          ></sy-trace-message>`
      }
    </div>`;
  }

  #empty(count: number) {
    if (count > 0) {
      return html`<div class="none">
        <h2>No message fits the filter</h2>
        <p>${counted(count, 'message')} of this device ${count === 1 ? 'is' : 'are'} here.</p>
        <button @click=${() => this.#filter(everything)}>Show all messages</button>
      </div>`;
    }
    const { device } = this.source ?? {};
    const waits =
      device === undefined || !isRegistered(device)
        ? 'The device is not registered. Its next Register shows here as it comes, also where it is refused.'
        : 'The device has said nothing since then. What it says next, and what is asked of it, shows here as it passes.';
    return html`<div class="none" role="status">
      <h2>Waiting for the next message</h2>
      <p>${waits}</p>
    </div>`;
  }

  #messages(): readonly ApiTraceMessage[] {
    const { messages = [] } = this.#trace;
    if (this.#shown.of !== messages || this.#shown.query !== this.query) {
      const { filter } = parseTraceView(this.query);
      this.#shown = { of: messages, query: this.query, messages: filterMessages(messages, filter) };
    }
    return this.#shown.messages;
  }

  #exchangesOf(messages: readonly ApiTraceMessage[]): ReadonlyMap<number, number> {
    if (this.#exchanges.of !== messages) this.#exchanges = { of: messages, map: exchangesOf(messages) };
    return this.#exchanges.map;
  }

  #filter(change: Partial<TraceFilter>): void {
    const view = parseTraceView(this.query);
    this.#go({ ...view, filter: { ...view.filter, ...change } });
  }

  readonly #chosen = (event: CustomEvent<number>): void => {
    this.#go({ ...parseTraceView(this.query), message: event.detail });
  };

  readonly #left = (): void => {
    this.#go({ ...parseTraceView(this.query), message: undefined });
    void this.updateComplete.then(() => this.#table()?.focus());
  };

  #go(view: ReturnType<typeof parseTraceView>): void {
    const query = traceQuery(view);
    navigate(hrefOf({ name: 'device', endpoint: this.endpoint, tab: 'trace', query }), { replace: true });
  }

  #typed(event: Event): void {
    const text = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      this.#typing = undefined;
      this.#filter({ text });
    }, typingPauseMs);
  }

  #leaveSearch(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
    event.preventDefault();
    this.#table()?.focus();
  }

  readonly #pause = (): void => {
    const paused = !this.#trace.paused;
    this.#trace.pause(paused);
    announce(paused ? 'Paused' : 'Live');
  };

  readonly #keyed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (event.key === ' ') {
      // On a button it presses that.
      if (event.composedPath().some((target) => target instanceof HTMLButtonElement)) return;
      event.preventDefault();
      this.#pause();
    } else if (event.key === 'Escape' && parseTraceView(this.query).message !== undefined) {
      event.preventDefault();
      this.#left();
    }
  };

  #table(): TraceTable | null {
    return this.renderRoot.querySelector('sy-trace-table');
  }
}

customElements.define('sy-device-trace', DeviceTrace);
