import type { HistoryChunk } from '../../../server/ports/history.ts';

const second = 1_000_000;
/** µs since the epoch. */
export const begin = 1_760_400_000_000_000;

/** What is at a position of a log, the same whenever it is asked: readings of now, and every seventh hours late. */
export function chunkAt(position: number): HistoryChunk {
  const late = position % 7 === 0 ? 3 * 3600 : 0;
  const takenAt = begin + (position * 20 - late) * second;
  const readings = [0, 1, 2].map((index) => ({
    takenAt: takenAt + index * second,
    receivedAt: takenAt,
    value: (position * 31 + index) % 101,
  }));
  return { endpoint: 'a', path: '/42770/0/2', position, readings };
}
