import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { meContext } from '../contexts.ts';
import { roles } from '../data/people.ts';
import { facts, pageParts } from '../styles/page.ts';
import { base } from '../styles/shared.ts';
import './sy-password-form.ts';
import './sy-time-text.ts';

/** Who the reader is to the server, and his password. */
export class SettingsAccount extends LitElement {
  static override properties = { changed: { state: true } };

  static override styles = [
    base,
    pageParts,
    facts,
    css`
      section {
        display: grid;
        gap: 12px;
      }
    `,
  ];

  declare changed: boolean;
  readonly #me = new ContextConsumer(this, { context: meContext, subscribe: true });

  constructor() {
    super();
    this.changed = false;
  }

  override render() {
    const me = this.#me.value;
    if (me === undefined) return nothing;
    const role = roles.find((one) => one.role === me.role);
    const fact = (name: string, value: unknown) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`;
    return html`<div class="page">
      <div class="head"><h1>Your account</h1></div>
      ${
        me.kind === 'local'
          ? html`<p class="lead">
            You are not logged in, and need not be: this server listens on this machine alone, and whoever is on it may do
            everything. With SIMYARD_LOGIN=required, or on any other address, it asks who you are.
          </p>`
          : html`<dl class="facts">
              ${fact('User name', me.name)} ${fact('Role', html`${role?.label}: ${role?.what}`)}
              ${fact('Devices', me.tenant === undefined ? 'of all tenants' : `of ${me.tenant}`)}
              ${me.endsAt === undefined ? nothing : fact('Log-in ends, unused', html`<sy-time-text .at=${me.endsAt}></sy-time-text>`)}
            </dl>
            ${me.kind === 'user' ? this.#password(me.name) : html`<p>Your identity provider keeps your password.</p>`}`
      }
    </div>`;
  }

  #password(name: string) {
    return html`<section>
      <h2>Change the password</h2>
      <p class="quiet">You stay logged in here; your other sessions end.</p>
      ${this.changed ? html`<p role="status">The password is changed.</p>` : nothing}
      <sy-password-form
        .username=${name}
        @password-changed=${() => {
          this.changed = true;
          announce('The password is changed');
        }}
      ></sy-password-form>
    </section>`;
  }
}

customElements.define('sy-settings-account', SettingsAccount);
