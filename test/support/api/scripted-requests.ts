import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import type { DeviceRequests, ReadResult } from '../../../server/lwm2m/device-requests.ts';

type Operation = keyof DeviceRequests;

/** One call that the API made, without what only the wire needs. */
export interface RequestCall {
  readonly operation: Operation;
  readonly endpoint: string;
  readonly path: string;
  readonly arguments: readonly unknown[];
}

/**
 * Devices as the API sees them, by script: it records what was asked, and answers what the test says.
 * The real one needs a CoAP endpoint and a device at its other end, which integration tests have.
 */
export class ScriptedRequests implements DeviceRequests {
  readonly calls: RequestCall[] = [];
  readonly signals: AbortSignal[] = [];
  #answer: (call: RequestCall) => unknown = () => undefined;

  /** What comes back from the next calls; an Error is thrown. */
  answers(answer: (call: RequestCall) => unknown): void {
    this.#answer = answer;
  }

  answersRead(contentFormat: number, records: readonly LwM2mRecord[]): void {
    this.#answer = ({ path }): ReadResult => ({ path, contentFormat, records });
  }

  /** As new: nothing asked, nothing to answer. */
  reset(): void {
    this.calls.length = 0;
    this.signals.length = 0;
    this.#answer = () => undefined;
  }

  get last(): RequestCall | undefined {
    return this.calls.at(-1);
  }

  read: DeviceRequests['read'] = (...call) => this.#take('read', call);
  write: DeviceRequests['write'] = (...call) => this.#take('write', call);
  execute: DeviceRequests['execute'] = (...call) => this.#take('execute', call);
  create: DeviceRequests['create'] = (...call) => this.#take('create', call);
  delete: DeviceRequests['delete'] = (...call) => this.#take('delete', call);
  discover: DeviceRequests['discover'] = (...call) => this.#take('discover', call);
  observe: DeviceRequests['observe'] = (...call) => this.#take('observe', call);
  cancelObservation: DeviceRequests['cancelObservation'] = (...call) => this.#take('cancelObservation', call);
  writeAttributes: DeviceRequests['writeAttributes'] = (...call) => this.#take('writeAttributes', call);
  readComposite: DeviceRequests['readComposite'] = (...call) => this.#take('readComposite', call);
  writeComposite: DeviceRequests['writeComposite'] = (...call) => this.#take('writeComposite', call);
  observeComposite: DeviceRequests['observeComposite'] = (...call) => this.#take('observeComposite', call);
  cancelComposite: DeviceRequests['cancelComposite'] = (...call) => this.#take('cancelComposite', call);

  async #take<T>(operation: Operation, [endpoint, ...given]: readonly unknown[]): Promise<T> {
    // What is composite names its paths in its arguments.
    const composite = typeof given[0] !== 'string';
    const path = composite ? '/' : given[0];
    const rest = composite ? given : given.slice(1);
    const withoutSignal = rest.map((argument) => {
      if (typeof argument !== 'object' || argument === null || !('signal' in argument)) return argument;
      const { signal, ...options } = argument;
      this.signals.push(signal as AbortSignal);
      return options;
    });
    const call = {
      operation,
      endpoint: endpoint as string,
      path: path as string,
      arguments: withoutSignal,
    };
    this.calls.push(call);
    const answer = await this.#answer(call);
    if (answer instanceof Error) throw answer;
    return answer as T;
  }
}
