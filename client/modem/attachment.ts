/** Why a modem is off the network. */
export type AbsenceReason = 'card' | 'reboot' | 'firmware' | 'disabled' | 'no-service' | 'reattach';

export interface AttachmentActions {
  /** Leaves the network, after what is under way. */
  detach(): Promise<void>;
  /** Comes back; `anew`: as a modem that has just been switched on. */
  attach(anew: boolean): void;
}

/** Whether the modem is on the network: it is unless there is a reason not to be, and there may be several at once. */
export class Attachment {
  readonly #actions: AttachmentActions;
  readonly #reasons = new Set<AbsenceReason>();
  #leaving: Promise<void> | undefined;
  #anew = false;

  constructor(actions: AttachmentActions) {
    this.#actions = actions;
  }

  get isAttached(): boolean {
    return this.#reasons.size === 0 && this.#leaving === undefined;
  }

  isAbsentFor(reason: AbsenceReason): boolean {
    return this.#reasons.has(reason);
  }

  /** Leaves the network, or stays off it; resolves when the radio is silent. */
  async leave(reason: AbsenceReason): Promise<void> {
    const first = this.#reasons.size === 0 && this.#leaving === undefined;
    this.#reasons.add(reason);
    if (first) {
      this.#leaving = this.#actions.detach();
      await this.#leaving;
      this.#leaving = undefined;
      // All reasons have gone while it was leaving.
      if (this.#reasons.size === 0) this.#attach();
      return;
    }
    await this.#leaving;
  }

  /**
   * The reason is none any more; when it was the last, the modem comes back. `anew`: it registers as one
   * that has just been switched on, whenever that is.
   */
  join(reason: AbsenceReason, anew = false): void {
    this.#reasons.delete(reason);
    this.#anew ||= anew;
    if (this.#reasons.size === 0 && this.#leaving === undefined) this.#attach();
  }

  #attach(): void {
    const anew = this.#anew;
    this.#anew = false;
    this.#actions.attach(anew);
  }
}
