import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { ApiJob, ApiJobDevicePage } from '../../server/api/schemas/jobs.ts';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiClient } from '../data/api-client.ts';
import type { ApiProblem } from '../data/api-types.ts';
import {
  actionsOf,
  actOnJob,
  deviceStateMeanings,
  deviceStates,
  deviceStateWords,
  fetchJob,
  fetchJobDevices,
  forgetJob,
  hasEnded,
  type JobAction,
  type JobDeviceState,
  jobStateWords,
  jobTitle,
  operationTitle,
  progressText,
  resultsUrl,
  retryable,
} from '../data/jobs.ts';
import { valueText } from '../data/last-values.ts';
import { formatCount } from '../data/numbers.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { clockTime, durationText, exactTime } from '../data/time.ts';
import { Loaded } from '../loaded.ts';
import { navigate } from '../navigation.ts';
import { Permission } from '../permission.ts';
import { chips } from '../styles/chips.ts';
import { facts, pageParts, tables } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import type { Confirmation, ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-command-state.ts';
import './sy-confirm-dialog.ts';
import './sy-job-bar.ts';
import './sy-job-state.ts';
import './sy-not-found.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

const pageSize = 100;
const labels: Readonly<Record<JobAction, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel job',
  retry: 'Retry failed',
};

/** One job: how far it is, what became of each device, and what may be done with it. */
export class JobPage extends LitElement {
  static override properties = {
    job: { type: String },
    state: { state: true },
    cursors: { state: true },
    busy: { state: true },
    fault: { state: true },
  };

  static override styles = [
    base,
    controls,
    chips,
    skeletons,
    pageParts,
    tables,
    facts,
    css`
      h1 {
        overflow-wrap: anywhere;
      }
      .operation {
        color: var(--sy-text-2);
      }
      .progress {
        display: grid;
        gap: 8px;
      }
      .reason {
        padding: 8px 12px;
        border-left: 3px solid var(--sy-bad);
        background: var(--sy-bad-weak);
      }
      .devices {
        display: grid;
        gap: 12px;
        min-width: 0;
      }
      tbody tr:hover {
        background: var(--sy-hover);
      }
      .state {
        width: 120px;
      }
      .endpoint {
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .outcome {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .pages {
        display: flex;
        gap: 8px;
      }
      .stale {
        opacity: 0.55;
      }
      a.button:hover {
        background: var(--sy-hover);
        text-decoration: none;
      }
      .bones {
        display: grid;
        gap: 20px;
      }
      @media (max-width: 760px) {
        table,
        tbody {
          display: block;
        }
        thead {
          display: none;
        }
        tr {
          display: grid;
          grid-template-columns: minmax(0, 1fr) auto;
          gap: 2px 16px;
          padding: 10px 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        td,
        tbody th {
          width: auto;
          min-width: 0;
          padding: 0;
          border: none;
        }
        .state {
          width: auto;
        }
        .outcome {
          grid-column: 1 / -1;
        }
        .outcome:empty {
          display: none;
        }
        .when {
          grid-column: 1 / -1;
          font-size: var(--sy-small);
          text-align: left;
        }
      }
    `,
  ];

  /** Its id. */
  declare job: string;
  declare state: JobDeviceState | undefined;
  /** Of this page of devices, and of those before it. */
  declare cursors: readonly string[];
  declare busy: boolean;
  declare fault: ApiProblem | undefined;

  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #job = new Loaded<ApiJob>(this, (api, signal) => fetchJob(api, this.job, signal), {
    watch: { types: ['job'] },
  });
  readonly #devices = new Loaded<ApiJobDevicePage>(
    this,
    (api, signal) =>
      fetchJobDevices(
        api,
        this.job,
        { state: this.state, limit: pageSize, cursor: this.cursors.at(-1) },
        signal,
      ),
    { watch: { types: ['job'] } },
  );

  constructor() {
    super();
    new Permission(this);
    this.job = '';
    this.state = undefined;
    this.cursors = [];
    this.busy = false;
    this.fault = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.get('job') !== undefined && changed.get('job') !== '') {
      this.#job.load();
      this.state = undefined;
      this.cursors = [];
      this.#devices.load();
    } else if (
      (changed.has('state') || changed.has('cursors')) &&
      (changed.get('cursors') !== undefined || this.state !== undefined)
    ) {
      this.#devices.load();
    }
  }

  override render() {
    const { value, problem } = this.#job;
    if (problem?.status === 404) {
      return html`<sy-not-found heading="There is no such job" .what=${this.job}></sy-not-found>`;
    }
    return html`<div class="page">
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#job.load()}></sy-problem-panel>`
        }
        ${value === undefined ? (problem === undefined ? this.#bones() : nothing) : this.#body(value, problem !== undefined)}
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #body(job: ApiJob, stale: boolean) {
    const title = jobTitle(job);
    const operation = operationTitle(job.operation);
    return html`<div class="head">
        <h1>${title}</h1>
        <sy-job-state .state=${job.state}></sy-job-state>
        <div class="end">
          ${actionsOf(job).map(
            (action) =>
              html`<button data-needs="operate"
                class=${action === 'cancel' ? 'danger' : action === 'retry' ? 'primary' : ''}
                ?disabled=${this.busy}
                @click=${() => this.#act(job, action)}
              >
                ${action === 'retry' ? `Retry ${formatCount(retryable(job))}` : labels[action]}
              </button>`,
          )}
          <a class="button" href=${resultsUrl(job.id, this.state)} download=${`${job.id}.csv`}>Results as CSV</a>
          ${
            hasEnded(job)
              ? html`<button data-needs="operate" class="danger" ?disabled=${this.busy} @click=${() => this.#forget(job)}>Forget</button>`
              : nothing
          }
        </div>
      </div>
      ${this.fault === undefined ? nothing : html`<sy-problem-panel .problem=${this.fault}></sy-problem-panel>`}
      ${job.reason === undefined ? nothing : html`<p class="reason">${jobStateWords[job.state]}: ${job.reason}</p>`}
      <section class="progress ${stale ? 'stale' : ''}" aria-label="Progress">
        <p><strong>${progressText(job)}</strong>${title === operation ? nothing : html` · <span class="operation">${operation}</span>`}</p>
        <sy-job-bar large .job=${job}></sy-job-bar>
      </section>
      ${this.#facts(job)}
      <section class="devices" aria-label="Devices">
        <div class="chips" role="group" aria-label="State of the device">
          ${this.#chip(undefined, 'All', job.total)}
          ${deviceStates
            .filter((state) => job.counts[state] > 0 || state === this.state)
            .map((state) => this.#chip(state, deviceStateWords[state], job.counts[state]))}
        </div>
        ${this.#deviceTable()}
      </section>`;
  }

  #facts(job: ApiJob) {
    const { startedAt, endedAt, expiresAt, options } = job;
    return html`<dl class="facts">
      <div><dt>Made</dt><dd><sy-time-text mode="plain" .at=${job.createdAt}></sy-time-text></dd></div>
      ${
        startedAt === undefined
          ? nothing
          : html`<div>
            <dt>${endedAt === undefined ? 'Begun' : 'Took'}</dt>
            <dd>
              ${
                endedAt === undefined
                  ? html`<sy-time-text mode="plain" .at=${startedAt}></sy-time-text>`
                  : html`<span title=${`until ${exactTime(endedAt)}`}>${durationText(Math.max(1, endedAt - startedAt))}</span>`
              }
            </dd>
          </div>`
      }
      ${
        endedAt === undefined
          ? html`<div>
            <dt>Time left</dt>
            <dd><sy-time-text mode="until" .at=${expiresAt} title=${clockTime(expiresAt)}></sy-time-text></dd>
          </div>`
          : nothing
      }
      <div><dt>At once</dt><dd>${devicesText(options.atOnce ?? 50)}</dd></div>
      <div>
        <dt>Stops after</dt>
        <dd>${options.stopAfterFailures === undefined ? 'nothing' : `${formatCount(options.stopAfterFailures)} failures`}</dd>
      </div>
      <div><dt>Job</dt><dd class="mono">${job.id}</dd></div>
    </dl>`;
  }

  #chip(state: JobDeviceState | undefined, label: string, count: number) {
    return html`<button
      class="chip"
      aria-pressed=${state === this.state ? 'true' : 'false'}
      title=${state === undefined ? nothing : deviceStateMeanings[state]}
      @click=${() => {
        this.state = state;
        this.cursors = [];
      }}
    >
      ${label} <span class="count">${formatCount(count)}</span>
    </button>`;
  }

  #deviceTable() {
    const { value, problem } = this.#devices;
    if (problem !== undefined && value === undefined) {
      return html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#devices.load()}></sy-problem-panel>`;
    }
    if (value === undefined) return this.#bones();
    if (value.items.length === 0 && this.cursors.length === 0) {
      return html`<p class="quiet">${this.state === undefined ? 'No device fits.' : 'No device is in this state.'}</p>`;
    }
    return html`<table class=${problem === undefined ? '' : 'stale'} aria-label="Devices of the job">
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col" class="state">State</th>
            <th scope="col">What came of it</th>
            <th scope="col" class="number">When</th>
          </tr>
        </thead>
        <tbody>
          ${value.items.map(
            ({ endpoint, state, reason, result, command, updatedAt }) =>
              html`<tr>
                <th scope="row" class="endpoint">
                  <a
                    href=${hrefOf(
                      command === undefined
                        ? { name: 'device', endpoint }
                        : { name: 'device', endpoint, tab: 'commands' },
                    )}
                    >${endpoint}</a
                  >
                </th>
                <td class="state"><sy-command-state .state=${state}></sy-command-state></td>
                <td class="outcome">${reason ?? outcomeText(result)}</td>
                <td class="number quiet when"><sy-time-text mode="plain" .at=${updatedAt}></sy-time-text></td>
              </tr>`,
          )}
        </tbody>
      </table>
      ${this.#pages(value.next)}`;
  }

  #pages(next: string | null) {
    if (next === null && this.cursors.length === 0) return nothing;
    return html`<div class="pages">
      <button
        ?disabled=${this.cursors.length === 0}
        @click=${() => {
          this.cursors = this.cursors.slice(0, -1);
        }}
      >
        Previous
      </button>
      <button
        ?disabled=${next === null}
        @click=${() => {
          if (next !== null) this.cursors = [...this.cursors, next];
        }}
      >
        Next
      </button>
    </div>`;
  }

  #bones() {
    return html`<div class="bones" role="img" aria-busy="true" aria-label="Loading the job">
      ${[0, 1, 2, 3].map(() => html`<i class="bone"></i>`)}
    </div>`;
  }

  async #act(job: ApiJob, action: JobAction): Promise<void> {
    if (action === 'cancel' && !(await this.#confirmed(cancelling(job)))) return;
    await this.#doing(async (api) => {
      this.#job.value = await actOnJob(api, job.id, action);
      announce(`${jobTitle(job)}: ${jobStateWords[this.#job.value.state]}`);
    });
  }

  async #forget(job: ApiJob): Promise<void> {
    const sure = await this.#confirmed({
      title: `Forget ${jobTitle(job)}?`,
      effect: 'What it tells of its devices is gone. Its commands stay in the list of commands.',
      verb: 'Forget',
    });
    if (!sure) return;
    await this.#doing(async (api) => {
      await forgetJob(api, job.id);
      navigate(hrefOf({ name: 'jobs' }));
    });
  }

  #confirmed(question: Confirmation): Promise<boolean> {
    const dialog = this.renderRoot.querySelector<ConfirmDialog>('sy-confirm-dialog');
    return dialog?.ask(question) ?? Promise.resolve(false);
  }

  async #doing(act: (api: ApiClient) => Promise<void>): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.busy = true;
    this.fault = undefined;
    try {
      await act(api);
      this.#devices.load();
    } catch (error) {
      this.fault = asProblem(error);
    } finally {
      this.busy = false;
    }
  }
}

function devicesText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'device' : 'devices'}`;
}

function cancelling({ counts, ...job }: ApiJob): Confirmation {
  const left = counts.waiting + counts.queued;
  const under = counts.sent + counts.accepted;
  return {
    title: `Cancel ${jobTitle(job)}?`,
    effect:
      `${devicesText(left)} will not be asked any more.` +
      (under === 0
        ? ''
        : ` ${devicesText(under)} ${under === 1 ? 'has' : 'have'} it already, and will finish.`),
    verb: 'Cancel job',
  };
}

/** What a device answered, in a line. */
function outcomeText(result: Readonly<Record<string, unknown>> | undefined): string {
  if (result === undefined) return '';
  const { answer, carrier, coapCode, path, value } = result;
  if (typeof answer === 'string')
    return typeof carrier === 'string' && carrier !== '' ? `${answer}: ${carrier}` : answer;
  if (typeof coapCode === 'string') return coapCode;
  const shown = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return shown && typeof path === 'string' ? valueText(path, value) : '';
}

customElements.define('sy-job-page', JobPage);
