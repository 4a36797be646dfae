import {
  type CommandApdu,
  decodeCommand,
  encodeResponse,
  Ins,
  type ResponseApdu,
  StatusWord,
} from '../../../client/sim/apdu.ts';
import type { CardTransport } from '../../../client/sim/card-transport.ts';
import { toHex } from '../../../client/sim/hex.ts';
import { decodeEnvelope, type Envelope } from '../../../client/sim/toolkit/envelope.ts';
import {
  encodeProactiveCommand,
  type ProactiveCommand,
} from '../../../client/sim/toolkit/proactive-command.ts';
import {
  decodeTerminalResponse,
  type TerminalResponse,
} from '../../../client/sim/toolkit/terminal-response.ts';

const done = (sw: number = StatusWord.OK): ResponseApdu => ({ data: new Uint8Array(0), sw });

/** A card whose toolkit does what a test says: commands wait in a queue, and what the terminal says is noted. */
export class ProactiveCard implements CardTransport {
  /** What it announces, one after the other. */
  readonly queue: Uint8Array[] = [];
  readonly responses: TerminalResponse[] = [];
  readonly responseBytes: string[] = [];
  readonly envelopes: Envelope[] = [];
  readonly asked: string[] = [];
  /** Terminal profiles that it was told. */
  readonly profiles: Uint8Array[] = [];
  resets = 0;
  /** What it answers to the next envelopes, in the place of 9000. */
  readonly envelopeAnswers: number[] = [];
  /** What it answers to TERMINAL PROFILE. */
  profileAnswer: number = StatusWord.OK;
  /** What it answers to STATUS; an error is thrown. */
  statusAnswer: number | Error = StatusWord.OK;
  /** Queued with the next terminal profile. */
  readonly atProfile: Uint8Array[] = [];

  ask(...commands: readonly (ProactiveCommand | Uint8Array)[]): void {
    for (const command of commands) {
      this.queue.push(command instanceof Uint8Array ? command : encodeProactiveCommand(command));
    }
  }

  get lastResponse(): string | undefined {
    return this.responseBytes.at(-1);
  }

  async connect(): Promise<Uint8Array> {
    return Uint8Array.of(0x3b, 0x00);
  }

  async reset(): Promise<Uint8Array> {
    this.resets++;
    return Uint8Array.of(0x3b, 0x00);
  }

  async close(): Promise<void> {}

  async transmit(bytes: Uint8Array): Promise<Uint8Array> {
    const command = decodeCommand(bytes);
    this.asked.push(toHex(bytes));
    return encodeResponse(this.#announced(this.#answer(command)));
  }

  #answer(command: CommandApdu): ResponseApdu {
    const data = command.data ?? new Uint8Array(0);
    switch (command.ins) {
      case Ins.TERMINAL_PROFILE:
        this.profiles.push(data);
        this.queue.push(...this.atProfile.splice(0));
        return done(this.profileAnswer);
      case Ins.FETCH: {
        const next = this.queue.shift();
        return next === undefined ? done(StatusWord.CONDITIONS_NOT_SATISFIED) : { data: next, sw: 0x9000 };
      }
      case Ins.TERMINAL_RESPONSE:
        this.responseBytes.push(toHex(data));
        this.responses.push(decodeTerminalResponse(data));
        return done();
      case Ins.ENVELOPE: {
        const sw = this.envelopeAnswers.shift() ?? StatusWord.OK;
        if (sw === StatusWord.OK) this.envelopes.push(decodeEnvelope(data));
        return done(sw);
      }
      default:
        if (this.statusAnswer instanceof Error) throw this.statusAnswer;
        return done(this.statusAnswer);
    }
  }

  /** 9000 is 91XX while a command waits; between FETCH and TERMINAL RESPONSE none is announced. */
  #announced(response: ResponseApdu): ResponseApdu {
    const [next] = this.queue;
    if (response.sw !== StatusWord.OK || response.data.length > 0 || next === undefined) return response;
    return { ...response, sw: 0x9100 | (next.length & 0xff) };
  }
}
