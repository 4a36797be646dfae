import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { announce } from '../announce.ts';
import { CommandsController } from '../commands-controller.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiCommand, ApiProblem } from '../data/api-types.ts';
import {
  type CommandFilterName,
  type CommandKind,
  commandFilters,
  commandTitle,
  mayCancel,
  mayRetry,
  statesOf,
} from '../data/command-words.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { Permission } from '../permission.ts';
import { chips } from '../styles/chips.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import './sy-command-detail.ts';
import './sy-command-state.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

/**
 * Commands by state, newest first, live: what they do, and on expanding how they went. Fires `filtered` with the name of
 * the group of states that is wanted, and `kind-chosen`.
 */
export class CommandList extends LitElement {
  static override properties = {
    endpoint: { type: String },
    job: { type: String },
    filter: { type: String },
    kind: { type: String },
    kinds: { type: Boolean },
    opened: { state: true },
    busy: { state: true },
    fault: { state: true },
  };

  static override styles = [
    base,
    controls,
    chips,
    skeletons,
    css`
      :host {
        display: grid;
        gap: 12px;
        min-width: 0;
      }
      ol {
        list-style: none;
        border-top: 1px solid var(--sy-rule);
      }
      li {
        border-bottom: 1px solid var(--sy-rule);
      }
      .row {
        display: grid;
        grid-template-columns: 20px 108px minmax(0, 1fr) minmax(0, 220px) 88px 84px;
        align-items: center;
        gap: 0 12px;
        min-height: var(--sy-row);
      }
      .own .row {
        grid-template-columns: 20px 108px minmax(0, 1fr) 88px 84px;
      }
      .row:hover {
        background: var(--sy-hover);
      }
      .expander {
        min-height: 28px;
        width: 20px;
        padding: 0;
      }
      .expander svg {
        width: 12px;
        height: 12px;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.5;
        transition: transform var(--sy-quick);
      }
      .expander[aria-expanded='true'] svg {
        transform: rotate(90deg);
      }
      .what {
        min-width: 0;
        padding: 8px 0;
      }
      .title {
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .reason {
        display: block;
        color: var(--sy-text-2);
        font-size: var(--sy-small);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .device {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .when {
        color: var(--sy-text-3);
        text-align: right;
        white-space: nowrap;
      }
      .act {
        text-align: right;
      }
      .detail {
        padding: 4px 0 16px 32px;
      }
      .more {
        justify-self: start;
      }
      .empty {
        display: grid;
        gap: 4px;
        padding: 24px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      .bones {
        display: grid;
        gap: 28px;
        padding: 14px 0;
        border-top: 1px solid var(--sy-rule);
      }
      @media (max-width: 760px) {
        .row,
        .own .row {
          grid-template-columns: 20px minmax(0, 1fr) auto;
          gap: 0 8px;
          padding: 6px 0;
        }
        .expander {
          grid-row: 1;
        }
        .what {
          grid-column: 2;
          grid-row: 2;
          padding: 0;
        }
        .device {
          grid-column: 2;
          grid-row: 3;
        }
        .when {
          grid-column: 3;
          grid-row: 1;
        }
        .act {
          grid-column: 3;
          grid-row: 2 / span 2;
          align-self: end;
        }
        .detail {
          padding-left: 28px;
        }
      }
    `,
  ];

  /** Absent: of all devices. */
  declare endpoint: string | undefined;
  declare job: string | undefined;
  declare filter: CommandFilterName;
  /** Absent: of every kind. */
  declare kind: CommandKind | undefined;
  /** The reader may choose the kind. */
  declare kinds: boolean;
  declare opened: ReadonlySet<string>;
  /** Commands that something is done with now. */
  declare busy: ReadonlySet<string>;
  declare fault: ApiProblem | undefined;

  readonly #commands = new CommandsController(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    new Permission(this);
    this.endpoint = undefined;
    this.job = undefined;
    this.filter = 'all';
    this.kind = undefined;
    this.kinds = false;
    this.opened = new Set();
    this.busy = new Set();
    this.fault = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!(['endpoint', 'filter', 'job', 'kind'] as const).some((name) => changed.has(name))) return;
    this.fault = undefined;
    const { endpoint, job, kind } = this;
    this.#commands.show({ endpoint, job, kind, states: statesOf(this.filter) });
  }

  override render() {
    const { items, problem, newer } = this.#commands;
    return html`<div class="chips" role="group" aria-label="State">
        ${commandFilters.map(
          ({ name, label }) =>
            html`<button
              class="chip"
              aria-pressed=${name === this.filter ? 'true' : 'false'}
              @click=${() => this.#filtered(name)}
            >
              ${label}
            </button>`,
        )}
        ${
          this.kinds
            ? html`<button
                class="chip"
                aria-pressed=${this.kind === 'carrier-switch' ? 'true' : 'false'}
                @click=${() => this.#kindChosen(this.kind === 'carrier-switch' ? undefined : 'carrier-switch')}
              >
                Carrier switches only
              </button>`
            : nothing
        }
      </div>
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#commands.load()}></sy-problem-panel>`
      }
      ${this.fault === undefined ? nothing : html`<sy-problem-panel .problem=${this.fault}></sy-problem-panel>`}
      ${
        newer === 0
          ? nothing
          : html`<button class="small more" @click=${() => this.#commands.load()}>
            Show ${newer} newer
          </button>`
      }
      ${items === undefined ? (problem === undefined ? this.#bones() : nothing) : this.#list(items)}`;
  }

  #list(items: readonly ApiCommand[]) {
    if (items.length === 0) return this.#empty();
    return html`<ol class=${this.endpoint === undefined ? '' : 'own'} aria-label="Commands">
        ${repeat(
          items,
          ({ id }) => id,
          (command) => this.#item(command),
        )}
      </ol>
      ${
        this.#commands.hasMore
          ? html`<button class="more" ?disabled=${this.#commands.loadingMore} @click=${() => this.#commands.more()}>
            ${this.#commands.loadingMore ? 'Loading…' : 'Older commands'}
          </button>`
          : nothing
      }`;
  }

  #item(command: ApiCommand) {
    const { id, endpoint, state, reason, updatedAt } = command;
    const open = this.opened.has(id);
    const title = commandTitle(command);
    return html`<li>
      <div class="row">
        <button
          class="bare expander"
          aria-expanded=${open ? 'true' : 'false'}
          aria-label=${`How it went: ${title}, ${endpoint}`}
          @click=${() => this.#toggle(id)}
        >
          <svg viewBox="0 0 12 12" aria-hidden="true"><path d="m4 2 4 4-4 4" /></svg>
        </button>
        <sy-command-state .state=${state}></sy-command-state>
        <span class="what">
          <span class="title">${title}</span>
          ${reason === undefined || state === 'done' ? nothing : html`<span class="reason" title=${reason}>${reason}</span>`}
        </span>
        ${
          this.endpoint === undefined
            ? html`<a class="device" title=${endpoint} href=${hrefOf({ name: 'device', endpoint, tab: 'commands' })}
              >${endpoint}</a
            >`
            : nothing
        }
        <span class="when"><sy-time-text mode="plain" .at=${updatedAt}></sy-time-text></span>
        <span class="act">${this.#action(command)}</span>
      </div>
      ${open ? html`<div class="detail"><sy-command-detail .command=${command}></sy-command-detail></div>` : nothing}
    </li>`;
  }

  #action(command: ApiCommand) {
    const { id } = command;
    const what = `${commandTitle(command)}, ${command.endpoint}`;
    if (mayCancel(command)) {
      return html`<button data-needs="operate"
        class="small"
        aria-label=${`Cancel: ${what}`}
        ?disabled=${this.busy.has(id)}
        @click=${() => this.#act(command, 'cancelled', (api) => api.cancelCommand(id))}
      >
        Cancel
      </button>`;
    }
    if (!mayRetry(command)) return nothing;
    return html`<button data-needs="operate"
      class="small"
      aria-label=${`Retry: ${what}`}
      title=${command.state === 'unknown' ? 'Nobody can tell whether the device has done it: it may do it twice' : nothing}
      ?disabled=${this.busy.has(id)}
      @click=${() =>
        this.#act(command, 'given once more', (api) =>
          api.send<ApiCommand>('POST', `/api/commands/${encodeURIComponent(id)}/retry`),
        )}
    >
      Retry
    </button>`;
  }

  #empty() {
    if (this.filter !== 'all' || this.kind !== undefined) {
      const what = this.kind === 'carrier-switch' ? 'carrier switch' : 'command';
      const where = this.filter === 'all' ? 'was asked for yet' : 'is in this state';
      return html`<div class="empty"><p>No ${what} ${where}.</p></div>`;
    }
    return this.endpoint === undefined
      ? html`<div class="empty">
          <p>No command was given yet.</p>
          <p class="quiet">
            Switch a carrier on a device’s page, or hold a request for a device that sleeps: what was asked for, and how
            it ended, is listed here.
          </p>
        </div>`
      : html`<div class="empty">
          <p>Nothing was asked of this device that had to be kept.</p>
          <p class="quiet">Carrier switches, and requests that are held while it sleeps, are listed here.</p>
        </div>`;
  }

  #bones() {
    return html`<div class="bones" role="img" aria-busy="true" aria-label="Loading commands">
      ${[0, 1, 2, 3, 4].map(() => html`<i class="bone"></i>`)}
    </div>`;
  }

  #toggle(id: string): void {
    const opened = new Set(this.opened);
    if (!opened.delete(id)) opened.add(id);
    this.opened = opened;
  }

  #filtered(name: CommandFilterName): void {
    this.dispatchEvent(new CustomEvent<CommandFilterName>('filtered', { detail: name }));
  }

  #kindChosen(kind: CommandKind | undefined): void {
    this.dispatchEvent(new CustomEvent<CommandKind | undefined>('kind-chosen', { detail: kind }));
  }

  async #act(command: ApiCommand, done: string, act: (api: ApiClient) => Promise<ApiCommand>): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = new Set([...this.busy, command.id]);
    this.fault = undefined;
    try {
      this.#commands.take(await act(api));
      announce(`${commandTitle(command)}: ${done}`);
    } catch (error) {
      this.fault = asProblem(error);
    } finally {
      this.busy = new Set([...this.busy].filter((id) => id !== command.id));
    }
  }
}

customElements.define('sy-command-list', CommandList);
