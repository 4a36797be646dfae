import { Code } from '../../protocol/coap/message.ts';
import { Direction } from '../../protocol/coap/tapped-port.ts';
import { decodeNote } from './address-notes.ts';
import { CapturedMessage } from './captured-message.ts';
import type { FlightRecorder, RecordView } from './flight-recorder.ts';
import { messagesOf, type PlacedNote } from './ownership.ts';

/** Addresses of one device that are looked through; a hostile peer may name it from many more. */
const MAX_ADDRESSES = 64;

/** Where a device is, as far as the store knows. */
export interface KnownAddress {
  readonly address: string;
  /** Another device was heard there since. */
  readonly lost: boolean;
}

/** What was found of a device in the ring. */
export interface FoundMessages {
  /** The newest, in their order. */
  readonly messages: readonly CapturedMessage[];
  /** There were more than were wanted. */
  readonly more: boolean;
}

interface Address {
  readonly bytes: Uint8Array;
  readonly notes: PlacedNote[];
  messages: CapturedMessage[];
}

/**
 * The messages of one device among all that the ring has, at whatever address it was.
 * @param to id before which they are looked for
 * @param limit how many of them are wanted at the most
 */
export async function findMessages(
  recorder: FlightRecorder,
  endpoint: string,
  known: KnownAddress | undefined,
  to: number,
  limit: number,
): Promise<FoundMessages> {
  const addresses = new Map<string, Address>();
  const add = (peer: string): Address | undefined => {
    const there = addresses.get(peer);
    if (there !== undefined || addresses.size >= MAX_ADDRESSES) return there;
    const address: Address = { bytes: Buffer.from(peer, 'latin1'), notes: [], messages: [] };
    addresses.set(peer, address);
    return address;
  };
  const from = recorder.oldestId;
  if (known !== undefined) add(known.address);
  // As it stands in notes, which are JSON, and in a Register.
  const noted = Buffer.from(JSON.stringify(endpoint));
  const named = Buffer.from(`ep=${endpoint}`);

  await recorder.scan(from, to, (record) => {
    if (record.direction !== undefined || !has(record.data, noted)) return;
    const note = decodeNote(record.data);
    if (note.endpoint !== endpoint) return;
    add(note.peer);
    if (note.former !== undefined) add(note.former);
  });

  await recorder.scan(from, to, (record) => {
    const { direction } = record;
    if (direction === undefined) {
      const note = { ...decodeNote(record.data), id: record.id };
      for (const peer of new Set([note.peer, note.former])) {
        if (peer !== undefined) addresses.get(peer)?.notes.push(note);
      }
      return;
    }
    const address =
      addressOf(addresses, record) ?? (isRegister(record, named) ? add(record.peer) : undefined);
    if (address === undefined) return;
    address.messages.push(CapturedMessage.of(record, direction));
    // Twice as many, for some may be another device's.
    if (address.messages.length > 4 * limit) address.messages = address.messages.slice(-2 * limit);
  });

  const found: CapturedMessage[] = [];
  for (const [peer, { notes, messages }] of addresses) {
    const holds = known !== undefined && known.address === peer && !known.lost;
    found.push(...messagesOf(endpoint, peer, notes, messages, holds));
  }
  found.sort((a, b) => a.id - b.id);
  return { messages: found.slice(-limit), more: found.length > limit };
}

function addressOf(addresses: ReadonlyMap<string, Address>, record: RecordView): Address | undefined {
  for (const address of addresses.values()) if (record.isPeer(address.bytes)) return address;
  return undefined;
}

/** Whether it may be a Register of that name. */
function isRegister(record: RecordView, named: Buffer): boolean {
  if (record.direction !== Direction.IN) return false;
  const { data } = record;
  return data[1] === Code.POST && has(data, named);
}

function has(data: Uint8Array, needle: Buffer): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.length).includes(needle);
}
