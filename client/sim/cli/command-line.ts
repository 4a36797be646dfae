import { parseArgs } from 'node:util';
import { type AppletSettings, parseApplet } from '../../applet-flags.ts';
import { number, UsageError } from '../../flag-values.ts';
import { type CardAddress, cardAddressForm, parseCardAddress } from '../card-address.ts';
import { fromHex } from '../hex.ts';
import { vpcdPort } from '../vpcd/vpcd-card.ts';

interface WithCard {
  readonly card: CardAddress;
  readonly traceApdu: boolean;
}

/** What was asked for. */
export type SimCommand =
  | { readonly kind: 'readers'; readonly json: boolean }
  | ({ readonly kind: 'info' | 'profiles'; readonly json: boolean } & WithCard)
  | ({ readonly kind: 'switch'; readonly profile: string } & WithCard)
  | ({ readonly kind: 'trace'; readonly commands: readonly Uint8Array[] } & WithCard)
  | {
      readonly kind: 'serve-virtual-card';
      readonly file: string;
      readonly host: string;
      readonly port: number;
      readonly traceApdu: boolean;
      readonly applet: Pick<AppletSettings, 'cardKind' | 'gateway'>;
    }
  | {
      readonly kind: 'faults';
      readonly file: string;
      /** Undefined: only shown. */
      readonly set: readonly string[] | undefined;
    };

const defaultFile = 'data/virtual-card.json';

export const help = `SIM cards: readers, cards and their profiles, and a virtual card for the readers of others.

Usage: npm run sim -- COMMAND [options]

  readers               the PC/SC readers, and what is in them
  info                  what a card says of itself: ICCID, IMSI, operator; of an eUICC its EID and what it can do
  profiles              the profiles of an eUICC
  switch PROFILE        enables a profile: its ICCID, its name, or its number in the list; none: disables
  trace [HEX ...]       what goes to a card and what it answers, decoded: these commands, or reading the card
  serve-virtual-card    puts a virtual card into the virtual reader of vpcd (Debian package vsmartcard-vpcd), where
                        every PC/SC program finds it; until Ctrl-C
  faults [FAULT ...]    what goes wrong with a virtual card, also while it is in use: shows it, or sets it
                        (none: nothing does). A fault is KIND, KIND:KEY=VALUE,... or random:KEY=VALUE,..., as in
                        mute:on=switch,times=1 or removed:delay=2000 or random:seed=1,probability=0.01

Options
  --card CARD           ${cardAddressForm}; a part of the reader's name is enough
                        (pcsc; of the last two commands virtual:${defaultFile})
  --json                of readers, info and profiles: one JSON document
  --trace-apdu          of info, profiles, switch and serve-virtual-card: print the APDUs too
  --host HOST           of serve-virtual-card: where vpcd listens  (127.0.0.1)
  --port PORT           of serve-virtual-card: ${vpcdPort} is its first reader, ${vpcdPort + 1} its second  (${vpcdPort})
  --card-kind KIND      of serve-virtual-card: of a new card, euicc, applet or legacy  (euicc)
  --gateway ADDRESS[:PORT]  of serve-virtual-card: where the channel of the card's applet leads  (where it knows)

A reader needs pcscd and its driver, and pcsclite: npm run build:reader. docs/guides/real-card.md tells all of it.`;

const options = {
  card: { type: 'string' },
  json: { type: 'boolean', default: false },
  'trace-apdu': { type: 'boolean', default: false },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: String(vpcdPort) },
  'card-kind': { type: 'string', default: 'auto' },
  gateway: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Which flags a command knows, beside help. */
const flagsOf: Readonly<Record<SimCommand['kind'], readonly string[]>> = {
  readers: ['json'],
  info: ['card', 'json', 'trace-apdu'],
  profiles: ['card', 'json', 'trace-apdu'],
  switch: ['card', 'trace-apdu'],
  trace: ['card'],
  'serve-virtual-card': ['card', 'host', 'port', 'trace-apdu', 'card-kind', 'gateway'],
  faults: ['card'],
};

/** @throws UsageError */
export function parseSimCommandLine(args: readonly string[]): SimCommand | 'help' {
  const { values, given, positionals } = read(args);
  const [kind, ...rest] = positionals;
  if (values.help || kind === 'help' || kind === undefined) return 'help';
  if (!isCommand(kind)) {
    throw new UsageError(`there is no command ${kind}: there are ${Object.keys(flagsOf).join(', ')}`);
  }
  for (const flag of given) {
    if (!flagsOf[kind].includes(flag)) throw new UsageError(`--${flag} is not of ${kind}`);
  }
  const address = addressOf(values.card);
  const card = address ?? { kind: 'pcsc', reader: undefined };
  const traceApdu = values['trace-apdu'];
  switch (kind) {
    case 'readers':
      none(kind, rest);
      return { kind, json: values.json };
    case 'info':
    case 'profiles':
      none(kind, rest);
      return { kind, card, json: values.json, traceApdu };
    case 'switch': {
      const [profile, ...more] = rest;
      if (profile === undefined) throw new UsageError('switch needs the profile: its ICCID, name or number');
      none(`switch ${profile}`, more);
      return { kind, card, profile, traceApdu };
    }
    case 'trace':
      return { kind, card, commands: rest.map(parseApdu), traceApdu: true };
    case 'serve-virtual-card':
      none(kind, rest);
      return {
        kind,
        file: fileOf(kind, address),
        host: values.host,
        port: number('--port', values.port, 1, 65_535),
        traceApdu,
        applet: parseApplet(values),
      };
    case 'faults':
      return {
        kind,
        file: fileOf(kind, address),
        set: rest.length === 0 ? undefined : rest,
      };
  }
}

function read(args: readonly string[]) {
  try {
    const { values, tokens, positionals } = parseArgs({
      args: [...args],
      options,
      tokens: true,
      allowPositionals: true,
    });
    const given = new Set(tokens.filter((token) => token.kind === 'option').map((token) => token.name));
    return { values, given, positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(error.message.split(/\.\s/)[0] ?? error.message);
  }
}

function isCommand(text: string): text is SimCommand['kind'] {
  return Object.hasOwn(flagsOf, text);
}

function none(command: string, rest: readonly string[]): void {
  if (rest.length > 0) throw new UsageError(`what is ${rest.join(' ')} after ${command}?`);
}

function addressOf(text: string | undefined): CardAddress | undefined {
  if (text === undefined) return undefined;
  const address = parseCardAddress(text);
  if (address === undefined) throw new UsageError(`--card is ${cardAddressForm}, not ${text}`);
  if (address.kind === 'virtual' && address.file === undefined) {
    throw new UsageError('--card virtual:FILE: here a virtual card needs its file');
  }
  return address;
}

function fileOf(command: string, address: CardAddress | undefined): string {
  if (address === undefined) return defaultFile;
  if (address.kind === 'pcsc') throw new UsageError(`${command} is for a virtual card: --card virtual:FILE`);
  return address.file ?? defaultFile;
}

/** A command APDU in hex, spaces and colons allowed. */
function parseApdu(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '');
  if (!/^(?:[0-9a-f]{2}){4,261}$/i.test(digits)) {
    throw new UsageError(`a command APDU is 4 to 261 bytes in hex, not ${text}`);
  }
  return fromHex(digits);
}
