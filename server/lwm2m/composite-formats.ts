import { RequestError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { Registration } from '../ports/registration-store.ts';
import { checkSpoken } from './content-negotiation.ts';
import { type LwM2mVersion, speaks } from './versions.ts';

const { SENML_CBOR, SENML_JSON, SENML_ETCH_CBOR, SENML_ETCH_JSON, LWM2M_CBOR } = ContentFormat;

/** What stands in a composite request and in its answer, by the one format that names both. */
interface CompositeFormat {
  /** Of the list of paths (§6.3.8). */
  readonly list: number;
  /** Of the answer. */
  readonly accept: number;
  readonly since: LwM2mVersion;
}

/**
 * Best first. 1.2 took plain SenML out of composite requests for SenML-ETCH, and 1.2.1 took it in again:
 * a device may have either or both (OMA-TS-LightweightM2M_Transport-V1_2_2 table 6.4.4-1).
 */
const compositeFormatTable: ReadonlyMap<number, CompositeFormat> = new Map([
  [SENML_CBOR, { list: SENML_CBOR, accept: SENML_CBOR, since: '1.1' }],
  [SENML_ETCH_CBOR, { list: SENML_ETCH_CBOR, accept: SENML_CBOR, since: '1.2' }],
  [SENML_JSON, { list: SENML_JSON, accept: SENML_JSON, since: '1.1' }],
  [SENML_ETCH_JSON, { list: SENML_ETCH_JSON, accept: SENML_JSON, since: '1.2' }],
  [LWM2M_CBOR, { list: SENML_ETCH_CBOR, accept: LWM2M_CBOR, since: '1.2' }],
]);

type Speaker = Pick<Registration, 'version' | 'contentFormats'>;

/**
 * Formats to try for a composite operation, in order, until one is not answered with 4.06 or 4.15.
 * @param removes a Write-Composite removes resource instances, which only SenML-ETCH can say
 * @throws RequestError a format that composite operations do not have
 */
export function compositeFormats(device: Speaker, asked?: number, removes = false): readonly number[] {
  const known = [...compositeFormatTable].filter(([format]) => !removes || isEtch(format));
  if (asked !== undefined) {
    if (known.some(([format]) => format === asked)) {
      checkSpoken(device, asked);
      return [asked];
    }
    const names = removes
      ? 'SenML-ETCH JSON or SenML-ETCH CBOR'
      : 'SenML JSON, SenML CBOR, SenML-ETCH or LwM2M CBOR';
    throw new RequestError(`this composite operation is in ${names}, not in content format ${asked}`);
  }
  const possible = known.filter(([, { since }]) => speaks(device, since));
  const listed = possible.filter(
    ([format, { accept }]) =>
      device.contentFormats.includes(format) || device.contentFormats.includes(accept),
  );
  const guesses = possible.filter(([format]) => format !== LWM2M_CBOR);
  return (listed.length > 0 ? listed : guesses).map(([format]) => format);
}

function isEtch(format: number): boolean {
  return format === SENML_ETCH_CBOR || format === SENML_ETCH_JSON;
}

/** The format of the list of paths in a composite Read or Observe that goes by `format`. */
export function pathListFormat(format: number | undefined): number {
  return compositeFormatTable.get(format ?? SENML_CBOR)?.list ?? SENML_CBOR;
}

/** The format of the answer to it. */
export function compositeAccept(format: number | undefined): number {
  return compositeFormatTable.get(format ?? SENML_CBOR)?.accept ?? SENML_CBOR;
}
