import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, meContext } from '../contexts.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { asProblem } from '../data/problem.ts';
import { fetchTenants, giveToTenant, tenantFault } from '../data/tenants.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';

/** Whose a device is; who administers the fleet gives it to somebody else here. */
export class DeviceTenant extends LitElement {
  static override properties = {
    endpoint: { type: String },
    tenant: { type: String },
    wanted: { state: true },
    known: { state: true },
    fault: { state: true },
    problem: { state: true },
    busy: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      :host {
        display: inline-flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 8px;
      }
      button.bare {
        margin-block: -4px;
      }
      dialog {
        width: min(440px, calc(100vw - 32px));
        padding: 24px;
        border: 1px solid var(--sy-rule);
        border-radius: 8px;
        background: var(--sy-raised);
        color: var(--sy-text);
        box-shadow: 0 16px 48px var(--sy-shadow);
      }
      dialog::backdrop {
        background: var(--sy-scrim);
      }
      h2 {
        margin-bottom: 12px;
        font-size: 16px;
        overflow-wrap: anywhere;
      }
      .field {
        display: grid;
        gap: 4px;
      }
      p {
        margin-top: 12px;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .fault {
        color: var(--sy-bad);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 8px;
        margin-top: 24px;
      }
    `,
  ];

  declare endpoint: string;
  declare tenant: string | undefined;
  declare wanted: string;
  declare known: readonly string[];
  declare fault: string | undefined;
  declare problem: ApiProblem | undefined;
  declare busy: boolean;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #me = new ContextConsumer(this, { context: meContext, subscribe: true });
  readonly #permission = new Permission(this);

  constructor() {
    super();
    this.endpoint = '';
    this.tenant = undefined;
    this.wanted = '';
    this.known = [];
    this.fault = undefined;
    this.problem = undefined;
    this.busy = false;
  }

  override render() {
    const assigns = this.#permission.may('administer') && this.#me.value?.tenant === undefined;
    return html`<span class="whose">${this.tenant ?? html`<span class="quiet">none</span>`}</span>
      ${
        assigns
          ? html`<button class="bare small" @click=${this.#open}>
                Change<span class="only-spoken"> the tenant of ${this.endpoint}</span>
              </button>
              <dialog aria-labelledby="title">${this.#form()}</dialog>`
          : nothing
      }`;
  }

  #form() {
    const to = this.wanted.trim();
    return html`<form @submit=${this.#give} novalidate>
      <h2 id="title">Tenant of ${this.endpoint}</h2>
      <div class="field">
        <label for="tenant">Tenant; empty: the operator’s own</label>
        <input
          id="tenant"
          autocomplete="off"
          spellcheck="false"
          list="known"
          aria-describedby="effect"
          .value=${this.wanted}
          @input=${(event: Event) => {
            this.wanted = (event.target as HTMLInputElement).value;
            this.fault = undefined;
          }}
        />
        <datalist id="known">${this.known.map((tenant) => html`<option value=${tenant}></option>`)}</datalist>
      </div>
      ${this.fault === undefined ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`}
      <p id="effect">
        The device, with all that is known of it, is for ${to === '' ? 'the operator alone' : html`tenant <b>${to}</b>`} to
        see from then on: its readings and events of before, too.
      </p>
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      <div class="actions">
        <button type="button" @click=${() => this.#dialog?.close()}>Cancel</button>
        <button class="primary" ?disabled=${this.busy || to === (this.tenant ?? '')}>
          ${this.busy ? 'Giving…' : to === '' ? 'Take back' : 'Give'}
        </button>
      </div>
    </form>`;
  }

  async #open(): Promise<void> {
    this.wanted = this.tenant ?? '';
    this.fault = undefined;
    this.problem = undefined;
    await this.updateComplete;
    this.#dialog?.showModal();
    const api = this.#api.value;
    try {
      if (api !== undefined) this.known = await fetchTenants(api);
    } catch {
      // They are proposals: a name can be typed, and what is wrong with the server is said when it is given.
      this.known = [];
    }
  }

  async #give(event: Event): Promise<void> {
    event.preventDefault();
    const api = this.#api.value;
    const name = this.wanted.trim();
    this.fault = tenantFault(name);
    if (api === undefined || this.busy || this.fault !== undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await giveToTenant(api, this.endpoint, name === '' ? null : name);
      this.#dialog?.close();
      announce(name === '' ? 'The device is the operator’s own' : `The device is tenant ${name}’s`);
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

customElements.define('sy-device-tenant', DeviceTenant);
