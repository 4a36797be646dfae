/**
 * Whether a text fits a glob: `*` is any text, the empty one too, and `?` one character. Takes at most
 * the product of both lengths, whatever the glob.
 */
export function globMatches(glob: string, text: string): boolean {
  let at = 0;
  let place = 0;
  /** Where to go on when what follows the last `*` did not fit. */
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    const wanted = glob[place];
    if (wanted === '*') {
      star = place++;
      retry = at;
    } else if (wanted === '?' || wanted === text[at]) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++retry;
    } else return false;
  }
  while (glob[place] === '*') place++;
  return place === glob.length;
}

/** Whether the glob is a plain text: it fits itself and nothing else. */
export function isExact(glob: string): boolean {
  return !/[*?]/.test(glob);
}
