import type { StatisticsRow, StatisticsSample, StatisticsStore } from '../server/ports/statistics-store.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

const stepLengths = { minute: 60_000, hour: 3_600_000 } as const;
type Step = keyof typeof stepLengths;

/** Rows that one script reads, or removes: others have their turn between two. */
const rowsAtOnce = 1_000;

const add = loadScript('statistics-add');
const read = loadScript('statistics-read');
const trim = loadScript('statistics-trim');

/** Figures of minutes and hours in one slot, for a sample is of both. */
export function statisticsStore(redis: RedisConnection): StatisticsStore {
  const keys: Readonly<Record<Step, readonly [string, string]>> = {
    minute: [redis.keys.shared('statistics', 'minutes'), redis.keys.shared('statistics', 'minute-times')],
    hour: [redis.keys.shared('statistics', 'hours'), redis.keys.shared('statistics', 'hour-times')],
  };
  const remove = async (step: Step, before: number): Promise<void> => {
    while ((await redis.run(trim, keys[step], [before, rowsAtOnce])) === rowsAtOnce);
  };
  return {
    add: async ({ at, gauges, counters }: StatisticsSample) => {
      const [minutes, minuteTimes] = keys.minute;
      const [hours, hourTimes] = keys.hour;
      await redis.run(
        add,
        [minutes, hours, minuteTimes, hourTimes],
        [
          ...[beginning('minute', at), beginning('hour', at)],
          ...Object.entries(gauges).flatMap(([name, value]) => ['g', value, JSON.stringify(name)]),
          ...Object.entries(counters).flatMap(([name, value]) => ['c', value, JSON.stringify(name)]),
        ],
      );
    },
    read: async ({ step, from, to }) => {
      const rows: StatisticsRow[] = [];
      for (let bound = String(from); ; bound = `(${rows.at(-1)?.at}`) {
        const reply = (await redis.run(read, keys[step], [bound, `(${to}`, rowsAtOnce])) as readonly string[];
        for (let i = 0; i < reply.length; i += 2) rows.push(rowOf(Number(reply[i]), reply[i + 1] ?? ''));
        if (reply.length < 2 * rowsAtOnce) return rows;
      }
    },
    trim: async ({ minutesBefore, hoursBefore }) => {
      await remove('minute', minutesBefore);
      await remove('hour', hoursBefore);
    },
  };
}

function beginning(step: Step, at: number): number {
  return Math.floor(at / stepLengths[step]) * stepLengths[step];
}

/** From a row's lines, as `scripts/statistics-add.lua` has them. */
function rowOf(at: number, row: string): StatisticsRow {
  const [minutes, ...lines] = row.split('\n');
  const gauges: Record<string, number> = {};
  const counters: Record<string, number> = {};
  for (const line of lines) {
    const [, kind, value, name = ''] = /^(\w) (\S+) (.*)$/.exec(line) ?? [];
    (kind === 'g' ? gauges : counters)[JSON.parse(name) as string] = Number(value);
  }
  return { at, minutes: Number(minutes), gauges, counters };
}
