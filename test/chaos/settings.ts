import { parseArgs } from 'node:util';

/** What may be killed. */
export const victims = ['node', 'modems', 'redis'] as const;
export type Victim = (typeof victims)[number];

export interface ChaosSettings {
  /** Server nodes; with one and no Redis it has the embedded store. */
  readonly nodes: number;
  readonly store: 'embedded' | 'redis' | 'redis-cluster';
  /** How devices reach the nodes: each by its own address, or all through a load balancer. */
  readonly front: 'direct' | 'balancer';
  readonly modems: number;
  /** Modems of one process. */
  readonly group: number;
  /** Seconds of chaos, after all are registered and before it is quiet. */
  readonly seconds: number;
  /** Seconds between kills. */
  readonly killEvery: number;
  /** In turn. */
  readonly kill: readonly Victim[];
  /** ms between the packs of a modem, of ten readings each. */
  readonly packInterval: number;
  /** REST requests under way at a time. */
  readonly callers: number;
  /** ms that a caller rests between two requests. */
  readonly callerPause: number;
  /** Modems with a short lifetime that are killed and never come back: each has to expire once. */
  readonly mayflies: number;
  /** The choice of what is killed, and when, is the same for the same seed. */
  readonly seed: number;
  /** Keeps everything: folder of ledgers, logs of the nodes, and the store. */
  readonly folder: string | undefined;
}

export const help = `Kills servers, modems and Redis under load, and checks that nothing that was acknowledged is lost.

Usage: npm run chaos -- [options]

  --nodes N          server nodes                                            (3)
  --store WHICH      redis, redis-cluster (three masters), or embedded (one node)  (redis)
  --front WHICH      direct: each node has its own address; balancer: one for all, a UDP load balancer
                     that goes over to the other nodes when one is killed    (balancer)
  --modems N         simulated modems, each with a pack of 10 readings every 5 s   (5000)
  --group N          modems in one process, which is killed as a whole       (100)
  --minutes M        of chaos                                                (5)
  --kill-every S     seconds between kills                                   (10)
  --kill WHAT,...    in turn: node, modems, redis                            (node,modems)
  --pack-interval MS between packs of a modem                                (5000)
  --callers N        REST requests under way at a time                       (8)
  --caller-pause MS  rest between two requests of a caller                   (50)
  --mayflies N       modems that are killed for good, and have to expire once  (20)
  --seed N           of the choice of victims                                (of the time)
  --keep FOLDER      keep ledgers, the nodes' logs and the store there
  --help             this text

Ends with 0 where every figure of what must not happen is 0, with 1 where one is not.`;

/** @throws Error one line for the person */
export function parseSettings(args: readonly string[]): ChaosSettings | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: text,
      store: text,
      front: text,
      modems: text,
      group: text,
      minutes: text,
      'kill-every': text,
      kill: text,
      'pack-interval': text,
      callers: text,
      'caller-pause': text,
      mayflies: text,
      seed: text,
      keep: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return 'help';
  const number = (name: string, value: string | undefined, initial: number, least: number): number => {
    const given = value === undefined ? initial : Number(value);
    if (!Number.isFinite(given) || given < least) throw new Error(`--${name} must be a number from ${least}`);
    return given;
  };
  const store = values.store ?? 'redis';
  if (store !== 'embedded' && store !== 'redis' && store !== 'redis-cluster') {
    throw new Error('--store must be redis, redis-cluster or embedded');
  }
  const front = values.front ?? (store === 'embedded' ? 'direct' : 'balancer');
  if (front !== 'direct' && front !== 'balancer') throw new Error('--front must be direct or balancer');
  const nodes = number('nodes', values.nodes, store === 'embedded' ? 1 : 3, 1);
  if (store === 'embedded' && nodes !== 1) throw new Error('the embedded store has one node');
  const kill = (values.kill ?? 'node,modems').split(',');
  for (const what of kill) if (!isVictim(what)) throw new Error(`--kill knows ${victims.join(', ')}`);
  if (store === 'embedded' && kill.includes('redis')) throw new Error('there is no Redis to be killed');
  return {
    nodes,
    store,
    front,
    modems: number('modems', values.modems, 5_000, 1),
    group: number('group', values.group, 100, 1),
    seconds: number('minutes', values.minutes, 5, 0) * 60,
    killEvery: number('kill-every', values['kill-every'], 10, 0.1),
    kill: kill.filter(isVictim),
    packInterval: number('pack-interval', values['pack-interval'], 5_000, 100),
    callers: number('callers', values.callers, 8, 0),
    callerPause: number('caller-pause', values['caller-pause'], 50, 0),
    mayflies: number('mayflies', values.mayflies, 20, 0),
    seed: number('seed', values.seed, Date.now() % 1_000_000, 0),
    folder: values.keep,
  };
}

function isVictim(text: string): text is Victim {
  return (victims as readonly string[]).includes(text);
}
