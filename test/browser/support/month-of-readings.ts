import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { HistoryChunk } from '../../../server/ports/history.ts';
import { encodePack } from '../../../server/telemetry/pack.ts';
import { aRegistration } from '../../contract/engine.ts';

const second = 1_000_000;
const hour = 3_600 * second;
const day = 24 * hour;

interface SeededSensor {
  readonly kind: string;
  readonly units: string;
  /** Between two readings, s. */
  readonly period: number;
  readonly value: (time: number) => number;
}

const sensors: readonly SeededSensor[] = [
  {
    kind: 'temperature',
    units: 'Cel',
    period: 1,
    // A day's course, a week's, and noise that is the same each time.
    value: (time) =>
      18 + 6 * Math.sin(turn(time, day)) + 2 * Math.sin(turn(time, 7 * day)) + noise(time / second) * 1.5,
  },
  {
    kind: 'humidity',
    units: '%RH',
    period: 10,
    value: (time) => 60 - 15 * Math.sin(turn(time, day) + 0.6) + noise(time / second / 10) * 4,
  },
];

/** A silence of both, µs before the end. */
export const silence = { from: 12 * day, to: 10.5 * day };

/** Puts a registered device with thirty days of two sensors' readings into a folder where no server runs. */
export async function seedMonth(folder: string, endpoint: string, end: number): Promise<void> {
  const stores = await openEmbeddedStores({ path: folder });
  const now = end / 1000;
  await stores.registrations.register(
    aRegistration(endpoint, {
      lifetime: 86_400,
      registeredAt: now,
      updatedAt: now,
      expiresAt: now + 86_400_000,
      links: [0, 1].map((instance) => ({ target: `/42770/${instance}`, attributes: {} })),
    }),
  );
  // History is told of positions of the log: what the server hears later has others than these.
  const inLog = (key: string) =>
    new Promise<number>((resolve, reject) => {
      const entry = { endpoint, key, receivedAt: end, body: encodePack(nothing) };
      stores.log.append(entry, (error, position) =>
        error === undefined ? resolve(position) : reject(error),
      );
    });
  const nothing = { endpoint, receivedAt: end, overtaken: false, series: [] };
  let position = await inLog('first');
  for (const [instance, { kind, units, period, value }] of sensors.entries()) {
    const path = `/42770/${instance}/2`;
    let chunks: HistoryChunk[] = [];
    for (let at = end - 30 * day; at < end; at += 60 * period * second) {
      if (at >= end - silence.from && at < end - silence.to) continue;
      const times = Array.from({ length: 60 }, (_, index) => at + index * period * second);
      const readings = times
        .filter((takenAt) => takenAt < end)
        .map((takenAt) => ({ takenAt, receivedAt: at + 61 * period * second, value: value(takenAt) }));
      chunks.push({ endpoint, path, position, readings });
      if (chunks.length === 2_000) {
        await stores.history.append(chunks);
        chunks = [];
        position = await inLog(`${path} ${at}`);
      }
    }
    await stores.history.append(chunks);
    position = await inLog(path);
    const last = end - period * second;
    await stores.lastValues.set(
      endpoint,
      (
        [
          [1, kind],
          [2, value(last)],
          [6, units],
          [7, period * second],
        ] as const
      ).map(([resource, of]) => ({
        path: `/42770/${instance}/${resource}`,
        value: of,
        takenAt: last,
        receivedAt: end,
      })),
    );
  }
  await stores.close();
}

function turn(time: number, period: number): number {
  return ((time % period) / period) * 2 * Math.PI;
}

/** From −0.5 to 0.5, by a hash of whole numbers. */
function noise(step: number): number {
  let hash = Math.imul(Math.floor(step) | 0, 0x9e3779b1);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca77);
  hash ^= hash >>> 13;
  return (hash >>> 0) / 2 ** 32 - 0.5;
}
