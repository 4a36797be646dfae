import type { Command } from '../ports/command-queue.ts';
import type { CommandTurn } from './command-kind.ts';
import { noAnswer, type Wait } from './waits.ts';

/** The command was cancelled, or has expired, before it went out. */
export class WithdrawnError extends Error {
  override readonly name = 'WithdrawnError';
}

/**
 * A command on its way out: it is `queued` for as long as nothing of it was sent, and `sent`, on disk, before
 * anything is.
 */
export class Sending {
  readonly #turn: CommandTurn;
  #command: Command;
  #begun = false;

  constructor(command: Command, turn: CommandTurn) {
    this.#command = command;
    this.#turn = turn;
  }

  /** As it is now. */
  get command(): Command {
    return this.#command;
  }

  /** Something may have been sent. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * To be called right before a request goes out; a second one of the same command changes nothing.
   * @throws WithdrawnError it is queued no more
   */
  readonly begin = async (): Promise<void> => {
    if (this.#begun) return;
    const sent = await this.#turn.step(this.#command, { from: ['queued'], to: 'sent', attempt: true });
    if (sent === undefined) throw new WithdrawnError(`command ${this.#command.id} is queued no more`);
    this.#command = sent;
    this.#begun = true;
  };

  /** It was noted as sent, and never went out. */
  async notSent(error: Error): Promise<Wait> {
    await this.takeBack(error.message);
    return noAnswer;
  }

  /** It was not carried out: queued again, where it was sent. */
  async takeBack(reason: string): Promise<void> {
    if (!this.#begun) return;
    await this.#turn.step(this.#command, { from: ['sent'], to: 'queued', reason });
  }
}
