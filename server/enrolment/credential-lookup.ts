import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import { rawPublicKeyName } from '../../protocol/dtls/certificates/names.ts';
import type { ServerCredentials } from '../../protocol/dtls/types.ts';
import { RecentMap } from '../lwm2m/recent-map.ts';
import {
  type Credential,
  type CredentialAccount,
  type CredentialStore,
  type Identity,
  isValid,
} from '../ports/credential-store.ts';
import { certificateCredential } from './device-certificates.ts';
import { pskIdentityOf } from './identities.ts';

/** How long what was found is not looked up again, ms; changes are told, and this is for those that got lost. */
const PERIOD = 10_000;
/** Identities of a kind and account, and endpoints, that are remembered. */
const KEPT = 4_096;

export interface CredentialLookupOptions {
  readonly credentials: Pick<CredentialStore, 'find' | 'get' | 'list'>;
  readonly clock: Clock;
  /** Authorities whose certificates are taken for those of devices. */
  readonly authorities?: readonly X509Certificate[];
}

export interface Remembered<T> {
  readonly found: T;
  readonly at: number;
}

/**
 * Who a device is, by what it proves itself with; for the DTLS ports, and for whoever asks whether a name is taken.
 * What was found is remembered for some seconds, also that nothing was.
 */
export class CredentialLookup {
  readonly #options: CredentialLookupOptions;
  /** By name: each Update of a session asks, and a key of account, kind and name would have to be put together for it. */
  #identities = rememberedIdentities();
  #endpoints = new RecentMap<string, Remembered<readonly Credential[]>>(KEPT);
  /** Whether there is any credential at all: where there is none, registrations cost no look. */
  #any: Remembered<boolean> | undefined;
  /** Rises with each change: what was asked for before is not remembered any more. */
  #generation = 0;

  constructor(options: CredentialLookupOptions) {
    this.#options = options;
  }

  /** Callbacks of the DTLS port for an account. They tell of nobody whose credential is not good now. */
  serverCredentials(
    account: CredentialAccount,
  ): Required<Pick<ServerCredentials, 'psk' | 'rawPublicKey' | 'certificate'>> {
    return {
      psk: async (bytes) => {
        const identity = pskIdentityOf(bytes);
        const credential = identity && (await this.valid(account, identity));
        if (credential === undefined || !('key' in credential)) return undefined;
        // A copy: who has used a key wipes it.
        return { key: Uint8Array.from(credential.key.reveal()), peer: peerOf(credential) };
      },
      rawPublicKey: async (publicKey) => {
        const credential = await this.valid(account, { kind: 'rpk', name: rawPublicKeyName(publicKey) });
        return credential && peerOf(credential);
      },
      certificate: async (chain) => {
        const { authorities = [], clock } = this.#options;
        const credential = await certificateCredential(chain, {
          authorities,
          now: clock.wallTime(),
          find: (name) => this.valid(account, { kind: 'x509', name }),
        });
        return credential && peerOf(credential);
      },
    };
  }

  /** The credential, where it is good now. */
  async valid(account: CredentialAccount, identity: Identity): Promise<Credential | undefined> {
    const found = await this.find(account, identity);
    return found !== undefined && isValid(found, this.#options.clock.wallTime()) ? found : undefined;
  }

  /** The credential, whatever its state. */
  find(account: CredentialAccount, identity: Identity): Promise<Credential | undefined> {
    return this.#remembering(this.#identities[account][identity.kind], identity.name, () =>
      this.#options.credentials.find(account, identity),
    );
  }

  /** What `find` tells, where that is known without a look; undefined where it is not. */
  remembered(account: CredentialAccount, identity: Identity): Remembered<Credential | undefined> | undefined {
    return this.#known(this.#identities[account][identity.kind], identity.name);
  }

  /**
   * Whether the endpoint name belongs to who has a credential, of one of these accounts. A revoked one counts: without
   * it the name would be free for anybody again.
   */
  async isEnrolled(endpoint: string, accounts: readonly CredentialAccount[]): Promise<boolean> {
    if (!(await this.#hasAny())) return false;
    const found = await this.#remembering(this.#endpoints, endpoint, () =>
      this.#options.credentials.get(endpoint),
    );
    return found.some(({ account }) => accounts.includes(account));
  }

  /** Whether it is known without a look that there is no credential at all. */
  get isEmpty(): boolean {
    return this.#any?.found === false && this.#options.clock.now() - this.#any.at < PERIOD;
  }

  /** Something has changed, here or at another node. */
  changed(): void {
    this.#generation++;
    this.#identities = rememberedIdentities();
    this.#endpoints = new RecentMap(KEPT);
    this.#any = undefined;
  }

  async #hasAny(): Promise<boolean> {
    const { clock, credentials } = this.#options;
    if (this.#any !== undefined && clock.now() - this.#any.at < PERIOD) return this.#any.found;
    const generation = this.#generation;
    const at = clock.now();
    const found = (await credentials.list({ limit: 1 })).items.length > 0;
    if (generation === this.#generation) this.#any = { found, at };
    return found;
  }

  #known<T>(memory: RecentMap<string, Remembered<T>>, key: string): Remembered<T> | undefined {
    const known = memory.get(key);
    return known !== undefined && this.#options.clock.now() - known.at < PERIOD ? known : undefined;
  }

  async #remembering<T>(
    memory: RecentMap<string, Remembered<T>>,
    key: string,
    look: () => Promise<T>,
  ): Promise<T> {
    const known = this.#known(memory, key);
    if (known !== undefined) return known.found;
    const generation = this.#generation;
    const at = this.#options.clock.now();
    const found = await look();
    if (generation === this.#generation) memory.set(key, { found, at });
    return found;
  }
}

type RememberedIdentities = Record<
  CredentialAccount,
  Record<Identity['kind'], RecentMap<string, Remembered<Credential | undefined>>>
>;

function rememberedIdentities(): RememberedIdentities {
  const ofAccount = () => ({
    psk: new RecentMap<string, Remembered<Credential | undefined>>(KEPT),
    rpk: new RecentMap<string, Remembered<Credential | undefined>>(KEPT),
    x509: new RecentMap<string, Remembered<Credential | undefined>>(KEPT),
  });
  return { server: ofAccount(), bootstrap: ofAccount() };
}

/** As the session keeps it, and every datagram carries it. */
function peerOf({ identity: { kind, name }, endpoint }: Credential): PeerIdentity {
  return { kind, name, endpoint };
}
