import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiBootstrapProfile, ApiDeviceBootstrap, ApiProblem } from '../data/api-types.ts';
import { assignProfile, fetchDeviceBootstrap, fetchProfiles, triggerBootstrap } from '../data/bootstrap.ts';
import { asProblem } from '../data/problem.ts';
import { Loaded } from '../loaded.ts';
import { Permission } from '../permission.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, fields, skeletons } from '../styles/shared.ts';
import './sy-bootstrap-session.ts';
import './sy-problem-panel.ts';

/** What a device gets by a bootstrap, and how those that it had went, live. */
export class DeviceBootstrapElement extends LitElement {
  static override properties = {
    endpoint: { type: String },
    busy: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    skeletons,
    pageParts,
    css`
      .gets {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 12px 16px;
      }
      .gets .field {
        min-width: 220px;
      }
      .list {
        border-top: 1px solid var(--sy-rule);
      }
      .quiet {
        color: var(--sy-text-3);
      }
      h2 {
        margin-bottom: 8px;
        font-size: var(--sy-size);
      }
      .bone {
        margin-bottom: 24px;
      }
    `,
  ];

  declare endpoint: string;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #bootstrap = new Loaded<ApiDeviceBootstrap>(
    this,
    (api, signal) => fetchDeviceBootstrap(api, this.endpoint, signal),
    { every: 10_000, watch: { types: ['bootstrap', 'bootstrap-profile'] } },
  );
  /** Who sees the devices of one tenant has no list of profiles to choose from. */
  readonly #profiles = new Loaded<readonly ApiBootstrapProfile[]>(this, fetchProfiles, {
    watch: { types: ['bootstrap-profile'] },
  });

  constructor() {
    super();
    this.endpoint = '';
    this.busy = false;
    this.problem = undefined;
    new Permission(this);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('endpoint') && changed.get('endpoint') !== undefined) this.#bootstrap.load();
  }

  override render() {
    const { value, problem } = this.#bootstrap;
    return html`<div class="page">
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#bootstrap.load()}></sy-problem-panel>`
      }
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      ${value !== undefined ? this.#content(value) : problem === undefined ? this.#bones() : nothing}
    </div>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading the bootstraps of the device">
      ${Array.from({ length: 4 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #content({ assigned, profile, reason, sessions }: ApiDeviceBootstrap) {
    return html`<div class="gets">
        ${this.#choice(assigned)}
        <button data-needs="operate" ?disabled=${this.busy} @click=${this.#trigger}>Bootstrap now</button>
      </div>
      <p>
        ${
          profile === null
            ? html`It gets nothing when it asks for a bootstrap: ${reason}.`
            : html`It gets <b>${profile.name}</b> when it asks for a bootstrap${assigned === null ? ', as the rules say' : ''}.`
        }
      </p>
      <section>
        <h2>Bootstraps</h2>
        ${
          sessions.length === 0
            ? html`<p class="quiet">It has not been bootstrapped here, or not lately.</p>`
            : html`<div class="list">
              ${repeat(
                sessions,
                ({ id }) => id,
                (session, index) =>
                  html`<sy-bootstrap-session .session=${session} ?open=${index === 0}></sy-bootstrap-session>`,
              )}
            </div>`
        }
      </section>`;
  }

  #choice(assigned: string | null) {
    const { value } = this.#profiles;
    if (value === undefined) return nothing;
    const options = value.map(({ id, name }) => ({ id, name }));
    if (assigned !== null && !options.some(({ id }) => id === assigned)) {
      options.push({ id: assigned, name: `${assigned} (not there any more)` });
    }
    return html`<div class="field">
      <label for="profile">Profile</label>
      <select
        id="profile"
        data-needs="administer"
        ?disabled=${this.busy}
        @change=${(event: Event) => this.#assign((event.target as HTMLSelectElement).value)}
      >
        <option value="" .selected=${assigned === null}>As the rules say</option>
        ${options.map(({ id, name }) => html`<option value=${id} .selected=${id === assigned}>${name}</option>`)}
      </select>
    </div>`;
  }

  #assign(profile: string): Promise<void> {
    return this.#do(
      profile === '' ? 'The rules say again what the device gets' : 'The profile was assigned',
      (api) => assignProfile(api, this.endpoint, profile === '' ? undefined : profile),
    );
  }

  #trigger(): Promise<void> {
    return this.#do('The device was asked to come for a bootstrap', (api) =>
      triggerBootstrap(api, this.endpoint),
    );
  }

  async #do(done: string, work: (api: ApiClient) => Promise<void>): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await work(api);
      announce(done);
      await this.#bootstrap.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-device-bootstrap', DeviceBootstrapElement);
