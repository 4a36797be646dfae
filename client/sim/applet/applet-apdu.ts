import { DecodeError } from '../../../protocol/errors.ts';
import { type CarrierSwitchAckPacket, decodePacket, encodePacket } from '../../../protocol/flow/packet.ts';
import type { CommandApdu } from '../apdu.ts';
import { decodeTlvs, encodeTlv, findTlv } from '../ber-tlv.ts';
import { cardText } from '../card-text.ts';
import { decodeIccid, encodeIccid } from '../files.ts';
import { fromHex } from '../hex.ts';

/** AID of our carrier applet: of the proprietary category F (ISO/IEC 7816-5 §8.2.3), then `SIMYARD` and its version. */
export const carrierAppletAid = fromHex('F053494D5941524401');

/** Instructions of the carrier applet, in the proprietary class 80, with their names of ISO/IEC 7816-4 §11.5. */
export const AppletIns = { GET_DATA: 0xca, PUT_DATA: 0xda } as const;

/** What GET DATA asks for, as P1-P2. */
export const AppletData = {
  /** `E0`: what the applet is doing. */
  STATE: 0x0001,
  /** `A0`: the carriers that it can switch to. */
  CARRIERS: 0x0002,
} as const;

/** What PUT DATA brings, as P1-P2: a packet of the flow protocol. */
export const AppletPut = {
  /** `10 C0`: an order to switch. Answered with `11 SC` where it ended at once, else with nothing. */
  PERFORM: 0x0001,
  /** `00 …`: a reading for the network. */
  READING: 0x0002,
} as const;

/** How a switch ended, and the carrier then. */
export type AppletOutcome = Pick<CarrierSwitchAckPacket, 'status' | 'carrier'>;

export interface AppletState {
  /** Carrier id; 15: none. */
  readonly carrier: number;
  /** A switch was begun, and the reset that ends it is still to come. */
  readonly switching: boolean;
  /** It has a channel to its gateway. */
  readonly online: boolean;
  /** Of the newest order; undefined before the first. */
  readonly outcome: AppletOutcome | undefined;
}

export interface AppletCarrier {
  /** 0 to 14. */
  readonly id: number;
  readonly name: string;
  readonly iccid: string;
}

const Tags = {
  STATE: 0xe0,
  CARRIER: 0x80,
  OUTCOME: 0x81,
  ONLINE: 0x82,
  SWITCHING: 0x83,
  CARRIERS: 0xa0,
  ENTRY: 0xe3,
  ICCID: 0x5a,
  NAME: 0x91,
} as const;

/** On the basic channel; `onChannel` puts it on another. */
export function getAppletData(what: number): CommandApdu {
  return { cla: 0x80, ins: AppletIns.GET_DATA, p1: what >> 8, p2: what & 0xff, le: 256 };
}

/** On the basic channel; `onChannel` puts it on another. */
export function putAppletData(what: number, packet: Uint8Array): CommandApdu {
  return { cla: 0x80, ins: AppletIns.PUT_DATA, p1: what >> 8, p2: what & 0xff, data: packet };
}

export function encodeAppletState(state: AppletState): Uint8Array {
  const { carrier, switching, online, outcome } = state;
  return encodeTlv(
    Tags.STATE,
    encodeTlv(Tags.CARRIER, Uint8Array.of(carrier)),
    ...(outcome === undefined ? [] : [encodeTlv(Tags.OUTCOME, encodeOutcome(outcome))]),
    encodeTlv(Tags.ONLINE, Uint8Array.of(online ? 1 : 0)),
    encodeTlv(Tags.SWITCHING, Uint8Array.of(switching ? 1 : 0)),
  );
}

/** @throws DecodeError */
export function decodeAppletState(bytes: Uint8Array): AppletState {
  const state = findTlv(bytes, Tags.STATE);
  if (state === undefined) throw new DecodeError('the applet gives no state');
  const outcome = findTlv(state, Tags.OUTCOME);
  return {
    carrier: byteAt(state, Tags.CARRIER, 15),
    switching: byteAt(state, Tags.SWITCHING, 1) === 1,
    online: byteAt(state, Tags.ONLINE, 1) === 1,
    outcome: outcome === undefined ? undefined : decodeOutcome(outcome),
  };
}

function byteAt(bytes: Uint8Array, tag: number, most: number): number {
  const value = findTlv(bytes, tag);
  const [byte] = value ?? [];
  if (byte === undefined || value?.length !== 1 || byte > most) {
    throw new DecodeError(`object ${tag.toString(16)} of the applet's state is not one byte up to ${most}`);
  }
  return byte;
}

export function encodeAppletCarriers(carriers: readonly AppletCarrier[]): Uint8Array {
  const entries = carriers.map(({ id, name, iccid }) =>
    encodeTlv(
      Tags.ENTRY,
      encodeTlv(Tags.CARRIER, Uint8Array.of(id)),
      encodeTlv(Tags.ICCID, encodeIccid(iccid)),
      encodeTlv(Tags.NAME, new TextEncoder().encode(name)),
    ),
  );
  return encodeTlv(Tags.CARRIERS, ...entries);
}

/** @throws DecodeError */
export function decodeAppletCarriers(bytes: Uint8Array): readonly AppletCarrier[] {
  const list = findTlv(bytes, Tags.CARRIERS);
  if (list === undefined) throw new DecodeError('the applet gives no list of carriers');
  const carriers = decodeTlvs(list)
    .filter(({ tag }) => tag === Tags.ENTRY)
    .map(({ value }) => {
      const iccid = findTlv(value, Tags.ICCID);
      if (iccid === undefined) throw new DecodeError('a carrier without ICCID');
      return {
        id: byteAt(value, Tags.CARRIER, 14),
        name: cardText(findTlv(value, Tags.NAME)),
        iccid: decodeIccid(iccid),
      };
    });
  if (new Set(carriers.map(({ id }) => id)).size < carriers.length) {
    throw new DecodeError('two carriers of the applet have one id');
  }
  return carriers;
}

/** `11 SC`. */
export function encodeOutcome(outcome: AppletOutcome): Uint8Array {
  return encodePacket({ kind: 'carrier-switch-ack', ...outcome });
}

/** @throws DecodeError */
export function decodeOutcome(bytes: Uint8Array): AppletOutcome {
  const packet = decodePacket(bytes, 'upstream');
  if (packet.kind !== 'carrier-switch-ack') throw new DecodeError('the applet acknowledges nothing');
  return { status: packet.status, carrier: packet.carrier };
}
