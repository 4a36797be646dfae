import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { apiContext, clockContext, liveContext } from '../contexts.ts';
import type { ApiCommand, ApiObservationStatus, ApiProblem } from '../data/api-types.ts';
import { questionBefore } from '../data/dangers.ts';
import { type DeviceOperation, DeviceOperations } from '../data/device-operations.ts';
import { isRegistered } from '../data/device-state.ts';
import { DeviceTree } from '../data/device-tree.ts';
import type { LastValues } from '../data/last-values.ts';
import { nodeAt, parentOf, type TreeNode, trailOf } from '../data/object-tree.ts';
import { asProblem } from '../data/problem.ts';
import type { LoggedRequest } from '../data/request-log.ts';
import { isReadable } from '../data/resource-definition.ts';
import { hrefOf } from '../data/routes.ts';
import type { DeviceController } from '../device-controller.ts';
import { DeviceObjectsController } from '../device-objects-controller.ts';
import { DeviceRequestsController } from '../device-requests-controller.ts';
import { navigate } from '../navigation.ts';
import { base, controls } from '../styles/shared.ts';
import './sy-composite-panel.ts';
import type { ConfirmDialog } from './sy-confirm-dialog.ts';
import './sy-confirm-dialog.ts';
import './sy-object-detail.ts';
import './sy-problem-panel.ts';
import './sy-request-log.ts';
import type { RequestOptions } from './sy-request-options.ts';
import './sy-request-options.ts';
import './sy-time-text.ts';
import './sy-tree-pane.ts';
import type { ValueInput } from './sy-value-input.ts';

/** What a device has, object by object, and every operation on it. `path` is the place that the address names. */
export class DeviceObjects extends LitElement {
  static override properties = {
    endpoint: { type: String },
    path: { type: String },
    source: { attribute: false, hasChanged: () => true },
    all: { state: true },
    picking: { state: true },
    ticked: { state: true },
    options: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: grid;
        grid-template: minmax(0, 1fr) / clamp(320px, 33%, 520px) minmax(0, 1fr);
        height: 100%;
        min-height: 0;
      }
      sy-tree-pane {
        border-right: 1px solid var(--sy-rule);
      }
      .main {
        display: flex;
        flex-direction: column;
        min-width: 0;
        min-height: 0;
      }
      sy-request-options {
        padding: 10px 24px;
        border-bottom: 1px solid var(--sy-rule);
      }
      .detail {
        flex: 1;
        display: grid;
        align-content: start;
        gap: 16px;
        min-height: 0;
        padding: 16px 24px 32px;
        overflow: auto;
      }
      sy-request-log {
        flex: none;
        max-height: 42%;
        padding: 4px 24px 8px;
        border-top: 1px solid var(--sy-rule);
        background: var(--sy-surface);
        overflow: auto;
      }
      sy-request-log.empty {
        display: none;
      }
      sy-confirm-dialog {
        position: absolute;
      }
      .note {
        max-width: 88ch;
        padding: 8px 12px;
        border-left: 3px solid var(--sy-waiting);
        background: var(--sy-waiting-weak);
      }
      .start {
        display: grid;
        gap: 8px;
        max-width: 60ch;
        padding: 24px 0;
        color: var(--sy-text-2);
      }
      .start h2 {
        color: var(--sy-text);
        font-size: 18px;
      }
      .start button {
        justify-self: start;
        margin-top: 8px;
      }
      /* One at a time where there is no room for both: a place has a way back to the tree. */
      @media (max-width: 760px) {
        :host {
          grid-template: auto / minmax(0, 1fr);
          height: auto;
        }
        :host([placed]) sy-tree-pane {
          display: none;
        }
        sy-tree-pane {
          border-right: 0;
        }
        sy-request-options {
          padding: 10px 16px;
        }
        .detail {
          padding: 12px 16px 24px;
          overflow: visible;
        }
        sy-request-log {
          position: sticky;
          bottom: 0;
          z-index: 3;
          max-height: 38vh;
          padding: 4px 16px 8px;
        }
      }
    `,
  ];

  declare endpoint: string;
  declare path: string;
  declare source: DeviceController | undefined;
  declare all: boolean;
  declare picking: boolean;
  declare ticked: ReadonlySet<string>;
  declare options: RequestOptions;
  declare problem: ApiProblem | undefined;

  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });
  readonly #objects = new DeviceObjectsController(this);
  readonly #requests = new DeviceRequestsController(this, (request) => this.#answered(request));
  #operations = new DeviceOperations('');
  #stopWatching: (() => void) | undefined;
  #watched = '';
  #tree = new DeviceTree();

  constructor() {
    super();
    this.endpoint = '';
    this.path = '';
    this.all = false;
    this.picking = false;
    this.ticked = new Set();
    this.options = { held: false };
    this.problem = undefined;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#watched = '';
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { device } = this.source ?? {};
    this.toggleAttribute('placed', this.path !== '' && !this.picking);
    const [api, live] = [this.#api.value, this.#live.value];
    if (api === undefined || live === undefined || device === undefined) return;
    if (changed.has('endpoint')) {
      this.#operations = new DeviceOperations(this.endpoint);
      this.#requests.clear();
      this.#tree = new DeviceTree();
      this.ticked = new Set();
      this.problem = undefined;
    }
    this.#requests.use(api);
    const listed = isRegistered(device) ? device.registration?.objects : undefined;
    this.#objects.show(this.endpoint, api, listed);
    if (this.#watched === this.endpoint) return;
    this.#watched = this.endpoint;
    this.#stopWatching?.();
    this.#stopWatching = live.watch(
      [{ endpoint: this.endpoint, types: ['command'] }, { types: ['object-model'] }],
      {
        onEvent: ({ type, data }) => {
          if (type === 'command') this.#requests.followed(data['command'] as ApiCommand);
          else this.#objects.relearn();
        },
        onGap: () => this.#lookAgain(),
      },
    );
  }

  override render() {
    const { source } = this;
    if (source?.device === undefined) return nothing;
    const values = this.#tree.values(source.values, this.#objects.read);
    const nodes = this.#nodes();
    const problem = this.#objects.problem ?? this.problem;
    return html`<sy-tree-pane
        role="complementary"
        aria-label="Object tree"
        .tree=${this.#objects.loaded ? nodes : undefined}
        .values=${values}
        .selected=${this.path}
        ?all=${this.all}
        ?picking=${this.picking}
        .ticked=${this.ticked}
        @place-chosen=${(event: CustomEvent<string>) => navigate(this.#href(event.detail))}
        @place-ticked=${(event: CustomEvent<string>) => this.#tick(event.detail)}
        @all-changed=${(event: CustomEvent<boolean>) => {
          this.all = event.detail;
        }}
        @picking-changed=${(event: CustomEvent<boolean>) => this.#pick(event.detail)}
      ></sy-tree-pane>
      <div class="main">
        <sy-request-options
          role="group"
          aria-label="How requests are made"
          .options=${this.options}
          ?composite=${this.picking}
          @options-changed=${(event: CustomEvent<RequestOptions>) => {
            this.options = event.detail;
          }}
        ></sy-request-options>
        <div class="detail">
          ${this.#note(source)}
          ${
            problem === undefined
              ? nothing
              : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#again()}></sy-problem-panel>`
          }
          ${this.picking ? this.#composite(nodes, values, source) : this.#place(nodes, values, source)}
        </div>
        <sy-request-log
          class=${this.#requests.log.length === 0 ? 'empty' : ''}
          .endpoint=${this.endpoint}
          .requests=${this.#requests.log}
          @given-up=${(event: CustomEvent<number>) => this.#requests.giveUp(event.detail)}
          @tidied=${() => this.#requests.tidy()}
        ></sy-request-log>
      </div>
      <sy-confirm-dialog></sy-confirm-dialog>`;
  }

  #note({ device }: DeviceController) {
    if (device === undefined) return nothing;
    const { held } = this.options;
    if (!isRegistered(device)) {
      return html`<p class="note">
        The device is not registered: this is what was heard of it last.
        ${held ? 'What you ask is held until it comes back.' : 'Tick “Hold until it wakes”, and what you ask is kept until it comes back.'}
      </p>`;
    }
    if (device.presence?.awake !== false) return nothing;
    return html`<p class="note">
      The device sleeps, and was last heard <sy-time-text mode="plain" .at=${device.lastSeen}></sy-time-text>.
      ${held ? 'What you ask is held until it wakes.' : 'A request waits for it as long as its timeout; tick “Hold until it wakes” to have it kept.'}
    </p>`;
  }

  #place(tree: readonly TreeNode[], values: LastValues, source: DeviceController) {
    if (!this.#objects.loaded) return nothing;
    if (this.path === '') return this.#start(tree);
    const trail = trailOf(this.path).flatMap((path) => nodeAt(tree, path) ?? []);
    if (trail.at(-1)?.path !== this.path) {
      return html`<div class="start">
        <h2>Nothing is known of ${this.path}</h2>
        <p>The device did not list it, and no value of it was heard. It can be asked all the same.</p>
        <button
          ?disabled=${!this.#reachable}
          @click=${() => this.#requested(this.#operations.read(this.path, this.#requestOptions))}
        >
          Read ${this.path}
        </button>
        <a href=${this.#href('')}>All objects</a>
      </div>`;
    }
    const [object = ''] = trailOf(this.path);
    return html`<sy-object-detail
      .endpoint=${this.endpoint}
      .trail=${trail}
      .values=${values}
      .operations=${this.#operations}
      .options=${this.#requestOptions}
      .instances=${this.#instances}
      .observations=${source.observations}
      .shownAttributes=${this.#objects.attributes.get(this.path)}
      .listedVersion=${this.#objects.links?.find(({ path }) => path === object)?.attributes['ver']}
      .version=${source.device?.registration?.version}
      ?reachable=${this.#reachable}
      @operation-wanted=${(event: CustomEvent<DeviceOperation>) => this.#requested(event.detail)}
      @choice-made=${(event: CustomEvent<boolean>) => this.#choose(event.detail)}
      @choice-forgotten=${() => this.#choose(undefined)}
    ></sy-object-detail>`;
  }

  #start(tree: readonly TreeNode[]) {
    if (tree.length === 0) {
      return html`<div class="start">
        <h2>Nothing is known of this device's objects</h2>
        <p>They are here as soon as it registers, or reports a value.</p>
      </div>`;
    }
    return html`<div class="start">
      <h2>Choose a place in the tree</h2>
      <p>
        Each object, instance and resource shows what it is, what it holds, and what can be done with it. With “Pick
        several”, one message reads, writes or observes several places at once.
      </p>
    </div>`;
  }

  #composite(tree: readonly TreeNode[], values: LastValues, { device }: DeviceController) {
    return html`<sy-composite-panel
      .nodes=${[...this.ticked].flatMap((path) => nodeAt(tree, path) ?? [])}
      .values=${values}
      .operations=${this.#operations}
      .options=${this.#requestOptions}
      .instances=${this.#instances}
      .version=${device?.registration?.version}
      ?reachable=${this.#reachable}
      @operation-wanted=${(event: CustomEvent<DeviceOperation>) => this.#requested(event.detail)}
      @place-ticked=${(event: CustomEvent<string>) => this.#tick(event.detail)}
      @cleared=${() => {
        this.ticked = new Set();
      }}
    ></sy-composite-panel>`;
  }

  get #requestOptions() {
    const { held, timeout, ...others } = this.options;
    return held || timeout === undefined ? others : { ...others, timeout };
  }

  get #reachable(): boolean {
    const { device } = this.source ?? {};
    return this.options.held || (device !== undefined && isRegistered(device));
  }

  get #instances(): ValueInput['instances'] {
    return (this.#objects.links ?? []).flatMap(({ path, name }) => {
      const [, object, instance] = path.split('/');
      return instance === undefined ? [] : [{ link: `${object}:${instance}`, name: name ?? path }];
    });
  }

  #nodes(): readonly TreeNode[] {
    const { links, models, discovered, mapped, gone, loaded } = this.#objects;
    const nodes = this.#tree.nodes({
      links,
      models,
      discovered,
      mapped,
      gone,
      asked: this.path,
      all: this.all,
    });
    // Where the device has listed nothing, what was heard of it tells which objects there are.
    if (loaded && links === undefined)
      this.#objects.learnOnce(nodes.flatMap(({ model, path }) => (model === undefined ? [path] : [])));
    return nodes;
  }

  #href(path: string): string {
    return hrefOf({ name: 'device', endpoint: this.endpoint, tab: 'objects', path });
  }

  #pick(picking: boolean): void {
    this.picking = picking;
    const { format: _, ...options } = this.options;
    this.options = options;
    if (this.picking && this.path !== '') this.ticked = new Set([this.path]);
  }

  #tick(path: string): void {
    const ticked = new Set(this.ticked);
    if (!ticked.delete(path)) ticked.add(path);
    this.ticked = ticked;
  }

  async #requested(operation: DeviceOperation): Promise<void> {
    if (await this.#confirmed(operation)) await this.#requests.perform(operation, this.options.held);
  }

  async #confirmed(operation: DeviceOperation): Promise<boolean> {
    const question = questionBefore(operation, this.endpoint);
    const dialog = this.renderRoot.querySelector<ConfirmDialog>('sy-confirm-dialog');
    return question === undefined || (await dialog?.ask(question)) === true;
  }

  /** The device has done it: what it answered is shown, what it changed is read again. */
  #answered(request: LoggedRequest): void {
    const { kind, paths } = request.operation;
    const [path = ''] = paths;
    this.#objects.take(request, this.#clock.value?.now() ?? Date.now());
    if (kind === 'delete') {
      this.#objects.forget(path);
      if (path === this.path) navigate(this.#href(parentOf(path)));
    }
    if (request.held) return;
    // What was written is not what the device has: it may have rounded it, or refused a part.
    if (kind === 'write' && this.#isReadable(path))
      this.#requests.perform(this.#operations.read(path, this.#requestOptions), false);
    if (kind === 'write-composite') {
      const readable = paths.filter((each) => this.#isReadable(each));
      if (readable.length > 0)
        this.#requests.perform(this.#operations.readComposite(readable, this.#requestOptions), false);
    }
  }

  #isReadable(path: string): boolean {
    const resource = nodeAt(this.#nodes(), path)?.resource;
    return resource === undefined || isReadable(resource);
  }

  /** By hand: to be observed or not, or as policies say (undefined). */
  async #choose(wanted: boolean | undefined): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    const { endpoint, path } = this;
    await this.#try(async () => {
      const status: ApiObservationStatus =
        wanted === undefined
          ? await api.unchooseObservation(endpoint, path)
          : await api.chooseObservation(endpoint, path, wanted);
      if (endpoint === this.endpoint) this.source?.takeObservations(status);
    });
  }

  /** Events were missed: commands that wait are asked for. */
  async #lookAgain(): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    for (const { state, command } of this.#requests.log) {
      if (state === 'held' && command !== undefined)
        await this.#try(async () => this.#requests.followed(await api.command(command.id)));
    }
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.problem = undefined;
    try {
      await work();
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  #again(): void {
    this.problem = undefined;
    if (this.#objects.problem !== undefined) this.#objects.load();
    this.#lookAgain();
  }
}

customElements.define('sy-device-objects', DeviceObjects);
