import { css, html, LitElement, nothing } from 'lit';
import type { ApiLink, ApiObservationStatus, ApiValue } from '../data/api-types.ts';
import { dangerOf } from '../data/dangers.ts';
import type { DeviceOperation, DeviceOperations, OperationOptions } from '../data/device-operations.ts';
import type { LastValues } from '../data/last-values.ts';
import { withoutRemovals } from '../data/notification-attributes.ts';
import type { TreeNode } from '../data/object-tree.ts';
import { isExecutable, isReadable, isWritable } from '../data/resource-definition.ts';
import { inputText } from '../data/resource-input.ts';
import { Permission } from '../permission.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-attributes-form.ts';
import './sy-execute-form.ts';
import './sy-instances-editor.ts';
import './sy-place-head.ts';
import './sy-place-observation.ts';
import type { ValueInput } from './sy-value-input.ts';
import type { FormEntry, GivenValues } from './sy-values-form.ts';
import './sy-values-form.ts';
import './sy-write-form.ts';

/**
 * One place of the object tree: what it is, what it holds, and every operation that it has. Fires `operation-wanted`
 * with a DeviceOperation, `choice-made` (wanted or not) and `choice-forgotten` where it is about its observation.
 */
export class ObjectDetail extends LitElement {
  static override properties = {
    endpoint: { type: String },
    trail: { attribute: false },
    values: { attribute: false },
    operations: { attribute: false },
    options: { attribute: false },
    instances: { attribute: false },
    observations: { attribute: false },
    shownAttributes: { attribute: false },
    listedVersion: { type: String },
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
      .actions {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      .actions select {
        width: auto;
      }
      .actions .danger {
        margin-left: auto;
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
      summary {
        cursor: pointer;
      }
      summary h3 {
        display: inline;
      }
      details[open] > summary {
        margin-bottom: 12px;
      }
      .effect {
        max-width: 72ch;
        color: var(--sy-text-2);
      }
      sy-values-form,
      sy-instances-editor {
        max-width: 560px;
      }
    `,
  ];

  declare endpoint: string;
  /** The nodes from the object to the place itself. */
  declare trail: readonly TreeNode[];
  declare values: LastValues;
  declare operations: DeviceOperations | undefined;
  declare options: OperationOptions;
  /** Of the device, for object links. */
  declare instances: ValueInput['instances'];
  declare observations: ApiObservationStatus | undefined;
  /** Of the place, as Discover has shown them. */
  declare shownAttributes: ApiLink['attributes'] | undefined;
  declare listedVersion: string | undefined;
  /** Of LwM2M; undefined where the device is away. */
  declare version: string | undefined;
  /** Something can be asked of the device, or held for it. */
  declare reachable: boolean;
  declare depth: string;

  constructor() {
    super();
    new Permission(this);
    this.endpoint = '';
    this.trail = [];
    this.values = new Map();
    this.options = {};
    this.instances = [];
    this.reachable = false;
    this.depth = '';
  }

  override render() {
    const node = this.trail.at(-1);
    const { operations } = this;
    if (node === undefined || operations === undefined) return nothing;
    return html`<sy-place-head
        .endpoint=${this.endpoint}
        .trail=${this.trail}
        .values=${this.values}
        .listedVersion=${this.listedVersion}
      ></sy-place-head>
      ${this.#actions(node, operations)}
      ${this.#write(node, operations)}
      ${this.#execute(node, operations)}
      ${this.#several(node, operations)}
      ${this.#observation(node, operations)}`;
  }

  #actions(node: TreeNode, operations: DeviceOperations) {
    const { path, level, resource } = node;
    const off = !this.reachable;
    const readable = resource === undefined || isReadable(resource);
    const depth = this.depth === '' ? undefined : Number(this.depth);
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
          ? html`<button ?disabled=${off} @click=${() => this.#want(operations.discover(path, depth, this.options))}>
            Discover
          </button>`
          : nothing
      }
      ${
        level <= 3 && this.#speaks('1.2')
          ? html`<select
              aria-label="Levels that Discover shows"
              @change=${(event: Event) => {
                this.depth = (event.target as HTMLSelectElement).value;
              }}
            >
              <option value="">usual depth</option>
              ${[0, 1, 2, 3].map((levels) => html`<option value=${levels}>${levels} ${levels === 1 ? 'level' : 'levels'} deep</option>`)}
            </select>`
          : nothing
      }
      ${
        this.#isDeletable(node)
          ? html`<button data-needs="operate" class="danger" ?disabled=${off} @click=${() => this.#want(operations.delete(path, this.options))}>
            Delete…
          </button>`
          : nothing
      }
    </div>`;
  }

  /** An instance of an object that may have several or none; an instance of a resource since 1.2. */
  #isDeletable({ level, model, resource }: TreeNode): boolean {
    if (level === 2) return model === undefined || model.multiple || !model.mandatory;
    return level === 4 && this.#speaks('1.2') && (resource === undefined || isWritable(resource));
  }

  #write({ path, level, resource }: TreeNode, operations: DeviceOperations) {
    if (level < 3 || (resource !== undefined && !isWritable(resource))) return nothing;
    if (level === 3 && resource?.multiple === true) {
      return html`<section aria-label="Write">
        <h3>Write instances</h3>
        <sy-instances-editor
          .node=${this.trail.at(-1)}
          .values=${this.values}
          .resource=${resource}
          .links=${this.instances}
          ?disabled=${!this.reachable}
          @values-given=${({ detail }: CustomEvent<GivenValues>) => this.#writeMany(path, detail, operations)}
        ></sy-instances-editor>
      </section>`;
    }
    return html`<section aria-label="Write">
      <h3>Write</h3>
      <sy-write-form
        .path=${path}
        .resource=${resource}
        .current=${this.values.get(path)?.value}
        .instances=${this.instances}
        ?disabled=${!this.reachable}
        @value-given=${({ detail }: CustomEvent<ApiValue>) =>
          this.#want(operations.write(path, detail, this.options))}
      ></sy-write-form>
    </section>`;
  }

  #writeMany(path: string, { values, choice }: GivenValues, operations: DeviceOperations): void {
    const mode = choice === 'update' ? 'update' : 'replace';
    this.#want(operations.writeMany(path, values, mode, this.options));
  }

  #execute({ path, level, resource }: TreeNode, operations: DeviceOperations) {
    if (level !== 3 || (resource !== undefined && !isExecutable(resource))) return nothing;
    const danger = dangerOf(path);
    return html`<section aria-label="Execute">
      <h3>Execute</h3>
      ${danger === undefined ? nothing : html`<p class="effect">${danger.effect}</p>`}
      <sy-execute-form
        ?disabled=${!this.reachable}
        ?dangerous=${danger !== undefined}
        .path=${path}
        @arguments-given=${({ detail }: CustomEvent<readonly string[]>) =>
          this.#want(operations.execute(path, detail, this.options))}
      ></sy-execute-form>
    </section>`;
  }

  /** Several resources of an instance at once; a new instance. */
  #several(node: TreeNode, operations: DeviceOperations) {
    const { path, level, model, children } = node;
    if (level > 2 || model === undefined) return nothing;
    if (level === 1) {
      if (!model.multiple && children.length > 0) return nothing;
      return html`<section aria-label="Create">
        <h3>Create an instance</h3>
        <sy-values-form
          verb="Create"
          empty
          marking
          .place=${path}
          .entries=${this.#entries(node)}
          .instances=${this.instances}
          ?disabled=${!this.reachable}
          @values-given=${({ detail }: CustomEvent<GivenValues>) =>
            this.#want(operations.create(path, detail.values, this.options))}
        ></sy-values-form>
      </section>`;
    }
    const entries = this.#entries(node);
    if (entries.length === 0) return nothing;
    return html`<section aria-label="Write several">
      <details>
        <summary><h3>Write several resources at once</h3></summary>
        <sy-values-form
          verb="Write"
          .place=${path}
          .entries=${entries}
          .instances=${this.instances}
          ?disabled=${!this.reachable}
          .choices=${[
            ['update', 'Update: what is not ticked stays'],
            ['replace', 'Replace: what is not ticked goes'],
          ]}
          @values-given=${({ detail }: CustomEvent<GivenValues>) => this.#writeMany(path, detail, operations)}
        ></sy-values-form>
      </details>
    </section>`;
  }

  #entries({ path, level, model, children }: TreeNode): readonly FormEntry[] {
    const resources = model?.resources ?? [];
    // What a server cannot write it may still give to a new instance. Of one that is there, what it may have.
    const writable = resources.filter((each) =>
      level === 1 ? !isExecutable(each) : isWritable(each) && children.some(({ id }) => id === each.id),
    );
    return writable.map((resource) => {
      const at = `${path}/${resource.id}`;
      const below = level === 1 ? [] : (children.find((child) => child.path === at)?.children ?? []);
      const text = (place: string): string => inputText(resource, this.values.get(place)?.value);
      return {
        key: String(resource.id),
        label: `${resource.name} /${resource.id}`,
        resource,
        text: level === 1 || resource.multiple ? '' : text(at),
        required: level === 1 && resource.mandatory && isWritable(resource),
        ...(resource.multiple ? { instances: new Map(below.map((node) => [node.id, text(node.path)])) } : {}),
      };
    });
  }

  #observation({ path, level, resource }: TreeNode, operations: DeviceOperations) {
    if (resource !== undefined && !isReadable(resource)) return nothing;
    return html`<section aria-label="Observation">
      <h3>Observation</h3>
      <sy-place-observation
        .path=${path}
        .status=${this.observations}
        ?reachable=${this.reachable}
        @observe-wanted=${() => this.#want(operations.observe(path, {}, this.options))}
        @end-wanted=${({ detail }: CustomEvent<boolean>) => this.#want(operations.cancel(path, detail, this.options))}
        @choice-made=${({ detail }: CustomEvent<boolean>) => this.#tell('choice-made', detail)}
        @choice-forgotten=${() => this.#tell('choice-forgotten')}
      ></sy-place-observation>
      <details>
        <summary>Notification attributes</summary>
        <sy-attributes-form
          .place=${path}
          .level=${level}
          .resource=${resource}
          .version=${this.version}
          .current=${this.shownAttributes}
          ?disabled=${!this.reachable}
          @observe-wanted=${({ detail }: CustomEvent) =>
            this.#want(operations.observe(path, withoutRemovals(detail), this.options))}
          @attributes-written=${({ detail }: CustomEvent) =>
            this.#want(operations.writeAttributes(path, detail, this.options))}
        ></sy-attributes-form>
      </details>
    </section>`;
  }

  /** Of a device that is away nobody knows: what is asked is then checked when it goes out. */
  #speaks(version: string): boolean {
    return (this.version ?? '1.2') >= version;
  }

  #want(operation: DeviceOperation): void {
    this.#tell('operation-wanted', operation);
  }

  #tell(what: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}

customElements.define('sy-object-detail', ObjectDetail);
