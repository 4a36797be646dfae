/** Something in the command line that cannot be: one line for the user, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A whole number within bounds. @throws UsageError */
export function number(flag: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
    throw new UsageError(`${flag} is a whole number from ${minimum} to ${maximum}, not ${text}`);
  }
  return value;
}

/** One of a few words. @throws UsageError */
export function oneOf<const Choice extends string>(
  flag: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new UsageError(`${flag} is one of ${choices.join(', ')}, not ${text}`);
  return found;
}
