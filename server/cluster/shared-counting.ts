import type { Logger } from 'pino';
import type { StatisticsSample } from '../ports/statistics-store.ts';
import type { StatisticsSampler } from '../statistics/sampler.ts';
import type { Seat } from './seat.ts';

const SERVICE = 'statistics';
/** A node that does not say within so long what it counts is left out, ms. */
const PATIENCE = 1_000;

/** What a node counts and has not stored yet, and what it takes in now. */
export interface Counting {
  readonly pending: readonly StatisticsSample[];
  /** A second. */
  readonly rates: { readonly readings: number; readonly notifications: number };
}

/** Asks all other nodes what they count since then; none where there are no others. */
export function sharedCounting(
  { others, node }: Pick<Seat, 'others' | 'node'>,
  sampler: Pick<StatisticsSampler, 'pending' | 'rates'>,
  log: Logger,
): (since: number) => Promise<readonly Counting[]> {
  if (others === undefined) return async () => [];
  const { rpc, members } = others;
  rpc.serve(SERVICE, {
    counting: ([since]): Counting => ({ pending: sampler.pending(since as number), rates: sampler.rates }),
  });
  const ask = async (name: string, since: number): Promise<readonly Counting[]> => {
    try {
      return [(await rpc.call(name, SERVICE, 'counting', [since], { timeout: PATIENCE })) as Counting];
    } catch (error) {
      log.debug({ other: name, error }, 'what another node counts is left out');
      return [];
    }
  };
  return async (since) => {
    const names = members.list().map(({ name }) => name);
    const answers = await Promise.all(names.filter((name) => name !== node).map((name) => ask(name, since)));
    return answers.flat();
  };
}
