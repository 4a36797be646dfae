import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { apiContext } from '../contexts.ts';
import type { ApiMe, ApiProblem } from '../data/api-types.ts';
import { fetchLoginWays, login, logout, providerHref } from '../data/people.ts';
import { asProblem, ProblemError } from '../data/problem.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-password-form.ts';
import './sy-problem-panel.ts';
import './sy-theme-button.ts';

/** Where the reader says who he is; or changes a password that somebody else chose. Fires `logged-in`. */
export class LoginPage extends LitElement {
  static override properties = {
    me: { attribute: false },
    interrupted: { type: Boolean },
    provider: { state: true },
    busy: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        min-height: 100dvh;
      }
      .end {
        justify-self: end;
        padding: 8px 16px;
      }
      main {
        display: grid;
        align-content: start;
        justify-items: center;
        padding: 10vh 16px 32px;
      }
      .card {
        display: grid;
        gap: 16px;
        width: min(360px, 100%);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 8px;
        font-weight: 650;
      }
      .brand svg {
        width: 24px;
        height: 24px;
        color: var(--sy-accent);
      }
      h1 {
        font-size: 20px;
        line-height: 28px;
        font-weight: 600;
      }
      p {
        color: var(--sy-text-2);
      }
      form {
        display: grid;
        gap: 12px;
      }
      a.provider {
        border-color: var(--sy-accent);
        color: var(--sy-text);
      }
      a.provider:hover {
        background: var(--sy-hover);
        text-decoration: none;
      }
      .or {
        color: var(--sy-text-3);
        text-align: center;
      }
      .refused {
        padding: 12px 16px;
        border-left: 3px solid var(--sy-bad);
        background: var(--sy-bad-weak);
        color: var(--sy-text);
      }
    `,
  ];

  /** Who has logged in, and has to change his password first. */
  declare me: ApiMe | undefined;
  /** The log-in ended while the page was in use. */
  declare interrupted: boolean;
  /** What the identity provider is called; undefined where there is none. */
  declare provider: string | undefined;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    this.me = undefined;
    this.interrupted = false;
    this.provider = undefined;
    this.busy = false;
    this.problem = undefined;
  }

  override render() {
    return html`<div class="end"><sy-theme-button></sy-theme-button></div>
      <main>
        <div class="card">
          <div class="brand">
            <svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">
              <path d="M4 2.8h8l4 4v10.4H4z" stroke-linejoin="round" />
              <path d="M7 9.5h6v5H7zM10 9.5v5M7 12h6" />
            </svg>
            Simyard
          </div>
          ${this.me === undefined ? this.#login() : this.#change(this.me)}
        </div>
      </main>`;
  }

  #login() {
    return html`<h1>Log in</h1>
      ${this.interrupted ? html`<p role="status">Your log-in has ended. Log in again to go on where you were.</p>` : nothing}
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      ${this.#providerPart()}
      <form @submit=${this.#submit}>
        <div class="field">
          <label for="username">User name</label>
          <input
            id="username"
            name="username"
            required
            maxlength="64"
            autocomplete="username"
            autocapitalize="none"
            spellcheck="false"
          />
        </div>
        <div class="field">
          <label for="password">Password</label>
          <input
            id="password"
            name="password"
            type="password"
            required
            maxlength="256"
            autocomplete="current-password"
          />
        </div>
        <button class="primary" ?disabled=${this.busy}>${this.busy ? 'Logging in…' : 'Log in'}</button>
      </form>`;
  }

  #providerPart() {
    if (this.provider === undefined) return nothing;
    const wasRefused = new URLSearchParams(location.search).get('login') === 'refused';
    const here = wasRefused ? '/' : location.pathname + location.search;
    return html`${
      wasRefused && this.problem === undefined
        ? html`<p class="refused" role="alert">
            ${this.provider} did not let you in here: you may have none of the roles that it takes, or have taken too long.
          </p>`
        : nothing
    }
      <a class="button provider" href=${providerHref(here)}>${this.provider}</a>
      <p class="or">or by name and password</p>`;
  }

  #change({ name }: ApiMe) {
    return html`<h1>Choose a password</h1>
      <p>Yours, ${name}, was chosen by somebody else. Change it before anything else.</p>
      <sy-password-form .username=${name} @password-changed=${this.#done}></sy-password-form>
      <button class="bare" @click=${this.#leave}>Log out</button>`;
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLInputElement>('#username')?.focus();
    this.#findWays();
  }

  async #findWays(): Promise<void> {
    try {
      this.provider = this.#api.value && (await fetchLoginWays(this.#api.value)).provider;
    } catch (error) {
      // A server that does not answer says so when one logs in.
      if (!(error instanceof ProblemError)) throw error;
    }
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await login(api, String(form.get('username')), String(form.get('password')));
      this.#done();
    } catch (error) {
      this.problem = asProblem(error);
      await this.updateComplete;
      const password = this.renderRoot.querySelector<HTMLInputElement>('#password');
      password?.focus();
      password?.select();
    }
    this.busy = false;
  }

  async #leave(): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    try {
      await logout(api);
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.#done();
  }

  #done(): void {
    this.dispatchEvent(new Event('logged-in'));
  }
}

customElements.define('sy-login-page', LoginPage);
