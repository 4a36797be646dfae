import type { Link } from '../protocol/lwm2m/link-format.ts';
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
  const json = (number: number) => JSON.parse(at(number));
  return {
    id: at(line.id),
    endpoint,
    address: at(line.address),
    ...(at(line.identity) === '' ? {} : { identity: json(line.identity) }),
    lifetime: Number(at(line.lifetime)),
    version: json(line.version),
    binding: json(line.binding),
    queueMode: at(line.queueMode) === '1',
    ...(at(line.smsNumber) === '' ? {} : { smsNumber: json(line.smsNumber) }),
    rootPath: json(line.rootPath),
    links: decodeLinks(at(line.links)),
    contentFormats: json(line.contentFormats),
    additional: json(line.additional),
    registeredAt: Number(at(line.registeredAt)),
    updatedAt: Number(at(line.updatedAt)),
    expiresAt: Number(at(line.expiresAt)),
    node: at(line.node),
    ...(at(line.profiles) === '' ? {} : { profiles: json(line.profiles) }),
    // Rows of earlier versions end before it.
    ...((at(line.message) ?? '') === '' ? {} : { message: at(line.message) }),
    ...(at(line.lost) === '' ? {} : { addressLost: true }),
    fence,
  };
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
    rootPath: JSON.parse(lines[line.rootPath - 1] as string),
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

/** JSON in which a link without attributes, the usual case, is its target alone. */
function encodeLinks(links: readonly Link[]): string {
  return JSON.stringify(
    links.map(({ target, attributes }) =>
      Object.keys(attributes).length === 0 ? target : [target, attributes],
    ),
  );
}

function decodeLinks(text: string): readonly Link[] {
  const links: (string | [string, Record<string, string>])[] = JSON.parse(text);
  return links.map((link) =>
    typeof link === 'string' ? { target: link, attributes: {} } : { target: link[0], attributes: link[1] },
  );
}

/** @throws RangeError it has a line break, which no id, no address and no name of a node has */
function oneLine(text: string): string {
  if (text.includes('\n')) throw new RangeError('an id, an address or the name of a node has a line break');
  return text;
}
