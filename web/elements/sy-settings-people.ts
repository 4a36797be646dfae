import { ContextConsumer } from '@lit/context';
import { html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, meContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiProblem, ApiUser } from '../data/api-types.ts';
import { fetchUsers, removeUser, resetPassword, roles, saveUser } from '../data/people.ts';
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
import './sy-not-found.ts';
import './sy-problem-panel.ts';
import './sy-shown-once.ts';
import './sy-user-form.ts';

const list = hrefOf({ name: 'settings', section: 'people' });
const placeOf = (user: string) =>
  hrefOf({ name: 'settings', section: 'people', query: String(new URLSearchParams({ user })) });

/** Who may log in, and what they may. */
export class SettingsPeople extends LitElement {
  static override properties = {
    query: { type: String },
    busy: { state: true },
    problem: { state: true },
    made: { state: true },
  };

  static override styles = [base, controls, skeletons, pageParts, states, linkButtons, people];

  /** `user=` has a form: of that user, or of a new one. */
  declare query: string;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  /** A password that was made, shown this once. */
  declare made: { readonly name: string; readonly password: string } | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #me = new ContextConsumer(this, { context: meContext, subscribe: true });
  readonly #users = new Loaded<readonly ApiUser[]>(this, fetchUsers, { every: 15_000 });

  constructor() {
    super();
    this.query = '';
    this.busy = false;
    this.problem = undefined;
    this.made = undefined;
    new Ticker(this);
  }

  override render() {
    const { value, problem } = this.#users;
    const name = new URLSearchParams(this.query).get('user');
    if (value !== undefined && name !== null) return this.#form(name, value);
    return html`<div class="page">
        <div class="head">
          <h1>People</h1>
          <div class="end"><a class="button new" href=${placeOf('new user')}>New user</a></div>
        </div>
        <p class="lead">Who may log in. A change holds from the user's next request on; there is always an administrator.</p>
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#users.load()}></sy-problem-panel>`
        }
        ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
        ${this.#password()}
        ${value !== undefined ? this.#list(value) : problem === undefined ? this.#bones() : nothing}
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #password() {
    if (this.made === undefined) return nothing;
    return html`<sy-shown-once
      .heading=${`Password of ${this.made.name}`}
      .secret=${this.made.password}
      what="Give it to the user, who has to change it at the first log-in."
      @kept=${() => {
        this.made = undefined;
      }}
    ></sy-shown-once>`;
  }

  #form(name: string, users: readonly ApiUser[]) {
    const user = users.find((candidate) => candidate.name === name);
    if (user === undefined && name !== 'new user') {
      return html`<sy-not-found heading="There is no such user" .what=${name}></sy-not-found>`;
    }
    return html`<sy-user-form
      .user=${user}
      .back=${list}
      @user-saved=${(event: CustomEvent<{ readonly name: string; readonly password?: string }>) => {
        const { name: saved, password } = event.detail;
        this.made = password === undefined ? undefined : { name: saved, password };
        announce(`${saved} is saved`);
        this.#users.load();
        navigate(list);
      }}
    ></sy-user-form>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading users">
      ${Array.from({ length: 6 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list(users: readonly ApiUser[]) {
    if (users.length === 0) {
      return html`<div class="empty">
        <p>There is no user yet, and none is needed while the server listens on this machine alone.</p>
        <p>Make an administrator before you let it listen anywhere else.</p>
      </div>`;
    }
    return html`<ul class="entries" aria-label="Users">
      ${users.map((user) => this.#user(user))}
    </ul>`;
  }

  #user(user: ApiUser) {
    const { name, role, tenant, enabled, mustChangePassword, lastLoginAt } = user;
    const isMe = this.#me.value?.kind === 'user' && this.#me.value.name === name;
    const label = roles.find((one) => one.role === role)?.label;
    const button = (text: string, act: () => Promise<void>, className = 'small') =>
      html`<button
        class=${className}
        ?disabled=${this.busy}
        aria-label=${`${text.replace('…', '')} ${name}`}
        @click=${act}
      >
        ${text}
      </button>`;
    return html`<li class="entry">
      <div class="name">
        <h2>${name}</h2>
        ${isMe ? html`<span class="quiet">you</span>` : nothing}
        <span class="state ${enabled ? 'good' : 'quiet'}">${enabled ? 'enabled' : 'disabled'}</span>
      </div>
      <div class="what">${label}${tenant === undefined ? nothing : html`, tenant ${tenant}`}</div>
      <div class="how">
        ${
          lastLoginAt === undefined
            ? 'Never logged in'
            : html`Last log-in <span title=${exactTime(lastLoginAt)}>${relativeTime(lastLoginAt, Date.now())}</span>`
        }${mustChangePassword ? ' · has to change the password' : nothing}
      </div>
      <div class="actions">
        <a class="button" href=${placeOf(name)} aria-label=${`Edit ${name}`}>Edit</a>
        ${button(enabled ? 'Disable' : 'Enable', () => this.#switch(user))}
        ${button('New password…', () => this.#reset(user))} ${button('Remove…', () => this.#remove(user), 'small danger')}
      </div>
    </li>`;
  }

  #switch({ name, role, tenant, enabled }: ApiUser): Promise<void> {
    return this.#do(`${name} is ${enabled ? 'disabled' : 'enabled'}`, async (api) => {
      await saveUser(api, name, { role, enabled: !enabled, ...(tenant !== undefined && { tenant }) });
    });
  }

  async #reset({ name }: ApiUser): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Give ${name} a new password?`,
      effect:
        'It is shown to you once, and has to be changed at the first log-in. All sessions of the user end.',
      verb: 'New password',
    });
    if (!confirmed) return;
    await this.#do('There is a new password. It is not shown again', async (api) => {
      this.made = { name, password: await resetPassword(api, name) };
    });
  }

  async #remove({ name }: ApiUser): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Remove ${name}?`,
      effect:
        'All sessions end, and all API tokens of the user are void at once. The audit log keeps what was done.',
      verb: 'Remove',
    });
    if (!confirmed) return;
    await this.#do(`${name} was removed`, (api) => removeUser(api, name));
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
      await this.#users.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-settings-people', SettingsPeople);
