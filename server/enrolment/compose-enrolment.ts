import type { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { DtlsServerEvents, DtlsServerOptions, OwnIdentity } from '../../protocol/dtls/types.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { CredentialAccount, Identity } from '../ports/credential-store.ts';
import type { StoredEvent } from '../ports/event-log.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { CredentialImport } from './credential-import.ts';
import { CredentialLookup } from './credential-lookup.ts';
import { CredentialService } from './credential-service.ts';
import { EndpointBinding } from './endpoint-binding.ts';
import { Refusals } from './refusals.ts';
import { SourceLimits } from './source-limits.ts';

export interface EnrolmentOptions {
  readonly stores: Pick<Stores, 'credentials' | 'devices' | 'registrations'>;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whose certificates are taken for those of devices. */
  readonly authorities?: readonly X509Certificate[];
  /** What the server proves itself by, where not by a pre-shared key. */
  readonly serverIdentity?: OwnIdentity | undefined;
  /** Ends sessions of a credential that is good no more, wherever they are. */
  readonly ends?: {
    end(holder: { readonly account: CredentialAccount; readonly identity: Identity }): Promise<void>;
  };
  /** A device that is known is a tenant's from now on. */
  readonly setTenant: (endpoint: string, tenant: string) => Promise<unknown>;
  /** A registration was ended, for its credential is not good any more. */
  readonly onCutOff: (registration: Registration) => void;
}

/** What a DTLS port needs to know who comes. */
export type EnrolmentPortOptions = Pick<DtlsServerOptions, 'credentials'> &
  Required<Pick<DtlsServerOptions, 'admit'>> & {
    readonly events: Required<Pick<DtlsServerEvents, 'onEstablished' | 'onHandshakeFailed'>>;
  };

/** Who may come in, and under which name. */
export interface Enrolment {
  readonly service: CredentialService;
  readonly lookup: CredentialLookup;
  readonly imports: CredentialImport;
  readonly refusals: Refusals;
  readonly limits: SourceLimits;
  /** Endpoint names at the port of an account. */
  binding(account: CredentialAccount): EndpointBinding;
  portOptions(account: CredentialAccount): EnrolmentPortOptions;
  /** Somebody else has put a key of a device at servers into the store, or ended it. */
  keyChanged(this: void, endpoint: string, identity: Identity, ended: boolean): void;
  /** Another node has changed credentials. */
  follow(event: Pick<StoredEvent, 'type'>): void;
}

export function composeEnrolment(options: EnrolmentOptions): Enrolment {
  const { stores, events, clock, log, authorities = [], serverIdentity, ends, setTenant, onCutOff } = options;
  const { credentials, devices, registrations } = stores;
  const lookup = new CredentialLookup({ credentials, clock, authorities });
  const service = new CredentialService({
    credentials,
    devices,
    setTenant,
    registrations,
    events,
    clock,
    onChanged: () => lookup.changed(),
    endSessions: async (account, identity) => ends?.end({ account, identity }),
    onCutOff,
  });
  const limits = new SourceLimits(clock);
  const refusals = new Refusals({ lookup, limits, events, clock, log });
  /**
   * A credential may have been revoked, or its time may be over, since a handshake asked for it: long before in a resumption, and
   * whoever has it chooses when he says the last word of another one.
   */
  const admitted = async (
    account: CredentialAccount,
    identity: Identity,
    resumed: boolean,
  ): Promise<void> => {
    if ((await lookup.valid(account, identity)) === undefined) await ends?.end({ account, identity });
    else if (!resumed) await service.used(account, identity);
  };
  return {
    service,
    lookup,
    imports: new CredentialImport({ service, devices, clock }),
    refusals,
    limits,
    binding: (account) =>
      new EndpointBinding({
        lookup,
        account,
        // Who is to bootstrap by a secure session does not come to the server without one either. The other way round a
        // device may be given its key by a bootstrap that needs none.
        closedBy: account === 'server' ? ['server', 'bootstrap'] : ['bootstrap'],
        now: () => clock.wallTime(),
      }),
    portOptions: (account) => ({
      credentials: {
        ...lookup.serverCredentials(account),
        ...(serverIdentity === undefined ? {} : { identity: serverIdentity }),
      },
      admit: (address) => limits.admits(address),
      events: {
        onEstablished: ({ identity, resumed, address }) => {
          limits.established(address);
          admitted(account, identity, resumed).catch((error: unknown) => {
            log.warn(
              { error },
              'the use of a credential was not looked after; a rotation is over with the next one',
            );
          });
        },
        onHandshakeFailed: (failure) => refusals.handshakeFailed(account, failure),
      },
    }),
    keyChanged: (endpoint, identity, ended) => {
      service.noted(endpoint, identity, ended).catch((error: unknown) => {
        log.warn(
          { error, endpoint },
          'the sessions of a key that is not in force any more could not all be ended',
        );
      });
    },
    follow: ({ type }) => {
      if (type === 'credential') lookup.changed();
    },
  };
}
