import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ApiJob, ApiJobPage } from '../../server/api/schemas/jobs.ts';
import { fetchJobs, jobFilterOf, jobFilters, jobTitle, operationTitle, progressText } from '../data/jobs.ts';
import { hrefOf } from '../data/routes.ts';
import { Loaded } from '../loaded.ts';
import { chips } from '../styles/chips.ts';
import { pageParts, tables } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import './sy-job-bar.ts';
import './sy-job-state.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

const pageSize = 50;

/** All jobs, newest first, live. */
export class JobsPage extends LitElement {
  static override properties = { query: { type: String }, limit: { state: true } };

  static override styles = [
    base,
    controls,
    chips,
    skeletons,
    pageParts,
    tables,
    css`
      .bones {
        display: grid;
        gap: 28px;
        padding: 14px 0;
        border-top: 1px solid var(--sy-rule);
      }
      tbody tr:hover {
        background: var(--sy-hover);
      }
      td,
      tbody th {
        vertical-align: middle;
      }
      .name {
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .what {
        display: block;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        font-weight: 400;
      }
      .state {
        width: 120px;
      }
      .progress {
        width: 260px;
      }
      .progress span {
        display: block;
        margin-bottom: 4px;
        font-size: var(--sy-small);
        color: var(--sy-text-2);
      }
      .stale {
        opacity: 0.55;
      }
      .empty {
        display: grid;
        gap: 4px;
        padding: 24px 0;
        border-top: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
      }
      .empty a {
        text-decoration: underline;
      }
      .more {
        justify-self: start;
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
          gap: 4px 16px;
          padding: 12px 0;
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
        .progress {
          width: auto;
          grid-column: 1 / -1;
          grid-row: 2;
        }
        .when {
          grid-column: 1 / -1;
          text-align: left;
          font-size: var(--sy-small);
        }
      }
    `,
  ];

  declare query: string;
  declare limit: number;

  readonly #jobs = new Loaded<ApiJobPage>(
    this,
    (api, signal) => fetchJobs(api, { filter: jobFilterOf(this.query), limit: this.limit }, signal),
    { watch: { types: ['job'] } },
  );
  #shown = '';

  constructor() {
    super();
    this.query = '';
    this.limit = pageSize;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('query') && !changed.has('limit')) return;
    if (this.hasUpdated && this.#shown !== '') this.#jobs.load();
    this.#shown = this.query;
  }

  override render() {
    const { value, problem } = this.#jobs;
    const filter = jobFilterOf(this.query);
    return html`<div class="page">
      <div class="head"><h1>Jobs</h1></div>
      <nav class="chips" aria-label="State">
        ${jobFilters.map(
          ({ name, label }) =>
            html`<a
              class="chip"
              aria-current=${name === filter ? 'true' : nothing}
              href=${hrefOf({ name: 'jobs', ...(name === 'all' ? {} : { query: `state=${name}` }) })}
              >${label}</a
            >`,
        )}
      </nav>
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#jobs.load()}></sy-problem-panel>`
      }
      ${value === undefined ? (problem === undefined ? this.#bones() : nothing) : this.#body(value, problem !== undefined)}
    </div>`;
  }

  #body({ items, next }: ApiJobPage, stale: boolean) {
    if (items.length === 0) return this.#empty();
    return html`<table class=${stale ? 'stale' : ''} aria-label="Jobs">
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col" class="state">State</th>
            <th scope="col" class="progress">Progress</th>
            <th scope="col" class="number">Made</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            items,
            ({ id }) => id,
            (job) => this.#row(job),
          )}
        </tbody>
      </table>
      ${
        next === null
          ? nothing
          : html`<button
            class="more"
            @click=${() => {
              this.limit += pageSize;
            }}
          >
            Older jobs
          </button>`
      }`;
  }

  #row(job: ApiJob) {
    const title = jobTitle(job);
    const operation = operationTitle(job.operation);
    return html`<tr>
      <th scope="row" class="name">
        <a href=${hrefOf({ name: 'job', job: job.id })}>${title}</a>
        ${title === operation ? nothing : html`<span class="what">${operation}</span>`}
      </th>
      <td class="state"><sy-job-state .state=${job.state}></sy-job-state></td>
      <td class="progress"><span>${progressText(job)}${failedText(job)}</span><sy-job-bar .job=${job}></sy-job-bar></td>
      <td class="number quiet when"><sy-time-text mode="plain" .at=${job.createdAt}></sy-time-text></td>
    </tr>`;
  }

  #empty() {
    if (jobFilterOf(this.query) !== 'all')
      return html`<div class="empty"><p>No job is in this state.</p></div>`;
    return html`<div class="empty">
      <p>No job was made yet.</p>
      <p class="quiet">
        Choose several devices in the <a href=${hrefOf({ name: 'devices' })}>list</a> and do something to all of them:
        how far that is, and how it went with each, is here.
      </p>
    </div>`;
  }

  #bones() {
    return html`<div class="bones" role="img" aria-busy="true" aria-label="Loading jobs">
      ${[0, 1, 2, 3].map(() => html`<i class="bone"></i>`)}
    </div>`;
  }
}

function failedText({ counts }: ApiJob): string {
  return counts.failed === 0 ? '' : ` · ${counts.failed} failed`;
}

customElements.define('sy-jobs-page', JobsPage);
