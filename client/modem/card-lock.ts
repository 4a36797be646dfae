import { Code } from '../../protocol/coap/message.ts';
import { OperationError } from '../lwm2m/operation-error.ts';

/** A modem that is busy asks to be tried again after this, s. */
const busyRetry = 5;

/** Who has the card: one piece of work at a time, and the others are told which. */
export class CardLock {
  #what: string | undefined;

  get isBusy(): boolean {
    return this.#what !== undefined;
  }

  /** Takes the card; `what` it is for, for others who want it. @throws OperationError 5.03 somebody has it */
  take(what: string): void {
    this.check();
    this.#what = what;
  }

  free(): void {
    this.#what = undefined;
  }

  /** @throws OperationError 5.03 somebody has the card */
  check(): void {
    if (this.#what === undefined) return;
    throw new OperationError(Code.SERVICE_UNAVAILABLE, this.#what, busyRetry);
  }

  /** Has the card until `work` has ended. @throws OperationError 5.03 somebody has it */
  async hold<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.take(what);
    try {
      return await work();
    } finally {
      this.free();
    }
  }
}
