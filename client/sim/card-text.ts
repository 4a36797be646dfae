/** Texts of a card end here: SGP.22 allows 64 bytes, and what a card says is shown to people. */
const longestText = 64;

/** UTF-8 of a card, as `shownText`. */
export function cardText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : shownText(new TextDecoder().decode(bytes.subarray(0, longestText * 4)));
}

/** A text of a card without control characters: it must not move the cursor of whoever reads it. */
export function shownText(text: string): string {
  const shown = text.toWellFormed().replace(/\p{Cc}/gu, ' ');
  return [...shown.trim()].slice(0, longestText).join('');
}
