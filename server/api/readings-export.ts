import { toApiValue } from '../../objects/values.ts';
import type { DeviceFilter } from '../ports/device-store.ts';
import type { HistoryReading } from '../ports/history.ts';
import type { Stores } from '../ports/stores.ts';
import { csvLine, isoMicroseconds } from './csv.ts';
import type { Mask } from './masks.ts';
import { presentReading } from './presenters.ts';

/** Readings that are in memory at a time. */
const PAGE = 5_000;
/** UTF-16 units that go out together: small series share a part. */
const PART = 65_536;
/** Devices whose names are looked up at a time. */
const DEVICES = 500;

/** What is exported; times in µs since the epoch. */
export interface ExportSelection {
  /** All devices of the filter where undefined. */
  readonly endpoints: readonly string[] | undefined;
  /** Of all devices those that fit. */
  readonly filter: DeviceFilter;
  /** Canonical paths of resources, instances or objects; `/` for every path. */
  readonly paths: readonly string[];
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** ms */
  readonly now: number;
}

export type ExportFormat = 'csv' | 'ndjson';

/** In parts: by device, then by path, each series oldest first. Reads as fast as it is read from. */
export async function* exportReadings(
  stores: Pick<Stores, 'devices' | 'history'>,
  selection: ExportSelection,
  format: ExportFormat,
  mask: Mask = (shown) => shown,
): AsyncGenerator<string, void, undefined> {
  const line = format === 'csv' ? csvReading : ndjsonReading;
  // With the first readings: a store that does not answer is found before anything is said.
  let part =
    format === 'csv' ? csvLine(['endpoint', 'path', 'taken_at', 'received_at', 'value', 'claimed_at']) : '';
  const range = {
    ...(selection.from === undefined ? {} : { from: selection.from }),
    ...(selection.to === undefined ? {} : { to: selection.to }),
  };
  for await (const endpoint of endpointsOf(stores, selection)) {
    const known = await stores.history.paths(endpoint);
    for (const path of known.filter((one) => isWanted(one, selection.paths))) {
      let cursor: string | undefined;
      do {
        const page = await stores.history.page({
          ...range,
          endpoint,
          path,
          limit: PAGE,
          order: 'oldest',
          ...(cursor === undefined ? {} : { cursor }),
        });
        for (const reading of page.items) part += line(endpoint, path, masked(path, reading, mask));
        if (part.length >= PART) {
          yield part;
          part = '';
        }
        cursor = page.next;
      } while (cursor !== undefined);
    }
  }
  if (part !== '') yield part;
}

async function* endpointsOf(
  { devices }: Pick<Stores, 'devices'>,
  { endpoints, filter, now }: ExportSelection,
): AsyncGenerator<string, void, undefined> {
  if (endpoints !== undefined) {
    yield* endpoints;
    return;
  }
  for (let after: string | undefined; ; ) {
    const page = await devices.endpoints(filter, {
      now,
      limit: DEVICES,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    after = page.at(-1);
    if (after === undefined) return;
  }
}

function isWanted(path: string, wanted: readonly string[]): boolean {
  return wanted.some((one) => one === '/' || path === one || path.startsWith(`${one}/`));
}

/** The reading, its value hidden where it is an identifier. */
function masked(path: string, reading: HistoryReading, mask: Mask): HistoryReading {
  return typeof reading.value === 'string'
    ? { ...reading, ...mask({ path, value: reading.value }) }
    : reading;
}

function csvReading(endpoint: string, path: string, reading: HistoryReading): string {
  const { takenAt, receivedAt, value, claimedAt } = reading;
  return csvLine([
    endpoint,
    path,
    isoMicroseconds(takenAt),
    isoMicroseconds(receivedAt),
    toApiValue(value),
    // What a clock says that was never set need not be a date: as it came, in ms like the API's times.
    claimedAt === undefined ? '' : claimedAt / 1000,
  ]);
}

function ndjsonReading(endpoint: string, path: string, reading: HistoryReading): string {
  return `${JSON.stringify({ endpoint, ...presentReading(path, reading) })}\n`;
}
