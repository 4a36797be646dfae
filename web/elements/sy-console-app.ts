import { ContextProvider } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { cache } from 'lit/directives/cache.js';
import { announcedEvent } from '../announce.ts';
import { apiContext, clockContext, liveContext, meContext, serverContext } from '../contexts.ts';
import { ApiClient } from '../data/api-client.ts';
import type { ApiEvent, ApiMe } from '../data/api-types.ts';
import type { LiveStatus } from '../data/live-stream.ts';
import { fetchMe } from '../data/people.ts';
import { codeMissing, ProblemError } from '../data/problem.ts';
import { parseRoute, type Route, titleOf } from '../data/routes.ts';
import { ServerClock } from '../data/server-clock.ts';
import { exactTime } from '../data/time.ts';
import { icons } from '../icons.ts';
import {
  followLinks,
  goSearching,
  isSearchWanted,
  isTyping,
  navigate,
  navigatedEvent,
} from '../navigation.ts';
import { openLiveStream } from '../open-live-stream.ts';
import { type NavigationEntry, pageOf, pages, sectionOf } from '../pages.ts';
import { base, controls } from '../styles/shared.ts';
import type { KeysDialog } from './sy-keys-dialog.ts';
import './sy-account-menu.ts';
import './sy-keys-dialog.ts';
import './sy-live-bar.ts';
import './sy-not-found.ts';
import './sy-theme-button.ts';

/** So long after `g` the letter of a page is waited for. */
const goPatienceMs = 1500;

/** The frame of the console: the bar above, the view that the address names, what all views share. */
export class ConsoleApp extends LitElement {
  static override properties = {
    route: { state: true },
    fault: { state: true },
    spoken: { state: true },
    printedAt: { state: true },
    me: { state: true },
    isLoggedOut: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: grid;
        grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr);
        height: 100dvh;
      }
      header {
        grid-row: 1;
      }
      sy-live-bar {
        grid-row: 2;
      }
      main {
        grid-row: 3;
      }
      sy-keys-dialog {
        position: absolute;
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
      nav {
        display: flex;
        align-self: stretch;
        gap: 4px;
      }
      nav a {
        position: relative;
        display: flex;
        align-items: center;
        padding: 0 10px;
        color: var(--sy-text-2);
        font-weight: 500;
      }
      nav a:hover {
        color: var(--sy-text);
        text-decoration: none;
      }
      nav a:focus-visible {
        outline-offset: -3px;
      }
      nav a[aria-current] {
        color: var(--sy-text);
      }
      nav a[aria-current]::after {
        content: '';
        position: absolute;
        inset: auto 10px -1px;
        height: 2px;
        background: var(--sy-accent);
      }
      nav svg {
        display: none;
        width: 20px;
        height: 20px;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.6;
        stroke-linejoin: round;
        stroke-linecap: round;
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
      .printed {
        display: none;
      }
      /* What was being done stays as it is behind the log-in, and is not seen. */
      .frame {
        display: contents;
      }
      .frame[hidden] {
        display: none;
      }
      sy-login-page {
        grid-area: 1 / 1 / -1 / -1;
        overflow: auto;
        background: var(--sy-page);
      }
      @media print {
        :host {
          display: block;
          height: auto;
        }
        nav,
        .end,
        .skip {
          display: none;
        }
        .printed {
          display: block;
          padding: 8px 16px;
          color: var(--sy-text-2);
          white-space: pre-line;
        }
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
      /* Under the thumb: the same links at the lower edge. */
      @media (max-width: 760px) {
        :host {
          grid-template-rows: auto auto minmax(0, 1fr) calc(56px + env(safe-area-inset-bottom));
        }
        nav {
          position: fixed;
          inset: auto 0 0;
          z-index: 5;
          gap: 0;
          height: calc(56px + env(safe-area-inset-bottom));
          padding-bottom: env(safe-area-inset-bottom);
          border-top: 1px solid var(--sy-rule);
          background: var(--sy-surface);
        }
        nav a {
          flex: 1;
          flex-direction: column;
          justify-content: center;
          gap: 2px;
          min-width: 0;
          padding: 0;
          font-size: 11px;
          line-height: 16px;
        }
        nav a[aria-current] {
          color: var(--sy-accent);
        }
        nav a[aria-current]::after {
          inset: -1px 12px auto;
        }
        nav svg {
          display: block;
        }
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
  /** What is on paper is of then: the moment of printing, ms since the epoch. */
  declare printedAt: number | undefined;
  /** Undefined until it is known. */
  declare me: ApiMe | undefined;
  /** The server asks who this is. */
  declare isLoggedOut: boolean;

  readonly #api = new ApiClient(undefined, () => this.#loggedOut());
  readonly #clock = new ServerClock();
  readonly #live = openLiveStream();
  readonly #server = new ContextProvider(this, { context: serverContext });
  readonly #me = new ContextProvider(this, { context: meContext });
  readonly #loaded = new Set<Route['name']>();
  /** When `g` was pressed: the next letter names a page. */
  #goingSince = Number.NEGATIVE_INFINITY;
  #refreshing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    new ContextProvider(this, { context: apiContext, initialValue: this.#api });
    new ContextProvider(this, { context: liveContext, initialValue: this.#live });
    new ContextProvider(this, { context: clockContext, initialValue: this.#clock });
    this.route = routeHere();
    this.fault = undefined;
    this.spoken = '';
    this.printedAt = undefined;
    this.me = undefined;
    this.isLoggedOut = false;
    // Views ask for it when they have heard of a change; the counts follow, at most once a second.
    this.addEventListener('server-changed', () => this.#refreshSoon());
    // A stream that opens may be that of a server which was restarted, or of a laptop that has slept.
    this.#live.onStatus((status) => {
      if (status.state === 'open') this.#refreshSoon();
      if (isRefused(status)) this.#identify();
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    followLinks(this);
    window.addEventListener(navigatedEvent, this.#navigated);
    window.addEventListener(announcedEvent, this.#announced);
    window.addEventListener('keydown', this.#keyed);
    window.addEventListener('focus', this.#focused);
    window.addEventListener('beforeprint', this.#printing);
    this.#load(this.route);
    this.#identify();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    window.removeEventListener('focus', this.#focused);
    window.removeEventListener('beforeprint', this.#printing);
    window.removeEventListener(navigatedEvent, this.#navigated);
    window.removeEventListener(announcedEvent, this.#announced);
    window.removeEventListener('keydown', this.#keyed);
  }

  override render() {
    const isAway = this.isLoggedOut || this.me?.mustChangePassword === true;
    return html`${isAway ? this.#login() : nothing}
      <div class="frame" ?hidden=${isAway}>${this.me === undefined ? this.#unknown() : this.#frame()}</div>
      <div class="only-spoken" role="status" aria-live="polite">${this.spoken}</div>`;
  }

  #login() {
    return html`<sy-login-page
      .me=${this.isLoggedOut ? undefined : this.me}
      ?interrupted=${this.isLoggedOut && this.me !== undefined}
      @logged-in=${() => this.#identify()}
    ></sy-login-page>`;
  }

  /** Who the reader is cannot be found out, or not yet. */
  #unknown() {
    if (this.fault === undefined) return nothing;
    return html`<div class="fault">
      <sy-problem-panel .problem=${this.fault.problem} retry @retried=${() => location.reload()}></sy-problem-panel>
    </div>`;
  }

  #frame() {
    return html`<header>
        <button class="skip" @click=${this.#skip}>Skip to the content</button>
        <a class="brand" href="/">
          <svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">
            <path d="M4 2.8h8l4 4v10.4H4z" stroke-linejoin="round" />
            <path d="M7 9.5h6v5H7zM10 9.5v5M7 12h6" />
          </svg>
          Simyard
        </a>
        <nav aria-label="Console">${navigation().map((entry) => this.#link(entry))}</nav>
        <div class="end">
          <button class="bare keys" aria-label="Keys" title="Keys (?)" @click=${this.#showKeys}>?</button>
          <sy-theme-button></sy-theme-button>
          <sy-account-menu @logged-out=${() => location.reload()}></sy-account-menu>
        </div>
      </header>
      <sy-live-bar></sy-live-bar>
      ${this.printedAt === undefined ? nothing : html`<p class="printed">As of ${exactTime(this.printedAt)}</p>`}
      <main id="view" tabindex="-1">${cache(this.#view())}</main>
      <sy-keys-dialog></sy-keys-dialog>`;
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
    const page = pageOf(this.route);
    if (page === undefined) return html`<sy-not-found .what=${location.pathname}></sy-not-found>`;
    return this.#loaded.has(page.name) ? page.render() : nothing;
  }

  /** Finds out who the reader is: at the start, after a log-in, and where the stream was refused. */
  async #identify(): Promise<void> {
    const before = this.me;
    let me: ApiMe;
    try {
      me = await fetchMe(this.#api);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // Once it is known, the views and the stream's bar say what does not go.
      if (error.problem.code !== 'not_logged_in' && before === undefined) {
        await import('./sy-problem-panel.ts');
        this.fault = error;
      }
      return;
    }
    // Somebody else: nothing of what the one before saw, or was doing, may be left.
    if (before !== undefined && !isSame(before, me)) return location.reload();
    if (me.mustChangePassword) await import('./sy-login-page.ts');
    this.me = me;
    this.#me.setValue(me);
    this.isLoggedOut = false;
    if (me.mustChangePassword) return;
    this.#refreshServer();
    this.#live.retryNow();
    this.#stopWatching ??= this.#live.watch({ types: ['object-model'] }, this.#modelsChanged);
  }

  async #loggedOut(): Promise<void> {
    await import('./sy-login-page.ts');
    this.isLoggedOut = true;
  }

  /** In another window he may have logged in meanwhile. */
  readonly #focused = () => {
    if (this.isLoggedOut) this.#identify();
  };

  #link({ name, label, href, icon }: NavigationEntry & { readonly name: Route['name'] }) {
    const here = this.route.name === name ? 'page' : sectionOf(this.route) === name ? 'true' : nothing;
    return html`<a href=${href} aria-current=${here}
      ><svg viewBox="0 0 20 20" aria-hidden="true">${icons[icon]}</svg>${label}</a
    >`;
  }

  async #load(route: Route): Promise<void> {
    const page = pageOf(route);
    if (page !== undefined && !this.#loaded.has(page.name)) {
      try {
        await page.load();
        this.#loaded.add(page.name);
      } catch (error) {
        // A new version of the console was put in place of the one that this page is of.
        await import('./sy-problem-panel.ts').catch(() => location.reload());
        this.fault = codeMissing(error);
      }
    }
    this.requestUpdate();
  }

  /** One stream on every page, so that its bar tells the truth on all of them; and names follow their definitions. */
  readonly #modelsChanged = {
    onEvent: ({ data }: ApiEvent) => {
      if (data['change'] === 'loaded' && typeof data['object'] === 'number') this.#learnModel(data['object']);
    },
    // What is named by an older definition meanwhile is named by the newer one when the page is loaded again.
    onGap: () => {},
  };
  #stopWatching: (() => void) | undefined;

  async #learnModel(object: number): Promise<void> {
    try {
      const model = await this.#api.objectModel(object);
      (await import('../data/last-values.ts')).learnModel(model);
    } catch (error) {
      // Removed meanwhile, or the server is gone: names stay as they are.
      if (!(error instanceof ProblemError)) throw error;
    }
  }

  readonly #navigated = () => {
    const before = this.route;
    this.route = routeHere();
    this.fault = undefined;
    this.#load(this.route);
    if (isSearchWanted()) return;
    if (before.name !== this.route.name) this.updateComplete.then(() => this.#focusView());
    // What had the focus may have gone with what it was part of: the next Tab must not begin at the top.
    else requestAnimationFrame(() => requestAnimationFrame(() => this.#focusIfLost()));
  };

  #focusView(): void {
    this.renderRoot.querySelector('main')?.focus({ preventScroll: true });
  }

  #focusIfLost(): void {
    if (document.activeElement === document.body || document.activeElement === null) this.#focusView();
  }

  readonly #printing = () => {
    this.printedAt = this.#clock.now();
    // The browser takes the page as it is when this returns.
    this.performUpdate();
  };

  readonly #announced = (event: Event) => {
    this.spoken = (event as CustomEvent<string>).detail;
  };

  readonly #keyed = (event: KeyboardEvent) => {
    if (this.isLoggedOut || this.me === undefined) return;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const going = performance.now() - this.#goingSince < goPatienceMs;
    this.#goingSince = Number.NEGATIVE_INFINITY;
    const target = going ? navigation().find(({ key }) => key === event.key) : undefined;
    if (target !== undefined) {
      event.preventDefault();
      event.stopImmediatePropagation();
      navigate(target.href);
    } else if (event.key === 'g') this.#goingSince = performance.now();
    else if (event.key === '?') this.#showKeys();
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

/** The server does not give the stream to who asks. */
function isRefused(status: LiveStatus): boolean {
  return status.state === 'broken' && status.reason.endsWith('401');
}

function isSame(a: ApiMe, b: ApiMe): boolean {
  const sameRights =
    a.role === b.role && a.tenant === b.tenant && a.mustChangePassword === b.mustChangePassword;
  return a.kind === b.kind && a.name === b.name && sameRights;
}

/** The first page of the navigation also has the shortest address. */
function routeHere(): Route {
  const route = parseRoute(location.pathname, location.search);
  return route.name === 'overview' && pageOf(route) === undefined ? { name: 'devices', query: '' } : route;
}

function navigation() {
  return pages.flatMap(({ name, navigation }) => (navigation === undefined ? [] : [{ name, ...navigation }]));
}

customElements.define('sy-console-app', ConsoleApp);
