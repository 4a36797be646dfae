import { ContextProvider } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { cache } from 'lit/directives/cache.js';
import { announcedEvent } from '../announce.ts';
import { apiContext, clockContext, liveContext, serverContext } from '../contexts.ts';
import { ApiClient } from '../data/api-client.ts';
import { LiveStream } from '../data/live-stream.ts';
import { ProblemError } from '../data/problem.ts';
import { parseRoute, type Route, titleOf } from '../data/routes.ts';
import { ServerClock } from '../data/server-clock.ts';
import { followLinks, goSearching, isSearchWanted, navigate, navigatedEvent } from '../navigation.ts';
import { base, controls } from '../styles/shared.ts';
import type { KeysDialog } from './sy-keys-dialog.ts';
import './sy-keys-dialog.ts';
import './sy-live-bar.ts';
import './sy-not-found.ts';
import './sy-theme-button.ts';

/** How each view's code is loaded, when it is first gone to. */
const views: Readonly<Record<Route['name'], () => Promise<unknown>>> = {
  devices: () => import('./sy-devices-page.ts'),
  device: () => import('./sy-device-page.ts'),
  'not-found': () => Promise.resolve(),
};

/** The frame of the console: the bar above, the view that the address names, what all views share. */
export class ConsoleApp extends LitElement {
  static override properties = {
    route: { state: true },
    fault: { state: true },
    spoken: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: grid;
        grid-template-rows: auto auto minmax(0, 1fr);
        height: 100dvh;
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        height: 48px;
        padding: 0 16px;
        border-bottom: 1px solid var(--sy-rule);
        background: var(--sy-surface);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 8px;
        margin-right: 16px;
        color: var(--sy-text);
        font-weight: 650;
      }
      .brand:hover {
        text-decoration: none;
      }
      .brand svg {
        width: 20px;
        height: 20px;
        color: var(--sy-accent);
      }
      nav a {
        padding: 6px 8px;
        border-radius: var(--sy-radius);
        color: var(--sy-text-2);
        font-weight: 500;
      }
      nav a[aria-current] {
        color: var(--sy-text);
      }
      .end {
        display: flex;
        align-items: center;
        gap: 4px;
        margin-left: auto;
      }
      .end .keys {
        width: 32px;
        padding: 0;
      }
      main {
        min-height: 0;
        overflow: auto;
      }
      main:focus {
        outline: none;
      }
      .skip {
        position: absolute;
        left: -9999px;
      }
      .skip:focus {
        left: 8px;
        top: 8px;
        z-index: 10;
        padding: 6px 12px;
        background: var(--sy-raised);
      }
      .fault {
        padding: 24px;
      }
      @media (max-width: 600px) {
        .end .keys {
          display: none;
        }
      }
    `,
  ];

  declare route: Route;
  /** The code of a view could not be loaded. */
  declare fault: ProblemError | undefined;
  declare spoken: string;

  readonly #api = new ApiClient();
  readonly #clock = new ServerClock();
  readonly #live = new LiveStream();
  readonly #server = new ContextProvider(this, { context: serverContext });
  readonly #loaded = new Set<Route['name']>();
  #refreshing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    new ContextProvider(this, { context: apiContext, initialValue: this.#api });
    new ContextProvider(this, { context: liveContext, initialValue: this.#live });
    new ContextProvider(this, { context: clockContext, initialValue: this.#clock });
    this.route = parseRoute(location.pathname, location.search);
    this.fault = undefined;
    this.spoken = '';
    // Views ask for it when they have heard of a change; the counts follow, at most once a second.
    this.addEventListener('server-changed', () => this.#refreshSoon());
    // A stream that opens may be that of a server which was restarted, or of a laptop that has slept.
    this.#live.onStatus(({ state }) => {
      if (state === 'open') this.#refreshSoon();
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    followLinks(this);
    window.addEventListener(navigatedEvent, this.#navigated);
    window.addEventListener(announcedEvent, this.#announced);
    window.addEventListener('keydown', this.#keyed);
    this.#load(this.route);
    this.#refreshServer();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener(navigatedEvent, this.#navigated);
    window.removeEventListener(announcedEvent, this.#announced);
    window.removeEventListener('keydown', this.#keyed);
  }

  override render() {
    const here = this.route.name === 'devices' ? 'page' : this.route.name === 'device' ? 'true' : nothing;
    return html`<header>
        <button class="skip" @click=${this.#skip}>Skip to the content</button>
        <a class="brand" href="/devices">
          <svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">
            <path d="M4 2.8h8l4 4v10.4H4z" stroke-linejoin="round" />
            <path d="M7 9.5h6v5H7zM10 9.5v5M7 12h6" />
          </svg>
          Simyard
        </a>
        <nav aria-label="Console"><a href="/devices" aria-current=${here}>Devices</a></nav>
        <div class="end">
          <button class="bare keys" aria-label="Keys" title="Keys (?)" @click=${this.#showKeys}>?</button>
          <sy-theme-button></sy-theme-button>
        </div>
      </header>
      <sy-live-bar></sy-live-bar>
      <main id="view" tabindex="-1">${cache(this.#view())}</main>
      <sy-keys-dialog></sy-keys-dialog>
      <div class="only-spoken" role="status" aria-live="polite">${this.spoken}</div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('route')) document.title = titleOf(this.route);
  }

  #view() {
    if (this.fault !== undefined) {
      return html`<div class="fault">
        <sy-problem-panel .problem=${this.fault.problem} retry @retried=${() => location.reload()}></sy-problem-panel>
      </div>`;
    }
    const { route } = this;
    if (route.name === 'not-found') return html`<sy-not-found .what=${route.path}></sy-not-found>`;
    if (!this.#loaded.has(route.name)) return nothing;
    if (route.name === 'device') return html`<sy-device-page .endpoint=${route.endpoint}></sy-device-page>`;
    return html`<sy-devices-page .search=${route.search} .state=${route.state}></sy-devices-page>`;
  }

  async #load(route: Route): Promise<void> {
    if (!this.#loaded.has(route.name)) {
      try {
        await views[route.name]();
        this.#loaded.add(route.name);
      } catch (error) {
        // A new version of the console was put in place of the one that this page is of.
        await import('./sy-problem-panel.ts').catch(() => location.reload());
        this.fault = new ProblemError(
          {
            type: 'about:blank',
            title: 'This part of the console could not be loaded',
            status: 0,
            code: 'console',
            detail: 'The server may be down, or the console was updated since this page was opened.',
          },
          { cause: error },
        );
      }
    }
    this.requestUpdate();
  }

  readonly #navigated = () => {
    const before = this.route;
    this.route = parseRoute(location.pathname, location.search);
    this.fault = undefined;
    this.#load(this.route);
    if (before.name !== this.route.name && !isSearchWanted()) {
      this.updateComplete.then(() => this.renderRoot.querySelector('main')?.focus({ preventScroll: true }));
    }
  };

  readonly #announced = (event: Event) => {
    this.spoken = (event as CustomEvent<string>).detail;
  };

  readonly #keyed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (event.key === '?') this.#showKeys();
    else if (event.key === 'g') navigate('/devices');
    else if (event.key === '/' && this.route.name !== 'devices') {
      event.preventDefault();
      goSearching();
    }
  };

  #showKeys(): void {
    this.renderRoot.querySelector<KeysDialog>('sy-keys-dialog')?.show();
  }

  #skip(): void {
    this.renderRoot.querySelector('main')?.focus();
  }

  #refreshSoon(): void {
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = undefined;
      this.#refreshServer();
    }, 1000);
  }

  async #refreshServer(): Promise<void> {
    const sentAt = Date.now();
    try {
      const server = await this.#api.server();
      this.#clock.adjust(server.now, sentAt, Date.now());
      this.#server.setValue(server);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // The views' own requests fail alike and say so, and the stream's bar does; the counts stay as they were.
    }
  }
}

/** Whether a key belongs to a field that the reader writes in, or to an open dialog. */
export function isTyping(event: Event): boolean {
  return event
    .composedPath()
    .some((target) => target instanceof HTMLElement && target.matches('input, textarea, select, dialog'));
}

customElements.define('sy-console-app', ConsoleApp);
