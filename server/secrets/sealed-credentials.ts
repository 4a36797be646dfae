import type { Credential, CredentialStore } from '../ports/credential-store.ts';
import { Secret } from '../ports/secret.ts';
import type { Sealer } from './sealer.ts';

/**
 * The same store, which gets keys sealed and gives them opened. A key opens for the device, the account and the identity
 * that it was given for, so that nobody who may write to the store gives a device's key to another one.
 * Its methods throw SealError and NoSecretKeyError as well.
 */
export function sealCredentials(store: CredentialStore, sealer: Sealer): CredentialStore {
  const opened = (credential: Credential): Credential =>
    'key' in credential
      ? { ...credential, key: new Secret(sealer.open(credential.key.reveal(), placeOf(credential))) }
      : credential;
  const sealed = (credential: Credential): Credential =>
    'key' in credential
      ? { ...credential, key: new Secret(sealer.seal(credential.key.reveal(), placeOf(credential))) }
      : credential;
  return {
    put: async (credential, mode) => store.put(sealed(credential), mode),
    get: async (endpoint) => (await store.get(endpoint)).map(opened),
    find: async (account, identity) => {
      const credential = await store.find(account, identity);
      return credential && opened(credential);
    },
    change: (account, identity, change) => store.change(account, identity, change),
    remove: (account, identity) => store.remove(account, identity),
    list: (query) => store.list(query),
  };
}

function placeOf({ account, identity, endpoint }: Credential): string {
  return `key ${JSON.stringify([account, identity.kind, identity.name, endpoint])}`;
}
