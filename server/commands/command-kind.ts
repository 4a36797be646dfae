import type { Command, CommandState, CommandTransition } from '../ports/command-queue.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Pack } from '../telemetry/pack.ts';
import type { Wait } from './waits.ts';

/** A step of a command's life, for the command whose turn it is. */
export type CommandStep = Omit<CommandTransition, 'id' | 'at'> & { readonly from: readonly CommandState[] };

/** What a kind of commands gets to work with. */
export interface CommandTurn {
  /** Takes a step, and tells everybody; undefined where the command is no longer in one of `from`. */
  step(command: Command, step: CommandStep): Promise<Command | undefined>;
  /** As the device was looked up for this turn; absent where it was not. */
  readonly registration?: Registration;
  /** Aborts when the device registers anew (SessionEndedError), or the server closes. */
  readonly signal: AbortSignal;
  /** The server closes: nothing may be concluded from a request that ended. */
  closing(): boolean;
}

/** How commands of one kind are carried out. */
export interface CommandKind {
  /**
   * Takes the next step with a command that is not final and is the oldest of its device. Returns how long to
   * wait, or undefined to look again at once. What it throws is tried again later.
   */
  advance(command: Command, turn: CommandTurn): Promise<Wait | undefined>;
  /** Whether readings may tell how a command went. */
  concerns?(pack: Pack): boolean;
  /** Judges the command that its device works on by such readings; true where it is final now. */
  observed?(command: Command, pack: Pack, turn: Pick<CommandTurn, 'step'>): Promise<boolean>;
}

/** The device registered anew while it was asked: it has forgotten the request. */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError';
}
