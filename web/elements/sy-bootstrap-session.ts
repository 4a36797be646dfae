import { css, html, LitElement, nothing } from 'lit';
import type { ApiBootstrapSession } from '../data/api-types.ts';
import { bootstrapStates, tookText } from '../data/bootstrap.ts';
import { stepTitle } from '../data/bootstrap-words.ts';
import { hrefOf } from '../data/routes.ts';
import { durationText, exactTime, relativeTime } from '../data/time.ts';
import { base } from '../styles/shared.ts';
import { states } from '../styles/webhooks.ts';
import { Ticker } from '../ticker.ts';

type Step = ApiBootstrapSession['steps'][number];

/** One bootstrap: how it went, and what was asked of the device step by step. */
export class BootstrapSessionElement extends LitElement {
  static override properties = {
    session: { attribute: false },
    named: { type: Boolean },
    open: { type: Boolean },
  };

  static override styles = [
    base,
    states,
    css`
      :host {
        display: block;
        border-bottom: 1px solid var(--sy-rule);
      }
      summary {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 12px;
        padding: 10px 0;
        cursor: pointer;
      }
      .quiet,
      .reason {
        color: var(--sy-text-3);
        overflow-wrap: anywhere;
      }
      .reason {
        flex-basis: 100%;
        color: var(--sy-text-2);
      }
      ol {
        list-style: none;
        padding: 0 0 12px 16px;
      }
      li {
        display: grid;
        grid-template-columns: minmax(120px, 200px) 56px minmax(0, 1fr) auto;
        gap: 0 12px;
        padding: 3px 0;
      }
      .detail {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .bad {
        color: var(--sy-bad);
      }
      .at {
        padding: 0 0 8px 16px;
      }
      @media (max-width: 760px) {
        li {
          grid-template-columns: minmax(0, 1fr) auto;
        }
        .detail {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  declare session: ApiBootstrapSession | undefined;
  /** Whether the device is named: not where all are of one. */
  declare named: boolean;
  declare open: boolean;

  constructor() {
    super();
    this.session = undefined;
    this.named = false;
    this.open = false;
    new Ticker(this);
  }

  override render() {
    const { session } = this;
    if (session === undefined) return nothing;
    const { endpoint, state, reason, profile, startedAt, steps } = session;
    const { word, look } = bootstrapStates[state];
    const now = Date.now();
    return html`<details ?open=${this.open}>
      <summary>
        <span class="state ${look}">${word}</span>
        ${this.named ? html`<b>${endpoint}</b>` : nothing}
        ${profile === undefined ? nothing : html`<span>${profile.name}</span>`}
        <span class="quiet" title=${exactTime(startedAt)}
          >${relativeTime(startedAt, now)}, ${tookText(session, now)}</span
        >
        ${reason === undefined ? nothing : html`<span class="reason">${reason}</span>`}
      </summary>
      <p class="quiet at">
        ${session.kind === 'pack' ? 'One pack' : 'Request by request'},
        ${session.secured ? 'over DTLS' : 'without security'}, from ${session.address}, at node ${session.node}${
          this.named
            ? html` · <a href=${hrefOf({ name: 'device', endpoint, tab: 'bootstrap' })}>All bootstraps of ${endpoint}</a>`
            : nothing
        }
      </p>
      <ol aria-label="Steps">
        ${steps.map((step) => this.#step(step, state))}
      </ol>
    </details>`;
  }

  #step({ operation, path, startedAt, endedAt, code, detail }: Step, state: ApiBootstrapSession['state']) {
    const failed = code !== undefined && !code.startsWith('2.');
    return html`<li>
      <span>${stepTitle({ operation, path })}</span>
      <span class=${failed ? 'mono bad' : 'mono'}>${code ?? nothing}</span>
      <span class="detail">${detail ?? (endedAt === undefined && state === 'running' ? 'waits for the device' : nothing)}</span>
      <span class="quiet number">${endedAt === undefined ? nothing : durationText(endedAt - startedAt)}</span>
    </li>`;
  }
}

customElements.define('sy-bootstrap-session', BootstrapSessionElement);
