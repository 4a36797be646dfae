import { ContextConsumer } from '@lit/context';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { apiContext } from '../contexts.ts';
import type { ApiProblem, ApiUser } from '../data/api-types.ts';
import { createUser, type Role, roles, saveUser } from '../data/people.ts';
import { asProblem } from '../data/problem.ts';
import { pageParts } from '../styles/page.ts';
import { peopleForms } from '../styles/people.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';

/** One user as a form. Fires `user-saved` with the name and, of a new one, the password that was made. */
export class UserForm extends LitElement {
  static override properties = {
    user: { attribute: false },
    back: { type: String },
    role: { state: true },
    faults: { state: true },
    saving: { state: true },
    problem: { state: true },
  };

  static override styles = [base, controls, pageParts, fields, peopleForms];

  /** Undefined for a new one. */
  declare user: ApiUser | undefined;
  declare back: string;
  declare role: Role;
  declare faults: ReadonlyMap<string, string>;
  declare saving: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    this.user = undefined;
    this.back = '/';
    this.role = 'viewer';
    this.faults = new Map();
    this.saving = false;
    this.problem = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('user');
    if (changed.has('user') && before?.name !== this.user?.name) this.role = this.user?.role ?? 'viewer';
  }

  override render() {
    const { user } = this;
    return html`<div class="page">
      <div class="head"><h1>${user === undefined ? 'New user' : user.name}</h1></div>
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      <form novalidate @submit=${this.#save}>
        ${
          user === undefined
            ? this.#field(
                'name',
                'User name',
                '',
                'Lower-case letters, digits and . _ @ + -; it does not change later',
              )
            : nothing
        }
        <fieldset>
          <legend>Role</legend>
          ${roles.map(
            ({ role, label, what }) =>
              html`<label class="choice">
                <input
                  type="radio"
                  name="role"
                  .value=${role}
                  .checked=${role === this.role}
                  @change=${() => {
                    this.role = role;
                  }}
                /><span>${label} <span class="hint">${what}</span></span>
              </label>`,
          )}
        </fieldset>
        ${this.#field('tenant', 'Tenant', user?.tenant ?? '', 'Whose devices alone are seen; empty: all devices')}
        ${user === undefined ? html`<p class="hint">A password is made, and shown to you once.</p>` : nothing}
        <div class="buttons">
          <button class="primary" ?disabled=${this.saving}>${user === undefined ? 'Create the user' : 'Save'}</button>
          <a href=${this.back}>Cancel</a>
        </div>
      </form>
    </div>`;
  }

  #field(id: string, label: string, value: string, hint: string) {
    const fault = this.faults.get(id);
    return html`<div class="field">
      <label for=${id}>${label}</label>
      <input
        id=${id}
        maxlength="64"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        aria-invalid=${fault === undefined ? 'false' : 'true'}
        aria-describedby=${`${id}-hint`}
        .value=${value}
      />
      <span id=${`${id}-hint`} class=${fault === undefined ? 'hint' : 'fault'}>${fault ?? hint}</span>
    </div>`;
  }

  async #save(event: Event): Promise<void> {
    event.preventDefault();
    const textOf = (id: string) =>
      this.renderRoot.querySelector<HTMLInputElement>(`#${id}`)?.value.trim() ?? '';
    const name = this.user?.name ?? textOf('name');
    const tenant = textOf('tenant');
    const faults = new Map<string, string>();
    if (!/^[a-z0-9][a-z0-9._@+-]{0,63}$/.test(name)) {
      faults.set('name', 'Lower-case letters, digits and . _ @ + -, beginning with a letter or digit');
    }
    if (tenant !== '' && !/^[a-z0-9-]{1,64}$/.test(tenant))
      faults.set('tenant', 'Lower-case letters, digits and -');
    this.faults = faults;
    const api = this.#api.value;
    if (faults.size > 0 || api === undefined) {
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
      return;
    }
    this.saving = true;
    this.problem = undefined;
    const given = { role: this.role, ...(tenant !== '' && { tenant }) };
    try {
      const saved =
        this.user === undefined
          ? await createUser(api, { name, ...given })
          : { user: await saveUser(api, name, { ...given, enabled: this.user.enabled }) };
      const password = 'password' in saved ? saved.password : undefined;
      const detail = { name, ...(password !== undefined && { password }) };
      this.dispatchEvent(new CustomEvent('user-saved', { detail }));
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.saving = false;
  }
}

customElements.define('sy-user-form', UserForm);
