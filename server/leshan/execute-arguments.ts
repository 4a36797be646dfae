import { invalid } from './refusals.ts';

/**
 * The arguments of an Execute (OMA-TS-LightweightM2M_Core §6.3.5), checked.
 * @throws LeshanRefusal what the grammar does not have, in the words of the interface
 */
export function executeArgumentsOf(text: string): string {
  const refuse = (why: string) =>
    invalid(`Invalid Execute request : [Unable to parse Arguments [${text}] : ${why}]`);
  const seen = new Set<string>();
  for (let at = 0; at < text.length; ) {
    const digit = text[at] as string;
    if (!/\d/.test(digit)) throw refuse(`Invalid digit [${digit}] (an integer between 0 and 9 is expected)`);
    at++;
    if (text[at] === '=') {
      at++;
      if (text[at] !== "'") {
        throw refuse(`opening quote ['] is expected at index ${at} after [${text.slice(0, at)}]`);
      }
      const end = text.indexOf("'", at + 1);
      if (end < 0) throw refuse(`closing quote ['] is expected after [${text}]`);
      at = end + 1;
    }
    if (seen.has(digit)) {
      throw refuse(`Unable to build Arguments : digit [${digit}] exists more than once `);
    }
    seen.add(digit);
    if (at === text.length) break;
    if (text[at] !== ',') throw refuse(`[,] separator expected at index ${at} after [${text.slice(0, at)}]`);
    at++;
    if (at === text.length) throw refuse('an argument is expected behind the last [,]');
  }
  return text;
}
