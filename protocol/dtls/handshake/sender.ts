import { finishedData } from '../crypto/key-schedule.ts';
import { AlertLevel, encodeAlert } from '../messages/alert.ts';
import { ContentType, HandshakeType } from '../messages/constants.ts';
import { encodeHandshakeMessage } from '../messages/handshake-fragment.ts';
import type { FlightMessage, HandshakeWriter, RepeatFlight } from './flight.ts';
import { Transcript } from './transcript.ts';

/** What one side of a handshake says: its messages, numbered and in the transcript, and its flights, which are sent again as a whole. */
export class HandshakeSender {
  readonly writer: HandshakeWriter;
  readonly #transmit: (datagram: Uint8Array) => void;
  #transcript = new Transcript();
  #flight: readonly FlightMessage[] = [];
  /** The message_seq of the next message. */
  nextMessage: number;
  /** How often the flight was sent again. */
  repeats = 0;

  constructor(writer: HandshakeWriter, nextMessage: number, transmit: (datagram: Uint8Array) => void) {
    this.writer = writer;
    this.nextMessage = nextMessage;
    this.#transmit = transmit;
  }

  get transcript(): Transcript {
    return this.#transcript;
  }

  /** Forgets what was said: the exchange of cookies is in no transcript (RFC 6347 §4.2.6). */
  beginTranscript(): void {
    this.#transcript = new Transcript();
  }

  /** The next message, which is in the transcript from then on. */
  message(type: number, body: Uint8Array, epoch: 0 | 1 = 0): FlightMessage {
    const sequence = this.nextMessage++;
    this.#transcript.add(encodeHandshakeMessage(type, sequence, body));
    return { epoch, type, sequence, body };
  }

  /** Finished (RFC 5246 §7.4.9) over all that is in the transcript. */
  finished(master: Uint8Array, role: 'client' | 'server'): FlightMessage {
    return this.message(HandshakeType.FINISHED, finishedData(master, role, this.#transcript.hash()), 1);
  }

  send(flight: readonly FlightMessage[]): void {
    this.#flight = flight;
    this.repeats = 0;
    this.#put();
  }

  /** Sends the flight once more. */
  repeat(): void {
    this.repeats++;
    this.#put();
  }

  /** As `send`, for the last flight of all, which others may have to send again. */
  sendLast(flight: readonly FlightMessage[]): RepeatFlight {
    this.send(flight);
    // Not this: nothing else of the handshake is to stay.
    const { writer } = this;
    return () => writer.datagrams(flight);
  }

  /** A fatal alert. */
  alert(epoch: 0 | 1, description: number): void {
    const content = encodeAlert({ level: AlertLevel.FATAL, description });
    this.#transmit(this.writer.record(epoch, ContentType.ALERT, content));
  }

  #put(): void {
    for (const datagram of this.writer.datagrams(this.#flight)) this.#transmit(datagram);
  }
}
