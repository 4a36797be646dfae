import { css, html, LitElement, nothing } from 'lit';
import type { ApiObjectModelEntry, ApiObjectModelList } from '../data/api-types.ts';
import { formatCount } from '../data/numbers.ts';
import { fetchObjectModels, modelQuery, parseModelQuery, searchModels } from '../data/object-models.ts';
import { hrefOf } from '../data/routes.ts';
import { Loaded } from '../loaded.ts';
import { pageParts, tables } from '../styles/page.ts';
import { base, controls, fields, skeletons } from '../styles/shared.ts';
import './sy-model-upload.ts';
import './sy-object-model.ts';
import './sy-problem-panel.ts';

/** Object definitions: which the server knows, from where; more are dropped here. */
export class SettingsObjects extends LitElement {
  static override properties = {
    query: { type: String },
    search: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    pageParts,
    tables,
    fields,
    css`
      .search {
        width: 320px;
        max-width: 100%;
      }
      .id,
      .version {
        width: 88px;
      }
      .source {
        width: 136px;
      }
      .resources {
        width: 104px;
      }
      tbody th {
        overflow-wrap: anywhere;
      }
      .uploaded {
        color: var(--sy-accent);
        font-weight: 550;
      }
      .bone {
        margin-bottom: 16px;
      }
      .passed-over {
        padding: 12px 16px;
        border-left: 3px solid var(--sy-waiting);
        background: var(--sy-waiting-weak);
      }
      .passed-over ul {
        margin-top: 4px;
        padding-left: 16px;
        overflow-wrap: anywhere;
      }
      .none {
        padding: 32px 0;
        color: var(--sy-text-2);
      }
      @media (max-width: 760px) {
        .urn,
        .resources {
          display: none;
        }
        .search {
          width: 100%;
        }
        .id,
        .version {
          width: auto;
        }
      }
    `,
  ];

  /** What the address says behind its question mark. */
  declare query: string;
  declare search: string;
  readonly #models = new Loaded<ApiObjectModelList>(this, fetchObjectModels, {
    watch: { types: ['object-model'] },
  });

  constructor() {
    super();
    this.query = '';
    this.search = '';
  }

  override render() {
    const shown = parseModelQuery(this.query);
    if (shown !== undefined) return html`<sy-object-model .reference=${shown}></sy-object-model>`;
    const { value, problem } = this.#models;
    const items = value === undefined ? [] : searchModels(value.items, this.search);
    return html`<div class="page">
      <div class="head">
        <h1>Object definitions</h1>
        ${value === undefined ? nothing : html`<span class="quiet">${this.#counts(items.length, value)}</span>`}
        <div class="end search">
          <input
            type="search"
            aria-label="Search definitions by object id, name, URN or source"
            placeholder="Object id, name, URN, source"
            autocomplete="off"
            spellcheck="false"
            @input=${(event: Event) => {
              this.search = (event.target as HTMLInputElement).value;
            }}
          />
        </div>
      </div>
      <sy-model-upload @models-loaded=${() => this.#models.load()}></sy-model-upload>
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#models.load()}></sy-problem-panel>`
      }
      ${value === undefined ? nothing : this.#passedOver(value)}
      ${value !== undefined ? this.#table(items) : problem === undefined ? this.#bones() : nothing}
    </div>`;
  }

  #counts(shown: number, { items }: ApiObjectModelList): string {
    return this.search.trim() === ''
      ? `${formatCount(items.length)} definitions`
      : `${formatCount(shown)} of ${formatCount(items.length)}`;
  }

  #passedOver({ problems }: ApiObjectModelList) {
    if (problems.length === 0) return nothing;
    return html`<div class="passed-over">
      <strong>▲ ${problems.length} ${problems.length === 1 ? 'file was' : 'files were'} passed over when the server started</strong>
      <ul>
        ${problems.map(({ file, detail }) => html`<li><span class="mono">${file}</span>: ${detail}</li>`)}
      </ul>
    </div>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading definitions">
      ${Array.from({ length: 10 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #table(items: readonly ApiObjectModelEntry[]) {
    if (items.length === 0) {
      return html`<p class="none">No definition matches “${this.search}”. Drop its OMA XML above to add it.</p>`;
    }
    return html`<table>
      <thead>
        <tr>
          <th scope="col" class="id">Object</th>
          <th scope="col">Name</th>
          <th scope="col" class="version">Version</th>
          <th scope="col" class="source">Source</th>
          <th scope="col" class="resources number">Resources</th>
          <th scope="col" class="urn">URN</th>
        </tr>
      </thead>
      <tbody>
        ${items.map(
          ({ objectId, name, version, source, resources, urn }) => html`<tr>
            <td class="id">${objectId}</td>
            <th scope="row">
              <a href=${hrefOf({ name: 'settings', section: 'objects', query: modelQuery({ object: objectId, version }) })}
                >${name}</a
              >
            </th>
            <td class="version">${version}</td>
            <td class="source ${source}">${source}</td>
            <td class="resources number">${resources}</td>
            <td class="urn mono quiet">${urn}</td>
          </tr>`,
        )}
      </tbody>
    </table>`;
  }
}

customElements.define('sy-settings-objects', SettingsObjects);
