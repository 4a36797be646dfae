import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { AuditEntry, AuditLog } from '../ports/audit-log.ts';
import { StoreUnavailableError } from '../ports/errors.ts';

/** Entries that wait for a store that does not take them; what is beyond is in the server's log alone. */
const MAX_WAITING = 1_000;
/** Of requests of nobody, one address gets one entry of a kind in so long, ms: a flood does not fill the log. */
const NOBODY_EVERY_MS = 60_000;
const MAX_SOURCES = 10_000;

/** What the trail is told: time and node it knows itself. */
export type AuditRecord = Omit<AuditEntry, 'at' | 'node'>;

/** Enters in the audit log what is done. */
export class AuditTrail {
  readonly #audit: Pick<AuditLog, 'append'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #node: string;
  /** When an entry of nobody was made last, by kind and address. */
  readonly #nobody = new Map<string, number>();
  #waiting: AuditEntry[] = [];

  constructor(audit: Pick<AuditLog, 'append'>, clock: Clock, log: Logger, node: string) {
    this.#audit = audit;
    this.#clock = clock;
    this.#log = log;
    this.#node = node;
  }

  /**
   * Resolves when the entry is durable; or, where the store does not take it, when it waits for the next one: what was done is
   * done, and its answer is not kept back.
   */
  async enter(record: AuditRecord): Promise<void> {
    if (this.#isFlood(record)) return;
    const entry: AuditEntry = { at: Math.floor(this.#clock.wallTime()), node: this.#node, ...record };
    const entries = [...this.#waiting, entry];
    this.#waiting = [];
    try {
      await this.#append(entries);
    } catch (error) {
      this.#log.error({ error, entry }, 'an entry of the audit log was not stored yet');
      const kept = [...entries, ...this.#waiting];
      if (kept.length > MAX_WAITING)
        this.#log.error({ entries: kept.length - MAX_WAITING }, 'entries of the audit log are lost');
      this.#waiting = kept.slice(-MAX_WAITING);
    }
  }

  /** Idempotent; makes a last attempt to store what waits. */
  async close(): Promise<void> {
    const entries = this.#waiting;
    this.#waiting = [];
    if (entries.length > 0) await this.#append(entries);
  }

  /** What the store can never take must not keep back what comes with it. @throws StoreUnavailableError it may take them later */
  async #append(entries: readonly AuditEntry[]): Promise<void> {
    try {
      return await this.#audit.append(entries);
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
    }
    for (const entry of entries) {
      try {
        await this.#audit.append([entry]);
      } catch (error) {
        // Those before it in this round are stored, and come twice: rather than not at all.
        if (error instanceof StoreUnavailableError) throw error;
        this.#log.error({ error, entry }, 'an entry of the audit log cannot be stored: it is here alone');
      }
    }
  }

  /** Failed log-ins are slowed down already, and each counts. */
  #isFlood({ actor, action, source, code }: AuditRecord): boolean {
    if (actor.kind !== 'nobody' || code === 'login_failed') return false;
    const now = this.#clock.now();
    const key = `${source} ${action} ${code ?? ''}`;
    const before = this.#nobody.get(key);
    if (before !== undefined && now - before < NOBODY_EVERY_MS) return true;
    this.#nobody.delete(key);
    this.#nobody.set(key, now);
    if (this.#nobody.size > MAX_SOURCES) this.#nobody.delete(this.#nobody.keys().next().value as string);
    return false;
  }
}
