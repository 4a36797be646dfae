import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress, PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { FailureReason, HandshakeFailure } from '../../protocol/dtls/types.ts';
import type { EventPublisher } from '../live/publisher.ts';
import { FailureLog } from '../lwm2m/failure-log.ts';
import { RecentMap } from '../lwm2m/recent-map.ts';
import type { CredentialAccount } from '../ports/credential-store.ts';
import type { CredentialLookup } from './credential-lookup.ts';
import type { EndpointRefusedError, RefusalReason } from './endpoint-binding.ts';
import { pskIdentityOf } from './identities.ts';
import { type SourceLimits, sourceOf } from './source-limits.ts';

/** Why a device was not let in, as events, logs and metrics tell it. */
export type Refusal = FailureReason | RefusalReason | 'revoked' | 'expired';

/** The same of the same device is not told again for so long, ms. */
const PERIOD = 60_000;
/** Devices and reasons that are remembered. */
const KEPT = 1_024;
/** Events in one period, of all devices together; the metric counts all. */
const MOST = 100;

/** They are no sign that somebody is not who he says. */
const harmless: readonly Refusal[] = ['timeout', 'replaced', 'unavailable', 'alert'];

export interface RefusalsOptions {
  readonly lookup: Pick<CredentialLookup, 'find'>;
  readonly limits: Pick<SourceLimits, 'failed'>;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Who was not let in: counted by reason, told in the log and as an event of the device where it is known, and both no
 * more often than somebody can read. The peer learns nothing of it.
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #failures: FailureLog;
  readonly #told = new RecentMap<string, number>(KEPT);
  #since = Number.NEGATIVE_INFINITY;
  #events = 0;
  /** Since the start. */
  readonly counts = new Map<Refusal, number>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, options.clock, 'a device was not let in');
  }

  /** A handshake with the port of an account was in vain. */
  handshakeFailed(account: CredentialAccount, failure: HandshakeFailure): void {
    const { address, reason } = failure;
    if (!harmless.includes(reason)) this.#options.limits.failed(address);
    this.#explain(account, failure).then(
      ({ why, endpoint }) =>
        this.#tell(why, endpoint, { account, address, ...named(failure), ...detailed(failure) }),
      (error: unknown) => {
        // The store does not answer: what the handshake itself says is still true.
        this.#options.log.debug({ error }, 'a failed handshake could not be looked into');
        this.#tell(reason, undefined, { account, address, ...named(failure), ...detailed(failure) });
      },
    );
  }

  /** A request was answered with 4.03. */
  refused(
    account: CredentialAccount,
    { reason, endpoint }: EndpointRefusedError,
    peer: PeerAddress,
    identity: PeerIdentity | undefined,
  ): void {
    const about = identity === undefined ? {} : { identity: identity.name };
    this.#tell(reason, endpoint, { account, address: peer, ...about });
  }

  /** Whether the identity is one that was good once, and whose. */
  async #explain(
    account: CredentialAccount,
    { reason, identity }: HandshakeFailure,
  ): Promise<{ readonly why: Refusal; readonly endpoint?: string }> {
    const psk = identity === undefined ? undefined : pskIdentityOf(Buffer.from(identity));
    const found = psk && (await this.#options.lookup.find(account, psk));
    if (found === undefined) return { why: reason };
    const { endpoint, state, validUntil } = found;
    if (reason !== 'unknown_identity' && reason !== 'wrong_key') return { why: reason, endpoint };
    if (state === 'revoked') return { why: 'revoked', endpoint };
    const isOver = validUntil !== undefined && validUntil <= this.#options.clock.wallTime();
    return { why: isOver ? 'expired' : reason, endpoint };
  }

  #tell(reason: Refusal, endpoint: string | undefined, about: Readonly<Record<string, string>>): void {
    const { clock, events } = this.#options;
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    const now = clock.now();
    const which = `${reason} ${endpoint ?? sourceOf(about['address'] ?? '')}`;
    const toldAt = this.#told.get(which);
    if (toldAt !== undefined && now - toldAt < PERIOD) return;
    this.#told.set(which, now);
    const who = endpoint ?? about['identity'] ?? '';
    this.#failures.tell(who, `${reason} at ${about['address']} (${about['account']})`);
    if (harmless.includes(reason)) return;
    if (now - this.#since >= PERIOD) {
      this.#since = now;
      this.#events = 0;
    }
    if (this.#events++ >= MOST) return;
    events.publish('refused', endpoint, clock.wallTime(), { reason, ...about });
  }
}

function named({ identity }: HandshakeFailure): { readonly identity?: string } {
  return identity === undefined ? {} : { identity: identity.slice(0, 128) };
}

function detailed({ detail }: HandshakeFailure): { readonly detail?: string } {
  return detail === undefined ? {} : { detail: detail.slice(0, 200) };
}
