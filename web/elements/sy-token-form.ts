import { ContextConsumer } from '@lit/context';
import { html, LitElement, nothing } from 'lit';
import { apiContext } from '../contexts.ts';
import type { ApiMe, ApiNewToken, ApiProblem } from '../data/api-types.ts';
import { createToken, scopes } from '../data/people.ts';
import { asProblem } from '../data/problem.ts';
import { pageParts } from '../styles/page.ts';
import { peopleForms } from '../styles/people.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';

const DAY_MS = 86_400_000;
const lifetimes = [
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 365, label: 'A year' },
  { days: 0, label: 'It does not expire' },
] as const;

type Scope = ApiNewToken['scopes'][number];

/** A new token as a form. Fires `token-made` with its name and the token. */
export class TokenForm extends LitElement {
  static override properties = {
    back: { type: String },
    may: { attribute: false },
    scope: { state: true },
    fault: { state: true },
    saving: { state: true },
    problem: { state: true },
  };

  static override styles = [base, controls, pageParts, fields, peopleForms];

  declare back: string;
  /** What who makes it may himself: it gets no more. */
  declare may: ApiMe['may'];
  declare scope: Scope;
  declare fault: string;
  declare saving: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    this.back = '/';
    this.may = [];
    this.scope = 'read';
    this.fault = '';
    this.saving = false;
    this.problem = undefined;
  }

  override render() {
    const offered = scopes.filter(({ scope }) => scope === 'metrics' || this.may.includes(scope));
    return html`<div class="page">
      <div class="head"><h1>New token</h1></div>
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      <form novalidate @submit=${this.#save}>
        <div class="field">
          <label for="name">What it is for</label>
          <input
            id="name"
            maxlength="100"
            autocomplete="off"
            placeholder="Night shift report"
            aria-invalid=${this.fault === '' ? 'false' : 'true'}
            aria-describedby="name-fault"
          />
          <span id="name-fault" class="fault">${this.fault}</span>
        </div>
        <fieldset>
          <legend>What it may</legend>
          ${offered.map(
            ({ scope, label, what }) =>
              html`<label class="choice">
                <input
                  type="radio"
                  name="scope"
                  .value=${scope}
                  .checked=${scope === this.scope}
                  @change=${() => {
                    this.scope = scope;
                  }}
                /><span>${label} <span class="hint">${what}</span></span>
              </label>`,
          )}
        </fieldset>
        <div class="field">
          <label for="lifetime">Valid for</label>
          <select id="lifetime">
            ${lifetimes.map(({ days, label }) => html`<option value=${days} ?selected=${days === 90}>${label}</option>`)}
          </select>
        </div>
        <div class="buttons">
          <button class="primary" ?disabled=${this.saving}>Make the token</button>
          <a href=${this.back}>Cancel</a>
        </div>
      </form>
    </div>`;
  }

  async #save(event: Event): Promise<void> {
    event.preventDefault();
    const input = this.renderRoot.querySelector<HTMLInputElement>('#name');
    const name = input?.value.trim() ?? '';
    const days = Number(this.renderRoot.querySelector<HTMLSelectElement>('#lifetime')?.value);
    this.fault = name === '' ? 'Say what it is for' : '';
    const api = this.#api.value;
    if (this.fault !== '' || api === undefined) {
      input?.focus();
      return;
    }
    this.saving = true;
    this.problem = undefined;
    try {
      const { token } = await createToken(api, {
        name,
        scopes: [this.scope],
        ...(days > 0 && { expiresAt: Date.now() + days * DAY_MS }),
      });
      this.dispatchEvent(new CustomEvent('token-made', { detail: { name, token } }));
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.saving = false;
  }
}

customElements.define('sy-token-form', TokenForm);
