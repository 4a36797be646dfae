import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiObservationPolicy, ApiObservationPolicyBody, ApiProblem } from '../data/api-types.ts';
import { policyBody, savePolicy } from '../data/policies.ts';
import {
  emptyPolicy,
  emptyWanted,
  formOfPolicy,
  type PolicyFaults,
  type PolicyForm,
  policyAttributes,
  policyOfForm,
  policyOfJson,
  type WantedForm,
} from '../data/policy-form.ts';
import { asProblem } from '../data/problem.ts';
import { navigate } from '../navigation.ts';
import { Permission } from '../permission.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';

const selectors = [
  { field: 'endpoint', label: 'Endpoint', placeholder: 'any: meter-*' },
  { field: 'manufacturer', label: 'Manufacturer', placeholder: 'any' },
  { field: 'model', label: 'Model', placeholder: 'any' },
  { field: 'object', label: 'Object that it lists', placeholder: 'any: 3303' },
] as const;
/** Attributes that most policies have; the others are folded away. */
const usual = 2;

/** One policy as a form, or as JSON. Goes `back` when it is saved. */
export class PolicyFormElement extends LitElement {
  static override properties = {
    policy: { attribute: false },
    back: { type: String },
    form: { state: true },
    json: { state: true },
    faults: { state: true },
    jsonFault: { state: true },
    saving: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    pageParts,
    fields,
    css`
      .check {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .hint {
        margin-top: 4px;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      details .check {
        margin-top: 12px;
      }
      textarea {
        font-family: var(--sy-mono);
        font-size: 13px;
      }
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
      .grid {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(180px, 1fr));
        gap: 12px 16px;
      }
      .name {
        max-width: 440px;
      }
      .wanted {
        display: grid;
        gap: 12px;
        padding: 16px 0;
        border-top: 1px solid var(--sy-rule);
      }
      .line {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 88px 88px auto;
        align-items: start;
        gap: 12px 16px;
      }
      .line > button {
        margin-top: 24px;
      }
      .attributes {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(112px, 1fr));
        gap: 12px 16px;
        padding-top: 12px;
      }
      .checks {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 24px;
      }
      summary {
        color: var(--sy-text-2);
        cursor: pointer;
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
      textarea {
        min-height: 400px;
        line-height: 18px;
      }
      @media (max-width: 760px) {
        .line {
          grid-template-columns: 1fr 1fr;
        }
        .line > :first-child {
          grid-column: 1 / -1;
        }
        .line > button {
          grid-column: 1 / -1;
          justify-self: start;
          margin-top: 0;
        }
      }
    `,
  ];

  /** Undefined for a new one. */
  declare policy: ApiObservationPolicy | undefined;
  declare back: string;
  declare form: PolicyForm;
  /** The text of the JSON view; undefined while the form is shown. */
  declare json: string | undefined;
  declare faults: PolicyFaults;
  declare jsonFault: string | undefined;
  declare saving: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    new Permission(this);
    this.policy = undefined;
    this.back = '/';
    this.form = emptyPolicy;
    this.json = undefined;
    this.faults = new Map();
    this.jsonFault = undefined;
    this.saving = false;
    this.problem = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // What others change meanwhile does not take the reader's words away.
    if (changed.has('policy') && changed.get('policy')?.id !== this.policy?.id) {
      this.form = this.policy === undefined ? emptyPolicy : formOfPolicy(policyBody(this.policy));
      this.json = undefined;
      this.faults = new Map();
      this.problem = undefined;
    }
  }

  override render() {
    const { policy } = this;
    return html`<div class="page">
      <div>
        <a class="back" href=${this.back}>← All policies</a>
        <div class="head">
          <h1>${policy === undefined ? 'New policy' : policy.name}</h1>
          <div class="end">
            <div class="segments" role="group" aria-label="Shown as">
              <button class="small" aria-pressed=${this.json === undefined} @click=${this.#showForm}>Form</button>
              <button class="small" aria-pressed=${this.json !== undefined} @click=${this.#showJson}>JSON</button>
            </div>
          </div>
        </div>
      </div>
      <form @submit=${this.#save} novalidate>
        ${this.json === undefined ? this.#fields() : this.#text(this.json)}
        <sy-problem-panel .problem=${this.problem}></sy-problem-panel>
        <div class="actions">
          <button data-needs="administer" class="primary" type="submit" ?disabled=${this.saving}>
            ${this.saving ? 'Saving…' : policy === undefined ? 'Create the policy' : 'Save the policy'}
          </button>
          <a href=${this.back}>Cancel</a>
        </div>
      </form>
    </div>`;
  }

  #text(json: string) {
    return html`<div class="field">
      <label for="json">The policy, as the API takes it</label>
      <textarea
        id="json"
        rows="20"
        spellcheck="false"
        autocomplete="off"
        aria-invalid=${this.jsonFault !== undefined}
        aria-describedby=${this.jsonFault === undefined ? nothing : 'json-fault'}
        .value=${json}
        @input=${(event: Event) => {
          this.json = (event.target as HTMLTextAreaElement).value;
          this.jsonFault = undefined;
        }}
      ></textarea>
      ${this.jsonFault === undefined ? nothing : html`<p class="fault" id="json-fault" role="alert">${this.jsonFault}</p>`}
    </div>`;
  }

  #fields() {
    const { form } = this;
    return html`<div class="name">${this.#field('name', 'Name', form.name, (name) => this.#change({ name }))}</div>
      <label class="check"
        ><input
          type="checkbox"
          .checked=${form.enabled}
          @change=${(event: Event) => this.#change({ enabled: (event.target as HTMLInputElement).checked })}
        />Switched on</label
      >
      <fieldset>
        <legend>Devices that fit all of</legend>
        <div class="grid">
          ${selectors.map(({ field, label, placeholder }) =>
            this.#field(field, label, form[field], (text) => this.#change({ [field]: text }), placeholder),
          )}
        </div>
        <p class="hint">* is any text, ? one character. What is left empty fits every device.</p>
      </fieldset>
      <fieldset>
        <legend>What is wanted of them</legend>
        ${form.observations.map((wanted, index) => this.#wanted(wanted, index))}
        <button type="button" @click=${() => this.#change({ observations: [...form.observations, emptyWanted] })}>
          Add an observation
        </button>
      </fieldset>`;
  }

  #wanted(wanted: WantedForm, index: number) {
    const change = (part: Partial<WantedForm>) => this.#changeWanted(index, part);
    const attribute = ({ name, label, hint }: (typeof policyAttributes)[number]) =>
      this.#field(
        `${index}.${name}`,
        label,
        wanted.attributes[name] ?? '',
        (text) => change({ attributes: { ...wanted.attributes, [name]: text } }),
        '',
        hint,
      );
    const more = policyAttributes.slice(usual);
    const used =
      more.some(
        ({ name }) => (wanted.attributes[name] ?? '') !== '' || this.faults.has(`${index}.${name}`),
      ) ||
      wanted.contentFormat !== '' ||
      wanted.composite;
    return html`<div class="wanted" role="group" aria-label=${`Observation ${index + 1}`}>
      <div class="line">
        ${this.#field(`${index}.paths`, 'Paths', wanted.paths, (paths) => change({ paths }), '/3/0/9 or /42770/*/2')}
        ${policyAttributes.slice(0, usual).map(attribute)}
        <button
          type="button"
          class="bare"
          aria-label=${`Remove observation ${index + 1}`}
          @click=${() => this.#change({ observations: this.form.observations.filter((_, other) => other !== index) })}
        >
          Remove
        </button>
      </div>
      <div class="checks">
        <label class="check"
          ><input
            type="checkbox"
            .checked=${wanted.exclude}
            @change=${(event: Event) => change({ exclude: (event.target as HTMLInputElement).checked })}
          />Not to be observed, whatever weaker policies want</label
        >
      </div>
      <details ?open=${used}>
        <summary>More attributes</summary>
        <div class="attributes">
          ${more.map(attribute)}
          ${this.#field(`${index}.contentFormat`, 'Content format', wanted.contentFormat, (contentFormat) => change({ contentFormat }), 'best', 'Number of a CoAP content format, as 112; the best that the device speaks where empty')}
        </div>
        <label class="check"
          ><input
            type="checkbox"
            .checked=${wanted.composite}
            @change=${(event: Event) => change({ composite: (event.target as HTMLInputElement).checked })}
          />By a composite observation, even of one path</label
        >
      </details>
    </div>`;
  }

  #field(
    field: string,
    label: string,
    value: string,
    change: (text: string) => void,
    placeholder = '',
    hint: string | undefined = undefined,
  ) {
    const fault = this.faults.get(field);
    return html`<div class="field">
      <label for=${field} title=${hint ?? nothing}>${label}</label>
      <input
        id=${field}
        autocomplete="off"
        spellcheck="false"
        placeholder=${placeholder}
        title=${hint ?? nothing}
        aria-invalid=${fault !== undefined}
        aria-describedby=${fault === undefined ? nothing : `${field}-fault`}
        .value=${value}
        @input=${(event: Event) => change((event.target as HTMLInputElement).value)}
      />
      ${fault === undefined ? nothing : html`<p class="fault" id=${`${field}-fault`}>${fault}</p>`}
    </div>`;
  }

  #change(part: Partial<PolicyForm>): void {
    this.form = { ...this.form, ...part };
  }

  #changeWanted(index: number, part: Partial<WantedForm>): void {
    this.#change({
      observations: this.form.observations.map((wanted, other) =>
        other === index ? { ...wanted, ...part } : wanted,
      ),
    });
  }

  #showJson(): void {
    if (this.json !== undefined) return;
    this.jsonFault = undefined;
    this.json = JSON.stringify(policyOfForm(this.form).body, undefined, 2);
  }

  #showForm(): void {
    if (this.json === undefined) return;
    const policy = policyOfJson(this.json);
    if ('fault' in policy) {
      this.jsonFault = policy.fault;
      return;
    }
    this.form = formOfPolicy(policy);
    this.json = undefined;
  }

  /** What is to be saved; undefined where something has to be mended first, which is then shown. */
  #body(): ApiObservationPolicyBody | undefined {
    if (this.json !== undefined) {
      const policy = policyOfJson(this.json);
      this.jsonFault = 'fault' in policy ? policy.fault : undefined;
      return 'fault' in policy ? undefined : policy;
    }
    const { body, faults } = policyOfForm(this.form);
    this.faults = faults;
    return faults.size === 0 ? body : undefined;
  }

  async #save(event: Event): Promise<void> {
    event.preventDefault();
    const api = this.#api.value;
    const body = this.#body();
    if (body === undefined || api === undefined) {
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
      return;
    }
    this.saving = true;
    this.problem = undefined;
    try {
      await savePolicy(api, this.policy?.id, body);
      announce(`${body.name} was saved`);
      navigate(this.back);
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.saving = false;
  }
}

customElements.define('sy-policy-form', PolicyFormElement);
