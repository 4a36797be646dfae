import { css, html, LitElement, nothing, type PropertyValues, svg } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiTraceMessage } from '../data/api-types.ts';
import { rowRuns } from '../data/row-runs.ts';
import { clockMilliseconds, exactTime } from '../data/time.ts';
import { elapsedText, isErrorCode, summaryOf } from '../data/trace.ts';
import { base } from '../styles/shared.ts';
import { VisibleRows } from '../visible-rows.ts';

const rowHeight = 28;
/** How near the end counts as at the end, px. */
const nearEnd = 40;
const arrows = {
  in: svg`<path d="M14 8H3m4-4L3 8l4 4" />`,
  out: svg`<path d="M2 8h11M9 4l4 4-4 4" />`,
} as const;

/**
 * The messages of a device, oldest first: only the rows in sight are drawn, and the newest stays in sight while the end
 * is. Fires `message-chosen` with an id, and `message-left` where the reader closes it.
 */
export class TraceTable extends LitElement {
  static override properties = {
    messages: { attribute: false },
    exchanges: { attribute: false },
    selected: { type: Number },
    active: { state: true },
    hovered: { state: true },
    atEnd: { state: true },
  };

  static override styles = [
    base,
    css`
      :host {
        position: relative;
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        min-height: 0;
        min-width: 0;
        container-type: inline-size;
      }
      .row {
        display: grid;
        grid-template-columns: 96px 20px 40px 200px minmax(0, 1fr) 56px 148px 64px 72px;
        align-items: center;
        gap: 12px;
        height: 28px;
        padding: 0 16px;
      }
      .row > * {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .head {
        border-bottom: 1px solid var(--sy-rule);
        background: var(--sy-surface);
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .heads {
        overflow: hidden;
        background: var(--sy-surface);
        scrollbar-gutter: stable;
      }
      .rows {
        min-height: 0;
        overflow: auto;
        overflow-anchor: none;
        scrollbar-gutter: stable;
      }
      .rows .row {
        border-bottom: 1px solid color-mix(in srgb, var(--sy-rule) 55%, transparent);
        cursor: default;
      }
      .rows .row:hover {
        background: var(--sy-hover);
      }
      .rows .row.partner {
        background: var(--sy-accent-weak);
      }
      .rows .row.selected {
        background: var(--sy-accent-weak);
        box-shadow: inset 3px 0 var(--sy-accent);
      }
      .rows .row:focus-visible {
        outline-offset: -2px;
      }
      .time,
      .number {
        font-variant-numeric: tabular-nums;
      }
      .time {
        color: var(--sy-text-2);
      }
      .number {
        text-align: right;
      }
      .mono {
        font-size: 12px;
      }
      .arrow {
        display: grid;
        place-items: center;
        overflow: visible;
      }
      .arrow svg {
        width: 16px;
        height: 16px;
        fill: none;
        stroke: var(--sy-text-3);
        stroke-width: 1.6;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .in .arrow svg {
        stroke: var(--sy-accent);
      }
      .type,
      .mid,
      .token,
      .size,
      .elapsed,
      .detail {
        color: var(--sy-text-3);
      }
      .code {
        font-weight: 550;
      }
      .empty .code {
        color: var(--sy-text-3);
        font-weight: 400;
      }
      .error .code {
        color: var(--sy-bad);
      }
      .code .short {
        display: none;
      }
      .code .digits {
        margin-right: 2px;
        font-variant-numeric: tabular-nums;
      }
      .summary {
        display: flex;
        gap: 8px;
        align-items: center;
      }
      .summary .path {
        flex: none;
        max-width: 60%;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .summary .detail {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .badge {
        flex: none;
        padding: 0 6px;
        border-radius: 3px;
        background: var(--sy-waiting-weak);
        color: var(--sy-waiting);
        font-size: var(--sy-small);
        line-height: 18px;
      }
      .badge.bad {
        background: var(--sy-bad-weak);
        color: var(--sy-bad);
      }
      .newest {
        position: absolute;
        inset: auto auto 16px 50%;
        translate: -50% 0;
        min-height: 32px;
        padding: 5px 14px;
        border: 1px solid var(--sy-edge);
        border-radius: 16px;
        background: var(--sy-raised);
        box-shadow: 0 4px 16px var(--sy-shadow);
        color: var(--sy-text);
        font: inherit;
        font-weight: 500;
        cursor: pointer;
      }
      @container (max-width: 1080px) {
        .row {
          grid-template-columns: 96px 20px 40px 190px minmax(0, 1fr) 64px 72px;
        }
        .mid,
        .token {
          display: none;
        }
      }
      @container (max-width: 820px) {
        .row {
          grid-template-columns: 96px 20px 40px minmax(120px, 170px) minmax(0, 1fr) 72px;
        }
        .size {
          display: none;
        }
      }
      @container (max-width: 560px) {
        .row {
          grid-template-columns: 94px 16px 44px minmax(0, 1fr);
          gap: 8px;
          font-size: 13px;
        }
        .type,
        .elapsed {
          display: none;
        }
        .code .word,
        .request .code .digits {
          display: none;
        }
        .request .code .word,
        .code .short {
          display: inline;
        }
      }
    `,
  ];

  declare messages: readonly ApiTraceMessage[];
  /** By message the exchange that it is part of. */
  declare exchanges: ReadonlyMap<number, number>;
  declare selected: number | undefined;
  declare active: number | undefined;
  declare hovered: number | undefined;
  declare atEnd: boolean;
  readonly #sight = new VisibleRows(this, rowHeight, () => this.renderRoot.querySelector('.list'));
  /** Where the reader came from outside, by a link: brought into sight once it is there. */
  #sought: number | undefined;

  constructor() {
    super();
    this.messages = [];
    this.exchanges = new Map();
    this.selected = undefined;
    this.active = undefined;
    this.hovered = undefined;
    this.atEnd = true;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('selected') && this.selected !== undefined && this.selected !== this.active) {
      this.active = this.selected;
      this.#sought = this.selected;
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    // The content policy allows no style in a template.
    for (const gap of this.renderRoot.querySelectorAll<HTMLElement>('.gap'))
      gap.style.height = `${Number(gap.dataset['rows']) * rowHeight}px`;
    if (this.#sought !== undefined && this.#reveal(this.#sought)) this.#sought = undefined;
    // What is being read stays where it is.
    else if (changed.has('messages') && this.atEnd && this.selected === undefined) this.#toEnd();
    if (changed.has('messages')) this.#look();
  }

  /** Moves the focus into the table. */
  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  override render() {
    const { messages } = this;
    const at = messages.findIndex(({ id }) => id === this.active);
    const entry = at === -1 ? messages.length - 1 : at;
    const { runs, after } = rowRuns(messages.length, this.#sight, entry);
    const lit = this.exchanges.get(this.hovered ?? this.active ?? -1);
    return html`<div class="heads" role="presentation" aria-hidden="true">
        <div class="row head">
          <span>Time</span><span></span><span class="type">Type</span><span>Code</span><span>What</span
          ><span class="mid number">Mid</span><span class="token">Token</span><span class="size number">Size</span
          ><span class="elapsed number">After</span>
        </div>
      </div>
      <div class="rows" @scroll=${this.#scrolled}>
        <div
          class="list"
          role="listbox"
          aria-label="Messages"
          @keydown=${this.#keyed}
          @pointerleave=${() => {
            this.hovered = undefined;
          }}
        >
          ${runs.map(
            ({ gap, first, end }) =>
              html`<div class="gap" role="none" data-rows=${gap}></div>
                ${repeat(
                  messages.slice(first, end),
                  ({ id }) => id,
                  (message, index) => this.#row(message, first + index, entry, lit),
                )}`,
          )}
          <div class="gap" role="none" data-rows=${after}></div>
        </div>
      </div>
      ${
        this.atEnd || messages.length === 0
          ? nothing
          : html`<button class="newest" @click=${this.#toEnd}>Newest ↓</button>`
      }`;
  }

  #row(message: ApiTraceMessage, index: number, entry: number, lit: number | undefined) {
    const { id, at, direction, type, code, name, messageId, token, size, elapsed, malformed } = message;
    const { path, detail } = summaryOf(message);
    const isEmpty = code === '0.00';
    const isRequest = !isEmpty && code?.startsWith('0.') === true;
    const isSelected = id === this.selected;
    const classes = [
      'row',
      direction,
      isEmpty ? 'empty' : isRequest ? 'request' : '',
      isErrorCode(code) || type === 'RST' || malformed !== undefined ? 'error' : '',
      isSelected ? 'selected' : lit !== undefined && this.exchanges.get(id) === lit ? 'partner' : '',
    ];
    return html`<div
      class=${classes.join(' ')}
      role="option"
      data-id=${id}
      aria-selected=${isSelected}
      aria-posinset=${index + 1}
      aria-setsize=${this.messages.length}
      tabindex=${index === entry ? 0 : -1}
      @click=${() => this.#choose(id)}
      @focus=${() => {
        this.active = id;
      }}
      @pointerenter=${() => {
        this.hovered = id;
      }}
    >
      <span class="time" title=${exactTime(at)}>${clockMilliseconds(at)}</span>
      <span class="arrow" title=${direction === 'in' ? 'from the device' : 'to the device'}
        ><svg viewBox="0 0 16 16" aria-hidden="true">${arrows[direction]}</svg
        ><span class="only-spoken">${direction === 'in' ? 'from the device' : 'to the device'}</span></span
      >
      <span class="type">${type}</span>
      <span class="code"
        >${
          malformed === undefined
            ? html`${isEmpty ? nothing : html`<span class="digits">${code}</span> `}<span class="word">${name}</span>${isEmpty ? html`<span class="short" aria-hidden="true">${type}</span>` : nothing}`
            : html`<span class="word">malformed</span><span class="short" aria-hidden="true">bad</span>`
        }</span
      >
      <span class="summary"
        >${this.#badges(message)}${path === '' ? nothing : html`<span class="path mono">${path}</span>`}<span
          class="detail"
          >${detail}</span
        ></span
      >
      <span class="mid number">${messageId}</span>
      <span class="token mono">${token}</span>
      <span class="size number">${size}${'\u202f'}B</span>
      <span class="elapsed number">${elapsed === undefined ? '' : elapsedText(elapsed)}</span>
    </div>`;
  }

  #badges({ retransmission, duplicate, type }: ApiTraceMessage) {
    if (retransmission !== undefined)
      return html`<span class="badge">retransmission ${retransmission}</span>`;
    if (duplicate === true) return html`<span class="badge">${type === 'ACK' ? 'again' : 'duplicate'}</span>`;
    return nothing;
  }

  #choose(id: number): void {
    this.active = id;
    this.dispatchEvent(new CustomEvent('message-chosen', { detail: id }));
  }

  async #go(index: number): Promise<void> {
    const { messages } = this;
    const message = messages[Math.max(0, Math.min(index, messages.length - 1))];
    if (message === undefined) return;
    this.active = message.id;
    // What is open follows the arrows.
    if (this.selected !== undefined) this.#choose(message.id);
    await this.updateComplete;
    this.focus();
    this.#reveal(message.id);
  }

  readonly #keyed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { messages } = this;
    const found = messages.findIndex(({ id }) => id === this.active);
    const at = found === -1 ? messages.length - 1 : found;
    const id = messages[at]?.id;
    if (id === undefined) return;
    const rows = this.renderRoot.querySelector('.rows');
    const page = Math.max(1, Math.floor((rows?.clientHeight ?? 0) / rowHeight) - 1);
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.#go(at + 1),
      ArrowUp: () => this.#go(at - 1),
      PageDown: () => this.#go(at + page),
      PageUp: () => this.#go(at - page),
      Home: () => this.#go(0),
      End: () => this.#go(messages.length - 1),
      Enter: () => this.#choose(id),
      ArrowRight: () => this.#goPartner(id, 1),
      ArrowLeft: () => this.#goPartner(id, -1),
    };
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  /** The next, or the last before, of the same exchange. */
  #goPartner(id: number, step: 1 | -1): void {
    const exchange = this.exchanges.get(id);
    const { messages } = this;
    for (let at = messages.findIndex((message) => message.id === id) + step; ; at += step) {
      const message = messages[at];
      if (message === undefined) return;
      if (this.exchanges.get(message.id) === exchange) {
        void this.#go(at);
        return;
      }
    }
  }

  /** False where it is not there. */
  #reveal(id: number): boolean {
    const index = this.messages.findIndex((message) => message.id === id);
    const rows = this.renderRoot.querySelector('.rows');
    if (index === -1 || rows === null) return false;
    const top = index * rowHeight;
    if (top < rows.scrollTop) rows.scrollTop = top;
    else if (top + rowHeight > rows.scrollTop + rows.clientHeight)
      rows.scrollTop = top + rowHeight - rows.clientHeight;
    this.#look();
    return true;
  }

  readonly #toEnd = (): void => {
    const rows = this.renderRoot.querySelector('.rows');
    if (rows !== null) rows.scrollTop = rows.scrollHeight;
  };

  /** Whether the newest are in sight. */
  #look(): void {
    const rows = this.renderRoot.querySelector('.rows');
    if (rows !== null) this.atEnd = rows.scrollHeight - rows.scrollTop - rows.clientHeight < nearEnd;
  }

  readonly #scrolled = (): void => {
    this.#look();
    // It scrolls by itself: nothing else tells what is in sight.
    this.requestUpdate();
  };
}

customElements.define('sy-trace-table', TraceTable);
