import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { apiContext, meContext } from '../contexts.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { logout } from '../data/people.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { placeBeside, popovers } from '../styles/popover.ts';
import { base, controls } from '../styles/shared.ts';

/** Who is logged in, and what concerns himself. Fires `logged-out`. */
export class AccountMenu extends LitElement {
  static override properties = { problem: { state: true } };

  static override styles = [
    base,
    controls,
    popovers,
    css`
      .opener {
        max-width: 160px;
        padding: 0 8px;
      }
      .opener svg {
        flex: none;
        width: 16px;
        height: 16px;
      }
      .opener span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .who {
        display: grid;
        gap: 2px;
        padding: 4px 8px 8px;
        border-bottom: 1px solid var(--sy-rule);
        overflow-wrap: anywhere;
      }
      .who span {
        color: var(--sy-text-2);
      }
      .menu {
        display: grid;
        padding-top: 4px;
      }
      .menu a,
      .menu button {
        display: block;
        min-height: 32px;
        padding: 6px 8px;
        border: none;
        border-radius: var(--sy-radius);
        background: none;
        color: var(--sy-text);
        font-weight: 400;
        text-align: start;
      }
      .menu a:hover,
      .menu button:hover {
        background: var(--sy-hover);
        text-decoration: none;
      }
      .fault {
        padding: 4px 8px;
        color: var(--sy-bad);
      }
      @media (max-width: 760px) {
        .opener span {
          display: none;
        }
      }
    `,
  ];

  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #me = new ContextConsumer(this, { context: meContext, subscribe: true });

  constructor() {
    super();
    this.problem = undefined;
  }

  override render() {
    const me = this.#me.value;
    if (me === undefined) return nothing;
    const isLocal = me.kind === 'local';
    const name = isLocal ? 'This machine' : me.name;
    const link = (section: 'account' | 'tokens' | 'sessions', label: string) =>
      html`<a href=${hrefOf({ name: 'settings', section })} @click=${this.#close}>${label}</a>`;
    return html`<button class="bare opener" popovertarget="menu" aria-label=${`Account: ${name}`} title=${name}>
        <svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
          <circle cx="8" cy="5.2" r="2.7" />
          <path d="M2.5 14c.6-3 2.8-4.5 5.5-4.5s4.9 1.5 5.5 4.5" stroke-linecap="round" />
        </svg>
        <span aria-hidden="true">${name}</span>
      </button>
      <div id="menu" popover @toggle=${this.#toggled}>
        <div class="who">
          <strong>${name}</strong>
          <span
            >${
              isLocal
                ? 'Whoever is on this machine may do everything: no log-in is needed.'
                : `${me.role}${me.tenant === undefined ? '' : `, tenant ${me.tenant}`}`
            }</span
          >
        </div>
        <div class="menu">
          ${isLocal ? nothing : link('account', 'Your account, password')}
          ${link('tokens', 'API tokens')} ${link('sessions', 'Sessions')}
          ${isLocal ? nothing : html`<button @click=${this.#logout}>Log out</button>`}
        </div>
        ${this.problem === undefined ? nothing : html`<p class="fault" role="alert">${this.problem.title}</p>`}
      </div>`;
  }

  get #menu(): HTMLElement | null {
    return this.renderRoot.querySelector('#menu');
  }

  readonly #close = (): void => this.#menu?.hidePopover();

  #toggled(event: ToggleEvent): void {
    const button = this.renderRoot.querySelector<HTMLElement>('.opener');
    if (event.newState === 'open' && this.#menu !== null && button !== null) placeBeside(this.#menu, button);
  }

  async #logout(): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.problem = undefined;
    try {
      await logout(api);
      this.dispatchEvent(new Event('logged-out'));
    } catch (error) {
      this.problem = asProblem(error);
    }
  }
}

customElements.define('sy-account-menu', AccountMenu);
