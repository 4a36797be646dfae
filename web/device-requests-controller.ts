import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { announce } from './announce.ts';
import { type ApiClient, newIdempotencyKey } from './data/api-client.ts';
import type { ApiCommand } from './data/api-types.ts';
import type { DeviceOperation } from './data/device-operations.ts';
import { asProblem } from './data/problem.ts';
import { type LoggedRequest, outcomeText } from './data/request-log.ts';
import { isFinal } from './data/switch-progress.ts';

const keptRequests = 50;
/** Commands that came on before the answer that tells of them. */
const keptCommands = 100;

/** What a reader asks of one device, and how it went: newest first. */
export class DeviceRequestsController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #onAnswer: (request: LoggedRequest) => void;
  readonly #running = new Map<number, AbortController>();
  #api: ApiClient | undefined;
  readonly #heard = new Map<string, ApiCommand>();
  #nextId = 1;
  log: readonly LoggedRequest[] = [];

  /** @param onAnswer called when the device has done what was asked, held requests too. */
  constructor(host: ReactiveControllerHost, onAnswer: (request: LoggedRequest) => void) {
    this.#host = host;
    this.#onAnswer = onAnswer;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.clear();
  }

  /** Another device, or none: what runs is given up, what was is forgotten. */
  clear(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
    this.log = [];
  }

  use(api: ApiClient): void {
    this.#api = api;
  }

  get running(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when it has ended, however that was; `log` tells. */
  async perform(operation: DeviceOperation, held: boolean): Promise<LoggedRequest | undefined> {
    const api = this.#api;
    if (api === undefined) return undefined;
    const id = this.#nextId++;
    const controller = new AbortController();
    this.#running.set(id, controller);
    const started: LoggedRequest = { id, operation, held, startedAt: Date.now(), state: 'running' };
    this.log = [started, ...this.log].slice(0, keptRequests);
    this.#host.requestUpdate();
    let ended: LoggedRequest;
    try {
      const { status, body } = await api.perform(operation, {
        held,
        signal: controller.signal,
        // Where it is held the key makes one command of it; a read needs none.
        ...(operation.method === 'GET' ? {} : { idempotencyKey: newIdempotencyKey() }),
      });
      ended =
        status === 202
          ? { ...started, state: 'held', command: body as ApiCommand }
          : { ...started, state: 'done', endedAt: Date.now(), answer: body };
    } catch (error) {
      ended = controller.signal.aborted
        ? { ...started, state: 'given-up', endedAt: Date.now() }
        : { ...started, state: 'failed', endedAt: Date.now(), problem: asProblem(error) };
    }
    this.#running.delete(id);
    this.#put(ended);
    announce(spoken(ended));
    if (ended.state === 'done') this.#onAnswer(ended);
    const heard = ended.command === undefined ? undefined : this.#heard.get(ended.command.id);
    if (heard !== undefined) this.followed(heard);
    return ended;
  }

  /** Stops waiting for the answer; the device may have got the request all the same. One that is held is cancelled. */
  async giveUp(id: number): Promise<void> {
    this.#running.get(id)?.abort();
    const held = this.log.find((entry) => entry.id === id && entry.state === 'held');
    if (held?.command === undefined || this.#api === undefined) return;
    try {
      this.followed(await this.#api.cancelCommand(held.command.id));
    } catch (error) {
      // It has just been sent, say: what becomes of it is still followed.
      const request = this.log.find((entry) => entry.id === id);
      if (request?.state === 'held') this.#put({ ...request, problem: asProblem(error) });
    }
  }

  /** What has ended is no longer shown. */
  tidy(): void {
    this.log = this.log.filter(({ state }) => state === 'running' || state === 'held');
    this.#host.requestUpdate();
  }

  /** A command of the device has come on, as the event stream tells. */
  followed(command: ApiCommand): void {
    this.#heard.set(command.id, command);
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > keptCommands && oldest !== undefined) this.#heard.delete(oldest);
    const request = this.log.find((entry) => entry.command?.id === command.id);
    if (request === undefined || request.state !== 'held') return;
    if (!isFinal(command)) {
      this.#put({ ...request, command });
      return;
    }
    const done = command.state === 'done';
    const ended: LoggedRequest = {
      ...request,
      command,
      state: done ? 'done' : 'failed',
      endedAt: Date.now(),
      ...(done ? { answer: command.result } : {}),
    };
    this.#put(ended);
    announce(spoken(ended));
    if (done) this.#onAnswer(ended);
  }

  #put(request: LoggedRequest): void {
    this.log = this.log.map((entry) => (entry.id === request.id ? request : entry));
    this.#host.requestUpdate();
  }
}

function spoken(request: LoggedRequest): string {
  return `${request.operation.title}: ${outcomeText(request)}`;
}
