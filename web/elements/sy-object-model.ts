import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { apiContext } from '../contexts.ts';
import type { ApiObjectModel, ApiProblem } from '../data/api-types.ts';
import {
  fetchObjectModel,
  type ModelReference,
  modelQuery,
  removeObjectModel,
  xmlAddress,
} from '../data/object-models.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { Loaded } from '../loaded.ts';
import { navigate } from '../navigation.ts';
import { Permission } from '../permission.ts';
import { facts, pageParts, tables } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-confirm-dialog.ts';
import './sy-not-found.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

const list = hrefOf({ name: 'settings', section: 'objects' });
const operationWords: Readonly<Record<string, string>> = {
  R: 'read',
  W: 'write',
  RW: 'read, write',
  E: 'execute',
  '': 'bootstrap only',
};

/** One object definition with its resources. */
export class ObjectModel extends LitElement {
  static override properties = {
    reference: { attribute: false },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    pageParts,
    tables,
    facts,
    css`
      .back {
        display: inline-block;
        margin-bottom: 8px;
      }
      .description {
        max-width: 80ch;
        color: var(--sy-text-2);
        white-space: pre-line;
        overflow-wrap: anywhere;
      }
      .versions {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 8px;
      }
      a.button {
        color: var(--sy-text);
      }
      a.button:hover {
        text-decoration: none;
        background: var(--sy-hover);
      }
      td.id {
        width: 56px;
      }
      .name {
        min-width: 160px;
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .name .description {
        margin-top: 2px;
        font-weight: 400;
      }
      h2 {
        margin-bottom: 8px;
      }
      td.values {
        overflow-wrap: anywhere;
      }
      .bone {
        margin-bottom: 16px;
      }
      @media (max-width: 760px) {
        thead {
          display: none;
        }
        table,
        tbody,
        tr,
        td,
        tbody th {
          display: block;
        }
        tr {
          padding: 8px 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        td,
        tbody th {
          padding: 0;
          border: none;
        }
        td:empty {
          display: none;
        }
        td.id,
        tbody th {
          display: inline;
        }
        td:not(.id) {
          display: inline-block;
          margin-right: 12px;
          color: var(--sy-text-2);
        }
        td.values {
          display: block;
        }
      }
    `,
  ];

  declare reference: ModelReference;
  declare problem: ApiProblem | undefined;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #model = new Loaded<ApiObjectModel>(
    this,
    (api, signal) => fetchObjectModel(api, this.reference, signal),
    {
      watch: { types: ['object-model'] },
    },
  );

  protected override updated(changed: PropertyValues<this>): void {
    const before = changed.get('reference') as ModelReference | undefined;
    if (before === undefined || modelQuery(before) === modelQuery(this.reference)) return;
    this.problem = undefined;
    this.#model.value = undefined;
    this.#model.load();
  }

  constructor() {
    super();
    new Permission(this);
  }

  override render() {
    const { value, problem } = this.#model;
    if (problem?.status === 404) {
      return html`<sy-not-found heading="There is no such definition" .what=${`Object ${this.reference.object} ${this.reference.version ?? ''}`}></sy-not-found>`;
    }
    return html`<div class="page">
        <div>
          <a class="back" href=${list}>← All definitions</a>
          ${value === undefined ? nothing : this.#head(value)}
        </div>
        ${
          problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#model.load()}></sy-problem-panel>`
        }
        ${this.problem === undefined ? nothing : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`}
        ${value !== undefined ? this.#body(value) : problem === undefined ? this.#bones() : nothing}
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading the definition">
      ${Array.from({ length: 8 }, () => html`<i class="bone"></i>`)}
    </div>`;
  }

  #head(model: ApiObjectModel) {
    return html`<div class="head">
      <h1>${model.objectId} · ${model.name}</h1>
      <span class="quiet">${model.version}</span>
      <div class="end">
        <a class="button" href=${xmlAddress(model.objectId, model.version)} download>Download XML</a>
        ${
          model.source === 'uploaded'
            ? html`<button data-needs="administer" class="danger" @click=${() => this.#remove(model)}>Remove…</button>`
            : nothing
        }
      </div>
    </div>`;
  }

  #body(model: ApiObjectModel) {
    const { urn, source, file, uploadedAt, multiple, mandatory, versions, resources, description } = model;
    return html`<dl class="facts">
        ${fact('URN', html`<span class="mono">${urn}</span>`)}
        ${fact('Source', file === undefined ? source : html`${source}, <span class="mono">${file}</span>`)}
        ${uploadedAt === undefined ? nothing : fact('Uploaded', html`<sy-time-text mode="plain" .at=${uploadedAt}></sy-time-text>`)}
        ${fact('Instances', multiple ? 'several' : 'one')} ${fact('Mandatory', mandatory ? 'yes' : 'no')}
        ${fact(
          'Versions',
          html`<span class="versions"
            >${versions.map((version) =>
              version === model.version
                ? html`<span aria-current="true">${version}</span>`
                : html`<a
                  href=${hrefOf({ name: 'settings', section: 'objects', query: modelQuery({ object: model.objectId, version }) })}
                  >${version}</a
                >`,
            )}</span
          >`,
        )}
      </dl>
      ${description === undefined ? nothing : html`<p class="description">${description}</p>`}
      <section>
        <h2>${resources.length} resources</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">Id</th>
              <th scope="col">Resource</th>
              <th scope="col">Operations</th>
              <th scope="col">Type</th>
              <th scope="col">Range, values</th>
              <th scope="col">Unit</th>
            </tr>
          </thead>
          <tbody>${resources.map(resourceRow)}</tbody>
        </table>
      </section>`;
  }

  async #remove({ objectId, name, version, versions }: ApiObjectModel): Promise<void> {
    const confirmed = await this.renderRoot.querySelector<ConfirmDialog>('sy-confirm-dialog')?.ask({
      title: `Remove the uploaded definition ${objectId} · ${name} ${version}?`,
      effect:
        'What it took the place of, if anything, counts again. Without one, devices are shown with numbers instead of names.',
      verb: 'Remove',
    });
    const api = this.#api.value;
    if (confirmed !== true || api === undefined) return;
    try {
      await removeObjectModel(api, objectId, version);
      const rest = versions.filter((other) => other !== version);
      navigate(
        rest.length === 0
          ? list
          : hrefOf({ name: 'settings', section: 'objects', query: modelQuery({ object: objectId }) }),
        { replace: true },
      );
    } catch (error) {
      this.problem = asProblem(error);
    }
  }
}

function resourceRow(resource: ApiObjectModel['resources'][number]) {
  const { id, name, operations, type, multiple, mandatory, range, values, units, description } = resource;
  const meanings = Object.entries(values ?? {}).map(([value, meaning]) => `${value} ${meaning}`);
  const bounds = range === undefined ? '' : `${range.minimum} … ${range.maximum}`;
  return html`<tr>
    <td class="id mono">${id}</td>
    <th scope="row" class="name">
      ${name}${description === undefined ? nothing : html`<div class="description">${description}</div>`}
    </th>
    <td>${operationWords[operations] ?? operations}</td>
    <td>${type}${multiple ? ', several' : ''}${mandatory ? ', mandatory' : ''}</td>
    <td class="values">${[bounds, ...meanings].filter(Boolean).join(', ')}</td>
    <td>${units ?? ''}</td>
  </tr>`;
}

function fact(name: string, value: unknown) {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

customElements.define('sy-object-model', ObjectModel);
