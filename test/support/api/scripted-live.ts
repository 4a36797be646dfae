import type { LiveItem, LivePosition, LiveStream, LiveSubscription } from '../../../server/events.ts';

type Options = Parameters<LiveStream['subscribe']>[0];

/** A subscriber of ScriptedLive, as the stream sees it. */
export class ScriptedSubscription implements LiveSubscription {
  readonly options: Options;
  readonly #position: LivePosition;
  resumed = 0;
  closed = false;
  #onResume: (() => void) | undefined;

  constructor(options: Options) {
    this.options = options;
    this.#position = options.after;
  }

  position(): LivePosition {
    return this.#position;
  }

  /** Hands it one item. Whether it takes more. */
  give(item: LiveItem, position: LivePosition): boolean {
    return this.options.onEntries([{ item, position }]);
  }

  /** Resolves when the API asks for more. */
  whenResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onResume = resolve;
    });
  }

  resume(): void {
    this.resumed++;
    this.#onResume?.();
  }

  close(): void {
    this.closed = true;
  }
}

/** A live stream whose every item the test sends by hand, and whose back-pressure it can watch. */
export class ScriptedLive implements LiveStream {
  readonly subscriptions: ScriptedSubscription[] = [];
  readonly #position: LivePosition;
  #waiting: (() => void)[] = [];

  constructor(position: LivePosition) {
    this.#position = position;
  }

  position(): LivePosition {
    return this.#position;
  }

  subscribe(options: Options): LiveSubscription {
    const subscription = new ScriptedSubscription(options);
    this.subscriptions.push(subscription);
    for (const wake of this.#waiting.splice(0)) wake();
    return subscription;
  }

  /** The n-th subscriber, once it is there. */
  async subscriber(index = 0): Promise<ScriptedSubscription> {
    for (;;) {
      const subscription = this.subscriptions[index];
      if (subscription !== undefined) return subscription;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** To all that are open, as the same entries. */
  publish(item: LiveItem, position: LivePosition): boolean[] {
    const entries = [{ item, position }];
    return this.subscriptions
      .filter(({ closed }) => !closed)
      .map(({ options }) => options.onEntries(entries));
  }
}
