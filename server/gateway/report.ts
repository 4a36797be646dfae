import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { Report } from '../telemetry/ingest.ts';

/** Who reports, and by what his resources are typed. */
export interface ReportSource {
  readonly endpoint: string;
  /** What the device's resources are typed by. */
  readonly lookup: () => ResourceTypeLookup;
  /** What no message of another process, or of before, is called. */
  readonly nextMessage: () => string;
}

/** What a device said, as if it had sent it by Send. */
export function reportOf(
  { endpoint, lookup, nextMessage }: ReportSource,
  records: readonly LwM2mRecord[],
  payload: Uint8Array,
): Report {
  return {
    kind: 'send',
    source: { endpoint, path: '/' },
    lookup: lookup(),
    records,
    payload,
    fresh: true,
    message: nextMessage(),
  };
}
