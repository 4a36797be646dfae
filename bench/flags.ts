import { parseArgs } from 'node:util';

/** What one flag of a command line takes. */
export interface Flag<Value> {
  readonly type: 'string' | 'boolean';
  /**
   * @param text as it was given; undefined where it was not
   * @throws RangeError with one line for the user
   */
  read(name: string, text: string | undefined): Value;
}

/** What the flags of a table come to. */
export type FlagValues<Flags extends Readonly<Record<string, Flag<unknown>>>> = {
  readonly [Name in keyof Flags]: Flags[Name] extends Flag<infer Value> ? Value : never;
};

interface Bounds {
  readonly from?: number;
  readonly to?: number;
}

/** A number within bounds, the bounds included; `unless`: where the flag is not given. */
export function decimal<Unless extends number | undefined>(
  unless: Unless,
  { from = 0, to = Number.MAX_SAFE_INTEGER }: Bounds = {},
): Flag<number | Unless> {
  return numeric('a number', unless, (value) => value >= from && value <= to, { from, to });
}

/** A whole number within bounds, above 0 unless told. */
export function whole<Unless extends number | undefined>(
  unless: Unless,
  { from = 1, to = Number.MAX_SAFE_INTEGER }: Bounds = {},
): Flag<number | Unless> {
  const isInside = (value: number): boolean => Number.isInteger(value) && value >= from && value <= to;
  return numeric('a whole number', unless, isInside, { from, to });
}

function numeric<Unless extends number | undefined>(
  what: string,
  unless: Unless,
  isInside: (value: number) => boolean,
  { from, to }: Required<Bounds>,
): Flag<number | Unless> {
  return {
    type: 'string',
    read(name, text) {
      if (text === undefined) return unless;
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (isInside(value)) return value;
      const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
      throw new RangeError(`--${name} takes ${what} ${range}, not ${JSON.stringify(text)}`);
    },
  };
}

/** Any text. */
export function text<Unless extends string | undefined>(unless: Unless): Flag<string | Unless> {
  return { type: 'string', read: (_name, given) => given ?? unless };
}

/** One of a few words. */
export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  unless: NoInfer<Choice>,
): Flag<Choice> {
  return {
    type: 'string',
    read(name, given = unless) {
      const found = choices.find((choice) => choice === given);
      if (found !== undefined) return found;
      throw new RangeError(`--${name} knows ${choices.join(', ')}, not ${JSON.stringify(given)}`);
    },
  };
}

/** A flag without a value. */
export const given: Flag<boolean> = { type: 'boolean', read: (_name, found) => found !== undefined };

/**
 * A command line by a table of its flags; undefined where it asks for help.
 * @throws RangeError with one line for the user
 */
export function parseFlags<const Flags extends Readonly<Record<string, Flag<unknown>>>>(
  args: readonly string[],
  flags: Flags,
): FlagValues<Flags> | undefined {
  const types = Object.entries(flags).map(([name, { type }]) => [name, { type }] as const);
  const found = parsed(args, Object.fromEntries(types));
  if (found['help'] === true) return undefined;
  const values = Object.entries(flags).map(([name, flag]) => {
    const value = found[name];
    return [name, flag.read(name, value === undefined ? undefined : String(value))];
  });
  return Object.fromEntries(values) as FlagValues<Flags>;
}

function parsed(
  args: readonly string[],
  types: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>,
): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args: [...args], options: { ...types, help: { type: 'boolean', short: 'h' } } })
      .values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [what = ''] = error.message.split('. To specify a positional');
    throw new RangeError(what.replaceAll('\n', ' '));
  }
}

/**
 * The command line of this process. Where it asks for help, that is printed and the process ends with 0; where it is wrong,
 * one line tells so and it ends with 2.
 * @param read the values; undefined where they ask for help. @throws RangeError with one line for the user
 */
export function flagsOrExit<Values>(
  usage: string,
  read: (args: readonly string[]) => Values | undefined,
): Values {
  try {
    const values = read(process.argv.slice(2));
    if (values !== undefined) return values;
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message} (--help tells more)\n`);
    process.exit(2);
  }
}

/**
 * What has the text of `--only` in its name, in any case; all where it is empty.
 * @throws RangeError with the names, where nothing has
 */
export function chosenBy<One>(only: string, all: readonly One[], nameOf: (one: One) => string): One[] {
  const chosen = all.filter((one) => nameOf(one).toLowerCase().includes(only.toLowerCase()));
  if (chosen.length > 0) return chosen;
  throw new RangeError(`--only ${JSON.stringify(only)} is in none of: ${all.map(nameOf).join('; ')}`);
}
