import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import { type Credential, type CredentialAccount, isValid } from '../ports/credential-store.ts';
import type { CredentialLookup } from './credential-lookup.ts';

/** The device may not do that under this name: 4.03 (OMA-TS-LightweightM2M_Core §6.2.1.2). The peer learns no more. */
export class EndpointRefusedError extends Error {
  override readonly name = 'EndpointRefusedError';
  readonly reason: RefusalReason;
  /** The name that it wanted. */
  readonly endpoint: string;

  constructor(reason: RefusalReason, endpoint: string) {
    super('forbidden');
    this.reason = reason;
    this.endpoint = endpoint;
  }
}

/**
 * `another_endpoint`: a session names an endpoint that it is not enrolled for. `enrolled`: an endpoint that has a
 * credential was named without a secure session. `not_valid`: the credential of the session is not good any more.
 */
export type RefusalReason = 'another_endpoint' | 'enrolled' | 'not_valid';

/** An endpoint that may be registered, or bootstrapped. */
export interface AdmittedEndpoint {
  /** Absent: neither the peer nor its session names one. */
  readonly endpoint?: string;
  /** Whose the device is to be, where its credential says so. */
  readonly tenant?: string;
}

export interface EndpointBindingOptions {
  readonly lookup: Pick<CredentialLookup, 'find' | 'remembered' | 'isEnrolled' | 'isEmpty'>;
  readonly account: CredentialAccount;
  /** Which credentials close a name to who comes without a session. */
  readonly closedBy: readonly CredentialAccount[];
  /** ms since the epoch */
  readonly now: () => number;
}

/** An endpoint name belongs to the device whose credential is enrolled for it. */
export class EndpointBinding {
  readonly #options: EndpointBindingOptions;

  constructor(options: EndpointBindingOptions) {
    this.#options = options;
  }

  /**
   * The endpoint of a Register or a Bootstrap-Request. A client may leave its name out where its session says it
   * (§6.2.1 of LwM2M 1.1).
   * @throws EndpointRefusedError, StoreUnavailableError
   */
  async admit(named: string | undefined, identity: PeerIdentity | undefined): Promise<AdmittedEndpoint> {
    const { lookup, closedBy } = this.#options;
    if (identity === undefined) {
      // Where nobody has a credential, registrations cost no look.
      const mayBeTaken = named !== undefined && named !== '' && !lookup.isEmpty;
      if (mayBeTaken && (await lookup.isEnrolled(named, closedBy))) {
        throw new EndpointRefusedError('enrolled', named);
      }
      return nameOf(named);
    }
    // A secure transport that knows no endpoints binds none.
    if (identity.endpoint === undefined) return nameOf(named);
    if (named !== undefined && named !== '' && named !== identity.endpoint) {
      throw new EndpointRefusedError('another_endpoint', named);
    }
    return { endpoint: identity.endpoint, ...(await this.#valid(identity, identity.endpoint)) };
  }

  /**
   * A session goes on only as long as its credential is good: what ends sessions may not have reached this node.
   * Undefined where it is known to be, without a look.
   * @throws EndpointRefusedError, at once or later; StoreUnavailableError, later
   */
  confirm(identity: PeerIdentity | undefined): Promise<void> | undefined {
    if (identity?.endpoint === undefined) return undefined;
    const { lookup, account } = this.#options;
    const known = lookup.remembered(account, identity);
    if (known === undefined) return this.#look(identity, identity.endpoint);
    this.#requireValid(known.found, identity.endpoint);
    return undefined;
  }

  async #look(identity: PeerIdentity, endpoint: string): Promise<void> {
    await this.#valid(identity, endpoint);
  }

  async #valid(identity: PeerIdentity, endpoint: string): Promise<{ readonly tenant?: string }> {
    const { lookup, account } = this.#options;
    const { tenant } = this.#requireValid(await lookup.find(account, identity), endpoint);
    return tenant === undefined ? {} : { tenant };
  }

  #requireValid(credential: Credential | undefined, endpoint: string): Credential {
    const isGood = credential?.endpoint === endpoint && isValid(credential, this.#options.now());
    if (!isGood) throw new EndpointRefusedError('not_valid', endpoint);
    return credential;
  }
}

function nameOf(named: string | undefined): AdmittedEndpoint {
  return named === undefined ? {} : { endpoint: named };
}
