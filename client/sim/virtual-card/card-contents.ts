import { createHash } from 'node:crypto';
import { DecodeError } from '../../../protocol/errors.ts';
import { fromHex, toHex } from '../hex.ts';
import type { JsonValue } from './card-application.ts';
import {
  type CardProfile,
  cardEid,
  cardProfiles,
  cardSerialLimit,
  type PolicyRule,
  ProfileClass,
  policyRules,
  profileAid,
} from './card-profiles.ts';

/** What the card is: an eUICC with an ISD-R, a card whose applet switches carriers, or one with the old applet. */
export const cardKinds = ['euicc', 'applet', 'legacy'] as const;
export type CardKind = (typeof cardKinds)[number];

/** Carrier 15 means "disconnect": there is no profile of that place. */
export const maxProfiles = 15;
const maxNicknameBytes = 64;

/** A PIN, ETSI TS 102 221 §9.5. */
export interface PinState {
  /** 4 to 8 digits. */
  readonly value: string;
  readonly enabled: boolean;
  /** Attempts that are left, of 3; 0: blocked. */
  readonly tries: number;
  /** 8 digits: the unblocking code. */
  readonly puk: string;
  /** Of 10. */
  readonly pukTries: number;
}

/** A profile with all that it keeps: secrets, PINs, and what was written to its files. */
export interface StoredProfile extends CardProfile {
  /** 16 bytes in hex: the subscriber's key and the operator's constant for it (3GPP TS 35.206 §2). */
  readonly ki: string;
  readonly opc: string;
  readonly pin1: PinState;
  readonly pin2: PinState;
  /** 8 bytes in hex: the administrator's code. */
  readonly adm: string;
  /** SEQ that was accepted last, by IND (3GPP TS 33.102 annex C.2); absent: 0. */
  readonly sequence: readonly number[];
  /** Bodies of files that were written, by `PPPPFFFF` (directory and file id), records one after the other, in hex. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a card keeps without power. */
export interface CardContents {
  readonly serial: number;
  readonly kind: CardKind;
  /** 32 digits. */
  readonly eid: string;
  readonly profiles: readonly StoredProfile[];
  /** ICCID of the enabled profile; undefined where all are disabled. */
  readonly enabled: string | undefined;
  /** Default SM-DP+ address, GSMA SGP.22 §5.7.4. */
  readonly smdpAddress: string;
  /** What applications keep, by AID in hex. */
  readonly applications: Readonly<Record<string, JsonValue>>;
}

/** A card as it leaves the factory. `initial` is the place of the profile that is enabled. */
export function newCardContents(serial: number, initial: number, kind: CardKind = 'euicc'): CardContents {
  const profiles = cardProfiles(serial).map(storedProfile);
  return {
    serial,
    kind,
    eid: cardEid(serial),
    profiles,
    enabled: profiles[initial]?.iccid,
    smdpAddress: '',
    applications: {},
  };
}

const newPin1: PinState = { value: '0000', enabled: false, tries: 3, puk: '00000000', pukTries: 10 };
const newPin2: PinState = { ...newPin1, enabled: true };
const newAdm = toHex(new TextEncoder().encode('00000000'));
const noSequence: readonly number[] = [];
const noFiles: Readonly<Record<string, string>> = {};

/** A new profile: PIN1 disabled, as on cards for machines. Its keys are made of its ICCID, for tests only. */
export function storedProfile(profile: CardProfile): StoredProfile {
  const keys = toHex(createHash('sha256').update(`Ki OPc ${profile.iccid}`).digest());
  return {
    ...profile,
    ki: keys.slice(0, 32),
    opc: keys.slice(32),
    pin1: newPin1,
    pin2: newPin2,
    adm: newAdm,
    sequence: noSequence,
    files: noFiles,
  };
}

/** Format 2, as JSON: all that is known, so that a person can edit it. */
export function formatCardContents(contents: CardContents): string {
  const { serial, kind, eid, enabled, smdpAddress, applications } = contents;
  const profiles = contents.profiles.map(({ aid, profileClass, sequence, files, ...profile }) => ({
    ...profile,
    aid: toHex(aid),
    class: profileClass,
    ...(sequence.length === 0 ? {} : { sequence: Array.from(sequence, (value) => value ?? 0) }),
    ...(Object.keys(files).length === 0 ? {} : { files }),
  }));
  return `${JSON.stringify(
    { format: 2, serial, kind, eid, enabled: enabled ?? null, smdpAddress, profiles, applications },
    undefined,
    1,
  )}\n`;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Format 2; format 1 (serial and the place of the enabled profile) becomes what it stood for. Of a profile
 * only `name`, `iccid` and `imsi` must be there: what is left out is as on a new card.
 * @throws DecodeError what is wrong, in words
 */
export function parseCardContents(value: Json): CardContents {
  const { format } = value;
  const serial = integer(value, 'serial', 0, cardSerialLimit - 1);
  if (format === 1) return parseFormat1(serial, value);
  if (format !== 2) throw new DecodeError(`format ${JSON.stringify(format)} is not known`);
  const listed = value.profiles;
  if (!Array.isArray(listed) || listed.length > maxProfiles) {
    throw new DecodeError(`profiles are a list of at most ${maxProfiles}`);
  }
  const profiles = listed.map((profile, index) => parseProfile(object(profile, `profile ${index}`), index));
  for (const key of ['iccid', 'carrier'] as const) {
    if (new Set(profiles.map((profile) => profile[key])).size < profiles.length) {
      throw new DecodeError(`two profiles have one ${key}`);
    }
  }
  const enabled = value.enabled ?? undefined;
  if (enabled !== undefined && !profiles.some(({ iccid }) => iccid === enabled)) {
    throw new DecodeError('enabled is the ICCID of one of the profiles, or null');
  }
  return {
    serial,
    kind: oneOf(value, 'kind', cardKinds, 'euicc'),
    eid: matching(value, 'eid', /^[0-9]{32}$/, cardEid(serial)),
    profiles,
    enabled: enabled as string | undefined,
    smdpAddress: matching(value, 'smdpAddress', /^.{0,255}$/, ''),
    applications: object(value.applications ?? {}, 'applications') as Record<string, JsonValue>,
  };
}

function parseFormat1(serial: number, value: Json): CardContents {
  const { enabled } = value;
  const made = newCardContents(serial, -1);
  if (enabled === null) return made;
  const profile = made.profiles[integer(value, 'enabled', 0, made.profiles.length - 1)];
  return { ...made, enabled: profile?.iccid };
}

function parseProfile(value: Json, index: number): StoredProfile {
  const name = matching(value, 'name', /^.{1,32}$/u);
  const plain: CardProfile = {
    name,
    carrier: integer(value, 'carrier', 0, maxProfiles - 1, index),
    iccid: matching(value, 'iccid', /^[0-9]{18,20}$/),
    imsi: matching(value, 'imsi', /^[0-9]{6,15}$/),
    aid: fromHex(matching(value, 'aid', /^([0-9A-Fa-f]{2}){5,16}$/, toHex(profileAid(index)))),
    nickname: matching(value, 'nickname', /^.*$/u, ''),
    profileClass: integer(value, 'class', 0, 2, ProfileClass.OPERATIONAL) as ProfileClass,
    policyRules: rules(value.policyRules ?? []),
  };
  if (new TextEncoder().encode(plain.nickname).length > maxNicknameBytes) {
    throw new DecodeError(`nickname of ${name} has more than ${maxNicknameBytes} bytes`);
  }
  const made = storedProfile(plain);
  return {
    ...made,
    ki: matching(value, 'ki', /^[0-9A-Fa-f]{32}$/, made.ki),
    opc: matching(value, 'opc', /^[0-9A-Fa-f]{32}$/, made.opc),
    pin1: parsePin(object(value.pin1 ?? {}, 'pin1'), made.pin1),
    pin2: parsePin(object(value.pin2 ?? {}, 'pin2'), made.pin2),
    adm: matching(value, 'adm', /^[0-9A-Fa-f]{16}$/, made.adm),
    sequence: sequence(value.sequence ?? []),
    files: files(object(value.files ?? {}, 'files')),
  };
}

function parsePin(value: Json, made: PinState): PinState {
  const enabled = value.enabled ?? made.enabled;
  if (typeof enabled !== 'boolean') throw new DecodeError('enabled of a PIN is true or false');
  return {
    value: matching(value, 'value', /^[0-9]{4,8}$/, made.value),
    enabled,
    tries: integer(value, 'tries', 0, 3, made.tries),
    puk: matching(value, 'puk', /^[0-9]{8}$/, made.puk),
    pukTries: integer(value, 'pukTries', 0, 10, made.pukTries),
  };
}

function rules(value: unknown): readonly PolicyRule[] {
  if (!Array.isArray(value) || !value.every((rule) => policyRules.includes(rule))) {
    throw new DecodeError(`policyRules are a list of ${policyRules.join(', ')}`);
  }
  return value as readonly PolicyRule[];
}

function sequence(value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length > 32 || !value.every((seq) => isCount(seq, 2 ** 43 - 1))) {
    throw new DecodeError('sequence is a list of at most 32 numbers below 2^43');
  }
  return value as readonly number[];
}

function files(value: Json): Readonly<Record<string, string>> {
  for (const [path, body] of Object.entries(value)) {
    if (!/^[0-9A-F]{8}$/.test(path) || typeof body !== 'string' || !/^([0-9A-F]{2})*$/.test(body)) {
      throw new DecodeError(`files: ${path} is not a path of 8 upper-case hex digits with a body in hex`);
    }
  }
  return value as Readonly<Record<string, string>>;
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

function integer(value: Json, key: string, least: number, most: number, otherwise?: number): number {
  const given = value[key] ?? otherwise;
  if (isCount(given, most) && given >= least) return given;
  throw new DecodeError(`${key} is a whole number from ${least} to ${most}`);
}

function matching(value: Json, key: string, pattern: RegExp, otherwise?: string): string {
  const given = value[key] ?? otherwise;
  if (typeof given === 'string' && pattern.test(given)) return given;
  throw new DecodeError(`${key} is a string like ${pattern.source}`);
}

function oneOf<T extends string>(value: Json, key: string, known: readonly T[], otherwise: T): T {
  const given = value[key] ?? otherwise;
  const found = known.find((one) => one === given);
  if (found === undefined) throw new DecodeError(`${key} is one of ${known.join(', ')}`);
  return found;
}

function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new DecodeError(`${what} is an object`);
}
