import type { Row } from './measure.ts';
import {
  echo,
  leshan,
  leshanOnRedis,
  leshanOverDtls,
  nodeCoap,
  simyardInMemory,
  simyardOnDisk,
  simyardOnRedis,
  simyardOverDtls,
} from './peers/peers.ts';
import { titles } from './titles.ts';

/** Exchanges a second, below what the slowest peer in memory can do when it is warm. */
const RATE = 4_000;
/** Where the whole set looks as well, to show what an exchange costs when few come at a time, and when many do. */
const OTHER_RATES = [500, 2_000, 10_000];
/** With a Redis that syncs each write, one JVM does some hundreds. */
const REDIS_RATE = 300;
/** Reads a second: each goes through HTTP, the server, the device and back. */
const READ_RATE = 1_000;
/** ms, as long as a JVM has: after 3 s a third of the CPU of Node was its compilers' still. */
const READ_WARM_UP = 8_000;

/** The works of the short set: the floor, and the three that an LwM2M server does all day. */
function works(devices: number, pack: number) {
  return {
    floor: {
      title: 'datagram in and out',
      work: 'echo',
      devices: Math.min(devices, 1_000),
      readings: 0,
      rate: RATE,
    },
    registration: { title: titles.registration, work: 'register', devices, readings: 0, rate: RATE },
    update: { title: titles.update, work: 'update', devices, readings: 0, rate: RATE },
    notification: {
      title: titles.notification(pack),
      work: 'notify',
      devices,
      readings: pack,
      rate: RATE,
    },
  } as const satisfies Record<string, Omit<Row, 'peers'>>;
}

const inMemory = [nodeCoap, leshan, simyardInMemory];

/** Four rows, what `npm run bench` has time for. */
export function shortRows(): Row[] {
  const { floor, registration, update, notification } = works(1_000, 1);
  return [
    { ...floor, peers: [echo] },
    { ...registration, peers: inMemory },
    { ...update, peers: inMemory },
    { ...notification, peers: [...inMemory, simyardOnDisk] },
  ];
}

/** Everything, with ten thousand devices. */
export function fullRows(): Row[] {
  const { floor, registration, update, notification } = works(10_000, 1);
  const all = [nodeCoap, leshan, simyardInMemory, simyardOnDisk];
  /** npm coap forgets each device at once: to it all are alike. */
  const keepers = [leshan, simyardInMemory, simyardOnDisk];
  const dtls = { devices: 1_000, peers: [leshanOverDtls, simyardOverDtls] };
  const redis = { devices: 1_000, rate: REDIS_RATE, peers: [leshanOnRedis, simyardOnRedis] };
  return [
    { ...floor, peers: [echo] },
    { ...registration, peers: all },
    { ...registration, title: titles.newcomer, work: 'come-and-go', peers: keepers },
    { ...update, otherRates: OTHER_RATES, peers: all },
    { ...notification, otherRates: OTHER_RATES, peers: all },
    { ...works(10_000, 10).notification, peers: all },
    { ...works(10_000, 50).notification, peers: all },
    {
      ...notification,
      title: 'notification without acknowledgement, 1 reading',
      confirmable: false,
      peers: keepers,
    },
    {
      ...{ title: 'read of a resource at the device, by HTTP', work: 'read', readings: 1 },
      ...{ devices: 1_000, rate: READ_RATE, warmUp: READ_WARM_UP, peers: [leshan, simyardInMemory] },
    },
    { ...update, title: `${update.title}, DTLS`, ...dtls },
    { ...notification, title: `${notification.title}, DTLS`, ...dtls },
    { ...registration, title: titles.redis(registration.title), ...redis },
    { ...update, title: titles.redis(update.title), ...redis },
    { ...notification, title: titles.redis(notification.title), ...redis },
  ];
}

/**
 * The floor, and the row of this name; where there is none, what has it in the name of the row or of the server, in any case. All where it
 * is empty.
 */
export function chosenRows(rows: readonly Row[], only: string): Row[] {
  const isName = rows.some(({ title }) => title === only);
  const isWanted = (title: string, peer: string): boolean =>
    isName ? title === only : `${title} ${peer}`.toLowerCase().includes(only.toLowerCase());
  return rows
    .map((row) => ({
      ...row,
      peers: row.peers.filter(({ name }) => row.work === 'echo' || isWanted(row.title, name)),
    }))
    .filter(({ peers }) => peers.length > 0);
}
