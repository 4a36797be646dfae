import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { apiContext } from '../contexts.ts';
import type { ApiAuditEntry, ApiProblem } from '../data/api-types.ts';
import { type AuditField, actionText, auditFields, auditSearchOf, fetchAudit } from '../data/people.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { navigate } from '../navigation.ts';
import { pageParts, tables } from '../styles/page.ts';
import { base, controls, fields, skeletons } from '../styles/shared.ts';
import { states } from '../styles/webhooks.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

const PAGE = 100;
const looks = { done: 'good', refused: 'bad', failed: 'waiting' } as const;
const labels: Readonly<Record<Exclude<AuditField, 'outcome'>, string>> = {
  actor: 'Who',
  action: 'Operation',
  target: 'On what',
  source: 'From where',
};

/** What was done, by whom; searched by what the address says. */
export class SettingsAudit extends LitElement {
  static override properties = {
    query: { type: String },
    entries: { state: true },
    next: { state: true },
    loading: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    fields,
    pageParts,
    tables,
    states,
    css`
      form {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(150px, 1fr));
        gap: 8px 12px;
        align-items: end;
      }
      form .buttons {
        display: flex;
        gap: 8px;
      }
      td {
        overflow-wrap: anywhere;
      }
      td.when {
        white-space: nowrap;
      }
      .detail {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .empty {
        padding: 24px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      .bone {
        margin-bottom: 24px;
      }
      .more {
        justify-self: start;
      }
      @media (max-width: 760px) {
        thead {
          position: absolute;
          clip-path: inset(50%);
        }
        table,
        tbody {
          display: block;
        }
        tr {
          display: grid;
          grid-template-columns: minmax(0, 1fr) auto;
          gap: 2px 12px;
          padding: 8px 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        td {
          padding: 0;
          border: none;
        }
        /* What and how it ended; who and on what; when and from where. */
        td:nth-child(3) {
          order: 1;
          font-weight: 550;
        }
        td:nth-child(5) {
          order: 2;
          text-align: end;
        }
        td:nth-child(2) {
          order: 3;
        }
        td:nth-child(4) {
          order: 4;
          text-align: end;
        }
        td:nth-child(1) {
          order: 5;
          color: var(--sy-text-3);
        }
        td:nth-child(6) {
          order: 6;
          color: var(--sy-text-3);
          text-align: end;
        }
      }
    `,
  ];

  declare query: string;
  declare entries: readonly ApiAuditEntry[] | undefined;
  /** Where the next page begins; null where there is none. */
  declare next: string | null;
  declare loading: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  #request = new AbortController();

  constructor() {
    super();
    this.query = '';
    this.entries = undefined;
    this.next = null;
    this.loading = false;
    this.problem = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('query')) this.#load(undefined);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Shown again: what was done meanwhile is new.
    if (this.hasUpdated) this.#load(undefined);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#request.abort();
  }

  override render() {
    const search = auditSearchOf(this.query);
    return html`<div class="page">
      <div class="head">
        <h1>Audit log</h1>
        <div class="end"><button ?disabled=${this.loading} @click=${() => this.#load(undefined)}>Load anew</button></div>
      </div>
      <p class="lead">Every request that acted, or would have, and every log-in; newest first.</p>
      <form role="search" @submit=${this.#search}>
        ${Object.entries(labels).map(
          ([field, label]) =>
            html`<div class="field">
              <label for=${field}>${label}</label>
              <input id=${field} name=${field} autocomplete="off" spellcheck="false" .value=${search[field as AuditField] ?? ''} />
            </div>`,
        )}
        <div class="field">
          <label for="outcome">Outcome</label>
          <select id="outcome" name="outcome">
            ${['', 'done', 'refused', 'failed'].map(
              (outcome) =>
                html`<option value=${outcome} ?selected=${(search.outcome ?? '') === outcome}>
                  ${outcome === '' ? 'any' : outcome}
                </option>`,
            )}
          </select>
        </div>
        <div class="buttons"><button class="primary">Search</button></div>
      </form>
      ${
        this.problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${this.problem} retry @retried=${() => this.#load(undefined)}></sy-problem-panel>`
      }
      ${this.entries !== undefined ? this.#list(this.entries) : this.problem === undefined ? this.#bones() : nothing}
      ${
        this.next === null
          ? nothing
          : html`<button class="more" ?disabled=${this.loading} @click=${() => this.#load(this.next ?? undefined)}>
            Older entries
          </button>`
      }
    </div>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading the audit log">
      ${Array.from({ length: 8 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list(entries: readonly ApiAuditEntry[]) {
    if (entries.length === 0) {
      return html`<p class="empty">${this.next === null ? 'Nothing fits.' : 'Nothing fits among the newest entries.'}</p>`;
    }
    return html`<table aria-label="Audit log">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">On what</th>
          <th scope="col">Outcome</th>
          <th scope="col">From where</th>
        </tr>
      </thead>
      <tbody>
        ${entries.map((entry) => this.#entry(entry))}
      </tbody>
    </table>`;
  }

  #entry({ at, actor, action, target, outcome, status, code, source, detail, path, method }: ApiAuditEntry) {
    const name = actor.kind === 'local' ? 'this machine' : actor.kind === 'nobody' ? 'nobody' : actor.name;
    const tried = actor.kind === 'nobody' && actor.name !== '' ? ` (as ${actor.name})` : '';
    const more = Object.entries(detail ?? {}).map(([key, value]) => `${key} ${value}`);
    return html`<tr>
      <td class="when"><sy-time-text .at=${at}></sy-time-text></td>
      <td>${name}${tried}${actor.kind === 'token' ? html` <span class="quiet">token</span>` : nothing}</td>
      <td title=${`${method} ${path}`}>
        ${actionText(action)}${more.length === 0 ? nothing : html`<div class="detail">${more.join(', ')}</div>`}
      </td>
      <td>${target ?? '–'}</td>
      <td>
        <span class="state ${looks[outcome]}">${outcome}</span>
        ${outcome === 'done' ? nothing : html`<div class="detail">${code ?? status}</div>`}
      </td>
      <td>${source}</td>
    </tr>`;
  }

  #search(event: Event): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const query = new URLSearchParams();
    for (const field of auditFields) {
      const value = String(form.get(field) ?? '').trim();
      if (value !== '') query.set(field, value);
    }
    const href = hrefOf({ name: 'settings', section: 'audit', query: String(query) });
    if (String(query) === this.query) this.#load(undefined);
    else navigate(href);
  }

  /** @param cursor where the page begins; undefined: anew */
  async #load(cursor: string | undefined): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    this.loading = true;
    this.problem = undefined;
    if (cursor === undefined) {
      this.entries = undefined;
      this.next = null;
    }
    try {
      const search = { ...auditSearchOf(this.query), limit: PAGE, ...(cursor !== undefined && { cursor }) };
      const page = await fetchAudit(api, search, signal);
      if (signal.aborted) return;
      this.entries = [...(this.entries ?? []), ...page.items];
      this.next = page.next;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
    }
    this.loading = false;
  }
}

customElements.define('sy-settings-audit', SettingsAudit);
