import { ContextConsumer } from '@lit/context';
import { html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiProblem, ApiSession } from '../data/api-types.ts';
import { agentText, endSession, fetchSessions } from '../data/people.ts';
import { asProblem } from '../data/problem.ts';
import { exactTime, relativeTime } from '../data/time.ts';
import { Loaded } from '../loaded.ts';
import { pageParts } from '../styles/page.ts';
import { people } from '../styles/people.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import { Ticker } from '../ticker.ts';
import './sy-problem-panel.ts';

/** Who is logged in, where: oneself, and for administrators everybody. */
export class SettingsSessions extends LitElement {
  static override properties = { busy: { state: true }, problem: { state: true } };

  static override styles = [base, controls, skeletons, pageParts, people];

  declare busy: boolean;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #sessions = new Loaded<readonly ApiSession[]>(this, fetchSessions, { every: 15_000 });

  constructor() {
    super();
    this.busy = false;
    this.problem = undefined;
    new Ticker(this);
  }

  override render() {
    const { value, problem } = this.#sessions;
    return html`<div class="page">
      <div class="head"><h1>Sessions</h1></div>
      <p class="lead">Who is logged in, and from where. A session that you do not know: end it, and change the password.</p>
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#sessions.load()}></sy-problem-panel>`
      }
      ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
      ${value !== undefined ? this.#list(value) : problem === undefined ? this.#bones() : nothing}
    </div>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading sessions">
      ${Array.from({ length: 6 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #list(sessions: readonly ApiSession[]) {
    if (sessions.length === 0) return html`<div class="empty"><p>Nobody is logged in.</p></div>`;
    return html`<ul class="entries" aria-label="Sessions">
      ${sessions.map((session) => this.#session(session))}
    </ul>`;
  }

  #session({ id, user, isPresent, createdAt, seenAt, endsAt, source, agent }: ApiSession) {
    const now = Date.now();
    const time = (at: number) => html`<span title=${exactTime(at)}>${relativeTime(at, now)}</span>`;
    return html`<li class="entry">
      <div class="name">
        <h2>${user}</h2>
        ${isPresent ? html`<span class="quiet">this browser</span>` : nothing}
      </div>
      <div class="what" title=${agent ?? nothing}>${agentText(agent)} <span class="quiet">at</span> ${source}</div>
      <div class="how">Logged in ${time(createdAt)} · last request ${time(seenAt)} · ends unused ${time(endsAt)}</div>
      <div class="actions">
        ${
          isPresent
            ? nothing
            : html`<button
              class="small danger"
              ?disabled=${this.busy}
              aria-label=${`End the session of ${user} at ${source}`}
              @click=${() => this.#end(id, user)}
            >
              End
            </button>`
        }
      </div>
    </li>`;
  }

  async #end(id: string, user: string): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await endSession(api, id);
      announce(`A session of ${user} was ended`);
    } catch (error) {
      this.problem = asProblem(error);
    }
    await this.#sessions.load();
    this.busy = false;
  }
}

customElements.define('sy-settings-sessions', SettingsSessions);
