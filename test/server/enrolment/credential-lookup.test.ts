import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { CredentialLookup } from '../../../server/enrolment/credential-lookup.ts';
import { EndpointBinding, EndpointRefusedError } from '../../../server/enrolment/endpoint-binding.ts';
import type { CredentialStore } from '../../../server/ports/credential-store.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { aKey } from '../../contract/credential-store.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

let stores: Stores;
let clock: FakeClock;
let asked: string[];
let lookup: CredentialLookup;

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  clock = new FakeClock();
  asked = [];
  lookup = new CredentialLookup({ credentials: counted(stores.credentials), clock });
});
afterEach(() => stores.close());

/** The real store, which writes down what it is asked. */
function counted(store: CredentialStore): Pick<CredentialStore, 'find' | 'get' | 'list'> {
  return {
    find: (account, identity) => {
      asked.push(`find ${account} ${identity.name}`);
      return store.find(account, identity);
    },
    get: (endpoint) => {
      asked.push(`get ${endpoint}`);
      return store.get(endpoint);
    },
    list: (query) => {
      asked.push('list');
      return store.list(query);
    },
  };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const psk = async (name: string, account: 'server' | 'bootstrap' = 'server') => {
  const found = await lookup.serverCredentials(account).psk(bytes(name));
  return found && { key: Buffer.from(found.key).toString(), peer: found.peer };
};

describe('the look for a credential', () => {
  test('gives key and endpoint of an identity, in its account alone', async () => {
    await stores.credentials.put(aKey('dev', 'id', 'secret'));
    expect(await psk('id')).toEqual({ key: 'secret', peer: { kind: 'psk', name: 'id', endpoint: 'dev' } });
    expect(await psk('id', 'bootstrap')).toBeUndefined();
    expect(await psk('other')).toBeUndefined();
  });

  test('knows nobody by what is no text, or too long for one', async () => {
    const { psk: ask } = lookup.serverCredentials('server');
    for (const odd of [new Uint8Array(), Uint8Array.of(0xff, 0xfe), bytes('x'.repeat(129))]) {
      expect(await ask(odd)).toBeUndefined();
    }
    expect(asked).toEqual([]);
  });

  test('takes no revoked one, nor one whose time is over', async () => {
    const now = clock.wallTime();
    await stores.credentials.put({ ...aKey('a', 'revoked'), state: 'revoked' });
    await stores.credentials.put({ ...aKey('b', 'late'), validUntil: now });
    await stores.credentials.put({ ...aKey('c', 'still'), validUntil: now + 1 });
    expect(await psk('revoked')).toBeUndefined();
    expect(await psk('late')).toBeUndefined();
    expect(await psk('still')).toMatchObject({ peer: { endpoint: 'c' } });
    clock.advance(1);
    expect(await psk('still')).toBeUndefined();
  });

  test('is remembered for some seconds, also that there was none; and forgotten with a change', async () => {
    await stores.credentials.put(aKey('dev', 'id'));
    await psk('id');
    await psk('id');
    await psk('nobody');
    await psk('nobody');
    expect(asked).toEqual(['find server id', 'find server nobody']);
    await stores.credentials.change('server', { kind: 'psk', name: 'id' }, { state: 'revoked' });
    lookup.changed();
    expect(await psk('id')).toBeUndefined();
    clock.advance(10_000);
    await stores.credentials.put(aKey('new', 'nobody'));
    expect(await psk('nobody')).toMatchObject({ peer: { endpoint: 'new' } });
  });

  test('what was asked for before a change is not remembered after it', async () => {
    await stores.credentials.put(aKey('dev', 'id'));
    const before = psk('id');
    lookup.changed();
    await before;
    await psk('id');
    expect(asked).toEqual(['find server id', 'find server id']);
  });

  test('who uses a key and wipes it takes nobody else’s', async () => {
    await stores.credentials.put(aKey('dev', 'id', 'secret'));
    const found = await lookup.serverCredentials('server').psk(bytes('id'));
    found?.key.fill(0);
    expect(await psk('id')).toMatchObject({ key: 'secret' });
  });

  test('of names without any credential in the store nothing is asked', async () => {
    expect(await lookup.isEnrolled('a', ['server'])).toBe(false);
    expect(await lookup.isEnrolled('b', ['server'])).toBe(false);
    expect(asked).toEqual(['list']);
  });
});

describe('the binding of names', () => {
  const binding = (
    account: 'server' | 'bootstrap',
    closedBy: readonly ('server' | 'bootstrap')[] = [account],
  ) => new EndpointBinding({ lookup, account, closedBy, now: () => clock.wallTime() });
  const own = { kind: 'psk', name: 'id', endpoint: 'dev' } as const;

  const refusal = async (work: Promise<unknown>): Promise<string | undefined> => {
    try {
      await work;
      return undefined;
    } catch (error) {
      if (error instanceof EndpointRefusedError) return error.reason;
      throw error;
    }
  };

  beforeEach(async () => {
    await stores.credentials.put({ ...aKey('dev', 'id'), tenant: 'acme' });
    await stores.credentials.put({ ...aKey('boot', 'b'), account: 'bootstrap' });
    await stores.credentials.put({ ...aKey('gone', 'g'), state: 'revoked' });
  });

  test('a session is of its endpoint, which it may leave out, and of no other', async () => {
    expect(await binding('server').admit('dev', own)).toEqual({ endpoint: 'dev', tenant: 'acme' });
    expect(await binding('server').admit(undefined, own)).toEqual({ endpoint: 'dev', tenant: 'acme' });
    expect(await binding('server').admit('', own)).toEqual({ endpoint: 'dev', tenant: 'acme' });
    expect(await refusal(binding('server').admit('other', own))).toBe('another_endpoint');
  });

  test('a name that has a credential takes a session, a revoked one too', async () => {
    expect(await refusal(binding('server').admit('dev', undefined))).toBe('enrolled');
    expect(await refusal(binding('server').admit('gone', undefined))).toBe('enrolled');
    expect(await binding('server').admit('free', undefined)).toEqual({ endpoint: 'free' });
    expect(await binding('server').admit(undefined, undefined)).toEqual({});
    expect(await binding('server').admit('boot', undefined)).toEqual({ endpoint: 'boot' });
    expect(await refusal(binding('server', ['server', 'bootstrap']).admit('boot', undefined))).toBe(
      'enrolled',
    );
  });

  test('a session whose credential is good no more is refused, at a Register and afterwards', async () => {
    const confirmed = async () => binding('server').confirm(own);
    await confirmed();
    await stores.credentials.change('server', own, { state: 'revoked' });
    lookup.changed();
    expect(await refusal(binding('server').admit('dev', own))).toBe('not_valid');
    expect(await refusal(confirmed())).toBe('not_valid');
    await stores.credentials.remove('server', own);
    await stores.credentials.put(aKey('thief', 'id'));
    lookup.changed();
    expect(await refusal(confirmed())).toBe('not_valid');
    await binding('server').confirm(undefined);
  });

  test('what is known of a session’s credential is told at once, for as long as it is remembered', async () => {
    const confirm = () => binding('server').confirm(own);
    await confirm();
    expect(asked).toEqual(['find server id']);
    expect(confirm()).toBeUndefined();
    expect(binding('server').confirm(undefined)).toBeUndefined();
    clock.advance(10_000);
    expect(confirm()).toBeInstanceOf(Promise);
    await confirm();
    // Of another account, or another kind, it is another one.
    expect(lookup.remembered('bootstrap', own)).toBeUndefined();
    expect(lookup.remembered('server', { kind: 'x509', name: 'id' })).toBeUndefined();
  });

  test('one whose time is over is refused at once, though it is remembered', async () => {
    const until = clock.wallTime() + 5_000;
    await stores.credentials.put({ ...aKey('short', 's'), validUntil: until });
    const session = { kind: 'psk', name: 's', endpoint: 'short' } as const;
    await binding('server').confirm(session);
    clock.advance(5_000);
    expect(() => binding('server').confirm(session)).toThrow(EndpointRefusedError);
  });
});
