import { css, html, LitElement, nothing } from 'lit';
import type { DeviceOperation, DeviceOperations, OperationOptions } from '../data/device-operations.ts';
import type { LastValues } from '../data/last-values.ts';
import type { TreeNode } from '../data/object-tree.ts';
import { isReadable, isWritable } from '../data/resource-definition.ts';
import { inputText } from '../data/resource-input.ts';
import { Permission } from '../permission.ts';
import { base, controls } from '../styles/shared.ts';
import type { ValueInput } from './sy-value-input.ts';
import type { FormEntry, GivenValues } from './sy-values-form.ts';
import './sy-values-form.ts';

/** Places that were picked, read, written or observed by one message. Fires `operation-wanted`, `place-ticked`, `cleared`. */
export class CompositePanel extends LitElement {
  static override properties = {
    nodes: { attribute: false },
    values: { attribute: false },
    operations: { attribute: false },
    options: { attribute: false },
    version: { type: String },
    reachable: { type: Boolean },
    instances: { attribute: false },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: grid;
        gap: 16px;
        min-width: 0;
      }
      h2 {
        font-size: 18px;
        line-height: 26px;
      }
      h3 {
        margin: 0;
        font-size: var(--sy-size);
        font-weight: 600;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        padding-left: 10px;
        border: 1px solid var(--sy-rule);
        border-radius: 14px;
        font: 12px / 20px var(--sy-mono);
      }
      li button {
        min-height: 24px;
        padding: 0 8px;
        border-radius: 14px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .note {
        color: var(--sy-text-2);
      }
      .write {
        display: grid;
        gap: 12px;
        max-width: 560px;
        padding-top: 16px;
        border-top: 1px solid var(--sy-rule);
      }
    `,
  ];

  declare nodes: readonly TreeNode[];
  declare values: LastValues;
  declare operations: DeviceOperations | undefined;
  declare options: OperationOptions;
  /** Of LwM2M; undefined where the device is away. */
  declare version: string | undefined;
  declare reachable: boolean;
  declare instances: ValueInput['instances'];

  constructor() {
    super();
    new Permission(this);
    this.nodes = [];
    this.values = new Map();
    this.options = {};
    this.reachable = false;
    this.instances = [];
  }

  override render() {
    const { nodes, operations, options } = this;
    if (operations === undefined) return nothing;
    const old = this.version !== undefined && this.version < '1.1';
    const readable = nodes.filter(({ resource }) => resource === undefined || isReadable(resource));
    const paths = readable.map(({ path }) => path);
    const off = !this.reachable || paths.length === 0 || old;
    return html`<h2>${nodes.length === 0 ? 'Pick places in the tree' : `${nodes.length} picked`}</h2>
      ${
        old
          ? html`<p class="note">The device speaks LwM2M ${this.version}: composite operations came with 1.1.</p>`
          : nodes.length === 0
            ? html`<p class="note">One message reads, writes or observes all that is ticked: objects, instances, resources.</p>`
            : nothing
      }
      ${
        nodes.length === 0
          ? nothing
          : html`<ul aria-label="Picked places">
            ${nodes.map(
              ({ path, name }) =>
                html`<li>
                  <span title=${name}>${path}</span>
                  <button
                    class="bare"
                    aria-label=${`Take ${path} out`}
                    @click=${() => this.dispatchEvent(new CustomEvent('place-ticked', { detail: path }))}
                  >
                    ✕
                  </button>
                </li>`,
            )}
          </ul>`
      }
      <div class="actions">
        <button class="primary" ?disabled=${off} @click=${() => this.#want(operations.readComposite(paths, options))}>
          Read together
        </button>
        <button data-needs="operate" ?disabled=${off} @click=${() => this.#want(operations.observeComposite(paths, options))}>
          Observe together
        </button>
        <button data-needs="operate"
          ?disabled=${off}
          @click=${() => this.#want(operations.cancelComposite(paths, true, options))}
        >
          End that observation
        </button>
        <button class="bare" ?disabled=${nodes.length === 0} @click=${() => this.dispatchEvent(new Event('cleared'))}>
          Pick nothing
        </button>
      </div>
      ${
        readable.length === nodes.length
          ? nothing
          : html`<p class="note">
            Left out of reading, for it cannot be read:
            ${nodes
              .filter((node) => !readable.includes(node))
              .map(({ path }) => path)
              .join(', ')}
          </p>`
      }
      ${this.#write(operations, old)}`;
  }

  #write(operations: DeviceOperations, old: boolean) {
    const entries = this.nodes.flatMap((node) => this.#entry(node) ?? []);
    if (entries.length === 0) return nothing;
    return html`<div class="write">
      <h3>Write together: all, or nothing</h3>
      <sy-values-form
        verb="Write together"
        place="together"
        .entries=${entries}
        .instances=${this.instances}
        ?disabled=${!this.reachable || old}
        @values-given=${({ detail }: CustomEvent<GivenValues>) =>
          this.#want(operations.writeComposite(detail.values, this.options))}
      ></sy-values-form>
    </div>`;
  }

  #entry({ path, level, name, resource }: TreeNode): FormEntry | undefined {
    if (resource === undefined || level < 3 || !isWritable(resource)) return undefined;
    // Of a resource that has several, its instances are what is ticked.
    if (level === 3 && resource.multiple) return undefined;
    return {
      key: path,
      label: `${level === 4 ? resource.name : name} ${path}`,
      resource,
      text: inputText(resource, this.values.get(path)?.value),
      required: true,
    };
  }

  #want(operation: DeviceOperation): void {
    this.dispatchEvent(new CustomEvent<DeviceOperation>('operation-wanted', { detail: operation }));
  }
}

customElements.define('sy-composite-panel', CompositePanel);
