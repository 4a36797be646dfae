import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../protocol/errors.ts';
import {
  type CertificateName,
  type Credential,
  type CredentialFilter,
  type CredentialSummary,
  compareCredentials,
  type PreSharedKey,
  type RawPublicKey,
  summaryOf,
} from '../../server/ports/credential-store.ts';
import { Secret } from '../../server/ports/secret.ts';
import { aRegistration, type OpenStores, start, useStores } from './engine.ts';

const made = { account: 'server', state: 'active', createdAt: start, changedAt: start } as const;

export function aKey(endpoint: string, name: string, key = `key of ${name}`): PreSharedKey {
  return { ...made, identity: { kind: 'psk', name }, endpoint, key: new Secret(Buffer.from(key)) };
}

export function aCertificate(endpoint: string, name: string): CertificateName {
  return { ...made, identity: { kind: 'x509', name }, endpoint };
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
    const find = async (identity: Credential['identity'], account = made.account): Promise<unknown> => {
      const found = await store().find(account, identity);
      return found === undefined ? undefined : plain([found])[0];
    };

    /** All pages of a list, each of which has to have something. */
    const listAll = async (
      filter: CredentialFilter,
      limit: number,
    ): Promise<readonly CredentialSummary[]> => {
      const found: CredentialSummary[] = [];
      let cursor: string | undefined;
      do {
        const page = await store().list({ filter, limit, ...(cursor === undefined ? {} : { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        expect(page.items.length).toBeGreaterThan(0);
        found.push(...page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      return found;
    };

    test('a device has none until they are given, and then those, by account, kind and name', async () => {
      expect(await store().get('a')).toEqual([]);
      expect(await store().list({ limit: 10 })).toEqual({ items: [] });
      const key = aKey('a', 'new');
      const publicKey: RawPublicKey = {
        ...made,
        identity: { kind: 'rpk', name: 'ab'.repeat(32) },
        endpoint: 'a',
        createdAt: start + 0.5,
      };
      const atBootstrap: Credential = { ...aKey('a', 'new', 'another'), account: 'bootstrap' };
      const certificate: CertificateName = {
        ...aCertificate('a', 'CN=a, O=ünïcode'),
        fingerprint: 'cd'.repeat(32),
      };
      for (const credential of [certificate, publicKey, key, aKey('a', 'former'), atBootstrap]) {
        expect(await store().put(credential)).toEqual({ stored: true, replaced: false });
      }
      await store().put(aKey('b', 'of b'));
      expect(plain(await store().get('a'))).toEqual(
        plain([atBootstrap, aKey('a', 'former'), key, publicKey, certificate]),
      );
    });

    test('all that is known of one comes back', async () => {
      const whole: PreSharedKey = {
        ...aKey('a', 'id'),
        state: 'revoked',
        createdAt: start - 1000.25,
        tenant: 'acme',
        attributes: {
          serialNumber: 'SN 1',
          mac: '00:11:22:33:44:55',
          imei: '490154203237518',
          iccid: '8901',
        },
        validUntil: start + 60_000,
        usedAt: start + 5,
      };
      await store().put(whole);
      expect(plain(await store().get('a'))).toEqual(plain([whole]));
      expect((await store().list({ limit: 9 })).items).toEqual([summaryOf(whole)]);
      const part: PreSharedKey = { ...aKey('b', 'other'), attributes: { imei: '490154203237518' } };
      await store().put(part);
      expect(await find(part.identity)).toEqual(plain([part])[0]);
    });

    test('one is found by kind and name together', async () => {
      await store().put(aKey('a', 'same'));
      await store().put(aCertificate('b', 'same'));
      expect(await find({ kind: 'psk', name: 'same' })).toEqual(plain([aKey('a', 'same')])[0]);
      expect(await find({ kind: 'x509', name: 'same' })).toEqual(aCertificate('b', 'same'));
      expect(await find({ kind: 'rpk', name: 'same' })).toBeUndefined();
      expect(await find({ kind: 'psk', name: 'Same' })).toBeUndefined();
    });

    test('an identity of one account is another one in the other', async () => {
      const atBootstrap: Credential = { ...aKey('b', 'same', 'of b'), account: 'bootstrap' };
      await store().put(aKey('a', 'same'));
      expect(await store().put(atBootstrap, 'add')).toEqual({ stored: true, replaced: false });
      expect(await find({ kind: 'psk', name: 'same' })).toEqual(plain([aKey('a', 'same')])[0]);
      expect(plain([(await store().find('bootstrap', atBootstrap.identity)) as Credential])).toEqual(
        plain([atBootstrap]),
      );
      expect(await store().remove('bootstrap', atBootstrap.identity)).toBe(true);
      expect(await store().find('bootstrap', atBootstrap.identity)).toBeUndefined();
      expect(await store().get('b')).toEqual([]);
      expect(plain(await store().get('a'))).toEqual(plain([aKey('a', 'same')]));
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
      const renewed = { ...aKey('a', 'id', 'new'), changedAt: start + 1 };
      expect(await store().put(renewed)).toEqual({ stored: true, replaced: true });
      expect(plain(await store().get('a'))).toEqual(plain([renewed]));
    });

    test('one that is only to be added replaces none', async () => {
      expect(await store().put(aKey('a', 'id'), 'add')).toEqual({ stored: true, replaced: false });
      expect(await store().put(aKey('a', 'id', 'other'), 'add')).toEqual({ stored: false, endpoint: 'a' });
      expect(plain(await store().get('a'))).toEqual(plain([aKey('a', 'id')]));
      expect(await store().remove('server', aKey('a', 'id').identity)).toBe(true);
      expect(await store().put(aKey('b', 'id'), 'add')).toEqual({ stored: true, replaced: false });
    });

    test('one is changed where it is there, and keeps its key and the rest', async () => {
      const key = { ...aKey('a', 'id'), attributes: { imei: '1' } };
      await store().put(key);
      await store().put(aKey('a', 'other'));
      const change = {
        state: 'revoked',
        changedAt: start + 2.5,
        validUntil: start + 9,
        tenant: 't',
      } as const;
      const summary = summaryOf({ ...key, ...change });
      expect(await store().change('server', key.identity, change)).toEqual(summary);
      expect(await find(key.identity)).toEqual(plain([{ ...key, ...change }])[0]);
      expect((await store().list({ filter: { state: 'revoked' }, limit: 9 })).items).toEqual([summary]);
      const back = {
        state: 'active',
        changedAt: start,
        validUntil: null,
        tenant: null,
        usedAt: start + 1,
      } as const;
      expect(await store().change('server', key.identity, back)).toEqual(
        summaryOf({ ...key, usedAt: start + 1 }),
      );
      expect(plain(await store().get('a'))).toEqual(
        plain([{ ...key, usedAt: start + 1 }, aKey('a', 'other')]),
      );
      expect(await store().change('bootstrap', key.identity, { usedAt: start })).toBeUndefined();
      expect(
        await store().change('server', { kind: 'psk', name: 'none' }, { usedAt: start }),
      ).toBeUndefined();
      expect(await store().get('none')).toEqual([]);
    });

    test('of changes at once each is made', async () => {
      await store().put(aKey('a', 'id'));
      const { identity } = aKey('a', 'id');
      await Promise.all([
        store().change('server', identity, { state: 'revoked' }),
        store().change('server', identity, { usedAt: start + 1 }),
        store().change('server', identity, { validUntil: start + 2 }),
        store().change('server', identity, { tenant: 't' }),
      ]);
      expect(await find(identity)).toMatchObject({
        state: 'revoked',
        usedAt: start + 1,
        validUntil: start + 2,
        tenant: 't',
        key: 'key of id',
      });
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
      expect(await store().remove('server', { kind: 'psk', name: 'id' })).toBe(true);
      expect(await store().remove('server', { kind: 'psk', name: 'id' })).toBe(false);
      expect(await find({ kind: 'psk', name: 'id' })).toBeUndefined();
      expect(plain(await store().get('a'))).toEqual(plain([aKey('a', 'other')]));
      expect(await store().put(aKey('b', 'id'))).toEqual({ stored: true, replaced: false });
      expect(await store().put(aKey('a', 'id'))).toEqual({ stored: false, endpoint: 'b' });
    });

    test('the list comes in pages, each once, without keys', async () => {
      const all: Credential[] = [];
      for (let index = 0; index < 25; index++) all.push(aKey(`device-${index % 20}`, `id-${index}`));
      for (const credential of all) await store().put(credential);
      for (const limit of [1, 4, 24, 25, 100]) {
        const found = await listAll({}, limit);
        expect(found).toHaveLength(25);
        expect(found).toEqual(expect.arrayContaining(all.map(summaryOf)));
        expect(JSON.stringify(found)).not.toContain('key');
      }
      await expect(store().list({ limit: 1, cursor: 'broken' })).rejects.toThrow(RequestError);
    });

    test('the list has what is asked for, in pages too', async () => {
      const numbers = { serialNumber: 'SN-77', mac: 'AA:BB', imei: '4901', iccid: '8944' };
      const one: Credential = { ...aKey('Meter-1', 'first'), tenant: 'acme', attributes: numbers };
      const two: Credential = { ...aKey('meter-2', 'Second', 'k'), account: 'bootstrap', state: 'revoked' };
      const three: Credential = { ...aCertificate('pump', 'CN=Pump, O=Acme'), tenant: 'acme' };
      const four: Credential = { ...aKey('Ärger-4901', 'x'), tenant: 'other' };
      for (const credential of [one, two, three, four]) await store().put(credential);
      const cases: readonly (readonly [CredentialFilter, readonly Credential[]])[] = [
        [{}, [one, two, three, four]],
        [{ account: 'server' }, [one, three, four]],
        [{ account: 'bootstrap' }, [two]],
        [{ kind: 'x509' }, [three]],
        [{ state: 'revoked' }, [two]],
        [{ tenant: 'acme' }, [one, three]],
        [{ search: '' }, [one, two, three, four]],
        [{ search: 'METER' }, [one, two]],
        [{ search: 'second' }, [two]],
        [{ search: 'o=acme' }, [three]],
        [{ search: 'ärg' }, [four]],
        [{ search: '4901' }, [one, four]],
        [{ search: 'sn-7' }, [one]],
        [{ search: 'aa:b' }, [one]],
        [{ search: '894' }, [one]],
        [{ search: '944' }, []],
        [{ search: '%' }, []],
        [{ search: 'meter', account: 'server', state: 'active', tenant: 'acme', kind: 'psk' }, [one]],
        [{ search: 'meter', tenant: 'other' }, []],
      ];
      for (const [filter, expected] of cases) {
        const sorted = (found: readonly CredentialSummary[]) => found.toSorted(compareCredentials);
        for (const limit of expected.length === 0 ? [] : [1, 2, 10]) {
          expect(sorted(await listAll(filter, limit)), JSON.stringify(filter)).toEqual(
            sorted(expected.map(summaryOf)),
          );
        }
        if (expected.length === 0) expect(await store().list({ filter, limit: 10 })).toEqual({ items: [] });
      }
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
