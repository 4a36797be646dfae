import type { TelemetryLog } from '../../server/ports/telemetry-log.ts';
import { decodePack } from '../../server/telemetry/pack.ts';

/** Everything in the log, by device: `path takenAt` (µs) of each reading, with how often it is there. */
export async function logReadings(
  log: Pick<TelemetryLog, 'read'>,
): Promise<Map<string, Map<string, number>>> {
  const found = new Map<string, Map<string, number>>();
  for (let after = 0; ; ) {
    const entries = await log.read(after, 1_000);
    for (const { endpoint, receivedAt, body } of entries) {
      const readings = found.get(endpoint) ?? new Map<string, number>();
      found.set(endpoint, readings);
      for (const { path, takenAt } of decodePack(endpoint, receivedAt, body).series) {
        for (const time of takenAt) {
          const key = `${path} ${time}`;
          readings.set(key, (readings.get(key) ?? 0) + 1);
        }
      }
    }
    const last = entries.at(-1);
    if (last === undefined) return found;
    after = last.position;
  }
}

/** What the log lacks of what was acknowledged to a device, and what it has twice. */
export function compareWithLog(
  acknowledged: readonly { readonly path: string; readonly takenAt: number }[],
  logged: ReadonlyMap<string, number> = new Map(),
): { readonly missing: readonly string[]; readonly twice: readonly string[] } {
  const keys = new Set(acknowledged.map(({ path, takenAt }) => `${path} ${takenAt}`));
  return {
    missing: [...keys].filter((key) => !logged.has(key)),
    twice: [...logged].filter(([, times]) => times > 1).map(([key]) => key),
  };
}
