import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiProblem, ApiWebhook, ApiWebhookWithSecret } from '../data/api-types.ts';
import { asProblem } from '../data/problem.ts';
import {
  createWebhook,
  emptyWebhook,
  formOfWebhook,
  saveWebhook,
  type WebhookForm,
  webhookOfForm,
  webhookTypes,
} from '../data/webhooks.ts';
import { navigate } from '../navigation.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';
import './sy-webhook-secret.ts';

/** One webhook as a form. Goes `back` when it is saved; of a new one the secret is shown first. */
export class WebhookFormElement extends LitElement {
  static override properties = {
    webhook: { attribute: false },
    back: { type: String },
    form: { state: true },
    faults: { state: true },
    saving: { state: true },
    problem: { state: true },
    made: { state: true },
  };

  static override styles = [
    base,
    controls,
    pageParts,
    fields,
    css`
      .back {
        display: inline-block;
        margin-bottom: 8px;
      }
      form {
        display: grid;
        gap: 24px;
        max-width: 880px;
      }
      fieldset {
        min-width: 0;
        margin: 0;
        padding: 0;
        border: none;
      }
      legend {
        padding: 0;
        margin-bottom: 8px;
        font-weight: 600;
      }
      .groups {
        columns: 2 280px;
        column-gap: 24px;
      }
      .group {
        display: grid;
        gap: 6px;
        padding-bottom: 16px;
        break-inside: avoid;
      }
      .group > p {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .check {
        display: flex;
        align-items: flex-start;
        gap: 8px;
      }
      .check input {
        flex: none;
        margin-top: 2px;
      }
      .hint {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .actions {
        position: sticky;
        bottom: 0;
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        padding: 12px 0;
        border-top: 1px solid var(--sy-rule);
        background: var(--sy-page);
      }
      .actions a {
        align-self: center;
        padding: 0 12px;
      }
    `,
  ];

  /** Undefined for a new one. */
  declare webhook: ApiWebhook | undefined;
  declare back: string;
  declare form: WebhookForm;
  declare faults: ReadonlyMap<string, string>;
  declare saving: boolean;
  declare problem: ApiProblem | undefined;
  /** The one that was made just now: its secret is to be shown. */
  declare made: ApiWebhookWithSecret | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    this.webhook = undefined;
    this.back = '/';
    this.form = emptyWebhook;
    this.faults = new Map();
    this.saving = false;
    this.problem = undefined;
    this.made = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // What others change meanwhile does not take the reader's words away.
    if (changed.has('webhook') && changed.get('webhook')?.id !== this.webhook?.id) {
      this.form = this.webhook === undefined ? emptyWebhook : formOfWebhook(this.webhook);
      this.faults = new Map();
      this.problem = undefined;
    }
  }

  override render() {
    const { webhook, made } = this;
    return html`<div class="page">
      <div>
        <a class="back" href=${this.back}>← All webhooks</a>
        <h1>${made?.name ?? webhook?.name ?? 'New webhook'}</h1>
      </div>
      ${
        made === undefined
          ? this.#form()
          : html`<sy-webhook-secret .secret=${made.secret} @kept=${() => navigate(this.back)}></sy-webhook-secret>`
      }
    </div>`;
  }

  #form() {
    const { form, webhook } = this;
    return html`<form @submit=${this.#save} novalidate>
      ${this.#field('name', 'Name', form.name, (name) => this.#change({ name }), 'Operations')}
      ${this.#field('url', 'URL', form.url, (url) => this.#change({ url }), 'https://hooks.example.org/simyard', 'It gets a POST for each event, and for each batch of readings')}
      <fieldset aria-describedby=${this.faults.has('types') ? 'types-fault' : nothing}>
        <legend>What it is told</legend>
        <div class="groups">
          ${webhookTypes.map(
            ({ group, types }) => html`<div class="group" role="group" aria-label=${group}>
              <p>${group}</p>
              ${types.map(
                ({ type, label }) => html`<label class="check"
                  ><input type="checkbox" .checked=${form.types.has(type)} @change=${() => this.#toggle(type)} />${label}</label
                >`,
              )}
            </div>`,
          )}
        </div>
        ${this.#fault('types')}
      </fieldset>
      ${this.#field('endpoints', 'Only of these devices', form.endpoints, (endpoints) => this.#change({ endpoints }), 'all: meter-*, pump-7', 'Endpoint names by comma; * is any text, ? one character')}
      <label class="check"
        ><input
          type="checkbox"
          .checked=${form.enabled}
          @change=${(event: Event) => this.#change({ enabled: (event.target as HTMLInputElement).checked })}
        />Switched on</label
      >
      <sy-problem-panel .problem=${this.problem}></sy-problem-panel>
      <div class="actions">
        <button class="primary" type="submit" ?disabled=${this.saving}>
          ${this.saving ? 'Saving…' : webhook === undefined ? 'Create the webhook' : 'Save the webhook'}
        </button>
        <a href=${this.back}>Cancel</a>
      </div>
    </form>`;
  }

  #field(
    field: string,
    label: string,
    value: string,
    change: (text: string) => void,
    placeholder = '',
    hint: string | undefined = undefined,
  ) {
    const described = [hint && `${field}-hint`, this.faults.has(field) && `${field}-fault`].filter(Boolean);
    return html`<div class="field">
      <label for=${field}>${label}</label>
      <input
        id=${field}
        autocomplete="off"
        spellcheck="false"
        placeholder=${placeholder}
        aria-invalid=${this.faults.has(field)}
        aria-describedby=${described.length === 0 ? nothing : described.join(' ')}
        .value=${value}
        @input=${(event: Event) => change((event.target as HTMLInputElement).value)}
      />
      ${hint === undefined ? nothing : html`<p class="hint" id=${`${field}-hint`}>${hint}</p>`} ${this.#fault(field)}
    </div>`;
  }

  #fault(field: string) {
    const fault = this.faults.get(field);
    return fault === undefined ? nothing : html`<p class="fault" id=${`${field}-fault`}>${fault}</p>`;
  }

  #change(part: Partial<WebhookForm>): void {
    this.form = { ...this.form, ...part };
  }

  #toggle(type: string): void {
    const types = new Set(this.form.types);
    if (!types.delete(type)) types.add(type);
    this.#change({ types });
  }

  async #save(event: Event): Promise<void> {
    event.preventDefault();
    const api = this.#api.value;
    const { body, faults } = webhookOfForm(this.form);
    this.faults = faults;
    if (api === undefined) return;
    if (faults.size > 0) {
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
      return;
    }
    this.saving = true;
    this.problem = undefined;
    try {
      if (this.webhook === undefined) {
        this.made = await createWebhook(api, body);
        announce('The webhook was created. Keep its secret: it is not shown again');
      } else {
        await saveWebhook(api, this.webhook.id, body);
        announce('The webhook was saved');
        navigate(this.back);
      }
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.saving = false;
  }
}

customElements.define('sy-webhook-form', WebhookFormElement);
