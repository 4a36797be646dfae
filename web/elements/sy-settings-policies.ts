import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiObservationPolicy, ApiProblem } from '../data/api-types.ts';
import {
  fetchPolicies,
  policyBody,
  removePolicy,
  restorePolicy,
  savePolicy,
  selectorText,
  wantedText,
} from '../data/policies.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { Loaded } from '../loaded.ts';
import { Permission } from '../permission.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-confirm-dialog.ts';
import './sy-not-found.ts';
import './sy-policy-form.ts';
import './sy-problem-panel.ts';

/** So many wishes of a policy are told in the list. */
const mostTold = 4;
const list = hrefOf({ name: 'settings', section: 'policies' });
const formOf = (id: string) =>
  hrefOf({ name: 'settings', section: 'policies', query: String(new URLSearchParams({ policy: id })) });

/** Observation policies: what is to be observed of which devices. */
export class SettingsPolicies extends LitElement {
  static override properties = {
    query: { type: String },
    busy: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    pageParts,
    css`
      ul {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      .policy {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px 16px;
        padding: 12px 0;
        border-bottom: 1px solid var(--sy-rule);
      }
      .policy h2 {
        display: inline;
        overflow-wrap: anywhere;
      }
      .tag {
        margin-left: 8px;
        padding: 1px 6px;
        border: 1px solid var(--sy-rule);
        border-radius: 10px;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        white-space: nowrap;
      }
      .who {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .what {
        grid-column: 1;
        overflow-wrap: anywhere;
      }
      .what span {
        display: block;
      }
      .off h2,
      .off .what {
        color: var(--sy-text-3);
      }
      .actions {
        grid-column: 2;
        grid-row: 1 / span 3;
        display: flex;
        flex-wrap: wrap;
        align-content: start;
        justify-content: flex-end;
        gap: 8px;
      }
      a.button {
        min-height: 28px;
        padding: 3px 8px;
        color: var(--sy-text);
        font-size: var(--sy-small);
      }
      a.button.new {
        min-height: 32px;
        padding: 5px 12px;
        border-color: var(--sy-accent);
        background: var(--sy-accent);
        color: var(--sy-on-accent);
        font-size: var(--sy-size);
      }
      a.button:hover {
        text-decoration: none;
      }
      .bone {
        margin-bottom: 24px;
      }
      @media (max-width: 760px) {
        .policy {
          grid-template-columns: minmax(0, 1fr);
        }
        .actions {
          grid-column: 1;
          grid-row: auto;
          justify-content: flex-start;
        }
      }
    `,
  ];

  /** What the address says behind its question mark: `policy=` names the one whose form is open. */
  declare query: string;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #policies = new Loaded<readonly ApiObservationPolicy[]>(this, fetchPolicies, {
    watch: { types: ['observation-policy'] },
  });

  constructor() {
    super();
    new Permission(this);
    this.query = '';
    this.busy = false;
    this.problem = undefined;
  }

  override render() {
    const open = new URLSearchParams(this.query).get('policy');
    const { value, problem } = this.#policies;
    if (open !== null && value !== undefined) return this.#form(open, value);
    return html`<div class="page">
        <div class="head">
          <h1>Observation policies</h1>
          <div class="end"><a class="button new" href=${formOf('new')}>New policy</a></div>
        </div>
        <p class="lead">
          What is to be observed of which devices. Registered devices are brought in line with a change at once, those
          that sleep when they speak. Where two policies want the same, the narrower one counts.
        </p>
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#policies.load()}></sy-problem-panel>`
        }
        ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
        ${value !== undefined ? this.#list(value) : problem === undefined ? this.#bones() : nothing}
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #form(id: string, policies: readonly ApiObservationPolicy[]) {
    const policy = policies.find((candidate) => candidate.id === id);
    if (policy === undefined && id !== 'new') {
      return html`<sy-not-found heading="There is no such policy" .what=${id}></sy-not-found>`;
    }
    return html`<sy-policy-form .policy=${policy} .back=${list}></sy-policy-form>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading policies">
      ${Array.from({ length: 6 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list(policies: readonly ApiObservationPolicy[]) {
    return html`<ul aria-label="Policies">
      ${policies.map((policy) => this.#policy(policy))}
    </ul>`;
  }

  #policy(policy: ApiObservationPolicy) {
    const { id, name, devices, observations, enabled, builtIn, changed } = policy;
    const told = observations.slice(0, mostTold);
    return html`<li class=${enabled ? 'policy' : 'policy off'}>
      <div>
        <h2>${name}</h2>
        ${enabled ? nothing : html`<span class="tag">switched off</span>`}
        ${builtIn ? html`<span class="tag">${changed ? 'built-in, changed' : 'built-in'}</span>` : nothing}
      </div>
      <div class="who">For ${selectorText(devices)}</div>
      <div class="what mono">
        ${told.map((wanted) => html`<span>${wantedText(wanted)}</span>`)}
        ${observations.length > mostTold ? html`<span class="quiet">and ${observations.length - mostTold} more</span>` : nothing}
        ${observations.length === 0 ? html`<span class="quiet">nothing is wanted</span>` : nothing}
      </div>
      <div class="actions">
        <a class="button" href=${formOf(id)} aria-label=${`Edit ${name}`}>Edit</a>
        <button data-needs="administer"
          class="small"
          ?disabled=${this.busy}
          aria-label=${`${enabled ? 'Switch off' : 'Switch on'} ${name}`}
          @click=${() => this.#switch(policy)}
        >
          ${enabled ? 'Switch off' : 'Switch on'}
        </button>
        ${
          builtIn
            ? html`<button data-needs="administer"
              class="small"
              ?disabled=${this.busy || !changed}
              aria-label=${`Restore ${name}`}
              @click=${() => this.#restore(policy)}
            >
              Restore
            </button>`
            : html`<button data-needs="administer" class="small danger" ?disabled=${this.busy} aria-label=${`Delete ${name}`} @click=${() => this.#remove(policy)}>
              Delete…
            </button>`
        }
      </div>
    </li>`;
  }

  #switch(policy: ApiObservationPolicy): Promise<void> {
    const enabled = !policy.enabled;
    return this.#do(`${policy.name} is switched ${enabled ? 'on' : 'off'}`, async (api) => {
      await savePolicy(api, policy.id, { ...policyBody(policy), enabled });
    });
  }

  async #restore(policy: ApiObservationPolicy): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Restore the policy ${policy.name}?`,
      effect: 'It is again what the server brings along; what was changed of it is lost.',
      verb: 'Restore',
    });
    if (!confirmed) return;
    await this.#do(`${policy.name} is as the server brings it along`, async (api) => {
      await restorePolicy(api, policy.id);
    });
  }

  async #remove(policy: ApiObservationPolicy): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Delete the policy ${policy.name}?`,
      effect: `What it alone wants is no longer observed, of ${selectorText(policy.devices)}. What was heard stays.`,
      verb: 'Delete',
    });
    if (!confirmed) return;
    await this.#do(`${policy.name} was deleted`, (api) => removePolicy(api, policy.id));
  }

  get #confirm(): ConfirmDialog {
    return this.renderRoot.querySelector('sy-confirm-dialog') as ConfirmDialog;
  }

  async #do(done: string, work: (api: ApiClient) => Promise<void>): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await work(api);
      announce(done);
      await this.#policies.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-settings-policies', SettingsPolicies);
