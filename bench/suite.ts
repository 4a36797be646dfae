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

/** Exchanges a second, below what the slowest peer in memory can do when it is warm. */
const RATE = 4_000;
/** With a Redis that syncs each write, one JVM does some hundreds. */
const REDIS_RATE = 300;

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
    registration: { title: 'registration', work: 'register', devices, readings: 0, rate: RATE },
    update: { title: 'update', work: 'update', devices, readings: 0, rate: RATE },
    notification: {
      title: `confirmable notification, ${pack === 1 ? '1 reading' : `${pack} readings`}`,
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
  const redis = [leshanOnRedis, simyardOnRedis];
  const slower = { devices: 1_000, rate: REDIS_RATE };
  return [
    { ...floor, peers: [echo] },
    { ...registration, peers: all },
    { ...update, peers: all },
    { ...notification, peers: all },
    { ...works(10_000, 10).notification, peers: all },
    { ...works(10_000, 50).notification, peers: all },
    {
      ...notification,
      title: 'notification without acknowledgement, 1 reading',
      confirmable: false,
      peers: [leshan, simyardInMemory, simyardOnDisk],
    },
    { ...update, title: 'update, DTLS', devices: 1_000, peers: [leshanOverDtls, simyardOverDtls] },
    {
      ...notification,
      title: `${notification.title}, DTLS`,
      devices: 1_000,
      peers: [leshanOverDtls, simyardOverDtls],
    },
    { ...registration, title: 'registration, Redis', ...slower, peers: redis },
    { ...update, title: 'update, Redis', ...slower, peers: redis },
    { ...notification, title: `${notification.title}, Redis`, ...slower, peers: redis },
  ];
}
