import { randomBytes } from 'node:crypto';
import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import { RequestError } from '../../protocol/errors.ts';
import { EndpointRefusedError, type RefusalReason } from '../enrolment/endpoint-binding.ts';
import type { BootstrapProfile, BootstrapSession } from '../ports/bootstrap-store.ts';
import type { CredentialSummary, Identity } from '../ports/credential-store.ts';
import { type AccountMaker, RefusedError } from './bootstrap-interface.ts';
import type { PreSharedAccount, ReadyAccount } from './bootstrap-plan.ts';
import type { BootstrapProgress } from './bootstrap-progress.ts';

/** Identities of keys that bootstraps made begin with it; what follows names the bootstrap, and the server. */
const prefix = 'bs.';
/** Of a key that is made: as AES-128 has it. */
const keyBytes = 16;

/** A credential, as far as bootstraps look at it. */
export type KnownCredential = Pick<
  CredentialSummary,
  'account' | 'identity' | 'state' | 'createdAt' | 'usedAt'
>;

/** What bootstraps need of the credentials of devices. */
export interface DeviceKeys {
  of(endpoint: string): Promise<readonly KnownCredential[]>;
  /** Enrols a pre-shared key for the device's account at servers; durable when it resolves. */
  enrol(endpoint: string, identity: string, key: Uint8Array): Promise<void>;
  /** It opens no session from then on, and those that are open end. */
  revoke(endpoint: string, identity: Identity): Promise<void>;
  remove(endpoint: string, identity: Identity): Promise<void>;
}

export interface DeviceAccountsOptions {
  readonly keys: DeviceKeys;
  /** Where this server is reached, `coap://…` and `coaps://…`; undefined where it does not listen. */
  readonly addresses: { readonly coap: string | undefined; readonly coaps: string | undefined };
}

/** Accounts of devices at servers, as bootstraps make them: keys of their own, which take the place of one another. */
export class DeviceAccounts implements AccountMaker {
  readonly #options: DeviceAccountsOptions;

  constructor(options: DeviceAccountsOptions) {
    this.#options = options;
  }

  /**
   * Over DTLS the credential says who it is. Without, a device gets what it asks for only where nobody gave it a
   * credential: whoever knows the name of another one would be given that one's keys.
   * @throws RefusedError
   */
  async admit(endpoint: string, identity: PeerIdentity | undefined): Promise<void> {
    if (identity !== undefined) {
      if (identity.endpoint === endpoint) return;
      throw refused('another_endpoint', endpoint);
    }
    const credentials = await this.#options.keys.of(endpoint);
    const given = credentials.some(
      // A revoked one counts: whoever was cut off does not come back without it.
      ({ account, identity: { name } }) => account === 'bootstrap' || !name.startsWith(prefix),
    );
    const isCutOff = credentials.length > 0 && credentials.every(({ state }) => state === 'revoked');
    if (given || isCutOff) throw refused('enrolled', endpoint);
  }

  async prepare(
    { id, endpoint }: Pick<BootstrapSession, 'id' | 'endpoint'>,
    profile: BootstrapProfile,
    progress: BootstrapProgress,
  ): Promise<readonly ReadyAccount[]> {
    const accounts: ReadyAccount[] = [];
    for (const account of profile.servers) {
      const { coap, coaps } = this.#options.addresses;
      const uri = account.uri ?? (account.security === 'psk' ? coaps : coap);
      if (uri === undefined) {
        throw new RequestError(
          `profile '${profile.id}': this server does not listen ${account.security === 'psk' ? 'with' : 'without'} DTLS`,
        );
      }
      if (account.security === 'nosec') {
        accounts.push({ account, uri, psk: undefined });
        continue;
      }
      const psk: PreSharedAccount = {
        identity: `${prefix}${id}.${account.shortServerId}`,
        key: randomBytes(keyBytes),
      };
      await progress.step('credential', undefined, async () => {
        if (accounts.length === 0) await this.#forgetUnused(endpoint);
        await this.#options.keys.enrol(endpoint, psk.identity, psk.key);
        return { detail: `PSK identity ${psk.identity} at server ${account.shortServerId}` };
      });
      accounts.push({ account, uri, psk });
    }
    return accounts;
  }

  /**
   * The device has registered with this credential: the keys that other bootstraps made for it have served their time.
   * Those that people gave stay.
   */
  async used(endpoint: string, identity: PeerIdentity): Promise<void> {
    const generation = generationOf(identity);
    if (generation === undefined) return;
    const credentials = await this.#options.keys.of(endpoint);
    const own = credentials.find((each) => each.identity.name === identity.name);
    for (const each of credentials) {
      const other = generationOf(each.identity);
      if (other === undefined || other === generation || each.state !== 'active') continue;
      // A device that falls back to its former account leaves the newer one in force.
      if (own !== undefined && each.createdAt <= own.createdAt)
        await this.#options.keys.revoke(endpoint, each.identity);
    }
  }

  /**
   * A device that never finishes its bootstraps would gather keys: of those before only what it used last stays, and the
   * newest, which it may have been given and not used yet.
   */
  async #forgetUnused(endpoint: string): Promise<void> {
    const made = (await this.#options.keys.of(endpoint)).filter(
      ({ identity }) => generationOf(identity) !== undefined,
    );
    const active = made.filter(({ state }) => state === 'active');
    const newest = active.toSorted((a, b) => b.createdAt - a.createdAt)[0];
    const inUse = active
      .filter(({ usedAt }) => usedAt !== undefined)
      .toSorted((a, b) => (b.usedAt ?? 0) - (a.usedAt ?? 0))[0];
    const kept = new Set([newest, inUse].map((each) => each && generationOf(each.identity)));
    for (const { identity, state } of made) {
      if (state === 'active' && kept.has(generationOf(identity))) continue;
      await this.#options.keys.remove(endpoint, identity);
    }
  }
}

function refused(reason: RefusalReason, endpoint: string): RefusedError {
  const refusal = new EndpointRefusedError(reason, endpoint);
  return new RefusedError(`'${endpoint}' was not let in: ${reason}`, refusal);
}

/** The bootstrap that made the key; undefined: none did. */
function generationOf({ kind, name }: Identity): string | undefined {
  if (kind !== 'psk' || !name.startsWith(prefix)) return undefined;
  return name.slice(prefix.length, name.lastIndexOf('.'));
}
