import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { liveContext } from '../contexts.ts';
import type { LiveStatus } from '../data/live-stream.ts';
import { clockTime, durationText } from '../data/time.ts';
import { base, controls } from '../styles/shared.ts';
import { Ticker } from '../ticker.ts';

/** Says that what is on the page is no longer live, since when, and what is done about it. */
export class LiveBar extends LitElement {
  static override properties = { status: { state: true } };

  static override styles = [
    base,
    controls,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 16px;
        padding: 6px 16px;
        border-bottom: 1px solid var(--sy-waiting);
        background: var(--sy-waiting-weak);
        color: var(--sy-text);
      }
      .bar strong {
        color: var(--sy-waiting);
        font-weight: 600;
      }
      button {
        margin-left: auto;
      }
    `,
  ];

  declare status: LiveStatus;
  readonly #live = new ContextConsumer(this, {
    context: liveContext,
    callback: (live) => {
      this.#stop?.();
      this.#stop = live.onStatus((status) => this.#changed(status));
      this.status = live.status;
    },
  });
  #stop: (() => void) | undefined;
  readonly #online = () => this.#live.value?.retryNow();

  constructor() {
    super();
    this.status = { state: 'idle' };
    new Ticker(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('online', this.#online);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('online', this.#online);
    this.#stop?.();
  }

  override render() {
    const { status } = this;
    if (isBehind(status)) return this.#behind();
    if (status.state !== 'broken') return nothing;
    const since =
      status.lastEventAt === undefined
        ? 'Nothing was heard yet.'
        : `Last event at ${clockTime(status.lastEventAt)}.`;
    const wait = status.retryAt - Date.now();
    return html`<div class="bar">
      <strong>▲ Not live</strong>
      <span>The event stream is broken: ${status.reason}. ${since}</span>
      <span class="quiet">${wait > 0 ? `Trying again in ${durationText(Math.max(1000, wait))}` : 'Trying again…'}</span>
      <button class="small" @click=${this.#online}>Try now</button>
    </div>`;
  }

  #behind() {
    return html`<div class="bar">
      <strong>▲ Behind</strong>
      <span>More happens than this browser takes: what is shown is late. Nothing is left out.</span>
    </div>`;
  }

  #changed(status: LiveStatus): void {
    if (status.state === 'broken' && this.status.state !== 'broken')
      announce('The page is not live any more');
    if (status.state === 'open' && this.status.state === 'broken') announce('The page is live again');
    if (isBehind(status) !== isBehind(this.status))
      announce(isBehind(status) ? 'What is shown is late' : 'What is shown is no longer late');
    this.status = status;
  }
}

function isBehind(status: LiveStatus): boolean {
  return status.state === 'open' && status.behind;
}

customElements.define('sy-live-bar', LiveBar);
