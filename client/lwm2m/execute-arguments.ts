import { DecodeError } from '../../protocol/errors.ts';

/** Arguments of an Execute by their digit; one without a value is undefined. */
export type ExecuteArguments = ReadonlyMap<number, string | undefined>;

/** One argument, OMA-TS-LightweightM2M_Core §6.3.5: `DIGIT [ "=" "'" *CHAR "'" ]`. */
const argument = /([0-9])(?:='([!#-&(-[\]-~]*)')?(,|$)/y;

/**
 * Reads `0='1',1='7'`; nothing at all has no arguments.
 * @throws DecodeError
 */
export function decodeExecuteArguments(payload: Uint8Array): ExecuteArguments {
  const found = new Map<number, string | undefined>();
  const text = new TextDecoder().decode(payload);
  argument.lastIndex = 0;
  while (argument.lastIndex < text.length) {
    const start = argument.lastIndex;
    const match = argument.exec(text);
    const separator = match?.[3];
    if (match === null || (separator === ',' && argument.lastIndex === text.length)) {
      throw new DecodeError(`these are no Execute arguments, from character ${start}`);
    }
    const digit = Number(match[1]);
    if (found.has(digit)) throw new DecodeError(`Execute argument ${digit} is given twice`);
    found.set(digit, match[2]);
  }
  return found;
}
