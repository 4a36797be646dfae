import type { ApiValue } from './api-types.ts';
import { displayUnit, formatMeasure } from './numbers.ts';
import type { ApiResourceModel } from './resource-definition.ts';

/** A value as it is shown in full: what is read first, and what says more of it. */
export type ValueParts =
  | { readonly kind: 'text'; readonly text: string; readonly more?: string }
  | { readonly kind: 'time'; readonly at: number }
  | { readonly kind: 'link'; readonly text: string; readonly path: string | undefined }
  | { readonly kind: 'bytes'; readonly length: number; readonly lines: readonly ByteLine[] };

/** Up to 16 bytes as a hex dump has them. */
export interface ByteLine {
  /** `0010` */
  readonly offset: string;
  readonly hex: string;
  /** What of them is printable ASCII; a dot for the rest. */
  readonly text: string;
}

const bytesPerLine = 16;
/** `65535:65535` links to nothing (OMA-TS-LightweightM2M_Core Appendix C). */
const noLink = '65535:65535';

/** A value of a resource, whatever is known of that. `most` bytes are shown of an opaque one. */
export function valueParts(
  resource: Pick<ApiResourceModel, 'type' | 'units' | 'values'> | undefined,
  value: ApiValue,
  most = 512,
): ValueParts {
  if (resource?.type === 'time' && typeof value === 'number') return { kind: 'time', at: value * 1000 };
  if (resource?.type === 'opaque' && typeof value === 'string') {
    return { kind: 'bytes', length: value.length / 2, lines: byteLines(value.slice(0, most * 2)) };
  }
  if (resource?.type === 'objlnk' && typeof value === 'string') {
    if (value === noLink) return { kind: 'link', text: value, path: undefined };
    return { kind: 'link', text: value, path: `/${value.replace(':', '/')}` };
  }
  const meaning = resource?.values?.[String(value)];
  const unit = displayUnit(resource?.units);
  const text = measured(value, unit);
  return meaning === undefined ? { kind: 'text', text } : { kind: 'text', text, more: meaning };
}

function measured(value: ApiValue, unit: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  const text = Number.isInteger(value) ? String(value).replace(/^-/, '−') : formatMeasure(value);
  return unit === '' ? text : `${text}\u202f${unit}`;
}

function byteLines(hex: string): readonly ByteLine[] {
  const bytes = hex.match(/../g) ?? [];
  const lines: ByteLine[] = [];
  for (let at = 0; at < bytes.length; at += bytesPerLine) {
    const part = bytes.slice(at, at + bytesPerLine);
    lines.push({
      offset: at.toString(16).padStart(4, '0'),
      hex: part.join(' '),
      text: part.map(printable).join(''),
    });
  }
  return lines;
}

function printable(hex: string): string {
  const byte = Number.parseInt(hex, 16);
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
}
