import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiCredential, ApiIssuedCredential, ApiProblem } from '../data/api-types.ts';
import {
  accountNames,
  type CredentialFilter,
  type CredentialList,
  credentialQuery,
  exportHref,
  fetchCredentials,
  parseCredentialFilter,
  removeCredential,
  revokeCredential,
  rotateCredential,
  stateWords,
  typeNames,
} from '../data/credentials.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { exactTime, relativeTime } from '../data/time.ts';
import { Loaded } from '../loaded.ts';
import { navigate } from '../navigation.ts';
import { Permission } from '../permission.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, fields, skeletons } from '../styles/shared.ts';
import { linkButtons, states } from '../styles/webhooks.ts';
import { Ticker } from '../ticker.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-confirm-dialog.ts';
import './sy-credential-form.ts';
import './sy-credential-import.ts';
import './sy-identifier.ts';
import './sy-issued-key.ts';
import './sy-problem-panel.ts';

const placeOf = (query: string) => hrefOf({ name: 'settings', section: 'credentials', query });
const list = placeOf('');
/** After the last letter of a search, ms. */
const searchPause = 250;

/** What devices prove themselves by: the list, and what is done with each. */
export class SettingsCredentials extends LitElement {
  static override properties = {
    query: { type: String },
    pages: { state: true },
    busy: { state: true },
    problem: { state: true },
    issued: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    skeletons,
    pageParts,
    states,
    linkButtons,
    css`
      .filters {
        display: grid;
        grid-template-columns: minmax(0, 2fr) repeat(2, minmax(0, 1fr));
        gap: 8px 16px;
        max-width: 880px;
      }
      ul {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      .credential {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px 16px;
        padding: 12px 0;
        border-bottom: 1px solid var(--sy-rule);
      }
      .name {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 2px 12px;
      }
      h2,
      .identity {
        overflow-wrap: anywhere;
      }
      .what {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .how {
        display: flex;
        flex-wrap: wrap;
        gap: 0 12px;
        color: var(--sy-text-3);
      }
      .actions {
        grid-column: 2;
        grid-row: 1 / span 3;
        display: flex;
        flex-wrap: wrap;
        align-content: start;
        justify-content: flex-end;
        gap: 8px;
      }
      .empty {
        display: grid;
        gap: 8px;
        padding: 24px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      .bone {
        margin-bottom: 24px;
      }
      sy-issued-key {
        grid-column: 1 / -1;
        margin-top: 8px;
      }
      .more {
        justify-self: start;
      }
      @media (max-width: 760px) {
        .filters {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
        .filters .field:first-child {
          grid-column: 1 / -1;
        }
        .credential {
          grid-template-columns: minmax(0, 1fr);
        }
        .actions {
          grid-column: 1;
          grid-row: auto;
          justify-content: flex-start;
          margin-top: 4px;
        }
      }
    `,
  ];

  /** What the address says behind its question mark: the filter; `new` has the form, `import` the file. */
  declare query: string;
  /** Pages of the list that are shown. */
  declare pages: number;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  /** A new key, shown this once. */
  declare issued: ApiIssuedCredential | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  readonly #permission = new Permission(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #credentials = new Loaded<CredentialList>(
    this,
    (api, signal) => fetchCredentials(api, this.#filter, this.pages, signal),
    { every: 30_000, watch: { types: ['credential'] } },
  );

  constructor() {
    super();
    this.query = '';
    this.pages = 1;
    this.busy = false;
    this.problem = undefined;
    this.issued = undefined;
    new Ticker(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#typing);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('query') && changed.get('query') !== undefined) {
      this.pages = 1;
      this.#credentials.load();
    }
  }

  get #filter(): CredentialFilter {
    return parseCredentialFilter(this.query);
  }

  override render() {
    const parameters = new URLSearchParams(this.query);
    if (parameters.has('new')) return html`<sy-credential-form .back=${list}></sy-credential-form>`;
    if (parameters.has('import')) return html`<sy-credential-import .back=${list}></sy-credential-import>`;
    const { value, problem } = this.#credentials;
    return html`<div class="page">
        <div class="head">
          <h1>Credentials</h1>
          <div class="end">
            <a class="button" href=${exportHref(this.#filter)} download>Export</a>
            ${
              this.#permission.may('administer')
                ? html`<a class="button" href=${placeOf('import')}>Import a file</a>
                    <a class="button new" href=${placeOf('new')}>Enrol a device</a>`
                : nothing
            }
          </div>
        </div>
        <p class="lead">
          What devices prove themselves by. A name that has a credential is that device’s alone. Keys are shown once, when
          the server makes them, and never again.
        </p>
        ${this.#filters()}
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#credentials.load()}></sy-problem-panel>`
        }
        ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
        ${value !== undefined ? this.#list(value) : problem === undefined ? this.#bones() : nothing}
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #filters() {
    const { search, account, state } = this.#filter;
    const choice = (field: 'account' | 'state', label: string, names: Readonly<Record<string, string>>) =>
      html`<div class="field">
        <label for=${field}>${label}</label>
        <select id=${field} @change=${(event: Event) => this.#show({ [field]: (event.target as HTMLSelectElement).value })}>
          <option value="">All</option>
          ${Object.entries(names).map(
            ([value, name]) =>
              html`<option value=${value} .selected=${(field === 'account' ? account : state) === value}>${name}</option>`,
          )}
        </select>
      </div>`;
    return html`<div class="filters" role="search">
      <div class="field">
        <label for="search">Search</label>
        <input
          id="search"
          type="search"
          autocomplete="off"
          spellcheck="false"
          placeholder="endpoint, identity, serial number, IMEI, ICCID, MAC"
          .value=${search}
          @input=${this.#searched}
        />
      </div>
      ${choice('account', 'Account', accountNames)} ${choice('state', 'State', { active: 'Active', revoked: 'Revoked' })}
    </div>`;
  }

  #searched(event: Event): void {
    const search = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#show({ search }), searchPause);
  }

  #show(part: Readonly<Partial<Record<keyof CredentialFilter, string>>>): void {
    navigate(placeOf(credentialQuery({ ...this.#filter, ...part } as CredentialFilter)), { replace: true });
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading credentials">
      ${Array.from({ length: 6 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list({ items, more }: CredentialList) {
    if (items.length === 0) {
      return credentialQuery(this.#filter) === ''
        ? html`<div class="empty">
            <p>No device is enrolled yet.</p>
            <p>
              Enrol one with a key of its own, or import a file. On this machine devices may come without security;
              from anywhere else they may not, unless the server says so.
            </p>
          </div>`
        : html`<div class="empty"><p>No credential matches. <a href=${list}>Show all</a></p></div>`;
    }
    return html`<ul aria-label="Credentials">
        ${items.map((credential) => this.#credential(credential))}
      </ul>
      ${more ? html`<button class="more" ?disabled=${this.busy} @click=${this.#more}>Show more</button>` : nothing}`;
  }

  async #more(): Promise<void> {
    this.pages++;
    await this.#credentials.load();
  }

  #credential(credential: ApiCredential) {
    const { endpoint, account, type, identity, imei, iccid, serialNumber, mac, tenant } = credential;
    const { word, look } = stateWords(credential, Date.now());
    const isIssued = this.issued?.account === account && this.issued.identity === identity;
    const name = `${endpoint}, ${identity}`;
    return html`<li class="credential">
      <div class="name">
        <h2><a href=${hrefOf({ name: 'device', endpoint })}>${endpoint}</a></h2>
        <span class="state ${look}">${word}</span>
      </div>
      <div class="what">
        ${typeNames[type]} <span class="identity mono">${identity}</span>
        <span class="quiet">· ${accountNames[account]}${tenant === undefined ? '' : ` · ${tenant}`}</span>
      </div>
      <div class="how">
        ${this.#times(credential)}
        ${serialNumber === undefined ? nothing : html`<span>Serial ${serialNumber}</span>`}
        ${imei === undefined ? nothing : html`<span>IMEI <sy-identifier kind="imei" plain .value=${imei}></sy-identifier></span>`}
        ${iccid === undefined ? nothing : html`<span>ICCID <sy-identifier kind="iccid" plain .value=${iccid}></sy-identifier></span>`}
        ${mac === undefined ? nothing : html`<span>MAC <span class="mono">${mac}</span></span>`}
      </div>
      ${
        isIssued
          ? html`<sy-issued-key
              rotated
              .issued=${this.issued}
              @kept=${() => {
                this.issued = undefined;
              }}
            ></sy-issued-key>`
          : nothing
      }
      <div class="actions">
        ${
          credential.state === 'active' && credential.validUntil === undefined && type === 'psk'
            ? this.#button('New key…', 'administer', name, () => this.#rotate(credential))
            : nothing
        }
        ${
          credential.state === 'active'
            ? this.#button('Revoke…', 'operate', name, () => this.#revoke(credential), 'small danger')
            : nothing
        }
        ${this.#button('Delete…', 'administer', name, () => this.#remove(credential), 'small danger')}
      </div>
    </li>`;
  }

  #button(
    label: string,
    needs: 'operate' | 'administer',
    name: string,
    act: () => Promise<void>,
    look = 'small',
  ) {
    return html`<button
      class=${look}
      data-needs=${needs}
      ?disabled=${this.busy}
      aria-label=${`${label.replace('…', '')} ${name}`}
      @click=${act}
    >
      ${label}
    </button>`;
  }

  #times({ usedAt, validUntil, changedAt, state }: ApiCredential) {
    const now = Date.now();
    const time = (at: number) => html`<span title=${exactTime(at)}>${relativeTime(at, now)}</span>`;
    return html`${usedAt === undefined ? nothing : html`<span>Last used ${time(usedAt)}</span>`}
      ${validUntil === undefined ? nothing : html`<span>${validUntil > now ? html`Good until the new one is used, or ${time(validUntil)}` : html`Ran out ${time(validUntil)}`}</span>`}
      ${state === 'revoked' ? html`<span>Revoked ${time(changedAt)}</span>` : nothing}`;
  }

  async #rotate({ endpoint, account, identity }: ApiCredential): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Give ${endpoint} a new key?`,
      effect: `The key of ${identity} is good until the device has used the new one, for a week at the most. The new one is shown once.`,
      verb: 'New key',
    });
    if (!confirmed) return;
    await this.#do('There is a new key. Keep it: it is not shown again', async (api) => {
      this.issued = await rotateCredential(api, endpoint, { account });
    });
  }

  async #revoke({ endpoint, account, identity }: ApiCredential): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Cut ${endpoint} off?`,
      effect: `Its sessions and its registration end now, and it does not come in by ${identity} again. The name stays closed to others.`,
      verb: 'Revoke',
      typed: endpoint,
    });
    if (!confirmed) return;
    await this.#do(`${endpoint} is cut off`, async (api) => {
      await revokeCredential(api, endpoint, { account, identity });
    });
  }

  async #remove(credential: ApiCredential): Promise<void> {
    const { endpoint, identity } = credential;
    const confirmed = await this.#confirm.ask({
      title: `Delete the credential ${identity}?`,
      effect: `${endpoint} does not come in by it again, and is cut off where it has. The identity is free for another device.`,
      verb: 'Delete',
      typed: endpoint,
    });
    if (!confirmed) return;
    await this.#do('The credential was deleted', (api) => removeCredential(api, endpoint, credential));
  }

  get #confirm(): ConfirmDialog {
    return this.renderRoot.querySelector('sy-confirm-dialog') as ConfirmDialog;
  }

  async #do(done: string, work: (api: ApiClient) => Promise<void>): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await work(api);
      announce(done);
      await this.#credentials.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-settings-credentials', SettingsCredentials);
