import { RequestError } from '../../protocol/errors.ts';
import { supportedContentFormats } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { Registration } from '../ports/registration-store.ts';
import { type LwM2mVersion, speaks } from './versions.ts';

/**
 * Formats that name their values, best first: compact and with times, compact, with times, and what 1.0
 * has. LwM2M CBOR carries no times (OMA-TS-LightweightM2M_Core-V1_2 §7.4.7).
 */
const preferred: readonly number[] = [
  ContentFormat.SENML_CBOR,
  ContentFormat.LWM2M_CBOR,
  ContentFormat.SENML_JSON,
  ContentFormat.TLV,
  ContentFormat.JSON,
];
/** Tried on a device of 1.1 or later that does not say what it speaks. */
const guessed: readonly number[] = [ContentFormat.SENML_CBOR, ContentFormat.SENML_JSON, ContentFormat.TLV];
/** Of one value without its name, best first. */
const single: readonly number[] = [ContentFormat.CBOR, ContentFormat.OPAQUE, ContentFormat.TEXT];

type Speaker = Pick<Registration, 'version' | 'contentFormats'>;

/** The LwM2M version that brought a format, where it was not the first. */
const broughtBy: ReadonlyMap<number, LwM2mVersion> = new Map([
  [ContentFormat.CBOR, '1.1'],
  [ContentFormat.SENML_JSON, '1.1'],
  [ContentFormat.SENML_CBOR, '1.1'],
  [ContentFormat.SENML_ETCH_JSON, '1.2'],
  [ContentFormat.SENML_ETCH_CBOR, '1.2'],
  [ContentFormat.LWM2M_CBOR, '1.2'],
]);

/**
 * What a device says it speaks goes before its version.
 * @throws RequestError a format that the server cannot read and write, or that the device's version does not have and
 *   the device does not list
 */
function checkFormat(device: Speaker, format: number): void {
  if (!supportedContentFormats.includes(format)) {
    throw new RequestError(
      `content format ${format} is none that the server speaks: ${supportedContentFormats.join(', ')} are`,
    );
  }
  checkSpoken(device, format);
}

/** @throws RequestError a format that the device's version does not have, and the device does not list */
export function checkSpoken(device: Speaker, format: number): void {
  const since = broughtBy.get(format);
  if (since === undefined || speaks(device, since) || device.contentFormats.includes(format)) return;
  throw new RequestError(
    `the device registered with LwM2M ${device.version} and does not list content format ${format}, which came with ${since}`,
  );
}

/**
 * Accept options to try for a Read or an Observe, in order, until one is not answered with 4.06;
 * undefined: none, so that the device chooses. The best of what the device said it speaks comes first. A
 * 1.0 device that said nothing speaks TLV (OMA-TS-LightweightM2M-V1_0 §6.4); of a later one nothing is
 * known. A device may list a format and yet not have it for this resource: the last try leaves it to choose.
 * @param onlyValue the path names a resource or a resource instance
 */
export function readFormats(
  device: Speaker,
  onlyValue: boolean,
  asked?: number,
): readonly (number | undefined)[] {
  if (asked !== undefined) {
    checkFormat(device, asked);
    return [asked];
  }
  const best =
    firstSpoken(device, preferred) ??
    (onlyValue ? firstSpoken(device, single) : undefined) ??
    (device.version === '1.0' ? ContentFormat.TLV : undefined);
  return best === undefined ? [undefined] : [best, undefined];
}

/**
 * Formats to try for a Write or a Create, in order, until one is not answered with 4.15. Values below an
 * instance need a format that names them; a single value can also go bare.
 * @param value of a resource or resource instance that is written alone
 */
export function writeFormats(
  device: Speaker,
  value: ResourceValue | undefined,
  asked?: number,
): readonly number[] {
  if (asked !== undefined) {
    checkFormat(device, asked);
    return [asked];
  }
  const spoken = preferred.filter((format) => device.contentFormats.includes(format));
  const guesses = device.version === '1.0' ? [ContentFormat.TLV] : guessed;
  if (value === undefined) return spoken.length > 0 ? spoken : guesses;
  const bare = single.filter((format) => device.contentFormats.includes(format) && carries(format, value));
  const listed = [...spoken, ...bare];
  const formats = listed.length > 0 ? listed : guesses;
  return formats.includes(ContentFormat.TEXT) ? formats : [...formats, ContentFormat.TEXT];
}

/** Opaque bytes are opaque only; what else there is goes in CBOR and text. */
function carries(format: number, value: ResourceValue): boolean {
  return format !== ContentFormat.OPAQUE || value instanceof Uint8Array;
}

function firstSpoken(device: Speaker, formats: readonly number[]): number | undefined {
  return formats.find((format) => device.contentFormats.includes(format));
}
