import { ContextConsumer } from '@lit/context';
import { html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, meContext } from '../contexts.ts';
import type { ApiProblem, ApiTokenInfo } from '../data/api-types.ts';
import { fetchTokens, removeToken } from '../data/people.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { exactTime, relativeTime } from '../data/time.ts';
import { Loaded } from '../loaded.ts';
import { navigate } from '../navigation.ts';
import { pageParts } from '../styles/page.ts';
import { people } from '../styles/people.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import { linkButtons, states } from '../styles/webhooks.ts';
import { Ticker } from '../ticker.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-confirm-dialog.ts';
import './sy-problem-panel.ts';
import './sy-shown-once.ts';
import './sy-token-form.ts';

const list = hrefOf({ name: 'settings', section: 'tokens' });

/** What programs show in place of a log-in. */
export class SettingsTokens extends LitElement {
  static override properties = {
    query: { type: String },
    busy: { state: true },
    problem: { state: true },
    made: { state: true },
  };

  static override styles = [base, controls, skeletons, pageParts, states, linkButtons, people];

  /** `token=new` has the form. */
  declare query: string;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  /** One that was made, shown this once. */
  declare made: { readonly name: string; readonly token: string } | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #me = new ContextConsumer(this, { context: meContext, subscribe: true });
  readonly #tokens = new Loaded<readonly ApiTokenInfo[]>(this, fetchTokens, { every: 15_000 });

  constructor() {
    super();
    this.query = '';
    this.busy = false;
    this.problem = undefined;
    this.made = undefined;
    new Ticker(this);
  }

  override render() {
    if (new URLSearchParams(this.query).has('token')) {
      return html`<sy-token-form
        .back=${list}
        .may=${this.#me.value?.may ?? []}
        @token-made=${(event: CustomEvent<{ readonly name: string; readonly token: string }>) => {
          this.made = event.detail;
          announce('The token is made. Keep it: it is not shown again');
          this.#tokens.load();
          navigate(list);
        }}
      ></sy-token-form>`;
    }
    const { value, problem } = this.#tokens;
    const isOidc = this.#me.value?.kind === 'oidc';
    return html`<div class="page">
        <div class="head">
          <h1>API tokens</h1>
          ${isOidc ? nothing : html`<div class="end"><a class="button new" href=${`${list}?token=new`}>New token</a></div>`}
        </div>
        <p class="lead">
          A program shows a token in place of a log-in: <span class="mono">Authorization: Bearer syt_…</span>. It never may
          more than the user whose it is.
        </p>
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#tokens.load()}></sy-problem-panel>`
        }
        ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
        ${
          this.made === undefined
            ? nothing
            : html`<sy-shown-once
              .heading=${`Token ${this.made.name}`}
              .secret=${this.made.token}
              what="Put it where your program keeps its secrets."
              @kept=${() => {
                this.made = undefined;
              }}
            ></sy-shown-once>`
        }
        ${value !== undefined ? this.#list(value) : problem === undefined ? this.#bones() : nothing}
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading tokens">
      ${Array.from({ length: 6 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list(tokens: readonly ApiTokenInfo[]) {
    if (tokens.length === 0) {
      return html`<div class="empty"><p>There is no token yet. Make one for each program, with as little as it needs.</p></div>`;
    }
    return html`<ul class="entries" aria-label="API tokens">
      ${tokens.map((token) => this.#token(token))}
    </ul>`;
  }

  #token({ id, name, user, role, tenant, scopes, createdAt, expiresAt, lastUsedAt }: ApiTokenInfo) {
    const now = Date.now();
    const time = (at: number) => html`<span title=${exactTime(at)}>${relativeTime(at, now)}</span>`;
    const isOver = expiresAt !== undefined && expiresAt <= now;
    return html`<li class="entry">
      <div class="name">
        <h2>${name}</h2>
        <span class="state ${isOver ? 'quiet' : 'good'}">${isOver ? 'expired' : 'valid'}</span>
      </div>
      <div class="what">
        ${scopes.join(', ')} <span class="quiet">as</span> ${role}${user === undefined ? nothing : html` <span class="quiet">of</span> ${user}`}${tenant === undefined ? nothing : html`, tenant ${tenant}`}
      </div>
      <div class="how">
        Made ${time(createdAt)} · ${lastUsedAt === undefined ? 'never used' : html`last used ${time(lastUsedAt)}`} ·
        ${expiresAt === undefined ? 'does not expire' : html`${isOver ? 'expired' : 'expires'} ${time(expiresAt)}`}
      </div>
      <div class="actions">
        <button
          class="small danger"
          ?disabled=${this.busy}
          aria-label=${`Remove ${name}`}
          @click=${() => this.#remove(id, name)}
        >
          Remove…
        </button>
      </div>
    </li>`;
  }

  async #remove(id: string, name: string): Promise<void> {
    const confirm = this.renderRoot.querySelector('sy-confirm-dialog') as ConfirmDialog;
    const confirmed = await confirm.ask({
      title: `Remove the token ${name}?`,
      effect: 'Whatever shows it is refused from now on.',
      verb: 'Remove',
    });
    const api = this.#api.value;
    if (!confirmed || api === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await removeToken(api, id);
      announce(`${name} was removed`);
      await this.#tokens.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-settings-tokens', SettingsTokens);
