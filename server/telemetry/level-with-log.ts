import type { LastValues } from '../ports/last-values.ts';
import type { Stores } from '../ports/stores.ts';

/**
 * The stores as a reader should see them: history and last values have what was acknowledged until the
 * question, and not what the projection last came to. `level` brings them there.
 * @param newest reads last values that are level already, where nothing has to be written for it first
 */
export function levelWithLog(stores: Stores, level: () => Promise<void>, newest?: LastValues['get']): Stores {
  return {
    ...stores,
    history: withMethods(stores.history, {
      query: (query) => level().then(() => stores.history.query(query)),
      page: (query) => level().then(() => stores.history.page(query)),
      series: (query) => level().then(() => stores.history.series(query)),
    }),
    lastValues: withMethods(stores.lastValues, {
      get: newest ?? ((endpoint, prefix) => level().then(() => stores.lastValues.get(endpoint, prefix))),
    }),
  };
}

/** An object with some methods in the place of its own; it may be of a class. */
export function withMethods<T extends object>(whole: T, methods: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      const owner = Reflect.get(methods, name) === undefined ? target : methods;
      const member: unknown = Reflect.get(owner, name);
      return typeof member === 'function' ? member.bind(owner) : member;
    },
  });
}
