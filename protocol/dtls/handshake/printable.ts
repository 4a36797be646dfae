const LONGEST = 128;

/** Bytes that a peer sent, as text for a log: UTF-8 without what is not printable, and not long. */
export function printable(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, LONGEST)).toString('utf8');
  const shown = text.replace(
    /[\p{C}\p{Zl}\p{Zp}\ufffd\\]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );
  return bytes.length > LONGEST ? `${shown}…` : shown;
}
