import { RequestError } from '../../protocol/errors.ts';

/** Date and time with a zone, RFC 3339 §5.6; the fraction apart, since a Date knows only milliseconds. */
const ISO_8601 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/i;

/**
 * A time out of a query, in µs since the epoch: milliseconds since the epoch, with a fraction or
 * without, or ISO 8601 with a zone.
 * @param name of the parameter, for the message
 * @throws RequestError
 */
export function parseTime(text: string, name: string): number {
  if (/^-?\d{1,15}(\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000);
  // A `+` in a query is a space once decoded.
  const match = ISO_8601.exec(text.replace(' ', '+'));
  const milliseconds = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`.toUpperCase());
  if (match === null || Number.isNaN(milliseconds)) {
    throw new RequestError(
      `${name}: '${text.slice(0, 40)}' is no time: milliseconds since 1970, or 2026-01-31T12:00:00Z`,
    );
  }
  const fraction = match[2] === undefined ? 0 : Math.round(Number(`0.${match[2]}`) * 1e6);
  return milliseconds * 1000 + fraction;
}
