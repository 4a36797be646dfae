import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiIssuedCredential, ApiProblem } from '../data/api-types.ts';
import {
  accountNames,
  type CredentialForm,
  createCredential,
  credentialOfForm,
  emptyCredential,
  typeNames,
} from '../data/credentials.ts';
import { asProblem } from '../data/problem.ts';
import { navigate } from '../navigation.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-issued-key.ts';
import './sy-problem-panel.ts';

/** A device that is to be enrolled, as a form. Goes `back` when that is done; a key that was made is shown first. */
export class CredentialFormElement extends LitElement {
  static override properties = {
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
        max-width: 640px;
      }
      .two {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(200px, 1fr));
        gap: 24px 16px;
      }
      .hint {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      textarea {
        font-family: var(--sy-mono);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        padding: 12px 0;
        border-top: 1px solid var(--sy-rule);
      }
      .actions a {
        align-self: center;
        padding: 0 12px;
      }
    `,
  ];

  declare back: string;
  declare form: CredentialForm;
  declare faults: ReadonlyMap<string, string>;
  declare saving: boolean;
  declare problem: ApiProblem | undefined;
  /** The one that was made just now: its key is to be shown. */
  declare made: ApiIssuedCredential | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    this.back = '/';
    this.form = emptyCredential;
    this.faults = new Map();
    this.saving = false;
    this.problem = undefined;
    this.made = undefined;
  }

  override render() {
    const { made } = this;
    return html`<div class="page">
      <div>
        <a class="back" href=${this.back}>← All credentials</a>
        <h1>${made === undefined ? 'Enrol a device' : `${made.endpoint} is enrolled`}</h1>
      </div>
      ${
        made === undefined
          ? this.#form()
          : html`<sy-issued-key .issued=${made} @kept=${() => navigate(this.back)}></sy-issued-key>`
      }
    </div>`;
  }

  #form() {
    const { form } = this;
    return html`<form @submit=${this.#save} novalidate>
      ${this.#text('endpoint', 'Endpoint name', { placeholder: 'urn:imei:490154203237518', hint: 'The name that the device registers under. It is the device’s alone from then on' })}
      <div class="two">
        ${this.#choice('type', 'Proves itself by', typeNames)}
        ${this.#choice('account', 'At', accountNames)}
      </div>
      ${form.type === 'psk' ? this.#psk() : form.type === 'rpk' ? this.#rpk() : this.#x509()}
      <sy-problem-panel .problem=${this.problem}></sy-problem-panel>
      <div class="actions">
        <button class="primary" type="submit" ?disabled=${this.saving}>
          ${this.saving ? 'Enrolling…' : 'Enrol the device'}
        </button>
        <a href=${this.back}>Cancel</a>
      </div>
    </form>`;
  }

  #psk() {
    return html`${this.#text('identity', 'Identity', { placeholder: 'the endpoint name' })}
      ${this.#text('key', 'Key', { placeholder: 'made by the server', hint: 'Hex digits. Left empty, the server makes one and shows it once' })}`;
  }

  #rpk() {
    return this.#field(
      'publicKey',
      'Public key',
      (attributes) => html`<textarea
        id="publicKey"
        rows="5"
        spellcheck="false"
        placeholder="-----BEGIN PUBLIC KEY-----"
        aria-invalid=${attributes.invalid}
        aria-describedby=${attributes.described}
        .value=${this.form.publicKey}
        @input=${this.#input('publicKey')}
      ></textarea>`,
      'On the curve P-256: PEM, or SubjectPublicKeyInfo in hex or base64',
    );
  }

  #x509() {
    return html`${this.#text('identity', 'Name in the certificate', { placeholder: 'the endpoint name', hint: 'A URI or DNS name of the subject alternative name, or the common name' })}
      ${this.#field(
        'certificate',
        'Certificate',
        (attributes) => html`<textarea
          id="certificate"
          rows="5"
          spellcheck="false"
          placeholder="each of this name that a trusted authority has signed"
          aria-invalid=${attributes.invalid}
          aria-describedby=${attributes.described}
          .value=${this.form.certificate}
          @input=${this.#input('certificate')}
        ></textarea>`,
        'With one, exactly this certificate is taken, whoever signed it',
      )}`;
  }

  #text(
    field: 'endpoint' | 'identity' | 'key',
    label: string,
    { placeholder = '', hint }: { readonly placeholder?: string; readonly hint?: string } = {},
  ) {
    return this.#field(
      field,
      label,
      (attributes) => html`<input
        id=${field}
        autocomplete="off"
        spellcheck="false"
        placeholder=${placeholder}
        aria-invalid=${attributes.invalid}
        aria-describedby=${attributes.described}
        .value=${this.form[field]}
        @input=${this.#input(field)}
      />`,
      hint,
    );
  }

  #choice(field: 'type' | 'account', label: string, names: Readonly<Record<string, string>>) {
    return html`<div class="field">
      <label for=${field}>${label}</label>
      <select id=${field} @change=${this.#input(field)}>
        ${Object.entries(names).map(
          ([value, name]) =>
            html`<option value=${value} .selected=${this.form[field] === value}>${name}</option>`,
        )}
      </select>
    </div>`;
  }

  #field(
    field: string,
    label: string,
    control: (attributes: {
      readonly invalid: boolean;
      readonly described: string | typeof nothing;
    }) => TemplateResult,
    hint?: string,
  ) {
    const fault = this.faults.get(field);
    const described = [
      ...(hint === undefined ? [] : [`${field}-hint`]),
      ...(fault === undefined ? [] : [`${field}-fault`]),
    ].join(' ');
    return html`<div class="field">
      <label for=${field}>${label}</label>
      ${control({ invalid: fault !== undefined, described: described === '' ? nothing : described })}
      ${hint === undefined ? nothing : html`<p class="hint" id=${`${field}-hint`}>${hint}</p>`}
      ${fault === undefined ? nothing : html`<p class="fault" id=${`${field}-fault`}>${fault}</p>`}
    </div>`;
  }

  #input(field: keyof CredentialForm) {
    return (event: Event): void => {
      this.form = { ...this.form, [field]: (event.target as HTMLInputElement).value };
    };
  }

  async #save(event: Event): Promise<void> {
    event.preventDefault();
    const api = this.#api.value;
    const { body, faults } = credentialOfForm(this.form);
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
      const made = await createCredential(api, body);
      this.form = emptyCredential;
      if (made.key === undefined) {
        announce(`${made.endpoint} is enrolled`);
        navigate(this.back);
      } else {
        this.made = made;
        announce('The device is enrolled. Keep its key: it is not shown again');
      }
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.saving = false;
  }
}

customElements.define('sy-credential-form', CredentialFormElement);
