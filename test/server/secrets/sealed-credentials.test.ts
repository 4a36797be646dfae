import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { PreSharedKey } from '../../../server/ports/credential-store.ts';
import { Secret } from '../../../server/ports/secret.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { sealCredentials } from '../../../server/secrets/sealed-credentials.ts';
import { createSealer, SealError } from '../../../server/secrets/sealer.ts';

const key = Buffer.from('0123456789abcdef');
const credential: PreSharedKey = {
  account: 'server',
  endpoint: 'modem',
  identity: { kind: 'psk', name: 'id' },
  key: new Secret(key),
  state: 'active',
  createdAt: 1,
  changedAt: 1,
};

describe('credentials whose keys are sealed', () => {
  let stores: Stores;
  const first = randomBytes(32);
  const sealed = () => sealCredentials(stores.credentials, createSealer([first]));
  const keyOf = (found: unknown): Buffer => Buffer.from((found as PreSharedKey).key.reveal());

  beforeEach(async () => {
    stores = await openEmbeddedStores({ path: ':memory:' });
  });
  afterEach(() => stores.close());

  test('the store has no key as it is, and who asks gets it opened', async () => {
    expect(await sealed().put(credential)).toEqual({ stored: true, replaced: false });
    const kept = keyOf(await stores.credentials.find('server', credential.identity));
    expect(kept.includes(key)).toBe(false);
    expect(keyOf(await sealed().find('server', credential.identity))).toEqual(key);
    expect(keyOf((await sealed().get('modem'))[0])).toEqual(key);
  });

  test('a key that somebody moved to another device in the store does not open', async () => {
    await sealed().put(credential);
    const kept = (await stores.credentials.find('server', credential.identity)) as PreSharedKey;
    await stores.credentials.put({ ...kept, endpoint: 'another', identity: { kind: 'psk', name: 'id 2' } });
    await expect(sealed().find('server', { kind: 'psk', name: 'id 2' })).rejects.toThrow(SealError);
  });

  test('what has no key is kept as it is; changes, removals and lists go through', async () => {
    const { key: _, ...rest } = credential;
    await sealed().put({ ...rest, identity: { kind: 'x509', name: 'modem' } });
    await sealed().put(credential);
    expect(await sealed().find('server', { kind: 'x509', name: 'modem' })).toMatchObject({
      endpoint: 'modem',
    });
    expect(await sealed().change('server', credential.identity, { state: 'revoked' })).toMatchObject({
      state: 'revoked',
    });
    expect(keyOf(await sealed().find('server', credential.identity))).toEqual(key);
    expect((await sealed().list({ limit: 5 })).items).toHaveLength(2);
    expect(await sealed().remove('server', credential.identity)).toBe(true);
  });
});
