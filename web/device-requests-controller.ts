import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { announce } from './announce.ts';
import { type ApiClient, newIdempotencyKey } from './data/api-client.ts';
import type { ApiCommand, ApiProblem } from './data/api-types.ts';
import type { DeviceOperation } from './data/device-operations.ts';
import { asProblem } from './data/problem.ts';
import { isFinal } from './data/switch-progress.ts';

/** One request that a reader made, from the moment it goes out. Times in ms since the epoch. */
export interface LoggedRequest {
  readonly id: number;
  readonly operation: DeviceOperation;
  readonly held: boolean;
  readonly startedAt: number;
  readonly state: 'running' | 'done' | 'held' | 'failed' | 'given-up';
  readonly endedAt?: number;
  /** What the API answered. */
  readonly answer?: unknown;
  readonly problem?: ApiProblem;
  /** Where it waits for the device. */
  readonly command?: ApiCommand;
}

const keptRequests = 50;

/** What a reader asks of one device, and how it went: newest first. */
export class DeviceRequestsController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #onAnswer: (request: LoggedRequest) => void;
  readonly #running = new Map<number, AbortController>();
  #api: ApiClient | undefined;
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
    return ended;
  }

  /** Stops waiting for the answer; the device may have got the request all the same. */
  giveUp(id: number): void {
    this.#running.get(id)?.abort();
  }

  /** A command of the device has come on, as the event stream tells. */
  followed(command: ApiCommand): void {
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

function spoken({ operation, state, problem, command }: LoggedRequest): string {
  if (state === 'done') return `${operation.title}: done`;
  if (state === 'held') return `${operation.title}: waits for the device`;
  if (state === 'given-up') return `${operation.title}: given up`;
  return `${operation.title}: ${problem?.title ?? command?.reason ?? 'failed'}`;
}
