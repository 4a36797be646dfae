import { type CommandApdu, channelOf, Ins } from './apdu.ts';
import { toHex } from './hex.ts';

const fileNames: Readonly<Record<string, string>> = {
  '3F00': 'MF',
  '2F00': 'EF_DIR',
  '2F05': 'EF_PL',
  '2F06': 'EF_ARR',
  '2FE2': 'EF_ICCID',
  '7FFF': 'ADF_USIM',
  '7F20': 'DF_GSM',
  '6F07': 'EF_IMSI',
  '6F38': 'EF_UST',
  '6F46': 'EF_SPN',
  '6F78': 'EF_ACC',
  '6F7E': 'EF_LOCI',
  '6FAD': 'EF_AD',
};

/** Applications by the beginning of their AID. */
const applications: readonly (readonly [string, string])[] = [
  ['A0000000871002', 'USIM'],
  ['A0000000871004', 'ISIM'],
  ['A0000005591010FFFFFFFF89000001', 'ISD-R'],
  ['A0000005591010FFFFFFFF89000002', 'ECASD'],
  ['F053494D5941524401', 'the carrier applet'],
];

/** PINs by their reference, ETSI TS 102 221 §9.5.1. */
const pins: Readonly<Record<number, string>> = { 1: 'PIN1', 129: 'PIN2', 17: 'universal PIN', 10: 'ADM1' };

const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Ins).map(([name, ins]) => [ins, name.replaceAll('_', ' ')]),
);

/** Commands whose data no transcript shows: PINs, and what keys are made from. */
const secret: readonly number[] = [
  Ins.VERIFY_PIN,
  Ins.CHANGE_PIN,
  Ins.DISABLE_PIN,
  Ins.ENABLE_PIN,
  Ins.UNBLOCK_PIN,
];

export function isSecretCommand(command: CommandApdu): boolean {
  return secret.includes(command.ins);
}

/** The answer to AUTHENTICATE has the session's keys in it. */
export function hasSecretAnswer(command: CommandApdu): boolean {
  return command.ins === Ins.AUTHENTICATE;
}

/** A file of a path by its name, or its id. */
export function fileName(id: number): string {
  const hex = id.toString(16).toUpperCase().padStart(4, '0');
  return fileNames[hex] ?? hex;
}

function applicationName(aid: Uint8Array): string {
  const hex = toHex(aid);
  return applications.find(([prefix]) => hex.startsWith(prefix))?.[1] ?? `application ${hex}`;
}

/** `SELECT EF_IMSI`, `READ BINARY from 0, 9 bytes`, `MANAGE CHANNEL, open`: what a person reads of a command. */
export function describeCommand(command: CommandApdu): string {
  const channel = channelOf(command.cla);
  const text = describeIns(command);
  return channel === 0 ? text : `${text} (channel ${channel})`;
}

function describeIns(command: CommandApdu): string {
  const { ins, p1, p2, le } = command;
  const name = names[ins] ?? `INS ${ins.toString(16).toUpperCase().padStart(2, '0')}`;
  const data = command.data ?? new Uint8Array(0);
  switch (ins) {
    case Ins.SELECT:
      return `${name} ${p1 === 0x04 ? applicationName(data) : pathOf(data).map(fileName).join('/') || 'MF'}`;
    case Ins.READ_BINARY:
      return `${name} from ${(p1 << 8) | p2}${le === undefined ? '' : `, ${le === 256 ? 'all' : `${le} bytes`}`}`;
    case Ins.UPDATE_BINARY:
      return `${name} at ${(p1 << 8) | p2}, ${data.length} bytes`;
    case Ins.GET_DATA:
    case Ins.PUT_DATA:
      return `${name} ${((p1 << 8) | p2).toString(16).toUpperCase().padStart(4, '0')}`;
    case Ins.READ_RECORD:
    case Ins.UPDATE_RECORD:
      return `${name} ${p1}`;
    case Ins.MANAGE_CHANNEL:
      return p1 === 0x80 ? `${name}, close ${p2}` : `${name}, open`;
    case Ins.STORE_DATA:
      return `${name}, block ${p2}${p1 === 0x91 ? ', the last' : ''}`;
    case Ins.FETCH:
    case Ins.GET_RESPONSE:
      return `${name}, ${le ?? 'no'} bytes`;
    case Ins.VERIFY_PIN:
      return `${data.length === 0 ? 'VERIFY PIN (tries left?)' : name} ${pins[p2] ?? ''}`.trimEnd();
    case Ins.CHANGE_PIN:
    case Ins.DISABLE_PIN:
    case Ins.ENABLE_PIN:
    case Ins.UNBLOCK_PIN:
      return `${name} ${pins[p2] ?? ''}`.trimEnd();
    default:
      return name;
  }
}

/** File ids of the data of a SELECT. */
export function pathOf(data: Uint8Array): number[] {
  return Array.from(
    { length: data.length >> 1 },
    (_, i) => ((data[i * 2] ?? 0) << 8) | (data[i * 2 + 1] ?? 0),
  );
}
