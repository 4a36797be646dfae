import type { Stores } from '../ports/stores.ts';
import type { Projection } from './projection.ts';

/**
 * The stores as a reader should see them: history and last values have what was acknowledged until the
 * question, and not what the projection last came to.
 */
export function levelWithLog(stores: Stores, projection: Pick<Projection, 'flush'>): Stores {
  return {
    ...stores,
    history: {
      ...stores.history,
      query: (query) => projection.flush().then(() => stores.history.query(query)),
      page: (query) => projection.flush().then(() => stores.history.page(query)),
      series: (query) => projection.flush().then(() => stores.history.series(query)),
    },
    lastValues: {
      ...stores.lastValues,
      get: (endpoint, prefix) => projection.flush().then(() => stores.lastValues.get(endpoint, prefix)),
    },
  };
}
