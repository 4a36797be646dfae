import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { apiContext, clockContext, liveContext } from '../contexts.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { codeMissing } from '../data/problem.ts';
import { type DeviceTab, hrefOf } from '../data/routes.ts';
import { DeviceController } from '../device-controller.ts';
import { deviceTabEntries } from '../device-tabs.ts';
import { isTyping, navigate } from '../navigation.ts';
import { base, skeletons } from '../styles/shared.ts';
import './sy-device-header.ts';
import './sy-not-found.ts';
import './sy-problem-panel.ts';

/** One device: who it is, and below that the tab that the address names. */
export class DevicePage extends LitElement {
  static override properties = {
    endpoint: { type: String },
    tab: { type: String },
    path: { type: String },
    query: { type: String },
    fault: { state: true },
  };

  static override styles = [
    base,
    skeletons,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
      }
      sy-device-header {
        padding: 16px 16px 0;
      }
      nav {
        display: flex;
        gap: 4px;
        padding: 0 8px;
        border-bottom: 1px solid var(--sy-rule);
        background: var(--sy-page);
      }
      nav a {
        position: relative;
        display: flex;
        align-items: center;
        height: 40px;
        padding: 0 10px;
        color: var(--sy-text-2);
        font-weight: 500;
        white-space: nowrap;
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
      .body {
        flex: 1;
        min-height: 0;
        overflow: auto;
      }
      .problem {
        padding: 16px 16px 0;
      }
      .bones {
        display: grid;
        gap: 16px;
        max-width: 720px;
        padding: 16px;
      }
      .bones .bone:first-child {
        width: 320px;
        max-width: 100%;
        height: 24px;
      }
      .bones .bone:last-child {
        width: 360px;
        max-width: 100%;
        height: 208px;
        border-radius: 12px;
        margin-top: 32px;
      }
      /* Too little room to keep the header in view: all of it scrolls, the tabs stay. */
      @media (max-width: 760px), (max-height: 600px) {
        :host {
          display: block;
          height: auto;
        }
        nav {
          position: sticky;
          top: 0;
          z-index: 4;
          overflow-x: auto;
          scrollbar-width: none;
        }
        .body {
          overflow: visible;
        }
      }
    `,
  ];

  declare endpoint: string;
  declare tab: DeviceTab;
  declare path: string;
  declare query: string;
  /** The code of a tab could not be loaded. */
  declare fault: ApiProblem | undefined;

  readonly #device = new DeviceController(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });
  readonly #loaded = new Set<DeviceTab>();

  constructor() {
    super();
    this.endpoint = '';
    this.tab = 'live';
    this.path = '';
    this.query = '';
    this.fault = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('keydown', this.#keyed);
    if (this.hasUpdated) this.requestUpdate('endpoint', null);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.#keyed);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('tab')) {
      this.#loadTab();
      this.renderRoot
        .querySelector('nav [aria-current]')
        ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
    if (!changed.has('endpoint') && !changed.has('tab')) return;
    const [api, live, clock] = [this.#api.value, this.#live.value, this.#clock.value];
    if (api === undefined || live === undefined || clock === undefined) return;
    this.#device.show(this.endpoint, this.#entry?.parts ?? [], { api, live, clock });
  }

  get #entry() {
    return deviceTabEntries.find(({ tab }) => tab === this.tab);
  }

  async #loadTab(): Promise<void> {
    const entry = this.#entry;
    this.fault = undefined;
    if (entry === undefined || this.#loaded.has(entry.tab)) return;
    try {
      await entry.load();
      this.#loaded.add(entry.tab);
    } catch (error) {
      this.fault = codeMissing(error).problem;
    }
    this.requestUpdate();
  }

  override render() {
    const { device, problem } = this.#device;
    if (problem?.status === 404) {
      return html`<sy-not-found heading="There is no such device" .what=${this.endpoint}></sy-not-found>`;
    }
    if (problem !== undefined) {
      return html`<div class="problem">
        <sy-problem-panel .problem=${problem} retry @retried=${() => this.#device.load()}></sy-problem-panel>
      </div>`;
    }
    if (device === undefined) {
      return html`<div class="bones" aria-busy="true" aria-label=${`Loading ${this.endpoint}`} role="img">
        <i class="bone"></i><i class="bone"></i><i class="bone"></i>
      </div>`;
    }
    return html`<sy-device-header .device=${device}></sy-device-header>
      <nav aria-label="Views of the device">
        ${deviceTabEntries.map(
          ({ tab, label }) =>
            html`<a href=${hrefOf({ name: 'device', endpoint: this.endpoint, tab })} aria-current=${tab === this.tab ? 'page' : nothing}
              >${label}</a
            >`,
        )}
      </nav>
      <div class="body">${this.#parts()} ${this.#body()}</div>`;
  }

  #parts() {
    const { partProblem } = this.#device;
    if (partProblem === undefined) return nothing;
    return html`<div class="problem">
      <sy-problem-panel .problem=${partProblem} retry @retried=${() => this.#device.load()}></sy-problem-panel>
    </div>`;
  }

  #body() {
    const entry = this.#entry;
    if (entry === undefined) return html`<sy-not-found .what=${location.pathname}></sy-not-found>`;
    if (this.fault !== undefined) {
      return html`<div class="problem">
        <sy-problem-panel .problem=${this.fault} retry @retried=${() => location.reload()}></sy-problem-panel>
      </div>`;
    }
    if (!this.#loaded.has(entry.tab)) return nothing;
    const { endpoint, path, query } = this;
    return entry.view({ endpoint, source: this.#device, path, query });
  }

  /** `1` to `6` go to the tabs. */
  readonly #keyed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const entry = /^[1-9]$/.test(event.key) ? deviceTabEntries[Number(event.key) - 1] : undefined;
    if (entry === undefined) return;
    event.preventDefault();
    navigate(hrefOf({ name: 'device', endpoint: this.endpoint, tab: entry.tab }));
  };
}

customElements.define('sy-device-page', DevicePage);
