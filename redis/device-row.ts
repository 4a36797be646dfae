import { endings, type IndexRow, neverSeen } from '../server/inventory/device-columns.ts';
import type { Device, DeviceAttributes, DeviceStore } from '../server/ports/device-store.ts';
import type { ScriptArgument } from './connection.ts';
import { decodeRegistration, textOf } from './registration-row.ts';

/**
 * A device is a text of lines in the hash `devices` of its bucket, by endpoint: when it was seen first and last, until
 * when it is taken to listen, its state and node (scripts/shared/bucket.lua), then how long it listens as set and as
 * learnt, its attributes as JSON, empty where they are not known, and its tenant (absent or empty: none).
 */
const firstAttribute = 8;
const attributeNames = [
  'manufacturer',
  'model',
  'serialNumber',
  'firmwareVersion',
  'iccid',
  'imsi',
  'imei',
  'carrier',
  'signal',
] as const satisfies readonly (keyof DeviceAttributes)[];
export const tenantLine = firstAttribute + attributeNames.length;

/** Number and value of each line that is set. */
export function encodeAttributes(attributes: DeviceAttributes): ScriptArgument[] {
  return attributeNames.flatMap((name, index) => {
    const value = attributes[name];
    return value === undefined ? [] : [firstAttribute + index, JSON.stringify(value)];
  });
}

export function encodeAwakeTimes({
  configured,
  learnt,
}: Parameters<DeviceStore['setAwakeTimes']>[1]): ScriptArgument[] {
  return [
    ...(configured === undefined ? [] : [6, configured ?? '']),
    ...(learnt === undefined ? [] : [7, learnt ?? '']),
  ];
}

/** @param registration its row and fence, where it is registered */
export function decodeDevice(
  endpoint: string,
  row: string,
  registration: { readonly row: string; readonly fence: number } | undefined,
): Device {
  const lines = row.split('\n');
  const [firstSeen, lastSeen, awakeUntil, state, , configured, learnt] = lines as [string, ...string[]];
  const attributes: { -readonly [Name in keyof DeviceAttributes]: string | number } = {};
  for (const [index, name] of attributeNames.entries()) {
    const value = lines[firstAttribute - 1 + index];
    if (value !== undefined && value !== '') attributes[name] = JSON.parse(value);
  }
  const tenant = tenantOfRow(lines);
  return {
    endpoint,
    ...(tenant === null ? {} : { tenant }),
    ...(Number(firstSeen) === neverSeen ? {} : { firstSeen: Number(firstSeen) }),
    ...(Number(lastSeen) === neverSeen ? {} : { lastSeen: Number(lastSeen) }),
    ...(attributes as DeviceAttributes),
    ...(configured === '' && learnt === ''
      ? {}
      : {
          awakeTimes: {
            ...(configured === '' ? {} : { configured: Number(configured) }),
            ...(learnt === '' ? {} : { learnt: Number(learnt) }),
          },
        }),
    ...(awakeUntil === '' ? {} : { awakeUntil: Number(awakeUntil) }),
    ...(state === 'lost' || state === 'left' ? { ended: state } : {}),
    ...(registration === undefined
      ? {}
      : { registration: listed(decodeRegistration(endpoint, registration.row, registration.fence)) }),
  };
}

/** Null: the operator's own. */
export function tenantOf(row: string): string | null {
  return tenantOfRow(row.split('\n'));
}

function tenantOfRow(lines: readonly string[]): string | null {
  const tenant = lines[tenantLine - 1];
  return tenant === undefined || tenant === '' ? null : tenant;
}

/** Without what only the protocol needs. */
function listed({
  identity,
  addressLost: _,
  ...rest
}: ReturnType<typeof decodeRegistration>): NonNullable<Device['registration']> {
  const transportAddress = identity?.transportAddress;
  return transportAddress === undefined ? rest : { ...rest, transportAddress };
}

/** What the index knows of a device. */
export function indexRow(endpoint: string, row: string): IndexRow {
  const lines = row.split('\n');
  const state = lines[3];
  const ending = state === 'lost' || state === 'left' ? endings[state] : endings.unknown;
  const [manufacturer, model, serial, firmware, iccid, imsi, imei, carrier, signal] = lines.slice(
    firstAttribute - 1,
  ) as string[];
  return [
    endpoint,
    state === 'registered' ? 1 : 0,
    ending,
    Number(lines[0]),
    Number(lines[1]),
    lines[2] === '' ? null : Number(lines[2]),
    signal === undefined || signal === '' ? null : Number(signal),
    knownText(serial),
    knownText(iccid),
    knownText(imsi),
    knownText(imei),
    knownText(carrier),
    knownText(manufacturer),
    knownText(model),
    knownText(firmware),
    lines[4] === '' ? null : (lines[4] as string),
    tenantOfRow(lines),
  ];
}

function knownText(json: string | undefined): string | null {
  return json === undefined || json === '' ? null : textOf(json);
}
