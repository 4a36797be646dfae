import { describe, expect, it } from 'vitest';
import { ConflictError } from '../../../server/errors.ts';
import { MAX_CHOICES, PolicyBook } from '../../../server/lwm2m/policy-book.ts';
import type {
  ObservationChoice,
  ObservationPolicy,
  ObservationPolicyStore,
} from '../../../server/ports/observation-policy-store.ts';

const choice = (path: string, wanted: boolean): ObservationChoice => ({
  paths: [path],
  composite: false,
  wanted,
  chosenAt: 0,
});

/** A store that keeps choices of one device. */
function storeOf(choices: Map<string, ObservationChoice>): ObservationPolicyStore {
  return {
    policies: async () => [],
    putPolicy: async () => undefined,
    removePolicy: async () => false,
    recorded: async () => (choices.size === 0 ? [] : ['d']),
    record: async () => ({ choices: [...choices.values()], written: new Map() }),
    choose: async (_endpoint, chosen) => {
      choices.set(chosen.paths.join(), chosen);
    },
    unchoose: async () => false,
    setWritten: async () => undefined,
  };
}

describe('what a person chooses for a device', () => {
  it('is bounded in number, and may be changed where there is no room for more', async () => {
    const choices = new Map<string, ObservationChoice>();
    for (let id = 0; id < MAX_CHOICES; id++) choices.set(`/3303/${id}`, choice(`/3303/${id}`, true));
    const book = await PolicyBook.open(storeOf(choices), { get: async () => undefined }, []);
    await expect(book.choose('d', choice('/3304/0', true))).rejects.toThrow(ConflictError);
    await book.choose('d', choice('/3303/5', false));
    expect(choices.get('/3303/5')?.wanted).toBe(false);
    expect(choices.size).toBe(MAX_CHOICES);
  });
});

describe('policies', () => {
  const policy = (id: string, paths: number): ObservationPolicy => ({
    id,
    name: id,
    enabled: true,
    devices: {},
    observations: [{ paths: Array.from({ length: paths }, (_, resource) => `/3303/*/${resource}`) }],
    createdAt: 0,
    updatedAt: 0,
  });

  it('have a bounded number of paths together, and may get fewer where there are too many', async () => {
    const book = await PolicyBook.open(storeOf(new Map()), { get: async () => undefined }, []);
    await book.put(policy('a', 20_000));
    await book.put(policy('b', 12_768));
    await expect(book.put(policy('c', 1))).rejects.toThrow(ConflictError);
    await expect(book.put(policy('b', 12_769))).rejects.toThrow('32768 paths');
    await book.put(policy('b', 12_767));
    await book.put(policy('c', 1));
    expect(book.list()).toHaveLength(3);
  });
});
