/** Numbers that JSON carries as texts: integers beyond 2^53, infinities. No spreadsheet runs them. */
const number = /^-?(?:\d+|Infinity)$/;

/** A field after RFC 4180 §2; a text that a spreadsheet would run as a formula is kept a text. */
export function csvField(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) && !number.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines end in CRLF, RFC 4180 §2. */
export function csvLine(fields: readonly (string | number | boolean)[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

/** Of µs since the epoch: RFC 3339 in UTC, to the microsecond. */
export function isoMicroseconds(time: number): string {
  const whole = Math.floor(time / 1000);
  const rest = Math.min(999, Math.max(0, Math.round(time - whole * 1000)));
  return `${new Date(whole).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}
