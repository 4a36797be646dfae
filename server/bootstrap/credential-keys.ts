import type { Clock } from '../../protocol/clock.ts';
import type { Credential, CredentialStore, Identity } from '../ports/credential-store.ts';
import { Secret } from '../ports/secret.ts';
import type { DeviceKeys } from './device-accounts.ts';

export interface CredentialKeysOptions {
  readonly credentials: Pick<CredentialStore, 'get' | 'put' | 'change' | 'remove'>;
  readonly clock: Clock;
  /** A key is there, or is in force no more: whoever remembers credentials forgets, and sessions of it end. */
  readonly onChanged?: (endpoint: string, identity: Identity, ended: boolean) => void;
}

/** The keys that bootstraps make, among the credentials of devices. */
export function credentialKeys({ credentials, clock, onChanged }: CredentialKeysOptions): DeviceKeys {
  return {
    of: (endpoint) => credentials.get(endpoint),
    enrol: async (endpoint, name, key) => {
      const identity = { kind: 'psk', name } as const;
      const now = Math.floor(clock.wallTime());
      const tenant = tenantOf(await credentials.get(endpoint));
      const put = await credentials.put(
        {
          account: 'server',
          endpoint,
          identity,
          key: new Secret(key),
          state: 'active',
          createdAt: now,
          changedAt: now,
          ...(tenant === undefined ? {} : { tenant }),
        },
        'add',
      );
      if (!put.stored) throw new Error(`the identity ${name} is taken`);
      onChanged?.(endpoint, identity, false);
    },
    revoke: async (endpoint, identity) => {
      const changedAt = Math.floor(clock.wallTime());
      await credentials.change('server', identity, { state: 'revoked', changedAt });
      onChanged?.(endpoint, identity, true);
    },
    remove: async (endpoint, identity) => {
      await credentials.remove('server', identity);
      onChanged?.(endpoint, identity, true);
    },
  };
}

/** Whose the device is, as whoever enrolled it said. */
function tenantOf(credentials: readonly Credential[]): string | undefined {
  const known = credentials.find(({ account }) => account === 'bootstrap') ?? credentials[0];
  return known?.tenant;
}
