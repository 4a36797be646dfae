import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiObservationStatus, ApiProblem } from '../data/api-types.ts';
import { type ObservationLine, observationLines, observationSummary } from '../data/observations.ts';
import { asProblem } from '../data/problem.ts';
import { Permission } from '../permission.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

/**
 * What is to be observed of a device beside what there is: what needs a look in full, what is in order
 * folded away. Fires `observations-renewed` with the new status.
 */
export class ObservationsPanel extends LitElement {
  static override properties = {
    endpoint: { type: String },
    status: { attribute: false },
    registered: { type: Boolean },
    renewing: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        min-height: 28px;
        margin-bottom: 8px;
      }
      header .quiet {
        flex: 1;
      }
      ul {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      li {
        display: grid;
        grid-template-columns: 10px minmax(0, 1fr) auto;
        gap: 0 8px;
        padding: 6px 0;
        border-bottom: 1px solid var(--sy-rule);
      }
      .dot {
        width: 10px;
        height: 10px;
        margin-top: 5px;
        border: 2px solid var(--sy-unknown);
        border-radius: 50%;
      }
      .observed .dot {
        border-color: var(--sy-good);
        background: var(--sy-good);
      }
      .pending .dot {
        border-color: var(--sy-waiting);
      }
      .failed .dot,
      .drifted .dot {
        border-color: var(--sy-waiting);
        background: var(--sy-waiting);
      }
      .refused .dot {
        border-color: var(--sy-bad);
        border-radius: 2px;
      }
      .what {
        overflow-wrap: anywhere;
      }
      .more {
        grid-column: 2 / -1;
        overflow-wrap: anywhere;
        color: var(--sy-text-2);
        font-size: var(--sy-small);
      }
      .state {
        white-space: nowrap;
      }
      .state sy-time-text {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      summary {
        padding: 6px 0;
        border-bottom: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
        cursor: pointer;
      }
      details:first-of-type summary {
        border-top: 1px solid var(--sy-rule);
      }
      details ul,
      ul + details summary {
        border-top: none;
      }
      sy-problem-panel {
        margin-bottom: 8px;
      }
    `,
  ];

  declare endpoint: string;
  declare status: ApiObservationStatus | undefined;
  declare registered: boolean;
  declare renewing: boolean;
  declare problem: ApiProblem | undefined;

  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    new Permission(this);
    this.endpoint = '';
    this.registered = false;
    this.renewing = false;
  }

  override render() {
    const { status } = this;
    return html`<section aria-label="Observations">
      <header>
        <h2>Observations</h2>
        <span class="quiet">${status === undefined || status.wanted.length === 0 ? '' : observationSummary(status)}</span>
        <button data-needs="operate"
          class="small"
          ?disabled=${!this.registered || this.renewing || status === undefined || status.wanted.length === 0}
          title="Asks the device for all of them anew, those too that it refused"
          @click=${() => this.#renew()}
        >
          ${this.renewing ? 'Renewing…' : 'Renew'}
        </button>
      </header>
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      ${status === undefined ? this.#bones() : this.#lines(status)}
    </section>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading observations"><i class="bone"></i></div>`;
  }

  #lines(status: ApiObservationStatus) {
    const lines = observationLines(status);
    if (lines.length === 0)
      return html`<p class="quiet">No policy wants anything of this device to be observed.</p>`;
    const open = lines.filter(({ state }) => state !== 'observed');
    const inOrder = lines.filter(({ state }) => state === 'observed');
    return html`${open.length === 0 ? nothing : this.#list(open)}
      ${
        inOrder.length === 0
          ? nothing
          : html`<details>
            <summary>${inOrder.length} observed as wanted</summary>
            ${this.#list(inOrder)}
          </details>`
      }
      ${
        status.beyondLimit === 0
          ? nothing
          : html`<p class="quiet">${status.beyondLimit} more are wanted than a device is asked for.</p>`
      }`;
  }

  #list(lines: readonly ObservationLine[]) {
    return html`<ul>
      ${repeat(
        lines,
        ({ key }) => key,
        (line) => this.#line(line),
      )}
    </ul>`;
  }

  #line({ paths, name, state, since, reason, attributes, by, retryAt }: ObservationLine) {
    return html`<li class=${state}>
      <span class="dot"></span>
      <span class="what" title=${paths}>${name} <span class="mono quiet">${paths}</span></span>
      <span class="state">${state} <sy-time-text mode="plain" .at=${since}></sy-time-text></span>
      <span class="more">
        ${reason}${reason === '' ? nothing : ' · '}${attributes}${attributes === '' ? nothing : ' · '}${by}
        ${retryAt === undefined ? nothing : html` · tried again in <sy-time-text mode="until" .at=${retryAt}></sy-time-text>`}
      </span>
    </li>`;
  }

  async #renew(): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    const { endpoint } = this;
    this.renewing = true;
    this.problem = undefined;
    try {
      const status = await api.renewObservations(endpoint);
      if (endpoint !== this.endpoint) return;
      announce(observationSummary(status));
      this.dispatchEvent(new CustomEvent('observations-renewed', { detail: status }));
    } catch (error) {
      if (endpoint === this.endpoint) this.problem = asProblem(error);
    } finally {
      this.renewing = false;
    }
  }
}

customElements.define('sy-observations-panel', ObservationsPanel);
