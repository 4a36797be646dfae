import { DecodeError } from '../../../protocol/errors.ts';
import { FlowCarrier, flowCarrierNames, SwitchStatus } from '../../../protocol/flow/names.ts';
import { decodePacket, encodePacket, packetLength } from '../../../protocol/flow/packet.ts';
import { StateFileError } from '../../atomic-file.ts';
import { type CommandApdu, StatusWord } from '../apdu.ts';
import { encodeLegacyAnswer, type LegacyDestination, LegacyIns } from '../applet/legacy-apdu.ts';
import { fromHex } from '../hex.ts';
import type { SwitchReport } from './applet-switch.ts';
import type { ApplicationAnswer, CardApplication, CardServices } from './card-application.ts';

/** Under which the card keeps what the applet remembers; it is never selected. */
const legacyAppletAid = fromHex('F04C454741435901');
/** Packets that wait to be fetched. */
const outboxLimit = 8;

/**
 * The old carrier applet as it is in the field: it answers instructions of its own without being selected, takes a
 * perform, remembers the carrier and acknowledges; no profile changes, and so no ICCID. Readings that it is given it
 * gives back to be sent. It asks for its channel once after each reset, then for data whenever there is nothing else.
 */
export class LegacyApplet implements CardApplication {
  readonly aid = legacyAppletAid;
  readonly #destination: LegacyDestination | undefined;
  #card!: CardServices;
  #last: SwitchReport = { status: SwitchStatus.ACK, carrier: FlowCarrier.DISCONNECT };
  #opened = false;
  #outbox: Uint8Array[] = [];

  /** `destination`: the address that its OPEN CHANNEL names. */
  constructor(destination?: LegacyDestination) {
    this.#destination = destination;
  }

  onInstall(card: CardServices): void {
    this.#card = card;
    const kept = card.read();
    const carrier = kept === undefined ? (card.enabledProfile?.carrier ?? FlowCarrier.DISCONNECT) : kept;
    if (typeof carrier !== 'number' || !isCarrier(carrier)) {
      throw new StateFileError('what the old applet kept on the card is no carrier');
    }
    this.#last = { status: SwitchStatus.ACK, carrier };
  }

  onReset(): void {
    this.#opened = false;
    this.#outbox = [];
  }

  processUnselected(command: CommandApdu): ApplicationAnswer | undefined {
    if (command.cla !== 0x00 || command.p1 !== 0 || command.p2 !== 0) return undefined;
    switch (command.ins) {
      case LegacyIns.STATUS:
        return answer(encodeLegacyAnswer({ kind: 'send-data', packet: ackPacket(this.#last) }), command.le);
      case LegacyIns.FETCH:
        return answer(this.#next(), command.le);
      case LegacyIns.RESPONSE:
        return { data: new Uint8Array(0), sw: this.#take(command.data ?? new Uint8Array(0)) };
      default:
        return undefined;
    }
  }

  #next(): Uint8Array {
    const packet = this.#outbox.shift();
    if (packet !== undefined) return encodeLegacyAnswer({ kind: 'send-data', packet });
    if (this.#opened) return encodeLegacyAnswer({ kind: 'receive-data' });
    this.#opened = true;
    return encodeLegacyAnswer({ kind: 'open-channel', destination: this.#destination });
  }

  /** A packet from the network, or a reading for it. Returns the status word. */
  #take(bytes: Uint8Array): number {
    if (this.#outbox.length >= outboxLimit) return StatusWord.NOT_ENOUGH_MEMORY;
    try {
      if (packetLength(bytes, bytes[0] === 0x10 ? 'downstream' : 'upstream') !== bytes.length) {
        return StatusWord.INCORRECT_DATA;
      }
      if (bytes[0] === 0x10) {
        this.#perform(decodePacket(bytes, 'downstream').carrier);
        return StatusWord.OK;
      }
      if (decodePacket(bytes, 'upstream').kind !== 'iot-data') return StatusWord.INCORRECT_DATA;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return StatusWord.INCORRECT_DATA;
    }
    this.#outbox.push(bytes);
    return StatusWord.OK;
  }

  #perform(carrier: number): void {
    if (isCarrier(carrier)) {
      this.#card.write(carrier);
      this.#last = { status: SwitchStatus.ACK, carrier };
    } else this.#last = { status: SwitchStatus.NACK, carrier: this.#last.carrier };
    this.#outbox.push(ackPacket(this.#last));
  }
}

function isCarrier(carrier: number): boolean {
  return carrier === FlowCarrier.DISCONNECT || flowCarrierNames.has(carrier);
}

function ackPacket(report: SwitchReport): Uint8Array {
  return encodePacket({ kind: 'carrier-switch-ack', ...report });
}

/** The applet gives as many bytes as it is asked for: cut, or filled up with zeros. */
function answer(bytes: Uint8Array, le: number | undefined): ApplicationAnswer {
  const data = new Uint8Array(le ?? bytes.length);
  data.set(bytes.subarray(0, data.length));
  return { data, sw: StatusWord.OK };
}
