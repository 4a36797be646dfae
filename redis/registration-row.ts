import { TextMemo } from '../protocol/lwm2m/text-memo.ts';
import { decodeLinks, encodeLinks } from '../server/ports/link-rows.ts';
import type { Registration, RegistrationUpdate, Speaker } from '../server/ports/registration-store.ts';
import type { ScriptArgument } from './connection.ts';

/**
 * A registration is a text of lines in the hash `registrations` of its bucket, by endpoint. The first nine are read
 * and changed by scripts (scripts/shared/bucket.lua), the others are JSON, empty where there is nothing.
 */
const line = {
  id: 1,
  address: 2,
  node: 3,
  lifetime: 4,
  updatedAt: 5,
  expiresAt: 6,
  queueMode: 7,
  lost: 8,
  held: 9,
  registeredAt: 10,
  version: 11,
  binding: 12,
  identity: 13,
  smsNumber: 14,
  rootPath: 15,
  links: 16,
  contentFormats: 17,
  additional: 18,
  profiles: 19,
  message: 20,
} as const;

/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms: how long a device in queue mode is taken to listen after it has spoken. */
export const standardListening = 93_000;

export function encodeRegistration(registration: Registration): string {
  const { smsNumber, identity, profiles } = registration;
  return [
    oneLine(registration.id),
    oneLine(registration.address),
    oneLine(registration.node),
    registration.lifetime,
    registration.updatedAt,
    registration.expiresAt,
    registration.queueMode ? 1 : 0,
    '',
    '',
    registration.registeredAt,
    JSON.stringify(registration.version),
    JSON.stringify(registration.binding),
    identity === undefined ? '' : JSON.stringify(identity),
    smsNumber === undefined ? '' : JSON.stringify(smsNumber),
    JSON.stringify(registration.rootPath),
    encodeLinks(registration.links),
    JSON.stringify(registration.contentFormats),
    JSON.stringify(registration.additional),
    profiles === undefined ? '' : JSON.stringify(profiles),
    registration.message === undefined ? '' : oneLine(registration.message),
  ].join('\n');
}

/** @param fence 0: no device has it */
export function decodeRegistration(endpoint: string, row: string, fence: number): Registration {
  const lines = row.split('\n');
  const at = (number: number): string => lines[number - 1] as string;
  const registration: { -readonly [Member in keyof Registration]: Registration[Member] } = {
    id: at(line.id),
    endpoint,
    address: at(line.address),
    lifetime: Number(at(line.lifetime)),
    version: textOf(at(line.version)),
    binding: textOf(at(line.binding)),
    queueMode: at(line.queueMode) === '1',
    rootPath: textOf(at(line.rootPath)),
    links: decodeLinks(at(line.links)),
    contentFormats: formats.get(at(line.contentFormats)),
    additional: at(line.additional) === '{}' ? {} : JSON.parse(at(line.additional)),
    registeredAt: Number(at(line.registeredAt)),
    updatedAt: Number(at(line.updatedAt)),
    expiresAt: Number(at(line.expiresAt)),
    node: at(line.node),
    fence,
  };
  if (at(line.identity) !== '') registration.identity = JSON.parse(at(line.identity));
  if (at(line.smsNumber) !== '') registration.smsNumber = JSON.parse(at(line.smsNumber));
  if (at(line.profiles) !== '') registration.profiles = JSON.parse(at(line.profiles));
  // Rows of earlier versions end before it.
  if ((at(line.message) ?? '') !== '') registration.message = at(line.message);
  if (at(line.lost) !== '') registration.addressLost = true;
  return registration;
}

const formats = new TextMemo((text: string): readonly number[] => JSON.parse(text));

/** A text of JSON: most have nothing in them that is escaped. */
export function textOf(json: string): string {
  return json.includes('\\') ? JSON.parse(json) : json.slice(1, -1);
}

/** Where the device of a row is, for its notifications. */
export function decodeLocation(row: string): {
  readonly address: string;
  readonly rootPath: string;
  readonly addressLost?: true;
} {
  const lines = row.split('\n');
  return {
    address: lines[line.address - 1] as string,
    rootPath: textOf(lines[line.rootPath - 1] as string),
    ...(lines[line.lost - 1] === '' ? {} : { addressLost: true }),
  };
}

/** As scripts/shared/speaker.lua reads it. */
export function encodeSpeaker(speaker: Speaker): string {
  if (speaker === null) return '-';
  return speaker?.endpoint === undefined ? '*' : `=${speaker.endpoint}`;
}

/** Number and value of each line that an update changes; the script sets the expiry. */
export function encodeUpdate(update: RegistrationUpdate): ScriptArgument[] {
  const changes: ScriptArgument[] = [
    ...[line.address, oneLine(update.address)],
    ...[line.updatedAt, update.updatedAt],
    ...[line.node, oneLine(update.node)],
  ];
  const { lifetime, queueMode, binding, identity, smsNumber, rootPath, links, contentFormats, profiles } =
    update;
  if (lifetime !== undefined) changes.push(line.lifetime, lifetime);
  if (queueMode !== undefined) changes.push(line.queueMode, queueMode ? 1 : 0);
  if (binding !== undefined) changes.push(line.binding, JSON.stringify(binding));
  if (identity !== undefined) changes.push(line.identity, JSON.stringify(identity));
  if (smsNumber !== undefined) changes.push(line.smsNumber, JSON.stringify(smsNumber));
  if (rootPath !== undefined) changes.push(line.rootPath, JSON.stringify(rootPath));
  if (links !== undefined) changes.push(line.links, encodeLinks(links));
  if (contentFormats !== undefined) changes.push(line.contentFormats, JSON.stringify(contentFormats));
  if (profiles !== undefined) changes.push(line.profiles, JSON.stringify(profiles));
  return changes;
}

/** @throws RangeError it has a line break, which no id, no address and no name of a node has */
function oneLine(text: string): string {
  if (text.includes('\n')) throw new RangeError('an id, an address or the name of a node has a line break');
  return text;
}
