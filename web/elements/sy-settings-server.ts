import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { serverContext } from '../contexts.ts';
import type { ApiCluster, ApiServerSetting, ApiServerSettingsAnswer } from '../data/api-types.ts';
import { fetchCluster, fetchServerSettings } from '../data/cluster.ts';
import { Loaded } from '../loaded.ts';
import { facts, pageParts, tables } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import { chooseTheme, chosenTheme, type Theme, themedEvent } from '../theme.ts';
import './sy-copy-button.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

const themes: readonly { readonly theme: Theme; readonly label: string }[] = [
  { theme: 'system', label: 'As the system' },
  { theme: 'light', label: 'Light' },
  { theme: 'dark', label: 'Dark' },
];
const pages = [
  { href: '/docs', label: 'API documentation', what: 'every route, to try in the browser' },
  { href: '/openapi.json', label: 'openapi.json', what: 'the same for programs' },
  { href: '/metrics', label: 'metrics', what: 'figures for Prometheus' },
  { href: '/healthz', label: 'healthz', what: 'whether the server is ready' },
] as const;

/** The server: what it is, how it is set, and how the console looks. */
export class SettingsServer extends LitElement {
  static override properties = { all: { state: true } };

  static override styles = [
    base,
    controls,
    skeletons,
    pageParts,
    tables,
    facts,
    css`
      h2 {
        margin-bottom: 8px;
      }
      ul {
        list-style: none;
      }
      li {
        padding: 2px 0;
      }
      li a {
        text-decoration: underline;
      }
      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        margin-bottom: 8px;
      }
      .tools h2 {
        margin: 0;
      }
      .name {
        overflow-wrap: anywhere;
      }
      .meaning {
        max-width: 64ch;
        color: var(--sy-text-2);
      }
      .note {
        margin-top: 8px;
      }
      .given {
        font-weight: 550;
      }
      td {
        overflow-wrap: anywhere;
      }
      .bone {
        margin-bottom: 16px;
      }
      @media (max-width: 760px) {
        thead {
          display: none;
        }
        table,
        tbody,
        tr,
        td,
        tbody th {
          display: block;
        }
        tr {
          padding: 8px 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        td,
        tbody th {
          padding: 0;
          border: none;
        }
      }
    `,
  ];

  /** Those too that are as they come. */
  declare all: boolean;
  readonly #server = new ContextConsumer(this, { context: serverContext, subscribe: true });
  readonly #settings = new Loaded<ApiServerSettingsAnswer>(this, fetchServerSettings);
  readonly #cluster = new Loaded<ApiCluster>(this, fetchCluster);
  readonly #themed = () => this.requestUpdate();

  constructor() {
    super();
    this.all = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener(themedEvent, this.#themed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener(themedEvent, this.#themed);
  }

  override render() {
    const problem = this.#settings.problem ?? this.#cluster.problem;
    return html`<div class="page">
      <div class="head"><h1>Server</h1></div>
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#retry()}></sy-problem-panel>`
      }
      ${this.#facts()}
      <section aria-labelledby="theme">
        <h2 id="theme">Theme</h2>
        <div class="segments" role="group" aria-labelledby="theme">
          ${themes.map(
            ({ theme, label }) =>
              html`<button aria-pressed=${chosenTheme() === theme} @click=${() => chooseTheme(theme)}>${label}</button>`,
          )}
        </div>
      </section>
      <section>
        <h2>For programs</h2>
        <ul>
          ${pages.map(
            ({ href, label, what }) =>
              html`<li><a href=${href}>${label}</a> <span class="quiet">${what}</span></li>`,
          )}
        </ul>
      </section>
      ${this.#table()}
    </div>`;
  }

  #facts() {
    const server = this.#server.value;
    if (server === undefined) return nothing;
    const node = this.#cluster.value?.nodes.find(({ self }) => self);
    return html`<dl class="facts">
      ${fact('Version', server.version)} ${fact('Node', server.node)}
      ${fact('Started', html`<sy-time-text mode="plain" .at=${server.startedAt}></sy-time-text>`)}
      ${[server.coapsUri, server.coapUri].map((uri) =>
        uri === undefined ? nothing : fact(uriLabel(uri), html`<span class="mono">${uri}</span>`),
      )}
      ${node === undefined ? nothing : fact('REST and console', html`<span class="mono">${node.http}</span>`)}
      ${fact('Store', server.store)}
    </dl>`;
  }

  #table() {
    const items = this.#settings.value?.items;
    if (items === undefined) {
      return this.#settings.problem === undefined
        ? html`<div role="img" aria-busy="true" aria-label="Loading settings">
          ${Array.from({ length: 6 }, () => html`<i class="bone"></i>`)}
        </div>`
        : nothing;
    }
    const given = items.filter((item) => item.given);
    const shown = this.all ? items : given;
    return html`<section aria-label="Settings in force">
      <div class="tools">
        <h2>Settings in force</h2>
        <div class="segments" role="group" aria-label="Which settings">
          <button class="small" aria-pressed=${!this.all} @click=${() => this.#show(false)}>Given (${given.length})</button>
          <button class="small" aria-pressed=${this.all} @click=${() => this.#show(true)}>All (${items.length})</button>
        </div>
      </div>
      ${
        shown.length === 0
          ? html`<p class="quiet">Every setting is as it comes.</p>`
          : html`<table>
            <thead>
              <tr>
                <th scope="col">Variable</th>
                <th scope="col">Value</th>
                <th scope="col">Meaning</th>
              </tr>
            </thead>
            <tbody>${shown.map(settingRow)}</tbody>
          </table>`
      }
      <p class="note quiet">They are read when the server starts, from flags and the environment.</p>
    </section>`;
  }

  #show(all: boolean): void {
    this.all = all;
  }

  #retry(): void {
    this.#settings.load();
    this.#cluster.load();
  }
}

function settingRow({ name, flag, value, default: usual, given, secret, meaning }: ApiServerSetting) {
  return html`<tr>
    <th scope="row" class="name mono" title=${`--${flag}`}>${name}</th>
    <td>
      <span class=${given ? 'mono given' : 'mono'}
        >${secret ? (given ? 'set, and kept back' : 'not set') : (value ?? html`<span class="quiet">not set</span>`)}</span
      >
      ${given && usual !== null && usual !== value ? html`<div class="quiet">otherwise ${usual}</div>` : nothing}
    </td>
    <td class="meaning">${meaning}</td>
  </tr>`;
}

function fact(name: string, value: unknown) {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function uriLabel(uri: string): string {
  return uri.startsWith('coaps:') ? 'Devices reach it at' : 'Without security at';
}

customElements.define('sy-settings-server', SettingsServer);
