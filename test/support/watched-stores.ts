import type { Stores } from '../../server/ports/stores.ts';

/** Real turns of the event loop after which a store that does not answer is not waited for. */
const MAX_TURNS = 50;

/** Stores of which is known whether they are at work. */
export interface WatchedStores {
  readonly stores: Stores;
  /** Resolves when nothing is asked of them, nor anything that follows from their answers; or when that takes too long. */
  idle(): Promise<void>;
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Counts what is asked of stores, so that simulated time can stand still meanwhile. */
export function watchStores(given: Stores): WatchedStores {
  let underWay = 0;
  const counted = <T>(answer: T): T => {
    if (answer instanceof Promise) {
      underWay++;
      const done = (): void => {
        underWay--;
      };
      answer.then(done, done);
    }
    return answer;
  };
  const watched = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => counted(Reflect.apply(value, target, args));
      },
    });
  const { log } = given;
  const watchedLog = new Proxy(watched(log), {
    get(target, name) {
      if (name !== 'append') return Reflect.get(target, name);
      const append: Stores['log']['append'] = (entry, done) => {
        underWay++;
        log.append(entry, (...result) => {
          underWay--;
          done(...result);
        });
      };
      return append;
    },
  });
  const ports = Object.entries(given).map(([name, member]) => [
    name,
    typeof member === 'object' && member !== null ? watched(member as object) : member,
  ]);
  const stores = { ...(Object.fromEntries(ports) as unknown as Stores), log: watchedLog };
  return {
    stores,
    idle: async () => {
      await turn();
      for (let i = 0; i < MAX_TURNS && underWay > 0; i++) await turn();
    },
  };
}
