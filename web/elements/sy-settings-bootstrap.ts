import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiBootstrapProfile, ApiBootstrapSession, ApiProblem } from '../data/api-types.ts';
import {
  devicesText,
  fetchBootstraps,
  fetchProfiles,
  profileBody,
  removeProfile,
  saveProfile,
  serverText,
} from '../data/bootstrap.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { Loaded } from '../loaded.ts';
import { Permission } from '../permission.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import { linkButtons, states } from '../styles/webhooks.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-bootstrap-form.ts';
import './sy-bootstrap-session.ts';
import './sy-confirm-dialog.ts';
import './sy-not-found.ts';
import './sy-problem-panel.ts';

const list = hrefOf({ name: 'settings', section: 'bootstrap' });
const placeOf = (profile: string) =>
  hrefOf({ name: 'settings', section: 'bootstrap', query: String(new URLSearchParams({ profile })) });

/** Bootstrap profiles, and how bootstraps of all devices went of late. */
export class SettingsBootstrap extends LitElement {
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
    states,
    linkButtons,
    css`
      ul {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      .profile {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px 16px;
        padding: 12px 0;
        border-bottom: 1px solid var(--sy-rule);
      }
      .name {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 12px;
      }
      h2,
      .what {
        overflow-wrap: anywhere;
      }
      .what {
        grid-column: 1;
        color: var(--sy-text-2);
      }
      .actions {
        grid-column: 2;
        grid-row: 1 / span 4;
        display: flex;
        flex-wrap: wrap;
        align-content: start;
        justify-content: flex-end;
        gap: 8px;
      }
      .sessions {
        border-top: 1px solid var(--sy-rule);
      }
      section h2 {
        margin-bottom: 8px;
      }
      .bone {
        margin-bottom: 24px;
      }
      @media (max-width: 760px) {
        .profile {
          grid-template-columns: minmax(0, 1fr);
        }
        .actions {
          grid-column: 1;
          grid-row: auto;
          justify-content: flex-start;
          margin-top: 4px;
        }
      }
    `,
  ];

  /** What the address says behind its question mark: `profile=` has a form. */
  declare query: string;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #profiles = new Loaded<readonly ApiBootstrapProfile[]>(this, fetchProfiles, {
    watch: { types: ['bootstrap-profile'] },
  });
  readonly #sessions = new Loaded<readonly ApiBootstrapSession[]>(this, fetchBootstraps, {
    every: 10_000,
    watch: { types: ['bootstrap'] },
  });

  constructor() {
    super();
    this.query = '';
    this.busy = false;
    this.problem = undefined;
    new Permission(this);
  }

  override render() {
    const { value, problem } = this.#profiles;
    const id = new URLSearchParams(this.query).get('profile');
    if (value !== undefined && id !== null) return this.#form(id, value);
    return html`<div class="page">
        <div class="head">
          <h1>Bootstrap</h1>
          <div class="end"><a class="button new" href=${placeOf('new')}>New profile</a></div>
        </div>
        <p class="lead">
          A device that asks the bootstrap server is given its servers, with keys of its own, and what else its profile
          says. Of several profiles that fit a device, the one with the greatest priority counts.
        </p>
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#profiles.load()}></sy-problem-panel>`
        }
        ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
        ${value !== undefined ? this.#list(value) : problem === undefined ? this.#bones('profiles') : nothing}
        <section>
          <h2>Latest bootstraps</h2>
          ${this.#latest()}
        </section>
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #form(id: string, profiles: readonly ApiBootstrapProfile[]) {
    const profile = profiles.find((candidate) => candidate.id === id);
    if (profile === undefined && id !== 'new') {
      return html`<sy-not-found heading="There is no such profile" .what=${id}></sy-not-found>`;
    }
    return html`<sy-bootstrap-form .profile=${profile} .back=${list}></sy-bootstrap-form>`;
  }

  #bones(what: string) {
    return html`<div role="img" aria-busy="true" aria-label=${`Loading ${what}`}>
      ${Array.from({ length: 4 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list(profiles: readonly ApiBootstrapProfile[]) {
    return html`<ul aria-label="Bootstrap profiles">
      ${profiles.map((profile) => this.#profile(profile))}
    </ul>`;
  }

  #profile(profile: ApiBootstrapProfile) {
    const { id, name, enabled, devices, priority, servers, builtIn, changed } = profile;
    const button = (label: string, act: () => Promise<void>, className = 'small') =>
      html`<button
        class=${className}
        data-needs="administer"
        ?disabled=${this.busy}
        aria-label=${`${label.replace('…', '')} ${name}`}
        @click=${act}
      >
        ${label}
      </button>`;
    return html`<li class="profile">
      <div class="name">
        <h2>${name}</h2>
        <span class="state ${enabled ? 'good' : 'quiet'}">${enabled ? 'on' : 'off'}</span>
        ${builtIn ? html`<span class="quiet">${changed ? 'built in, changed' : 'built in'}</span>` : nothing}
      </div>
      <div class="what">${devicesText(devices)} · priority ${priority}</div>
      ${servers.map((server) => html`<div class="what">${serverText(server)}</div>`)}
      <div class="actions">
        <a class="button" href=${placeOf(id)} aria-label=${`Edit ${name}`}>Edit</a>
        ${button(enabled ? 'Switch off' : 'Switch on', () => this.#switch(profile))}
        ${builtIn ? nothing : button('Delete…', () => this.#remove(profile), 'small danger')}
        ${builtIn && changed ? button('Restore…', () => this.#restore(profile)) : nothing}
      </div>
    </li>`;
  }

  #latest() {
    const { value, problem } = this.#sessions;
    if (value === undefined) {
      return problem === undefined
        ? this.#bones('bootstraps')
        : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#sessions.load()}></sy-problem-panel>`;
    }
    if (value.length === 0) {
      return html`<p class="lead">
        No device has been bootstrapped yet. Give one its bootstrap credential under Credentials, and have it ask
        here: npm run modem -- --bootstrap coaps://…
      </p>`;
    }
    return html`<div class="sessions">
      ${repeat(
        value,
        ({ id }) => id,
        (session) => html`<sy-bootstrap-session named .session=${session}></sy-bootstrap-session>`,
      )}
    </div>`;
  }

  #switch(profile: ApiBootstrapProfile): Promise<void> {
    const enabled = !profile.enabled;
    return this.#do(`${profile.name} is ${enabled ? 'on' : 'off'}`, async (api) => {
      await saveProfile(api, profile.id, { ...profileBody(profile), enabled });
    });
  }

  async #remove({ id, name }: ApiBootstrapProfile): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Delete the profile ${name}?`,
      effect:
        'Devices keep what they were given by it. Those that come again get another profile, or nothing.',
      verb: 'Delete',
    });
    if (confirmed) await this.#do(`${name} was deleted`, (api) => removeProfile(api, id));
  }

  async #restore({ id, name }: ApiBootstrapProfile): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Restore the profile ${name}?`,
      effect: 'It is again as the server brings it along; what was changed of it is forgotten.',
      verb: 'Restore',
    });
    if (confirmed) await this.#do(`${name} was restored`, (api) => removeProfile(api, id));
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
      await this.#profiles.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-settings-bootstrap', SettingsBootstrap);
