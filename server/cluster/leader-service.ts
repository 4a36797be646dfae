import type { Clock } from '../../protocol/clock.ts';
import { type Leases, NodeUnreachableError } from '../ports/cluster-ports.ts';
import { leaseName, nameOfHolder } from './leadership.ts';
import type { Rpc } from './rpc.ts';

/** How long whoever asks waits for a leader, ms: another one takes the place of one that died within that time. */
const PATIENCE = 12_000;
/** How long the leader may take, ms. */
const TIMEOUT = 30_000;
/** Of what is no use later: asked once, and not waited for long, ms. */
export const atOnce = { patience: 0, timeout: 3_000 };
const AGAIN = 250;

/** The methods of a service, as another node can ask for them. */
export type Remote<T> = {
  readonly [Name in keyof T]: T[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/** Such a service, or the same of another node: what it answers is awaited. */
export type Served<T> = {
  readonly [Name in keyof T]: T[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Result | Promise<Awaited<Result>>
    : never;
};

export interface LeaderLink {
  readonly node: string;
  readonly rpc: Pick<Rpc, 'call' | 'serve'>;
  readonly leases: Pick<Leases, 'holder'>;
  readonly clock: Clock;
}

/**
 * A service of the leader as every node offers it: the leader answers, whoever is asked.
 *
 * @param current undefined while this node does not lead
 * @throws NodeUnreachableError no node leads now, beside what the service throws
 */
export function ledService<T extends object, Name extends keyof T & string>(
  link: LeaderLink,
  service: string,
  methods: readonly Name[],
  current: () => T | undefined,
  { patience, timeout }: typeof atOnce = { patience: PATIENCE, timeout: TIMEOUT },
): Remote<Pick<T, Name>> {
  const { rpc, clock } = link;
  const run = (name: Name, args: readonly unknown[]): unknown => {
    const leading = current();
    if (leading === undefined) throw new NodeUnreachableError('this node does not lead', true);
    return (leading[name] as (...all: readonly unknown[]) => unknown).apply(leading, [...args]);
  };
  rpc.serve(
    service,
    Object.fromEntries(methods.map((name) => [name, (args: readonly unknown[]) => run(name, args)])),
  );
  const ask = async (name: Name, args: readonly unknown[]): Promise<unknown> => {
    const deadline = clock.now() + patience;
    for (;;) {
      try {
        if (current() !== undefined) return await run(name, args);
        const leader = await leaderOf(link);
        if (leader === undefined) throw new NodeUnreachableError('no node leads now', true);
        return await rpc.call(leader, service, name, args, { timeout });
      } catch (error) {
        // Nobody was there to ask: another one takes the lead within seconds.
        if (!(error instanceof NodeUnreachableError) || !error.gone || clock.now() >= deadline) throw error;
        await new Promise<void>((resolve) => clock.setTimer(AGAIN, resolve));
      }
    }
  };
  return Object.fromEntries(
    methods.map((name) => [name, (...args: unknown[]) => ask(name, args)]),
  ) as unknown as Remote<Pick<T, Name>>;
}

/** Name of the node that leads; undefined where none does now. */
export async function leaderOf({ leases }: Pick<LeaderLink, 'leases'>): Promise<string | undefined> {
  const holder = await leases.holder(leaseName);
  return holder === undefined ? undefined : nameOfHolder(holder);
}
