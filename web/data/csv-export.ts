import { csvLine } from './csv.ts';
import type { SeriesBuffer } from './series-buffer.ts';
import { isoMicroseconds } from './time.ts';
import type { TimeWindow } from './time-window.ts';

export interface ExportedSeries {
  readonly path: string;
  readonly sensor: string;
  readonly units: string;
  readonly buffer: SeriesBuffer;
}

const linesPerPart = 10_000;

/** Every reading of the window, series by series, as CSV in parts for a Blob. Times are when they were taken. */
export function* csvParts(series: readonly ExportedSeries[], { from, to }: TimeWindow): Iterable<string> {
  yield csvLine(['taken_at', 'path', 'sensor', 'value', 'unit']);
  for (const { path, sensor, units, buffer } of series) {
    const [times, values] = [buffer.times, buffer.values];
    const end = buffer.indexOf(to);
    let part = '';
    for (let index = buffer.indexOf(from), lines = 1; index < end; index++, lines++) {
      part += csvLine([
        isoMicroseconds(times[index] as number),
        path,
        sensor,
        values[index] as number,
        units,
      ]);
      if (lines % linesPerPart === 0) {
        yield part;
        part = '';
      }
    }
    yield part;
  }
}

/** A name that says what is in the file, and that every file system takes. */
export function csvFileName(endpoint: string, { from, to }: TimeWindow): string {
  const stamp = (time: number) =>
    new Date(time).toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  return `${endpoint.replace(/[^\w.-]+/g, '_')}-${stamp(from)}-${stamp(to)}.csv`;
}

/** Where the server gives the same of all that it has, streamed; more than a page should hold in memory. */
export function exportAddress(endpoint: string, paths: readonly string[], { from, to }: TimeWindow): string {
  const query = new URLSearchParams({
    endpoint,
    path: paths.join(','),
    from: String(Math.floor(from)),
    to: String(Math.ceil(to)),
    format: 'csv',
  });
  return `/api/readings/export?${query}`;
}
