import { css, html, LitElement, nothing } from 'lit';
import type { LastValues } from '../data/last-values.ts';
import { type TreeNode, trailOf } from '../data/object-tree.ts';
import { operationsText, resourceTraits } from '../data/resource-definition.ts';
import { hrefOf } from '../data/routes.ts';
import { base, controls } from '../styles/shared.ts';
import './sy-copy-button.ts';
import './sy-time-text.ts';
import './sy-value-text.ts';

/** What a place of the object tree is, and what it holds as it was heard last. */
export class PlaceHead extends LitElement {
  static override properties = {
    endpoint: { type: String },
    trail: { attribute: false },
    values: { attribute: false },
    listedVersion: { type: String },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: grid;
        gap: 12px;
        min-width: 0;
      }
      nav {
        display: flex;
        flex-wrap: wrap;
        gap: 0 6px;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      nav a {
        color: var(--sy-text-2);
      }
      h2 {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 8px;
        font-size: 18px;
        line-height: 26px;
        overflow-wrap: anywhere;
      }
      .traits {
        color: var(--sy-text-2);
      }
      .description {
        max-width: 72ch;
        color: var(--sy-text-2);
        white-space: pre-line;
      }
      .value {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 4px 16px;
      }
      .hint {
        max-width: 72ch;
        padding: 8px 12px;
        border-left: 3px solid var(--sy-waiting);
        background: var(--sy-waiting-weak);
      }
      table {
        width: 100%;
        border-collapse: collapse;
        border-top: 1px solid var(--sy-rule);
        table-layout: fixed;
      }
      th,
      td {
        padding: 5px 12px 5px 0;
        border-bottom: 1px solid var(--sy-rule);
        font-weight: inherit;
        text-align: left;
        vertical-align: top;
        overflow-wrap: anywhere;
      }
      .name {
        width: 40%;
      }
      .age {
        width: 72px;
        padding-right: 0;
        text-align: right;
      }
    `,
  ];

  declare endpoint: string;
  /** The nodes from the object to the place itself. */
  declare trail: readonly TreeNode[];
  declare values: LastValues;
  /** Of the object, as the device registered it. */
  declare listedVersion: string | undefined;

  constructor() {
    super();
    this.endpoint = '';
    this.trail = [];
    this.values = new Map();
    this.listedVersion = undefined;
  }

  override render() {
    const node = this.trail.at(-1);
    if (node === undefined) return nothing;
    const { path, level, name, model, resource } = node;
    const description = level >= 3 ? resource?.description : level === 1 ? model?.description : undefined;
    return html`<nav aria-label="Where this is">
        <a href=${this.#href('')}>Objects</a>
        ${this.trail.slice(0, -1).map((above) => html`<span aria-hidden="true">/</span> <a href=${this.#href(above.path)}>${above.name}</a>`)}
      </nav>
      <h2>
        <span>${this.#title(node, name)}</span>
        <span class="mono quiet">${path}</span>
        <sy-copy-button compact what="the path" .text=${path}></sy-copy-button>
      </h2>
      <p class="traits">${this.#traits(node)}</p>
      ${description === undefined || description === '' ? nothing : html`<p class="description">${description}</p>`}
      ${
        model === undefined
          ? html`<p class="hint">
            The server has no definition of object ${trailOf(path)[0]?.slice(1)}: places go by their numbers, and values as
            the device sends them. Upload its OMA XML in
            <a href=${hrefOf({ name: 'settings', section: 'objects' })}>Settings, Object definitions</a>, and names, types and
            forms are here at once.
          </p>`
          : nothing
      }
      ${this.#value(node)} ${this.#below(node)}`;
  }

  #title({ level, model, resource, id }: TreeNode, name: string): string {
    if (level === 2) return `${model?.name ?? 'Instance'} ${id}`;
    return level === 4 ? `${resource?.name ?? 'Resource'} ${id}` : name;
  }

  #traits({ level, model, resource, seen }: TreeNode) {
    const shown = seen
      ? ''
      : level === 2
        ? 'the device does not list it'
        : 'the device has not shown it so far';
    if (level >= 3) {
      const traits =
        resource === undefined
          ? model === undefined
            ? []
            : ['not in the definition of the object']
          : [resourceTraits(resource), resource.units ?? '', operationsText(resource)];
      return [...traits, shown].filter((text) => text !== '').join(' · ');
    }
    if (model === undefined) return shown;
    const other =
      this.listedVersion === undefined || this.listedVersion === model.version
        ? `version ${model.version}`
        : `version ${this.listedVersion} at the device, read by the definition of ${model.version}`;
    const traits =
      level === 1
        ? [
            other,
            model.multiple ? 'several instances' : 'one instance',
            model.mandatory ? 'mandatory' : 'optional',
          ]
        : [other];
    return [...traits, model.urn, shown].filter((text) => text !== '').join(' · ');
  }

  #value({ path, level, resource }: TreeNode) {
    const last = this.values.get(path);
    if (level < 3 || last === undefined) return nothing;
    return html`<div class="value">
      <sy-value-text large .endpoint=${this.endpoint} .resource=${resource} .value=${last.value}></sy-value-text>
      <span class="quiet">taken <sy-time-text .at=${last.takenAt}></sy-time-text></span>
    </div>`;
  }

  /** What is right below and has a value. */
  #below({ level, children }: TreeNode) {
    const valued = children.filter(({ path }) => this.values.has(path));
    if (level === 1 || valued.length === 0) return nothing;
    return html`<table aria-label="Values">
      <tbody>
        ${valued.map(({ path, name, resource }) => {
          const last = this.values.get(path);
          return html`<tr>
            <th class="name" scope="row"><a href=${this.#href(path)}>${name}</a></th>
            <td>
              <sy-value-text .endpoint=${this.endpoint} .resource=${resource} .value=${last?.value}></sy-value-text>
            </td>
            <td class="age"><sy-time-text mode="age" .at=${last?.takenAt}></sy-time-text></td>
          </tr>`;
        })}
      </tbody>
    </table>`;
  }

  #href(path: string): string {
    return hrefOf({ name: 'device', endpoint: this.endpoint, tab: 'objects', path });
  }
}

customElements.define('sy-place-head', PlaceHead);
