import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiProblem, ApiWebhook, ApiWebhookDelivery } from '../data/api-types.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { exactTime, relativeTime } from '../data/time.ts';
import {
  fetchWebhooks,
  outcomeText,
  removeWebhook,
  rotateSecret,
  saveWebhook,
  testWebhook,
  typesText,
  webhookBody,
  webhookStates,
} from '../data/webhooks.ts';
import { Loaded } from '../loaded.ts';
import { pageParts } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import { linkButtons, states } from '../styles/webhooks.ts';
import { Ticker } from '../ticker.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-confirm-dialog.ts';
import './sy-not-found.ts';
import './sy-problem-panel.ts';
import './sy-webhook-deliveries.ts';
import './sy-webhook-form.ts';
import './sy-webhook-secret.ts';

const list = hrefOf({ name: 'settings', section: 'webhooks' });
const placeOf = (query: Readonly<Record<string, string>>) =>
  hrefOf({ name: 'settings', section: 'webhooks', query: String(new URLSearchParams(query)) });

/** Webhooks: who is told what happens by HTTP, and how that goes. */
export class SettingsWebhooks extends LitElement {
  static override properties = {
    query: { type: String },
    busy: { state: true },
    problem: { state: true },
    tested: { state: true },
    secret: { state: true },
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
      .webhook {
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
      .url,
      .what,
      .how {
        overflow-wrap: anywhere;
      }
      .url,
      .what {
        color: var(--sy-text-2);
      }
      .how {
        color: var(--sy-text-3);
      }
      .result {
        grid-column: 1 / -1;
      }
      .actions {
        grid-column: 2;
        grid-row: 1 / span 4;
        display: flex;
        flex-wrap: wrap;
        align-content: start;
        justify-content: flex-end;
        gap: 8px;
        max-width: 460px;
      }
      .empty {
        display: grid;
        gap: 8px;
        padding: 24px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      .bone {
        margin-bottom: 24px;
      }
      sy-webhook-secret {
        grid-column: 1 / -1;
        margin-top: 8px;
      }
      @media (max-width: 760px) {
        .webhook {
          grid-template-columns: minmax(0, 1fr);
        }
        .actions {
          grid-column: 1;
          grid-row: auto;
          justify-content: flex-start;
          max-width: none;
          margin-top: 4px;
        }
      }
    `,
  ];

  /** What the address says behind its question mark: `webhook=` has a form, `deliveries=` what was sent. */
  declare query: string;
  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  /** How the last test went, by webhook. */
  declare tested: ReadonlyMap<string, ApiWebhookDelivery>;
  /** A new secret, shown this once. */
  declare secret: { readonly id: string; readonly secret: string } | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #webhooks = new Loaded<readonly ApiWebhook[]>(this, fetchWebhooks, {
    every: 5000,
    watch: { types: ['webhook'] },
  });

  constructor() {
    super();
    this.query = '';
    this.busy = false;
    this.problem = undefined;
    this.tested = new Map();
    this.secret = undefined;
    new Ticker(this);
  }

  override render() {
    const query = new URLSearchParams(this.query);
    const { value, problem } = this.#webhooks;
    if (value !== undefined && query.has('webhook')) return this.#form(query.get('webhook') ?? '', value);
    if (value !== undefined && query.has('deliveries'))
      return this.#deliveries(query.get('deliveries') ?? '', value);
    return html`<div class="page">
        <div class="head">
          <h1>Webhooks</h1>
          <div class="end"><a class="button new" href=${placeOf({ webhook: 'new' })}>New webhook</a></div>
        </div>
        <p class="lead">
          What happens is sent to a URL of yours as a signed POST, in order and at least once. What could not be
          delivered is tried again for three days.
        </p>
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#webhooks.load()}></sy-problem-panel>`
        }
        ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
        ${value !== undefined ? this.#list(value) : problem === undefined ? this.#bones() : nothing}
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #form(id: string, webhooks: readonly ApiWebhook[]) {
    const webhook = webhooks.find((candidate) => candidate.id === id);
    if (webhook === undefined && id !== 'new') return this.#unknown(id);
    return html`<sy-webhook-form .webhook=${webhook} .back=${list}></sy-webhook-form>`;
  }

  #deliveries(id: string, webhooks: readonly ApiWebhook[]) {
    const webhook = webhooks.find((candidate) => candidate.id === id);
    if (webhook === undefined) return this.#unknown(id);
    return html`<sy-webhook-deliveries .webhook=${webhook} .back=${list}></sy-webhook-deliveries>`;
  }

  #unknown(id: string) {
    return html`<sy-not-found heading="There is no such webhook" .what=${id}></sy-not-found>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading webhooks">
      ${Array.from({ length: 6 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list(webhooks: readonly ApiWebhook[]) {
    if (webhooks.length === 0) {
      return html`<div class="empty">
        <p>There is no webhook yet.</p>
        <p>Make one with the URL of your receiver; its secret is shown once, and a test tells whether it arrives.</p>
      </div>`;
    }
    return html`<ul aria-label="Webhooks">
      ${webhooks.map((webhook) => this.#webhook(webhook))}
    </ul>`;
  }

  #webhook(webhook: ApiWebhook) {
    const { id, name, url, types, endpoints, enabled, state } = webhook;
    const { word, look } = webhookStates[state];
    const button = (label: string, act: () => Promise<void>, className = 'small') =>
      html`<button class=${className} ?disabled=${this.busy} aria-label=${`${label.replace('…', '')} ${name}`} @click=${act}>
        ${label}
      </button>`;
    return html`<li class="webhook">
      <div class="name">
        <h2>${name}</h2>
        <span class="state ${look}">${word}</span>
      </div>
      <div class="url mono">${url}</div>
      <div class="what">
        ${typesText(types)}${endpoints.length === 0 ? nothing : html` <span class="quiet">of</span> ${endpoints.join(', ')}`}
      </div>
      <div class="how">${this.#how(webhook)}</div>
      ${this.#result(this.tested.get(id))}
      ${
        this.secret?.id === id
          ? html`<sy-webhook-secret
            rotated
            .secret=${this.secret.secret}
            @kept=${() => {
              this.secret = undefined;
            }}
          ></sy-webhook-secret>`
          : nothing
      }
      <div class="actions">
        <a class="button" href=${placeOf({ deliveries: id })} aria-label=${`Deliveries of ${name}`}>Deliveries</a>
        ${button('Test', () => this.#test(webhook))}
        <a class="button" href=${placeOf({ webhook: id })} aria-label=${`Edit ${name}`}>Edit</a>
        ${
          state === 'disabled'
            ? button('Go on', () => this.#switch(webhook, true))
            : button(enabled ? 'Pause' : 'Go on', () => this.#switch(webhook, !enabled))
        }
        ${button('New secret…', () => this.#rotate(webhook))}
        ${button('Delete…', () => this.#remove(webhook), 'small danger')}
      </div>
    </li>`;
  }

  /** How it fares, in words: what went wrong first. */
  #how({ state, reason, lastFailure, lastSuccessAt, lag, nextAttemptAt }: ApiWebhook) {
    const now = Date.now();
    const time = (at: number) => html`<span title=${exactTime(at)}>${relativeTime(at, now)}</span>`;
    const parts = [
      state === 'disabled' && reason !== undefined ? html`Given up: ${reason}` : undefined,
      state === 'retrying' && lastFailure !== undefined
        ? html`Failed ${time(lastFailure.at)}: ${lastFailure.reason}${nextAttemptAt === undefined ? nothing : html`; tried again ${time(nextAttemptAt)}`}`
        : undefined,
      lastSuccessAt === undefined ? html`Nothing delivered yet` : html`Last delivery ${time(lastSuccessAt)}`,
      lag > 0 ? html`${lag} behind` : undefined,
    ].filter((part) => part !== undefined);
    return parts.map((part, index) => html`${index === 0 ? nothing : ' · '}${part}`);
  }

  #result(delivery: ApiWebhookDelivery | undefined) {
    if (delivery === undefined) return nothing;
    const well = delivery.state === 'delivered';
    return html`<div class="result" role="status">
      <span class="state ${well ? 'good' : 'bad'}">${well ? 'The test arrived' : 'The test did not arrive'}</span>
      <span class="quiet">${outcomeText(delivery)}</span>
    </div>`;
  }

  async #test({ id }: ApiWebhook): Promise<void> {
    await this.#do(undefined, async (api) => {
      this.tested = new Map(this.tested).set(id, await testWebhook(api, id));
    });
  }

  #switch(webhook: ApiWebhook, enabled: boolean): Promise<void> {
    return this.#do(`${webhook.name} ${enabled ? 'goes on' : 'is paused'}`, async (api) => {
      await saveWebhook(api, webhook.id, { ...webhookBody(webhook), enabled });
    });
  }

  async #rotate({ id, name }: ApiWebhook): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Give ${name} a new secret?`,
      effect:
        'It is shown once. For a day messages are signed with both, so that the receiver has time to take the new one.',
      verb: 'New secret',
    });
    if (!confirmed) return;
    await this.#do('There is a new secret. Keep it: it is not shown again', async (api) => {
      this.secret = { id, secret: (await rotateSecret(api, id)).secret };
    });
  }

  async #remove({ id, name, lag }: ApiWebhook): Promise<void> {
    const confirmed = await this.#confirm.ask({
      title: `Delete the webhook ${name}?`,
      effect: `Nothing more is sent to it${lag > 0 ? `, not the ${lag} either that it is behind` : ''}. Its deliveries and its secret are forgotten.`,
      verb: 'Delete',
    });
    if (!confirmed) return;
    await this.#do(`${name} was deleted`, (api) => removeWebhook(api, id));
  }

  get #confirm(): ConfirmDialog {
    return this.renderRoot.querySelector('sy-confirm-dialog') as ConfirmDialog;
  }

  async #do(done: string | undefined, work: (api: ApiClient) => Promise<void>): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await work(api);
      if (done !== undefined) announce(done);
      await this.#webhooks.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-settings-webhooks', SettingsWebhooks);
