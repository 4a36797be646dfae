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
