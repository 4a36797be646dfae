import { TextMemo } from '../../protocol/lwm2m/text-memo.ts';
import { decodeLinks, encodeLinks } from '../ports/link-rows.ts';
import type { Registration } from '../ports/registration-store.ts';

/**
 * A registration between the threads, in the order of `registrationSelection`; links and other structures are JSON, so
 * that the worker need not build them.
 */
export type RegistrationRow = readonly (string | number | null)[];

/**
 * Columns of a row: of the table `registration` (r), and those that change with each message, which are in that of the
 * device (d).
 */
export const registrationSelection =
  'r.endpoint, r.id, r.address, r.identity, r.lifetime, r.version, r.binding, r.queue_mode, r.sms, r.root_path, ' +
  'r.links, r.formats, r.additional, r.registered_at, d.updated_at, d.expires_at, r.node, r.profiles, r.message, ' +
  'r.address_lost, d.fence';

/** Places in a row of what the tables look at. */
export const rowPlaces = { endpoint: 0, id: 1, updatedAt: 14, expiresAt: 15, node: 16, fence: 20 } as const;

export function registrationRow(registration: Registration): RegistrationRow {
  return [
    registration.endpoint,
    registration.id,
    registration.address,
    registration.identity === undefined ? null : JSON.stringify(registration.identity),
    registration.lifetime,
    registration.version,
    registration.binding,
    registration.queueMode ? 1 : 0,
    registration.smsNumber ?? null,
    registration.rootPath,
    encodeLinks(registration.links),
    JSON.stringify(registration.contentFormats),
    JSON.stringify(registration.additional),
    registration.registeredAt,
    registration.updatedAt,
    registration.expiresAt,
    registration.node,
    registration.profiles === undefined ? null : JSON.stringify(registration.profiles),
    registration.message ?? null,
    registration.addressLost === true ? 1 : 0,
    registration.fence ?? null,
  ];
}

/**
 * Of a registration that says what the one before said, what differs all the same: endpoint, id, address, registered_at,
 * updated_at, expires_at, node, message.
 */
export type RenewalRow = readonly (string | number | null)[];

export function renewalRow(registration: Registration): RenewalRow {
  const { endpoint, id, address, registeredAt, updatedAt, expiresAt, node, message } = registration;
  return [endpoint, id, address, registeredAt, updatedAt, expiresAt, node, message ?? null];
}

/** What is the same for many devices is read once, and shared. */
const formats = new TextMemo((text: string): readonly number[] => JSON.parse(text));
const additional = new TextMemo((text: string): Readonly<Record<string, string>> => JSON.parse(text));

/** The registration of a row. */
export function registrationOfRow(row: RegistrationRow): Registration {
  const [endpoint, id, address, identity, lifetime, version, binding, queueMode, sms, rootPath] = row;
  const profiles = row[17];
  const message = row[18];
  return {
    id: id as string,
    endpoint: endpoint as string,
    address: address as string,
    ...(typeof identity === 'string' ? { identity: JSON.parse(identity) } : {}),
    lifetime: lifetime as number,
    version: version as string,
    binding: binding as string,
    queueMode: queueMode === 1,
    ...(typeof sms === 'string' ? { smsNumber: sms } : {}),
    rootPath: rootPath as string,
    links: decodeLinks(row[10] as string),
    contentFormats: formats.get(row[11] as string),
    additional: additional.get(row[12] as string),
    registeredAt: row[13] as number,
    updatedAt: row[rowPlaces.updatedAt] as number,
    expiresAt: row[rowPlaces.expiresAt] as number,
    node: row[rowPlaces.node] as string,
    ...(typeof profiles === 'string' ? { profiles: JSON.parse(profiles) } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...(row[19] === 1 ? { addressLost: true } : {}),
    ...(typeof row[rowPlaces.fence] === 'number' ? { fence: row[rowPlaces.fence] as number } : {}),
  };
}
