import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { ApiLink, ApiObservationStatus, ApiValue } from '../data/api-types.ts';
import type { DeviceOperation, DeviceOperations, OperationOptions } from '../data/device-operations.ts';
import { identifierAt, valueText } from '../data/last-values.ts';
import { withoutRemovals } from '../data/notification-attributes.ts';
import { parentOf, type TreeNode } from '../data/object-tree.ts';
import {
  type ApiResourceModel,
  isExecutable,
  isReadable,
  isWritable,
  resourceTraits,
} from '../data/resource-definition.ts';
import { anyResource, inputText } from '../data/resource-input.ts';
import { hrefOf } from '../data/routes.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-attributes-form.ts';
import './sy-execute-form.ts';
import './sy-identifier.ts';
import './sy-instances-editor.ts';
import './sy-place-observation.ts';
import './sy-time-text.ts';
import './sy-value-input.ts';
import './sy-values-form.ts';
import type { ValueInput } from './sy-value-input.ts';
import type { FormEntry, GivenValues } from './sy-values-form.ts';

/** What the detail wants to be done. */
export interface WantedOperation {
  readonly operation: DeviceOperation;
  /** Asked before: it is hard to take back. */
  readonly deletes?: boolean;
}

/**
 * One place of the object tree: what it is, what it holds, and every operation that it has. Fires `operation-wanted`
 * with WantedOperation, and `choice-forgotten` where what was said by hand about its observation is to be taken back.
 */
export class ObjectDetail extends LitElement {
  static override properties = {
    endpoint: { type: String },
    node: { attribute: false },
    operations: { attribute: false },
    options: { attribute: false },
    links: { attribute: false },
    observations: { attribute: false },
    version: { type: String },
    reachable: { type: Boolean },
    depth: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      :host {
        display: grid;
        gap: 24px;
        min-width: 0;
      }
      .head {
        display: grid;
        gap: 4px;
      }
      h2 {
        font-size: 16px;
        line-height: 24px;
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
      .value strong {
        font-size: 20px;
        line-height: 28px;
        font-weight: 600;
        font-variant-numeric: tabular-nums;
        overflow-wrap: anywhere;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      .actions select {
        width: auto;
      }
      section {
        display: grid;
        gap: 12px;
        padding-top: 16px;
        border-top: 1px solid var(--sy-rule);
      }
      h3 {
        font-size: var(--sy-size);
        line-height: var(--sy-line);
        font-weight: 600;
      }
      .write {
        display: grid;
        gap: 12px;
        max-width: 480px;
        justify-items: start;
      }
      .write sy-value-input {
        width: 100%;
      }
      sy-values-form,
      sy-instances-editor {
        max-width: 560px;
      }
    `,
  ];

  declare endpoint: string;
  declare node: TreeNode | undefined;
  declare operations: DeviceOperations | undefined;
  declare options: OperationOptions;
  declare links: readonly ApiLink[];
  declare observations: ApiObservationStatus | undefined;
  /** Of LwM2M. */
  declare version: string | undefined;
  /** Something can be asked of the device, or held for it. */
  declare reachable: boolean;
  declare depth: string;

  constructor() {
    super();
    this.endpoint = '';
    this.options = {};
    this.links = [];
    this.reachable = false;
    this.depth = '';
  }

  protected override updated(changed: PropertyValues<this>): void {
    const before = changed.get('node');
    if (!changed.has('node') || before?.path === this.node?.path) return;
    const input = this.renderRoot.querySelector<ValueInput>('sy-value-input.single');
    if (input === null || this.node === undefined) return;
    input.text = inputText(this.#resource, this.node.last?.value);
    input.touched = false;
  }

  override render() {
    const { node, operations } = this;
    if (node === undefined || operations === undefined) return nothing;
    return html`${this.#head(node)}
      ${this.#value(node)}
      ${this.#actions(node, operations)}
      ${this.#write(node, operations)}
      ${this.#execute(node, operations)}
      ${this.#several(node, operations)}
      ${this.#observation(node, operations)}`;
  }

  #head({ path, name, level, model, resource }: TreeNode) {
    const title = level === 1 || level === 3 ? name : `${this.#parentName()} · ${name}`;
    return html`<div class="head">
      <h2>${title} <span class="mono quiet">${path}</span></h2>
      <p class="traits">${
        resource !== undefined && level >= 3
          ? html`${resourceTraits(resource)}${resource.units === undefined ? nothing : html` · ${resource.units}`} · ${
              resource.operations === '' ? 'no operation' : resource.operations
            }`
          : model === undefined
            ? html`The server has no definition of this object. Give it one in
                <a href=${hrefOf({ name: 'settings', section: 'objects' })}>Settings</a>, as OMA XML.`
            : level <= 2
              ? html`Version ${model.version} · ${model.multiple ? 'several instances' : 'one instance'} · ${
                  model.mandatory ? 'mandatory' : 'optional'
                }`
              : 'Not in the definition of the object'
      }</p>
      ${this.#description(level >= 3 ? resource?.description : level === 1 ? model?.description : undefined)}
    </div>`;
  }

  #description(text: string | undefined) {
    return text === undefined || text === '' ? nothing : html`<p class="description">${text}</p>`;
  }

  #value({ path, level, last }: TreeNode) {
    if (level < 3 || last === undefined) return nothing;
    const identifier = identifierAt(path);
    return html`<div class="value">
      <strong>${
        identifier !== undefined && typeof last.value === 'string'
          ? html`<sy-identifier kind=${identifier} .value=${last.value}></sy-identifier>`
          : valueText(path, last.value)
      }</strong>
      <span class="quiet">taken <sy-time-text .at=${last.takenAt}></sy-time-text></span>
    </div>`;
  }

  #actions(node: TreeNode, operations: DeviceOperations) {
    const { path, level, model, resource } = node;
    const off = !this.reachable;
    const readable = level <= 2 || resource === undefined || isReadable(resource);
    const deletable = level === 2 ? true : level === 4 && this.#atLeast('1.2');
    return html`<div class="actions" role="group" aria-label="Operations">
      ${
        readable
          ? html`<button class="primary" ?disabled=${off} @click=${() => this.#want(operations.read(path, this.options))}>
            Read
          </button>`
          : nothing
      }
      ${
        level <= 3
          ? html`<button
              ?disabled=${off}
              @click=${() =>
                this.#want(
                  operations.discover(path, this.depth === '' ? undefined : Number(this.depth), this.options),
                )}
            >
              Discover
            </button>`
          : nothing
      }
      ${
        level <= 3 && this.#atLeast('1.2')
          ? html`<select
              aria-label="Levels that Discover shows"
              @change=${(event: Event) => {
                this.depth = (event.target as HTMLSelectElement).value;
              }}
            >
              <option value="">depth: the device's</option>
              ${[0, 1, 2, 3].map((depth) => html`<option value=${depth}>depth ${depth}</option>`)}
            </select>`
          : nothing
      }
      ${
        deletable && model?.objectId !== 3
          ? html`<button
              class="danger"
              ?disabled=${off}
              @click=${() => this.#want(operations.delete(path, this.options), true)}
            >
              Delete
            </button>`
          : nothing
      }
    </div>`;
  }

  #write(node: TreeNode, operations: DeviceOperations) {
    const { path, level, resource, last } = node;
    if (level < 3 || (resource !== undefined && !isWritable(resource))) return nothing;
    const several = level === 3 && resource?.multiple === true;
    return html`<section aria-label="Write">
      <h3>Write</h3>
      ${
        several
          ? html`<sy-instances-editor
              .node=${node}
              .resource=${this.#resource}
              .links=${this.#linkedInstances()}
              ?disabled=${!this.reachable}
              @values-given=${({ detail }: CustomEvent<GivenValues>) =>
                this.#want(
                  operations.writeMany(
                    path,
                    detail.values,
                    detail.choice === 'update' ? 'update' : 'replace',
                    this.options,
                  ),
                )}
            ></sy-instances-editor>`
          : html`<form class="write" @submit=${(event: Event) => this.#writeOne(event, path, operations)}>
              <sy-value-input
                class="single"
                label="New value"
                .resource=${this.#resource}
                .instances=${this.#linkedInstances()}
                .text=${inputText(this.#resource, last?.value)}
              ></sy-value-input>
              <button ?disabled=${!this.reachable}>Write</button>
            </form>`
      }
    </section>`;
  }

  #writeOne(event: Event, path: string, operations: DeviceOperations): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector<ValueInput>('sy-value-input.single');
    const parsed = input?.take();
    if (parsed?.value === undefined) {
      input?.focus();
      return;
    }
    this.#want(operations.write(path, this.#asGiven(parsed.value), this.options));
  }

  /** What has no definition is a text that may look like a number. */
  #asGiven(value: ApiValue): ApiValue {
    if (this.node?.resource !== undefined || typeof value !== 'string') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
  }

  #execute({ path, level, resource }: TreeNode, operations: DeviceOperations) {
    if (level !== 3 || (resource !== undefined && !isExecutable(resource))) return nothing;
    return html`<section aria-label="Execute">
      <h3>Execute</h3>
      <sy-execute-form
        ?disabled=${!this.reachable}
        .path=${path}
        @arguments-given=${({ detail }: CustomEvent<readonly string[]>) =>
          this.#want(operations.execute(path, detail, this.options))}
      ></sy-execute-form>
    </section>`;
  }

  /** Several resources of an instance at once; a new instance. */
  #several(node: TreeNode, operations: DeviceOperations) {
    const { path, level, model } = node;
    if (level > 2 || model === undefined) return nothing;
    const writable = model.resources.filter((resource) =>
      level === 1 ? !isExecutable(resource) : isWritable(resource),
    );
    if (level === 2 && writable.length === 0) return nothing;
    if (level === 1 && !model.multiple && node.children.length > 0) return nothing;
    return html`<section aria-label=${level === 1 ? 'Create' : 'Write several'}>
      <h3>${level === 1 ? 'Create an instance' : 'Write several resources at once'}</h3>
      <sy-values-form
        .entries=${this.#entries(node, writable)}
        .instances=${this.#linkedInstances()}
        verb=${level === 1 ? 'Create' : 'Write'}
        ?empty=${level === 1}
        ?disabled=${!this.reachable}
        .choices=${
          level === 1
            ? []
            : [
                ['update', 'Update: keep what is not ticked'],
                ['replace', 'Replace: what is not ticked goes'],
              ]
        }
        @values-given=${({ detail }: CustomEvent<GivenValues>) =>
          this.#want(
            level === 1
              ? operations.create(path, detail.values, this.options)
              : operations.writeMany(
                  path,
                  detail.values,
                  detail.choice === 'update' ? 'update' : 'replace',
                  this.options,
                ),
          )}
      ></sy-values-form>
    </section>`;
  }

  #entries(
    { path, level, children }: TreeNode,
    resources: readonly ApiResourceModel[],
  ): readonly FormEntry[] {
    return resources
      .filter(({ multiple }) => !multiple)
      .map((resource) => {
        const last = children.find((child) => child.path === `${path}/${resource.id}`)?.last;
        return {
          key: String(resource.id),
          label: `${resource.name} /${resource.id}`,
          resource,
          text: level === 1 ? '' : inputText(resource, last?.value),
          required: level === 1 && resource.mandatory && isWritable(resource),
        };
      });
  }

  #observation(node: TreeNode, operations: DeviceOperations) {
    const { path, level, resource } = node;
    if (resource !== undefined && level >= 3 && !isReadable(resource)) return nothing;
    return html`<section aria-label="Observation">
      <h3>Observation</h3>
      <sy-place-observation
        .path=${path}
        .status=${this.observations}
        ?disabled=${!this.reachable}
        @observe-wanted=${() => this.#want(operations.observe(path, {}, this.options))}
        @end-wanted=${({ detail }: CustomEvent<boolean>) => this.#want(operations.cancel(path, detail, this.options))}
        @choice-forgotten=${() => this.dispatchEvent(new CustomEvent('choice-forgotten', { detail: path }))}
      ></sy-place-observation>
      <details>
        <summary>Notification attributes</summary>
        <sy-attributes-form
          .level=${level}
          .resource=${level >= 3 ? resource : undefined}
          .version=${this.version}
          ?disabled=${!this.reachable}
          @observe-wanted=${({ detail }: CustomEvent) =>
            this.#want(operations.observe(path, withoutRemovals(detail), this.options))}
          @attributes-written=${({ detail }: CustomEvent) =>
            this.#want(operations.writeAttributes(path, detail, this.options))}
        ></sy-attributes-form>
      </details>
    </section>`;
  }

  get #resource(): ApiResourceModel {
    return this.node?.resource ?? anyResource;
  }

  #parentName(): string {
    const { node } = this;
    if (node === undefined) return '';
    return node.level === 2
      ? (node.model?.name ?? `Object ${parentOf(node.path).slice(1)}`)
      : (node.resource?.name ?? '');
  }

  #linkedInstances(): ValueInput['instances'] {
    return this.links.flatMap(({ path, name }) => {
      const [, object, instance] = path.split('/');
      return instance === undefined ? [] : [{ link: `${object}:${instance}`, name: name ?? path }];
    });
  }

  #atLeast(version: string): boolean {
    return (this.version ?? '1.0') >= version;
  }

  #want(operation: DeviceOperation, deletes = false): void {
    this.dispatchEvent(
      new CustomEvent<WantedOperation>('operation-wanted', { detail: { operation, deletes } }),
    );
  }
}

customElements.define('sy-object-detail', ObjectDetail);
