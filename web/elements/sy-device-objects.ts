import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { apiContext, clockContext, liveContext } from '../contexts.ts';
import type { ApiCommand, ApiObservationStatus } from '../data/api-types.ts';
import { dangerOf } from '../data/dangers.ts';
import { type DeviceOperation, DeviceOperations, type OperationOptions } from '../data/device-operations.ts';
import { isRegistered } from '../data/device-state.ts';
import type { LastValues } from '../data/last-values.ts';
import { nodeAt, objectTree, parentOf, type TreeNode } from '../data/object-tree.ts';
import { asProblem } from '../data/problem.ts';
import { isReadable, isWritable } from '../data/resource-definition.ts';
import { inputText } from '../data/resource-input.ts';
import { hrefOf } from '../data/routes.ts';
import type { DeviceController } from '../device-controller.ts';
import { DeviceObjectsController } from '../device-objects-controller.ts';
import { DeviceRequestsController, type LoggedRequest } from '../device-requests-controller.ts';
import { navigate } from '../navigation.ts';
import { base, controls, fields, skeletons } from '../styles/shared.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-confirm-dialog.ts';
import type { WantedOperation } from './sy-object-detail.ts';
import './sy-object-detail.ts';
import './sy-object-tree.ts';
import './sy-problem-panel.ts';
import './sy-request-log.ts';
import type { FormEntry, GivenValues } from './sy-values-form.ts';
import './sy-values-form.ts';

const contentFormats = ['SENML_CBOR', 'SENML_JSON', 'LWM2M_CBOR', 'TLV', 'JSON', 'CBOR', 'TEXT', 'OPAQUE'];
const compositeFormats = ['SENML_CBOR', 'SENML_JSON', 'SENML_ETCH_CBOR', 'SENML_ETCH_JSON', 'LWM2M_CBOR'];
const timeouts = [5, 10, 30, 60, 300];

/** What a device has, object by object, and every operation on it. `path` is the place that the address names. */
export class DeviceObjects extends LitElement {
  static override properties = {
    endpoint: { type: String },
    path: { type: String },
    source: { attribute: false, hasChanged: () => true },
    filter: { state: true },
    all: { state: true },
    picking: { state: true },
    ticked: { state: true },
    format: { state: true },
    timeout: { state: true },
    held: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    skeletons,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(300px, 420px) minmax(0, 1fr);
        height: 100%;
        min-height: 0;
      }
      aside {
        display: flex;
        flex-direction: column;
        min-height: 0;
        border-right: 1px solid var(--sy-rule);
      }
      .tools {
        display: grid;
        gap: 8px;
        padding: 12px 16px;
        border-bottom: 1px solid var(--sy-rule);
      }
      .switches {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
      }
      .switches label {
        display: flex;
        gap: 6px;
        align-items: center;
        color: var(--sy-text-2);
        font-size: var(--sy-small);
      }
      .scroll {
        flex: 1;
        min-height: 0;
        padding: 8px;
        overflow: auto;
      }
      .detail {
        display: grid;
        align-content: start;
        gap: 24px;
        min-width: 0;
        min-height: 0;
        padding: 16px 24px 48px;
        overflow: auto;
      }
      .options {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 16px;
        align-items: center;
        padding-bottom: 12px;
        border-bottom: 1px solid var(--sy-rule);
        color: var(--sy-text-2);
        font-size: var(--sy-small);
      }
      .options label {
        display: flex;
        gap: 6px;
        align-items: center;
      }
      .options select {
        width: auto;
        min-height: 28px;
        padding: 2px 6px;
        font-size: var(--sy-small);
      }
      .note {
        padding: 8px 12px;
        border-left: 3px solid var(--sy-waiting);
        background: var(--sy-waiting-weak);
      }
      .start {
        max-width: 56ch;
        padding: 32px 0;
        color: var(--sy-text-2);
      }
      .start .actions {
        margin-top: 16px;
      }
      .bones .bone:nth-child(2n) {
        width: 72%;
      }
      .start h2 {
        margin-bottom: 8px;
        color: var(--sy-text);
        font-size: 16px;
      }
      .composite {
        display: grid;
        gap: 16px;
      }
      .composite h2 {
        font-size: 16px;
      }
      .picked {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        list-style: none;
      }
      .picked li {
        padding: 2px 8px;
        border: 1px solid var(--sy-rule);
        border-radius: 12px;
        font: 12px / 20px var(--sy-mono);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .bones {
        display: grid;
        gap: 18px;
        padding: 12px;
      }
      @media (max-width: 760px) {
        :host {
          grid-template-columns: minmax(0, 1fr);
          height: auto;
        }
        aside {
          border-right: 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        .scroll {
          max-height: 46vh;
        }
        .detail {
          padding: 16px 16px 32px;
          overflow: visible;
        }
      }
    `,
  ];

  declare endpoint: string;
  declare path: string;
  declare source: DeviceController | undefined;
  declare filter: string;
  declare all: boolean;
  declare picking: boolean;
  declare ticked: ReadonlySet<string>;
  declare format: string;
  /** s; undefined: the server's */
  declare timeout: number | undefined;
  declare held: boolean;

  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });
  readonly #objects = new DeviceObjectsController(this);
  readonly #requests = new DeviceRequestsController(this, (request) => this.#answered(request));
  #operations = new DeviceOperations('');
  #stopWatching: (() => void) | undefined;
  #watched = '';
  #registered: string | undefined;
  #tree: readonly TreeNode[] = [];
  #treeOf: readonly unknown[] = [];

  constructor() {
    super();
    this.endpoint = '';
    this.path = '';
    this.filter = '';
    this.all = false;
    this.picking = false;
    this.ticked = new Set();
    this.format = '';
    this.timeout = undefined;
    this.held = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#watched = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const [api, live] = [this.#api.value, this.#live.value];
    if (api === undefined || live === undefined || this.endpoint === '') return;
    this.#requests.use(api);
    this.#objects.show(this.endpoint, api);
    if (changed.has('endpoint')) {
      this.#operations = new DeviceOperations(this.endpoint);
      this.#requests.clear();
      this.ticked = new Set();
    }
    if (this.#watched !== this.endpoint) {
      this.#watched = this.endpoint;
      this.#stopWatching?.();
      this.#stopWatching = live.watch(
        { endpoint: this.endpoint, types: ['command'] },
        {
          onEvent: (event) => this.#requests.followed(event.data['command'] as ApiCommand),
          onGap: () => this.#lookAgain(),
        },
      );
    }
    // A device that registers anew, or updates with other objects, has another tree.
    const registration = this.source?.device?.registration;
    const stamp = `${registration?.registeredAt} ${registration?.objects?.length}`;
    if (this.#registered !== undefined && this.#registered !== stamp) this.#objects.load();
    this.#registered = stamp;
  }

  override render() {
    const { source } = this;
    if (source?.device === undefined) return nothing;
    const tree = this.#currentTree(source.values);
    const node = nodeAt(tree, this.path);
    return html`<aside aria-label="Object tree">
        <div class="tools">
          <input
            type="search"
            aria-label="Filter by name, id, path or value"
            placeholder="Name, id, /path or value"
            autocomplete="off"
            .value=${this.filter}
            @input=${(event: Event) => {
              this.filter = (event.target as HTMLInputElement).value;
            }}
          />
          <div class="switches">
            <label
              ><input
                type="checkbox"
                .checked=${this.all}
                @change=${(event: Event) => {
                  this.all = (event.target as HTMLInputElement).checked;
                }}
              />All defined resources</label
            >
            <label
              ><input type="checkbox" .checked=${this.picking} @change=${this.#pick} />Pick several</label
            >
          </div>
        </div>
        <div class="scroll">
          ${
            this.#objects.links === undefined && this.#objects.problem === undefined
              ? this.#bones()
              : html`<sy-object-tree
                  .tree=${tree}
                  .selected=${this.path}
                  .filter=${this.filter}
                  ?picking=${this.picking}
                  .ticked=${this.ticked}
                  @place-chosen=${(event: CustomEvent<string>) => this.#go(event.detail)}
                  @place-ticked=${(event: CustomEvent<string>) => this.#tick(event.detail)}
                ></sy-object-tree>`
          }
        </div>
      </aside>
      <div class="detail">
        ${this.#options()} ${this.#note()}
        ${
          this.#objects.problem === undefined
            ? nothing
            : html`<sy-problem-panel
                .problem=${this.#objects.problem}
                retry
                @retried=${() => this.#objects.load()}
              ></sy-problem-panel>`
        }
        ${this.picking ? this.#composite(tree) : this.#place(node, source)}
        <sy-request-log
          .requests=${this.#requests.log}
          @given-up=${(event: CustomEvent<number>) => this.#requests.giveUp(event.detail)}
        ></sy-request-log>
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #bones() {
    return html`<div class="bones" role="img" aria-busy="true" aria-label="Loading objects">
      ${[0, 1, 2, 3, 4, 5].map(() => html`<i class="bone"></i>`)}
    </div>`;
  }

  #options() {
    const formats = this.picking ? compositeFormats : contentFormats;
    return html`<div class="options" role="group" aria-label="How requests are made">
      <label
        >Format
        <select
          @change=${(event: Event) => {
            this.format = (event.target as HTMLSelectElement).value;
          }}
        >
          <option value="" ?selected=${this.format === ''}>best</option>
          ${formats.map((name) => html`<option ?selected=${this.format === name}>${name}</option>`)}
        </select>
      </label>
      <label
        >Timeout
        <select
          @change=${(event: Event) => {
            const { value } = event.target as HTMLSelectElement;
            this.timeout = value === '' ? undefined : Number(value);
          }}
        >
          <option value="" ?selected=${this.timeout === undefined}>usual</option>
          ${timeouts.map((seconds) => html`<option value=${seconds} ?selected=${this.timeout === seconds}>${seconds} s</option>`)}
        </select>
      </label>
      <label
        ><input
          type="checkbox"
          .checked=${this.held}
          @change=${(event: Event) => {
            this.held = (event.target as HTMLInputElement).checked;
          }}
        />Hold until the device is heard</label
      >
    </div>`;
  }

  #note() {
    const { device } = this.source ?? {};
    if (device === undefined) return nothing;
    if (!isRegistered(device)) {
      return html`<p class="note">
        The device is not registered: what was heard of it last is shown.
        ${this.held ? 'What you ask waits until it comes back.' : 'Tick “Hold until the device is heard”, and what you ask waits until it comes back.'}
      </p>`;
    }
    if (device.presence?.awake === false && !this.held) {
      return html`<p class="note">
        The device sleeps. A request waits for it as long as its timeout; tick “Hold until the device is heard” to have it
        wait longer.
      </p>`;
    }
    return nothing;
  }

  #place(node: TreeNode | undefined, source: DeviceController) {
    if (this.path === '') {
      return html`<div class="start">
        <h2>Choose a place in the tree</h2>
        <p>
          Each object, instance and resource shows what it is, what it holds, and what can be done with it. With “Pick
          several”, one request reads, writes or observes several places at once.
        </p>
      </div>`;
    }
    if (node === undefined) {
      if (this.#objects.links === undefined) return nothing;
      return html`<div class="start">
        <h2>Nothing is known of ${this.path}</h2>
        <p>The device did not list it, and no value of it was heard. It can be asked all the same.</p>
        <div class="actions">
          <button
            ?disabled=${!this.#reachable}
            @click=${() => this.#perform(this.#operations.read(this.path, this.#requestOptions))}
          >
            Read ${this.path}
          </button>
        </div>
      </div>`;
    }
    return html`<sy-object-detail
      .endpoint=${this.endpoint}
      .node=${node}
      .operations=${this.#operations}
      .options=${this.#requestOptions}
      .links=${this.#objects.links ?? []}
      .observations=${source.observations}
      .version=${source.device?.registration?.version}
      ?reachable=${this.#reachable}
      @operation-wanted=${(event: CustomEvent<WantedOperation>) => this.#wanted(event.detail)}
      @choice-forgotten=${(event: CustomEvent<string>) => this.#forgetChoice(event.detail)}
    ></sy-object-detail>`;
  }

  #composite(tree: readonly TreeNode[]) {
    const paths = [...this.ticked];
    const old = (this.source?.device?.registration?.version ?? '1.1') < '1.1';
    const off = !this.#reachable || paths.length === 0 || old;
    const writable = paths.flatMap((path): FormEntry[] => {
      const node = nodeAt(tree, path);
      if (node?.resource === undefined || node.level < 3 || !isWritable(node.resource)) return [];
      if (node.level === 3 && node.resource.multiple) return [];
      const { resource, last, name } = node;
      return [
        {
          key: path,
          label: `${name} ${path}`,
          resource,
          text: inputText(resource, last?.value),
          required: true,
        },
      ];
    });
    const unreadable = paths.filter((path) => {
      const resource = nodeAt(tree, path)?.resource;
      return resource !== undefined && !isReadable(resource);
    });
    return html`<div class="composite">
      <h2>${paths.length === 0 ? 'Tick places in the tree' : `${paths.length} picked`}</h2>
      ${old ? html`<p class="note">The device speaks LwM2M 1.0, which has no composite operations.</p>` : nothing}
      ${unreadable.length === 0 ? nothing : html`<p class="quiet">Not readable: ${unreadable.join(', ')}</p>`}
      <ul class="picked" aria-label="Picked places">
        ${paths.map((path) => html`<li>${path}</li>`)}
      </ul>
      <div class="actions">
        <button
          class="primary"
          ?disabled=${off}
          @click=${() => this.#perform(this.#operations.readComposite(paths, this.#requestOptions))}
        >
          Read together
        </button>
        <button
          ?disabled=${off}
          @click=${() => this.#perform(this.#operations.observeComposite(paths, this.#requestOptions))}
        >
          Observe together
        </button>
        <button
          class="bare"
          ?disabled=${paths.length === 0}
          @click=${() => {
            this.ticked = new Set();
          }}
        >
          Pick nothing
        </button>
      </div>
      ${
        writable.length === 0
          ? nothing
          : html`<sy-values-form
              verb="Write together"
              .entries=${writable}
              ?disabled=${off}
              @values-given=${({ detail }: CustomEvent<GivenValues>) =>
                this.#perform(this.#operations.writeComposite(detail.values, this.#requestOptions))}
            ></sy-values-form>`
      }
    </div>`;
  }

  get #requestOptions(): OperationOptions {
    return {
      ...(this.format === '' ? {} : { format: this.format }),
      ...(this.timeout === undefined || this.held ? {} : { timeout: this.timeout * 1000 }),
    };
  }

  get #reachable(): boolean {
    const device = this.source?.device;
    return this.held || (device !== undefined && isRegistered(device));
  }

  #currentTree(values: LastValues): readonly TreeNode[] {
    const inputs = [values, this.#objects.version, this.all];
    if (inputs.every((input, index) => input === this.#treeOf[index])) return this.#tree;
    this.#treeOf = inputs;
    const merged = new Map(this.#objects.read);
    for (const [path, value] of values) {
      if (value.takenAt >= (merged.get(path)?.takenAt ?? 0)) merged.set(path, value);
    }
    this.#tree = objectTree({
      links: this.#objects.links ?? [],
      models: this.#objects.models,
      values: merged,
      discovered: this.#objects.discovered,
      all: this.all,
    });
    const unknown = this.#tree.filter(({ model }) => model === undefined).map(({ path }) => path);
    if (unknown.length > 0 && this.#objects.links !== undefined) this.#learnOnce(unknown);
    return this.#tree;
  }

  readonly #asked = new Set<string>();

  #learnOnce(paths: readonly string[]): void {
    const anew = paths.filter((path) => !this.#asked.has(path));
    for (const path of anew) this.#asked.add(path);
    if (anew.length > 0) this.#objects.learn(anew);
  }

  #go(path: string): void {
    navigate(hrefOf({ name: 'device', endpoint: this.endpoint, tab: 'objects', path }));
  }

  #pick(event: Event): void {
    this.picking = (event.target as HTMLInputElement).checked;
    this.format = '';
    if (this.picking && this.path !== '') this.ticked = new Set([this.path]);
  }

  #tick(path: string): void {
    const ticked = new Set(this.ticked);
    if (!ticked.delete(path)) ticked.add(path);
    this.ticked = ticked;
  }

  async #wanted({ operation, deletes }: WantedOperation): Promise<void> {
    const dialog = this.renderRoot.querySelector<ConfirmDialog>('sy-confirm-dialog');
    const danger = operation.title.startsWith('Execute ') ? dangerOf(this.path) : undefined;
    if (danger !== undefined) {
      const confirmed = await dialog?.ask({
        title: `${danger.verb}: ${this.endpoint}?`,
        effect: danger.effect,
        verb: danger.verb,
        ...(danger.final ? { typed: this.endpoint } : {}),
      });
      if (confirmed !== true) return;
    }
    if (deletes === true) {
      const confirmed = await dialog?.ask({
        title: `Delete ${this.path} of ${this.endpoint}?`,
        effect: 'The device removes it with all that it holds.',
        verb: 'Delete',
      });
      if (confirmed !== true) return;
    }
    await this.#perform(operation);
  }

  async #perform(operation: DeviceOperation): Promise<void> {
    await this.#requests.perform(operation, this.held);
  }

  /** The device has done it: what it answered is shown, what it changed is read again. */
  #answered({ operation, answer }: LoggedRequest): void {
    const now = this.#clock.value?.now() ?? Date.now();
    this.#objects.take(answer, now);
    const [verb, path = ''] = operation.title.split(' ');
    if (verb === 'Delete') {
      this.#objects.forget(path);
      this.#objects.load();
      if (path === this.path) this.#go(parentOf(path));
    }
    if (verb === 'Create') this.#objects.load();
    if (verb === 'Write' && !this.held) {
      const node = nodeAt(this.#tree, path);
      const readable = node?.resource === undefined || isReadable(node.resource);
      if (readable) this.#perform(this.#operations.read(path, this.#requestOptions));
    }
  }

  async #forgetChoice(path: string): Promise<void> {
    try {
      const status = await this.#api.value?.unchooseObservation(this.endpoint, path);
      if (status !== undefined) this.source?.takeObservations(status as ApiObservationStatus);
    } catch (error) {
      this.#objects.problem = asProblem(error);
      this.requestUpdate();
    }
  }

  /** Events were missed: commands that wait are asked for. */
  async #lookAgain(): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    for (const { state, command } of this.#requests.log) {
      if (state !== 'held' || command === undefined) continue;
      try {
        this.#requests.followed(await api.command(command.id));
      } catch (error) {
        this.#objects.problem = asProblem(error);
        this.requestUpdate();
      }
    }
  }
}

customElements.define('sy-device-objects', DeviceObjects);
