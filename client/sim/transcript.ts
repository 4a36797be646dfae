import { DecodeError } from '../../protocol/errors.ts';
import {
  type CommandApdu,
  channelOf,
  decodeCommand,
  decodeResponse,
  describeStatusWord,
  Ins,
} from './apdu.ts';
import { describeCommand, hasSecretAnswer, isSecretCommand, pathOf } from './command-names.ts';
import { decodeAdministrativeData, decodeIccid, decodeImsi, decodeSpn, FileId } from './files.ts';
import { toHex } from './hex.ts';
import { describeTlvs } from './tlv-names.ts';
import { describeEnvelope, describeProactiveCommand, describeTerminalResponse } from './toolkit/describe.ts';
import { decodeEnvelope } from './toolkit/envelope.ts';
import { decodeProactiveCommand } from './toolkit/proactive-command.ts';
import { decodeTerminalProfile } from './toolkit/terminal-profile.ts';
import { decodeTerminalResponse } from './toolkit/terminal-response.ts';

const indent = '    ';

/** What is in a file, by its id, where it is one that people ask for. */
const contents: Readonly<Record<number, (bytes: Uint8Array) => string>> = {
  [FileId.EF_ICCID]: (bytes) => `ICCID ${decodeIccid(bytes)}`,
  [FileId.EF_IMSI]: (bytes) => `IMSI ${decodeImsi(bytes)}`,
  [FileId.EF_SPN]: (bytes) => `service provider ${decodeSpn(bytes)}`,
  [FileId.EF_AD]: (bytes) =>
    `network code of ${decodeAdministrativeData(bytes).mncLength ?? 'unknown'} digits`,
};

/**
 * What goes over a card's interface, for people: each command and answer in hex and in words, with the objects in
 * them. PINs, and the keys that AUTHENTICATE gives, are not in it. One for each card: it follows what is selected.
 */
export class Transcript {
  /** The file selected, by logical channel. */
  readonly #files = new Map<number, number>();
  /** What the pieces of an answer belong to, that come by GET RESPONSE. */
  #gathered: { readonly command: CommandApdu; readonly pieces: Uint8Array[] } | undefined;
  /** The pieces of a request that comes in several STORE DATA. */
  #stored: Uint8Array[] = [];

  /** The card was powered up, or reset. */
  reset(): void {
    this.#files.clear();
    this.#gathered = undefined;
    this.#stored = [];
  }

  /** The lines of a command. */
  command(bytes: Uint8Array): readonly string[] {
    const command = decoded(() => decodeCommand(bytes));
    if (command === undefined) return [`→ ${toHex(bytes)}`, `${indent}no command APDU`];
    const head = bytes.subarray(0, isSecretCommand(command) ? 4 : 5);
    const rest = isSecretCommand(command) ? ' (not shown)' : spaced(bytes.subarray(5));
    return [`→ ${toHex(head)}${rest}  ${describeCommand(command)}`, ...this.#commandObjects(command)];
  }

  /** The lines of the answer to that command. */
  response(commandBytes: Uint8Array, bytes: Uint8Array): readonly string[] {
    const command = decoded(() => decodeCommand(commandBytes));
    const response = decoded(() => decodeResponse(bytes));
    if (command === undefined || response === undefined) return [`← ${toHex(bytes)}`];
    const { data, sw } = response;
    const cause = command.ins === Ins.GET_RESPONSE ? (this.#gathered?.command ?? command) : command;
    const shown = hasSecretAnswer(cause) && data.length > 0 ? ' (not shown)' : spaced(data);
    const line = `←${shown} ${describeStatusWord(sw)}`;
    if (cause.ins === Ins.SELECT && (sw >> 8 === 0x61 || sw === 0x9000)) this.#selected(cause);
    const pieces = command.ins === Ins.GET_RESPONSE ? (this.#gathered?.pieces ?? []) : [];
    pieces.push(data);
    this.#gathered = { command: cause, pieces };
    // Only a whole answer can be read.
    if (sw >> 8 === 0x61 || hasSecretAnswer(cause)) return [line];
    const whole = new Uint8Array(Buffer.concat(pieces));
    return [line, ...(whole.length === 0 ? [] : this.#answerObjects(cause, whole))];
  }

  #selected(command: CommandApdu): void {
    const file = command.p1 === 0x04 ? FileId.ADF_USIM : pathOf(command.data ?? new Uint8Array(0)).at(-1);
    this.#files.set(channelOf(command.cla), file ?? FileId.MF);
  }

  #commandObjects(command: CommandApdu): readonly string[] {
    const data = command.data ?? new Uint8Array(0);
    switch (command.ins) {
      case Ins.TERMINAL_RESPONSE:
        return said(() => describeTerminalResponse(decodeTerminalResponse(data)));
      case Ins.ENVELOPE:
        return said(() => describeEnvelope(decodeEnvelope(data)));
      case Ins.TERMINAL_PROFILE:
        return said(() => {
          const { facilities, channels } = decodeTerminalProfile(data);
          return `${facilities.size} facilities known to us, ${channels} channels`;
        });
      case Ins.STORE_DATA: {
        if (command.p2 === 0) this.#stored = [];
        this.#stored.push(data);
        if (command.p1 !== 0x91) return [];
        const whole = new Uint8Array(Buffer.concat(this.#stored));
        this.#stored = [];
        return objects(whole);
      }
      default:
        return [];
    }
  }

  #answerObjects(command: CommandApdu, data: Uint8Array): readonly string[] {
    switch (command.ins) {
      case Ins.FETCH:
        return said(() => describeProactiveCommand(decodeProactiveCommand(data)));
      case Ins.READ_BINARY: {
        const describe = contents[this.#files.get(channelOf(command.cla)) ?? FileId.MF];
        return describe === undefined || command.p1 !== 0 || command.p2 !== 0
          ? []
          : said(() => describe(data));
      }
      case Ins.SELECT:
      case Ins.STORE_DATA:
      case Ins.STATUS:
        return objects(data);
      default:
        return [];
    }
  }
}

function spaced(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : ` ${toHex(bytes)}`;
}

function objects(bytes: Uint8Array): readonly string[] {
  return (decoded(() => describeTlvs(bytes)) ?? []).map((line) => indent + line);
}

/** One line, unless the bytes are not what they should be: then that is the line. */
function said(describe: () => string): readonly string[] {
  try {
    return [indent + describe()];
  } catch (error) {
    if (error instanceof DecodeError) return [`${indent}not understood: ${error.message}`];
    throw error;
  }
}

function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
