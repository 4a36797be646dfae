import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../protocol/errors.ts';
import type {
  Credential,
  CredentialSummary,
  PreSharedKey,
  PublicCredential,
} from '../../server/ports/credential-store.ts';
import { Secret } from '../../server/ports/secret.ts';
import { aRegistration, type OpenStores, start, useStores } from './engine.ts';

export function aKey(endpoint: string, name: string, key = `key of ${name}`): PreSharedKey {
  return { identity: { kind: 'psk', name }, endpoint, key: new Secret(Buffer.from(key)), storedAt: start };
}

export function aCertificate(endpoint: string, name: string): PublicCredential {
  return { identity: { kind: 'x509', name }, endpoint, storedAt: start };
}

/** With their keys as texts, for what is secret compares as equal. */
export function plain(credentials: readonly Credential[]): unknown[] {
  return credentials.map((credential) => ({
    ...credential,
    ...('key' in credential ? { key: Buffer.from(credential.key.reveal()).toString('latin1') } : {}),
  }));
}

export function describeCredentialStore(name: string, open: OpenStores): void {
  describe(`CredentialStore, ${name}`, () => {
    const stores = useStores(open);
    const store = () => stores().credentials;
    const find = async (identity: Credential['identity']): Promise<unknown> => {
      const found = await store().find(identity);
      return found === undefined ? undefined : plain([found])[0];
    };

    test('a device has none until they are given, and then those, by kind and name', async () => {
      expect(await store().get('a')).toEqual([]);
      expect(await store().list({ limit: 10 })).toEqual({ items: [] });
      const key = aKey('a', 'new');
      const publicKey: PublicCredential = {
        identity: { kind: 'rpk', name: 'ab'.repeat(32) },
        endpoint: 'a',
        storedAt: start + 0.5,
      };
      for (const credential of [aCertificate('a', 'CN=a, O=ünïcode'), publicKey, key, aKey('a', 'former')]) {
        expect(await store().put(credential)).toEqual({ stored: true, replaced: false });
      }
      await store().put(aKey('b', 'of b'));
      expect(plain(await store().get('a'))).toEqual(
        plain([aKey('a', 'former'), key, publicKey, aCertificate('a', 'CN=a, O=ünïcode')]),
      );
    });

    test('one is found by kind and name together', async () => {
      await store().put(aKey('a', 'same'));
      await store().put(aCertificate('b', 'same'));
      expect(await find({ kind: 'psk', name: 'same' })).toEqual(plain([aKey('a', 'same')])[0]);
      expect(await find({ kind: 'x509', name: 'same' })).toEqual(aCertificate('b', 'same'));
      expect(await find({ kind: 'rpk', name: 'same' })).toBeUndefined();
      expect(await find({ kind: 'psk', name: 'Same' })).toBeUndefined();
    });

    test('names and endpoints of any text, and keys of any bytes, come back as they were given', async () => {
      const key = Buffer.from([0, 255, 128, 10, 13, 39, 34]).toString('latin1');
      const odd = ['', ' ', '7', '__proto__', 'psk a', 'a\n"b"\\\u0000ü\u{1f511}', '{"a":1}'];
      for (const text of odd) {
        await store().put({ ...aKey(text || '-', text), key: new Secret(Buffer.from(key, 'latin1')) });
      }
      for (const text of odd) {
        const found = { ...aKey(text || '-', text), key };
        expect(await find({ kind: 'psk', name: text })).toEqual(found);
        expect(plain(await store().get(text || '-'))).toEqual([found]);
      }
    });

    test('one of the same identity is replaced', async () => {
      await store().put(aKey('a', 'id', 'old'));
      expect(await store().put({ ...aKey('a', 'id', 'new'), storedAt: start + 1 })).toEqual({
        stored: true,
        replaced: true,
      });
      expect(plain(await store().get('a'))).toEqual(
        plain([{ ...aKey('a', 'id', 'new'), storedAt: start + 1 }]),
      );
    });

    test("another device's identity is not taken away from it", async () => {
      await store().put(aKey('a', 'id'));
      expect(await store().put(aKey('b', 'id', 'other'))).toEqual({ stored: false, endpoint: 'a' });
      expect(await find({ kind: 'psk', name: 'id' })).toEqual(plain([aKey('a', 'id')])[0]);
      expect(await store().get('b')).toEqual([]);
    });

    test('of devices that are given one identity at once, one gets it', async () => {
      const endpoints = Array.from({ length: 8 }, (_, index) => `device-${index}`);
      const results = await Promise.all(endpoints.map((endpoint) => store().put(aKey(endpoint, 'id'))));
      const owners = endpoints.filter((_, index) => results[index]?.stored);
      expect(owners).toHaveLength(1);
      expect(await find({ kind: 'psk', name: 'id' })).toEqual(plain([aKey(owners[0] as string, 'id')])[0]);
      for (const endpoint of endpoints) {
        expect(await store().get(endpoint)).toHaveLength(endpoint === owners[0] ? 1 : 0);
      }
    });

    test('one that was removed is not there any more, and its identity is free', async () => {
      await store().put(aKey('a', 'id'));
      await store().put(aKey('a', 'other'));
      expect(await store().remove({ kind: 'psk', name: 'id' })).toBe(true);
      expect(await store().remove({ kind: 'psk', name: 'id' })).toBe(false);
      expect(await find({ kind: 'psk', name: 'id' })).toBeUndefined();
      expect(plain(await store().get('a'))).toEqual(plain([aKey('a', 'other')]));
      expect(await store().put(aKey('b', 'id'))).toEqual({ stored: true, replaced: false });
      expect(await store().put(aKey('a', 'id'))).toEqual({ stored: false, endpoint: 'b' });
    });

    test('the list comes in pages, each once, without keys', async () => {
      const all: Credential[] = [];
      for (let index = 0; index < 25; index++) all.push(aKey(`device-${index % 20}`, `id-${index}`));
      for (const credential of all) await store().put(credential);
      const expected = all.map(({ identity, endpoint, storedAt }) => ({ identity, endpoint, storedAt }));
      for (const limit of [1, 4, 24, 25, 100]) {
        const found: CredentialSummary[] = [];
        let cursor: string | undefined;
        do {
          const page = await store().list({ limit, ...(cursor === undefined ? {} : { cursor }) });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          expect(page.items.length).toBeGreaterThan(0);
          found.push(...page.items);
          cursor = page.next;
        } while (cursor !== undefined);
        expect(found).toHaveLength(25);
        expect(found).toEqual(expect.arrayContaining(expected));
        expect(JSON.stringify(found)).not.toContain('key');
      }
      await expect(store().list({ limit: 1, cursor: 'broken' })).rejects.toThrow(RequestError);
    });

    test('they are given before a device is known, and stay when it goes', async () => {
      const { registrations, devices, credentials } = stores();
      await credentials.put(aKey('a', 'id'));
      expect(await devices.get('a')).toBeUndefined();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await registrations.deregister(registration.id);
      expect(await devices.remove('a')).toBe(true);
      expect(plain(await credentials.get('a'))).toEqual(plain([aKey('a', 'id')]));
    });

    test('a key shows in nothing that is printed', async () => {
      await store().put(aKey('a', 'id', 'hunter2'));
      const found = await store().get('a');
      for (const text of [
        JSON.stringify(found),
        inspect(found, { depth: 9, showHidden: true }),
        String((found[0] as PreSharedKey).key),
      ]) {
        expect(text).toContain('[secret]');
        expect(text).not.toMatch(/hunter2|104, ?117|68 ?75 ?6e/);
      }
    });
  });
}
