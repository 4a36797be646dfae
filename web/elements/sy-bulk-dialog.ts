import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, liveContext } from '../contexts.ts';
import { newIdempotencyKey } from '../data/api-client.ts';
import type { ApiDeviceFacets, ApiEvent, ApiJob, ApiJobBody, ApiProblem } from '../data/api-types.ts';
import {
  type BulkForm,
  type BulkKind,
  bulkEffect,
  bulkOperation,
  bulkVerbs,
  countsText,
  finishedCount,
  isEnded,
} from '../data/bulk-operations.ts';
import { formatCount } from '../data/numbers.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { fetchTenants } from '../data/tenants.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';

/** A job that is looked at is asked for at this interval too: an event of it may be missed, ms. */
const renewMs = 2000;

/** One operation on many devices: what it needs, what it does, and how far it is. */
export class BulkDialog extends LitElement {
  static override properties = {
    form: { state: true },
    count: { state: true },
    carriers: { state: true },
    tenants: { state: true },
    fault: { state: true },
    problem: { state: true },
    typed: { state: true },
    busy: { state: true },
    job: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      dialog {
        width: min(480px, calc(100vw - 32px));
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
        margin-bottom: 16px;
        font-size: 16px;
      }
      form,
      .progress {
        display: grid;
        gap: 12px;
      }
      .effect {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        align-items: center;
        gap: 8px;
        margin-top: 12px;
      }
      .actions a {
        margin-right: auto;
      }
      progress {
        width: 100%;
        height: 8px;
        accent-color: var(--sy-accent);
      }
      .bad {
        color: var(--sy-bad);
      }
    `,
  ];

  declare form: BulkForm;
  declare count: number;
  declare carriers: readonly string[];
  declare tenants: readonly string[];
  declare fault: string;
  declare problem: ApiProblem | undefined;
  declare typed: string;
  declare busy: boolean;
  declare job: ApiJob | undefined;
  #devices: ApiJobBody['devices'] = { filter: {} };
  #key = '';
  #stop: (() => void) | undefined;
  #renewal: ReturnType<typeof setInterval> | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });

  constructor() {
    super();
    new Permission(this);
    this.form = emptyForm('read');
    this.count = 0;
    this.carriers = [];
    this.tenants = [];
    this.fault = '';
    this.problem = undefined;
    this.typed = '';
    this.busy = false;
    this.job = undefined;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leave();
  }

  /** Asks for what the operation needs, and starts it. `count`: devices that are meant, as far as is known. */
  async open(kind: BulkKind, devices: ApiJobBody['devices'], count: number): Promise<void> {
    this.form = emptyForm(kind);
    this.count = count;
    this.fault = '';
    this.problem = undefined;
    this.typed = '';
    this.job = undefined;
    this.#devices = devices;
    this.#key = newIdempotencyKey();
    if (kind === 'carrier-switch') this.#loadCarriers();
    if (kind === 'tenant') this.#loadTenants();
    await this.updateComplete;
    this.#dialog?.showModal();
    this.renderRoot.querySelector<HTMLElement>('input')?.focus();
  }

  override render() {
    return html`<dialog aria-labelledby="title" @close=${this.#leave}>
      ${this.job === undefined ? this.#ask() : this.#progress(this.job)}
    </dialog>`;
  }

  #ask() {
    const { form, count } = this;
    const verb = bulkVerbs[form.kind];
    const devices = count === 1 ? '1 device' : `${formatCount(count)} devices`;
    const forget = form.kind === 'forget';
    return html`<form @submit=${this.#start} novalidate>
      <h2 id="title">${verb}: ${devices}</h2>
      ${this.#fields()}
      ${
        forget && count > 1
          ? this.#field('typed', `Type ${count} to confirm`, this.typed, '', (text) => {
              this.typed = text;
            })
          : nothing
      }
      ${this.fault === '' ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`}
      <p class="effect">${bulkEffect(form, count)}</p>
      ${
        this.problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`
      }
      <div class="actions">
        <button type="button" @click=${() => this.#dialog?.close()}>Cancel</button>
        <button data-needs="operate" class=${forget ? 'danger' : 'primary'} ?disabled=${this.busy || (forget && count > 1 && this.typed !== String(count))}>
          ${this.busy ? 'Starting…' : verb}
        </button>
      </div>
    </form>`;
  }

  #fields() {
    const { form } = this;
    const set = (name: keyof BulkForm) => (text: string) => {
      this.form = { ...this.form, [name]: text };
      this.fault = '';
    };
    switch (form.kind) {
      case 'carrier-switch':
        return html`${this.#field('carrier', 'Carrier', form.carrier, '', set('carrier'), 'carriers')}
          <datalist id="carriers">${this.carriers.map((carrier) => html`<option value=${carrier}></option>`)}</datalist>`;
      case 'read':
        return this.#field(
          'path',
          'Path of an object, an instance or a resource',
          form.path,
          '/3/0/9',
          set('path'),
        );
      case 'write':
        return html`${this.#field('path', 'Path of the resource', form.path, '/3/0/14', set('path'))}
        ${this.#field('value', 'Value', form.value, '+02:00', set('value'))}`;
      case 'execute':
        return html`${this.#field('path', 'Path of the resource', form.path, '/3/0/4', set('path'))}
        ${this.#field('args', 'Arguments, where it takes some', form.args, "0='5'", set('args'))}`;
      case 'tenant':
        return html`${this.#field('tenant', 'Tenant; empty: the operator’s own', form.tenant, '', set('tenant'), 'tenants')}
          <datalist id="tenants">${this.tenants.map((tenant) => html`<option value=${tenant}></option>`)}</datalist>`;
      default:
        return nothing;
    }
  }

  #field(
    id: string,
    label: string,
    value: string,
    placeholder: string,
    changed: (text: string) => void,
    list?: string,
  ) {
    return html`<div class="field">
      <label for=${id}>${label}</label>
      <input
        id=${id}
        autocomplete="off"
        spellcheck="false"
        placeholder=${placeholder}
        list=${list ?? nothing}
        .value=${value}
        @input=${(event: Event) => changed((event.target as HTMLInputElement).value)}
      />
    </div>`;
  }

  #progress(job: ApiJob) {
    const finished = finishedCount(job);
    const ended = isEnded(job);
    const failed = job.counts.failed + job.counts.unknown + job.counts.expired;
    return html`<div class="progress">
      <h2 id="title">${bulkVerbs[this.form.kind]}: ${stateText(job)}</h2>
      <progress aria-label="Progress" max=${Math.max(job.total, 1)} value=${finished}></progress>
      <p class=${ended && failed > 0 ? 'bad' : ''} role="status">
        ${formatCount(finished)} of ${formatCount(job.total)}: ${countsText(job)}
      </p>
      ${job.reason === undefined ? nothing : html`<p class="effect">${job.reason}</p>`}
      ${ended ? nothing : html`<p class="effect">It goes on when this is closed.</p>`}
      ${
        this.problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`
      }
      <div class="actions">
        <a href=${hrefOf({ name: 'job', job: job.id })}>What became of each device</a>
        ${
          ended || job.state === 'cancelling'
            ? nothing
            : html`<button data-needs="operate" class="danger" ?disabled=${this.busy} @click=${this.#cancel}>Cancel the job</button>`
        }
        <button @click=${() => this.#dialog?.close()}>Close</button>
      </div>
    </div>`;
  }

  async #loadCarriers(): Promise<void> {
    try {
      const answer = await this.#api.value?.get<ApiDeviceFacets>('/api/devices/facets', { by: 'carrier' });
      this.carriers = (answer?.facets.carrier ?? []).flatMap(({ value }) => value ?? []);
    } catch {
      // They are proposals: the name can be typed, and what is wrong with the server is said when the job starts.
      this.carriers = [];
    }
  }

  async #loadTenants(): Promise<void> {
    const api = this.#api.value;
    try {
      this.tenants = api === undefined ? [] : await fetchTenants(api);
    } catch {
      // As with carriers: a new one can be typed anyway.
      this.tenants = [];
    }
  }

  async #start(event: Event): Promise<void> {
    event.preventDefault();
    const api = this.#api.value;
    if (api === undefined || this.busy) return;
    const { operation, fault } = bulkOperation(this.form);
    this.fault = fault ?? '';
    if (operation === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      this.#follow(await api.createJob({ devices: this.#devices, operation }, this.#key));
      this.dispatchEvent(new Event('job-started'));
    } catch (error) {
      this.problem = asProblem(error);
      // What was refused may be changed and sent again, as another job.
      this.#key = newIdempotencyKey();
    }
    this.busy = false;
  }

  #follow(job: ApiJob): void {
    this.job = job;
    announce('The job has started');
    this.#stop = this.#live.value?.watch(
      { types: ['job'] },
      { onEvent: (event) => this.#take(event), onGap: () => this.#renew() },
    );
    this.#renewal = setInterval(() => this.#renew(), renewMs);
    this.#renew();
  }

  #take(event: ApiEvent): void {
    const job = event.data['job'] as ApiJob | undefined;
    if (job?.id === this.job?.id && job !== undefined) this.#set(job);
  }

  async #renew(): Promise<void> {
    const { job } = this;
    if (job === undefined || isEnded(job)) return;
    try {
      const now = await this.#api.value?.get<ApiJob>(`/api/jobs/${encodeURIComponent(job.id)}`);
      if (now !== undefined && this.job?.id === now.id) this.#set(now);
      this.problem = undefined;
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  #set(job: ApiJob): void {
    const before = this.job;
    // An answer may be overtaken by an event: a job that has ended does not begin again.
    if (before === undefined || (isEnded(before) && !isEnded(job))) return;
    this.job = job;
    if (isEnded(before) || !isEnded(job)) return;
    announce(`The job is over: ${countsText(job)}`);
    this.dispatchEvent(new Event('job-ended'));
  }

  async #cancel(): Promise<void> {
    const { job } = this;
    if (job === undefined) return;
    this.busy = true;
    try {
      const now = await this.#api.value?.send<ApiJob>(
        'POST',
        `/api/jobs/${encodeURIComponent(job.id)}/cancel`,
      );
      if (now !== undefined) this.#set(now);
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }

  readonly #leave = (): void => {
    this.#stop?.();
    this.#stop = undefined;
    clearInterval(this.#renewal);
  };

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

function emptyForm(kind: BulkKind): BulkForm {
  return { kind, carrier: '', path: '', value: '', args: '', tenant: '' };
}

function stateText({ state }: ApiJob): string {
  switch (state) {
    case 'preparing':
      return 'finding the devices';
    case 'running':
      return 'under way';
    default:
      return state;
  }
}

customElements.define('sy-bulk-dialog', BulkDialog);
