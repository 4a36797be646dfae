import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiProblem, ApiWebhook, ApiWebhookDelivery } from '../data/api-types.ts';
import { asProblem } from '../data/problem.ts';
import { exactTime, relativeTime } from '../data/time.ts';
import { deliveryLooks, fetchDeliveries, outcomeText, retryDelivery, testWebhook } from '../data/webhooks.ts';
import { Loaded } from '../loaded.ts';
import { pageParts, tables } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import { states } from '../styles/webhooks.ts';
import { Ticker } from '../ticker.ts';
import './sy-problem-panel.ts';

const shownStates = ['all', 'delivered', 'retrying', 'failed'] as const;

/** What was sent to a webhook of late, and how it went; each can be sent again. */
export class WebhookDeliveries extends LitElement {
  static override properties = {
    webhook: { attribute: false },
    back: { type: String },
    shown: { state: true },
    busy: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    pageParts,
    tables,
    states,
    css`
      .back {
        display: inline-block;
        margin-bottom: 8px;
      }
      h1 {
        overflow-wrap: anywhere;
      }
      .url {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .bone {
        margin-bottom: 24px;
      }
      td {
        overflow-wrap: anywhere;
      }
      td.act {
        padding-right: 0;
        text-align: right;
      }
      .empty {
        padding: 24px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      @media (max-width: 760px) {
        thead {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        table,
        tbody {
          display: block;
        }
        tr {
          display: grid;
          grid-template-columns: minmax(0, 1fr) auto;
          gap: 2px 16px;
          padding: 10px 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        td {
          padding: 0;
          border: none;
        }
        td.act {
          grid-column: 2;
          grid-row: 1 / span 2;
          align-self: center;
        }
        td.time,
        td.outcome {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  declare webhook: ApiWebhook;
  declare back: string;
  declare shown: (typeof shownStates)[number];
  /** The delivery that is being sent, or `test`. */
  declare busy: string | undefined;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #deliveries = new Loaded<readonly ApiWebhookDelivery[]>(
    this,
    (api, signal) => fetchDeliveries(api, this.webhook.id, signal),
    { every: 3000 },
  );

  constructor() {
    super();
    this.back = '/';
    this.shown = 'all';
    this.busy = undefined;
    this.problem = undefined;
    new Ticker(this);
  }

  override render() {
    const { value, problem } = this.#deliveries;
    return html`<div class="page">
      <div>
        <a class="back" href=${this.back}>← All webhooks</a>
        <div class="head">
          <h1>${this.webhook.name}: deliveries</h1>
          <div class="end">
            <button ?disabled=${this.busy !== undefined} @click=${this.#test}>
              ${this.busy === 'test' ? 'Sending…' : 'Send a test'}
            </button>
          </div>
        </div>
        <p class="url mono">${this.webhook.url}</p>
      </div>
      <div class="segments" role="group" aria-label="Shown">
        ${shownStates.map(
          (state) =>
            html`<button
              class="small"
              aria-pressed=${this.shown === state}
              @click=${() => {
                this.shown = state;
              }}
            >
              ${state}
            </button>`,
        )}
      </div>
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#deliveries.load()}></sy-problem-panel>`
      }
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      ${value !== undefined ? this.#table(value) : problem === undefined ? this.#bones() : nothing}
    </div>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading deliveries">
      ${Array.from({ length: 8 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #table(all: readonly ApiWebhookDelivery[]) {
    const deliveries = this.shown === 'all' ? all : all.filter(({ state }) => state === this.shown);
    if (deliveries.length === 0) {
      return html`<p class="empty">
        ${
          all.length === 0
            ? 'Nothing was sent yet. A test goes out at once; events do when they happen.'
            : `None of the newest ${all.length} is ${this.shown}.`
        }
      </p>`;
    }
    return html`<div class="scroll">
      <table aria-label="Deliveries">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">What</th>
            <th scope="col">Last attempt</th>
            <th scope="col">Outcome</th>
            <th scope="col"><span class="only-spoken">Send again</span></th>
          </tr>
        </thead>
        <tbody>
          ${deliveries.map((delivery) => this.#row(delivery))}
        </tbody>
      </table>
    </div>`;
  }

  #row(delivery: ApiWebhookDelivery) {
    const { id, type, endpoint, state, attempts, updatedAt } = delivery;
    // What is in a test or in a gap is nowhere: it cannot be sent again.
    const kept = type !== 'test' && type !== 'gap';
    return html`<tr>
      <td><span class="state ${deliveryLooks[state]}">${state}</span></td>
      <td>${type}${endpoint === undefined ? nothing : html` <span class="quiet">of</span> ${endpoint}`}</td>
      <td class="time" title=${exactTime(updatedAt)}>
        ${relativeTime(updatedAt, Date.now())}${attempts > 1 ? html`<span class="quiet">, attempt ${attempts}</span>` : nothing}
      </td>
      <td class="outcome">${outcomeText(delivery)}</td>
      <td class="act">
        ${
          kept
            ? html`<button
              class="small"
              ?disabled=${this.busy !== undefined}
              aria-label=${`Send again ${id}`}
              @click=${() => this.#retry(delivery)}
            >
              ${this.busy === id ? 'Sending…' : 'Send again'}
            </button>`
            : nothing
        }
      </td>
    </tr>`;
  }

  #retry({ id }: ApiWebhookDelivery): Promise<void> {
    return this.#send(id, (api) => retryDelivery(api, this.webhook.id, id));
  }

  #test(): Promise<void> {
    return this.#send('test', (api) => testWebhook(api, this.webhook.id));
  }

  async #send(what: string, work: (api: ApiClient) => Promise<ApiWebhookDelivery>): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = what;
    this.problem = undefined;
    try {
      const delivery = await work(api);
      announce(
        delivery.state === 'delivered'
          ? 'It was delivered'
          : `It was not delivered: ${outcomeText(delivery)}`,
      );
      await this.#deliveries.load();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = undefined;
  }
}

customElements.define('sy-webhook-deliveries', WebhookDeliveries);
