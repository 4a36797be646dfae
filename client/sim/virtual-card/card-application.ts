import type { Clock } from '../../../protocol/clock.ts';
import type { CommandApdu, ResponseApdu } from '../apdu.ts';
import type { CardProfile } from './card-profiles.ts';

/** What JSON can say: what an application keeps in the card's memory. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** The longest proactive command that the card takes, bytes: with its status word it fits a response of 255. */
export const maxProactiveBytes = 253;

/** What the card does for an application that is installed on it. */
export interface CardServices {
  readonly clock: Clock;
  /** All profiles, in the card's order. */
  readonly profiles: readonly CardProfile[];
  readonly enabledProfile: CardProfile | undefined;
  /**
   * Queues a proactive command, the whole BER-TLV D0 (ETSI TS 102 223 §6.6). The card announces it by
   * 91XX at the next command that it answers with 9000, gives it to FETCH, and takes the terminal response;
   * one at a time, in the order queued. A reset of the card empties the queue.
   * @throws RequestError it is no D0 with command details, longer than `maxProactiveBytes`, or too many wait
   */
  queueProactive(command: Uint8Array): void;
  /** How many proactive commands wait or are being performed, those of all applications. */
  readonly proactivePending: number;
  /**
   * Enables the profile with that ICCID, or none: the card's memory is written and its files read otherwise
   * when this returns. Telling the terminal by REFRESH is for the application. Faults of the card (busy,
   * policy) and the policy rules of the profiles hold as for ES10c; so does its answer.
   * @returns a result of EnableProfile or DisableProfile, `ProfileResult` of client/sim/euicc.ts (0: done)
   */
  switchProfile(iccid: string | undefined): number;
  /** What this application kept; undefined where that is nothing yet. Survives resets and the process. */
  read(): JsonValue | undefined;
  /** Keeps that in the place of what was kept; it is on disk when this returns. */
  write(value: JsonValue): void;
}

/**
 * An application (applet) on the virtual card, as ETSI TS 102 241 has them: it is told what the terminal
 * does, and acts by proactive commands. All handlers are synchronous, run within the command that the
 * terminal sent, and before the card decides between 9000 and 91XX: what they queue is announced at once.
 * What a handler throws is a bug and ends the command with that error, but for DecodeError: it is 6A80.
 */
export interface CardApplication {
  /** 5 to 16 bytes; the key under which the card keeps what it writes. */
  readonly aid: Uint8Array;
  /** Once, before all else: the card that it is on. */
  onInstall(card: CardServices): void;
  /** The card was powered up or reset; nothing is queued. */
  onReset?(): void;
  /** TERMINAL PROFILE (§5.2): what the terminal can do. Before it nothing should be queued. */
  onTerminalProfile?(profile: Uint8Array): void;
  /** STATUS (80F2), the terminal's poll: an application's only clock. */
  onStatus?(): void;
  /** ENVELOPE (§7): its data, an event download (D6) among others. The answer may carry data. */
  onEnvelope?(envelope: Uint8Array): Uint8Array | undefined;
  /** TERMINAL RESPONSE (§6.8) to a command that this application queued: that command, and the response's data. */
  onTerminalResponse?(command: Uint8Array, response: Uint8Array): void;
  /**
   * A command on a channel on which this application is selected, where it is none of the card's own
   * (SELECT, MANAGE CHANNEL, GET RESPONSE and the toolkit's). An answer with data is given as it is:
   * `announce` in its place has it fetched by GET RESPONSE after 61XX.
   */
  process?(command: CommandApdu): ApplicationAnswer;
  /**
   * Any command on any channel, before the card looks at it; undefined where it is none of this application's.
   * For applets that answer instructions of their own without being selected.
   */
  processUnselected?(command: CommandApdu): ApplicationAnswer | undefined;
}

/** `announce`: the data wait for GET RESPONSE, and 61XX is the answer. 9000 becomes 91XX where a command is pending. */
export interface ApplicationAnswer extends ResponseApdu {
  readonly announce?: boolean;
}
