import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { apiContext } from '../contexts.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { changePassword } from '../data/people.ts';
import { asProblem } from '../data/problem.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';

/** One's own password, changed. Fires `password-changed`. */
export class PasswordForm extends LitElement {
  static override properties = {
    username: { type: String },
    busy: { state: true },
    fault: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      form {
        display: grid;
        gap: 12px;
        max-width: 360px;
      }
      .hint {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .name {
        display: none;
      }
      button {
        justify-self: start;
      }
    `,
  ];

  /** Whose it is: for what keeps passwords in the browser. */
  declare username: string;
  declare busy: boolean;
  declare fault: string;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    this.username = '';
    this.busy = false;
    this.fault = '';
    this.problem = undefined;
  }

  override render() {
    const field = (id: string, label: string, autocomplete: string, hint = '') =>
      html`<div class="field">
        <label for=${id}>${label}</label>
        <input
          id=${id}
          type="password"
          required
          maxlength="256"
          autocomplete=${autocomplete}
          aria-describedby=${hint === '' ? nothing : `${id}-hint`}
        />
        ${hint === '' ? nothing : html`<span id=${`${id}-hint`} class="hint">${hint}</span>`}
      </div>`;
    return html`<form @submit=${this.#submit}>
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      <input class="name" autocomplete="username" .value=${this.username} readonly tabindex="-1" aria-hidden="true" />
      ${field('current', 'Present password', 'current-password')}
      ${field('password', 'New password', 'new-password', 'At least 12 characters; a few words do well')}
      ${field('again', 'New password, again', 'new-password')}
      ${this.fault === '' ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`}
      <button class="primary" ?disabled=${this.busy}>Change the password</button>
    </form>`;
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const value = (id: string) => (form.querySelector(`#${id}`) as HTMLInputElement).value;
    const password = value('password');
    this.problem = undefined;
    this.fault = password === value('again') ? '' : 'The new password is not twice the same';
    const api = this.#api.value;
    if (this.fault !== '' || api === undefined) return;
    this.busy = true;
    try {
      await changePassword(api, value('current'), password);
      form.reset();
      this.dispatchEvent(new Event('password-changed'));
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-password-form', PasswordForm);
