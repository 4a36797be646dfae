import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiBootstrapProfile, ApiBootstrapProfileBody, ApiProblem } from '../data/api-types.ts';
import { profileBody, saveProfile } from '../data/bootstrap.ts';
import {
  emptyProfile,
  emptyServer,
  formOfProfile,
  type ProfileFaults,
  type ProfileForm,
  profileOfForm,
  profileOfJson,
  type ServerForm,
} from '../data/bootstrap-form.ts';
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
] as const;

/** One bootstrap profile as a form, or as JSON. Goes `back` when it is saved. */
export class BootstrapFormElement extends LitElement {
  static override properties = {
    profile: { attribute: false },
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
      fieldset .check {
        margin: 12px 0;
      }
      .hint {
        margin-top: 4px;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
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
      .server {
        display: grid;
        gap: 12px;
        padding: 16px 0;
        border-top: 1px solid var(--sy-rule);
      }
      .server > button {
        justify-self: start;
      }
      textarea {
        font-family: var(--sy-mono);
        font-size: 13px;
        line-height: 18px;
      }
      .json {
        min-height: 400px;
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
  declare profile: ApiBootstrapProfile | undefined;
  declare back: string;
  declare form: ProfileForm;
  /** The text of the JSON view; undefined while the form is shown. */
  declare json: string | undefined;
  declare faults: ProfileFaults;
  declare jsonFault: string | undefined;
  declare saving: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    new Permission(this);
    this.profile = undefined;
    this.back = '/';
    this.form = emptyProfile;
    this.json = undefined;
    this.faults = new Map();
    this.jsonFault = undefined;
    this.saving = false;
    this.problem = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // What others change meanwhile does not take the reader's words away.
    if (changed.has('profile') && changed.get('profile')?.id !== this.profile?.id) {
      const { profile } = this;
      this.form = profile === undefined ? emptyProfile : formOfProfile(profile.id, profileBody(profile));
      this.json = undefined;
      this.faults = new Map();
      this.problem = undefined;
    }
  }

  override render() {
    const { profile } = this;
    return html`<div class="page">
      <div>
        <a class="back" href=${this.back}>← All profiles</a>
        <div class="head">
          <h1>${profile === undefined ? 'New profile' : profile.name}</h1>
          <div class="end">
            <div class="segments" role="group" aria-label="Shown as">
              <button class="small" aria-pressed=${this.json === undefined} @click=${this.#showForm}>Form</button>
              <button class="small" aria-pressed=${this.json !== undefined} @click=${this.#showJson}>JSON</button>
            </div>
          </div>
        </div>
      </div>
      <form @submit=${this.#save} novalidate>
        ${profile === undefined ? this.#field('id', 'Id', this.form.id, (id) => this.#change({ id }), 'meters') : nothing}
        ${this.json === undefined ? this.#fields() : this.#text(this.json)}
        <sy-problem-panel .problem=${this.problem}></sy-problem-panel>
        <div class="actions">
          <button data-needs="administer" class="primary" type="submit" ?disabled=${this.saving}>
            ${this.saving ? 'Saving…' : profile === undefined ? 'Create the profile' : 'Save the profile'}
          </button>
          <a href=${this.back}>Cancel</a>
        </div>
      </form>
    </div>`;
  }

  #text(json: string) {
    return html`<div class="field">
      <label for="json">The profile, as the API takes it</label>
      <textarea
        id="json"
        class="json"
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
    const objectsFault = this.faults.get('objects');
    return html`${this.#field('name', 'Name', form.name, (name) => this.#change({ name }))}
      ${this.#check('Switched on', form.enabled, (enabled) => this.#change({ enabled }))}
      <fieldset>
        <legend>Devices that fit all of</legend>
        <div class="grid">
          ${selectors.map(({ field, label, placeholder }) =>
            this.#field(field, label, form[field], (text) => this.#change({ [field]: text }), placeholder),
          )}
          ${this.#field('priority', 'Priority', form.priority, (priority) => this.#change({ priority }))}
        </div>
        <p class="hint">
          * is any text, ? one character. A device that was never registered is known by its endpoint name alone.
        </p>
      </fieldset>
      <fieldset>
        <legend>Servers that they are given</legend>
        ${form.servers.map((server, index) => this.#server(server, index))}
        ${this.faults.has('servers') ? html`<p class="fault">${this.faults.get('servers')}</p>` : nothing}
        <button type="button" @click=${() => this.#change({ servers: [...form.servers, this.#nextServer()] })}>
          Add a server
        </button>
      </fieldset>
      <fieldset>
        <legend>What else is done</legend>
        <div class="grid">
          ${this.#field('remove', 'Deleted first', form.remove, (remove) => this.#change({ remove }), '/0 /1 /2')}
          ${this.#field('retries', 'Retries when inconsistent', form.retries, (retries) => this.#change({ retries }))}
        </div>
        ${this.#check('Read what the device has of servers and rights first', form.readFirst, (readFirst) => this.#change({ readFirst }))}
        <div class="field">
          <label for="objects">Values to write, one in a line</label>
          <textarea
            id="objects"
            rows="4"
            spellcheck="false"
            autocomplete="off"
            placeholder="/3/0/15 = Europe/Berlin"
            aria-invalid=${objectsFault !== undefined}
            aria-describedby=${objectsFault === undefined ? nothing : 'objects-fault'}
            .value=${form.objects}
            @input=${(event: Event) => this.#change({ objects: (event.target as HTMLTextAreaElement).value })}
          ></textarea>
          ${objectsFault === undefined ? nothing : html`<p class="fault" id="objects-fault">${objectsFault}</p>`}
        </div>
        <p class="hint">
          ${form.access.length === 0 ? 'Rights (ACLs) are given in the JSON view.' : `${form.access.length} rights (ACLs): see the JSON view.`}
        </p>
      </fieldset>`;
  }

  #server(server: ServerForm, index: number) {
    const change = (part: Partial<ServerForm>) =>
      this.#change({
        servers: this.form.servers.map((each, other) => (other === index ? { ...each, ...part } : each)),
      });
    const id = `${index}.security`;
    return html`<div class="server" role="group" aria-label=${`Server ${index + 1}`}>
      <div class="grid">
        ${this.#field(`${index}.shortServerId`, 'Short server id', server.shortServerId, (shortServerId) => change({ shortServerId }))}
        <div class="field">
          <label for=${id}>Security</label>
          <select
            id=${id}
            @change=${(event: Event) => change({ security: (event.target as HTMLSelectElement).value as ServerForm['security'] })}
          >
            <option value="psk" .selected=${server.security === 'psk'}>A key of each device's own</option>
            <option value="nosec" .selected=${server.security === 'nosec'}>None</option>
          </select>
        </div>
        ${this.#field(`${index}.uri`, 'Address', server.uri, (uri) => change({ uri }), 'this server')}
        ${this.#field(`${index}.lifetime`, 'Lifetime, s', server.lifetime, (lifetime) => change({ lifetime }))}
        ${this.#field(`${index}.binding`, 'Binding', server.binding, (binding) => change({ binding }), 'U')}
      </div>
      <button
        type="button"
        class="bare small"
        aria-label=${`Remove server ${index + 1}`}
        @click=${() => this.#change({ servers: this.form.servers.filter((_, other) => other !== index) })}
      >
        Remove
      </button>
    </div>`;
  }

  #nextServer(): ServerForm {
    const ids = this.form.servers.map(({ shortServerId }) => Number(shortServerId) || 0);
    return { ...emptyServer, shortServerId: String(Math.max(100, ...ids) + 1) };
  }

  #check(label: string, checked: boolean, change: (checked: boolean) => void) {
    return html`<label class="check"
      ><input
        type="checkbox"
        .checked=${checked}
        @change=${(event: Event) => change((event.target as HTMLInputElement).checked)}
      />${label}</label
    >`;
  }

  #field(field: string, label: string, value: string, change: (text: string) => void, placeholder = '') {
    const fault = this.faults.get(field);
    return html`<div class="field">
      <label for=${field}>${label}</label>
      <input
        id=${field}
        autocomplete="off"
        spellcheck="false"
        placeholder=${placeholder}
        aria-invalid=${fault !== undefined}
        aria-describedby=${fault === undefined ? nothing : `${field}-fault`}
        .value=${value}
        @input=${(event: Event) => change((event.target as HTMLInputElement).value)}
      />
      ${fault === undefined ? nothing : html`<p class="fault" id=${`${field}-fault`}>${fault}</p>`}
    </div>`;
  }

  #change(part: Partial<ProfileForm>): void {
    this.form = { ...this.form, ...part };
  }

  #showJson(): void {
    if (this.json !== undefined) return;
    this.jsonFault = undefined;
    this.json = JSON.stringify(profileOfForm(this.form).body, undefined, 2);
  }

  #showForm(): void {
    if (this.json === undefined) return;
    const profile = profileOfJson(this.json);
    if ('fault' in profile) {
      this.jsonFault = profile.fault;
      return;
    }
    this.form = formOfProfile(this.form.id, profile);
    this.json = undefined;
  }

  /** What is to be saved; undefined where something has to be mended first, which is then shown. */
  #body(): ApiBootstrapProfileBody | undefined {
    const { body, faults } = profileOfForm(this.form);
    if (this.json === undefined) {
      this.faults = faults;
      return faults.size === 0 ? body : undefined;
    }
    const id = faults.get('id');
    this.faults = id === undefined ? new Map() : new Map([['id', id]]);
    const profile = profileOfJson(this.json);
    this.jsonFault = 'fault' in profile ? profile.fault : undefined;
    return 'fault' in profile || id !== undefined ? undefined : profile;
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
      await saveProfile(api, this.form.id, body);
      announce(`${body.name} was saved`);
      navigate(this.back);
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.saving = false;
  }
}

customElements.define('sy-bootstrap-form', BootstrapFormElement);
