import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { Registration } from '../ports/registration-store.ts';

/** The formats that the server reads and writes, best first. */
const preferred: readonly number[] = [ContentFormat.SENML_CBOR, ContentFormat.SENML_JSON, ContentFormat.TLV];

type Speaker = Pick<Registration, 'version' | 'contentFormats'>;

/**
 * The Accept option of a request for values: the best of what the device said it speaks. A 1.0 device
 * that said nothing speaks TLV (OMA-TS-LightweightM2M-V1_0 §6.4); of a later one nothing is known, so
 * it is left to choose (undefined).
 */
export function readFormat(device: Speaker): number | undefined {
  const best = preferred.find((format) => device.contentFormats.includes(format));
  if (best !== undefined) return best;
  return device.version === '1.0' ? ContentFormat.TLV : undefined;
}

/**
 * Formats to try for a Write, in order, until one is not answered with 4.15. Values below an instance
 * need a format that names them; a single value can also go as text.
 */
export function writeFormats(device: Speaker, single: boolean): readonly number[] {
  const spoken = preferred.filter((format) => device.contentFormats.includes(format));
  const guesses = device.version === '1.0' ? [ContentFormat.TLV] : preferred;
  const formats = spoken.length > 0 ? spoken : guesses;
  return single ? [...formats, ContentFormat.TEXT] : formats;
}
