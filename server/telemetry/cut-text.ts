/** At most so many UTF-16 units of a text; no half of a character is left at the cut. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const before = text.charCodeAt(length - 1);
  const end = before >= 0xd800 && before < 0xdc00 ? length - 1 : length;
  // A slice alone would keep the whole text in memory for as long as the cut lives.
  return Buffer.from(text.slice(0, end), 'utf16le').toString('utf16le');
}
