import { describe, expect, test } from 'vitest';
import { itemIsSeen, sees, Tenancy } from '../../../server/people/tenancy.ts';
import { tenantPattern } from '../../../server/people/tenant-pattern.ts';
import type { Credential } from '../../../server/ports/credential-store.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { SealError } from '../../../server/secrets/sealer.ts';

/** A store of which the test says whose devices are, and when it answers. */
function inventory(tenants: Record<string, string | null>) {
  const asked: string[][] = [];
  let gate: Promise<void> = Promise.resolve();
  return {
    asked,
    tenants: tenants as Record<string, string | null>,
    hold() {
      let open = (): void => undefined;
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return () => open();
    },
    devices: {
      tenants: async (endpoints: readonly string[]) => {
        asked.push([...endpoints]);
        const found = new Map(
          endpoints.flatMap((name) => (tenants[name] === undefined ? [] : [[name, tenants[name]] as const])),
        );
        await gate;
        return found;
      },
    },
  };
}

const given = (endpoint: string, tenant: string | null) => ({
  type: 'device',
  endpoint,
  data: { attributes: { tenant } },
});

describe('who sees what', () => {
  test('without a tenant everything, with one what is that tenant’s and nothing else', () => {
    for (const tenant of ['a', 'b', null, undefined]) expect(sees({}, tenant)).toBe(true);
    expect(['a', 'b', '', null, undefined].map((tenant) => sees({ tenant: 'a' }, tenant))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ['acme', true],
    ['acme-2', true],
    ['a'.repeat(64), true],
    ['', false],
    ['a'.repeat(65), false],
    ['Acme', false],
    ['a b', false],
    ['a\nb', false],
  ])('%j is a tenant’s name: %s', (name, expected) => {
    expect(new RegExp(tenantPattern).test(name)).toBe(expected);
  });

  test.each([
    ['an event of a device of the tenant', { type: 'updated', endpoint: 'mine' }, true],
    ['an event of another one’s', { type: 'updated', endpoint: 'theirs' }, false],
    ['an event of the operator’s own', { type: 'updated', endpoint: 'own' }, false],
    ['an event of a device of which nothing is known here', { type: 'updated', endpoint: 'new' }, undefined],
    ['a job of the tenant', { type: 'job', data: { job: { tenant: 'a' } } }, true],
    ['a job of another one', { type: 'job', data: { job: { tenant: 'b' } } }, false],
    ['a job of the operator', { type: 'job', data: { job: {} } }, false],
    ['a job that says nothing', { type: 'job', data: {} }, false],
    ['a webhook of the tenant', { type: 'webhook', data: { webhook: { tenant: 'a' } } }, true],
    ['a node', { type: 'node', data: { node: { tenant: 'a' } } }, false],
    ['a policy', { type: 'observation-policy', data: {} }, false],
    ['a type that nobody has thought of', { type: 'new-type', data: { tenant: 'a' } }, false],
    ['a definition of an object', { type: 'object-model', data: {} }, true],
  ])('%s', (_, item, expected) => {
    const tenants = new Map([
      ['mine', 'a'],
      ['theirs', 'b'],
      ['own', null],
    ]);
    expect(itemIsSeen('a', item, tenants)).toBe(expected);
  });
});

describe('tenancy', () => {
  test('another tenant’s device, the operator’s and one that is not there are all the same to a tenant', async () => {
    const tenancy = new Tenancy(inventory({ mine: 'a', theirs: 'b', own: null }));
    await expect(tenancy.check({ tenant: 'a' }, 'mine')).resolves.toBeUndefined();
    for (const endpoint of ['theirs', 'own', 'nobody']) {
      await expect(tenancy.check({ tenant: 'a' }, endpoint)).rejects.toThrow(
        `no device with endpoint name '${endpoint}' is known`,
      );
    }
    await expect(tenancy.check({}, 'nobody')).resolves.toBeUndefined();
  });

  test('who asks for one device is answered by the store, not by what was remembered', async () => {
    const store = inventory({ one: 'a' });
    const tenancy = new Tenancy(store);
    await tenancy.recall(['one']);
    store.tenants['one'] = 'b';
    await expect(tenancy.check({ tenant: 'a' }, 'one')).rejects.toThrow('no device');
    expect(tenancy.known.get('one')).toBe('b');
  });

  test('only what is not remembered is looked up, in parts that the store can take', async () => {
    const store = inventory(Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`d${i}`, 'a'])));
    const tenancy = new Tenancy(store);
    await tenancy.recall(['d0', 'd1', 'd0']);
    await tenancy.recall(Array.from({ length: 1200 }, (_, i) => `d${i}`));
    expect(store.asked.map((names) => names.length)).toEqual([2, 500, 500, 198]);
    await tenancy.recall(['d1199', 'd3']);
    expect(store.asked).toHaveLength(4);
  });

  test('what is remembered is bounded', async () => {
    const store = inventory({});
    const tenancy = new Tenancy(store, 10);
    for (let i = 0; i < 100; i++) await tenancy.recall([`d${i}`]);
    expect(
      Array.from({ length: 100 }, (_, i) => tenancy.known.get(`d${i}`)).filter((t) => t === null).length,
    ).toBeLessThanOrEqual(20);
    expect(tenancy.known.get('d99')).toBeNull();
  });

  test('a change counts from its event on, also where a look into the store is under way that began before', async () => {
    const store = inventory({ one: 'a' });
    const tenancy = new Tenancy(store);
    const open = store.hold();
    const looking = tenancy.recall(['one']);
    tenancy.note(given('one', 'b'));
    open();
    await looking;
    expect(tenancy.known.get('one')).toBe('b');
    tenancy.note(given('one', null));
    expect(tenancy.known.get('one')).toBeNull();
  });

  test.each([
    ['it was removed', { type: 'device', endpoint: 'one', data: { removed: true } }, undefined],
    ['it registers as a new one', { type: 'registered', endpoint: 'one', data: {} }, undefined],
    ['it registers anew', { type: 'registered', endpoint: 'one', data: { replaced: true } }, 'a'],
    ['its carrier changed', { type: 'device', endpoint: 'one', data: { attributes: { carrier: 'x' } } }, 'a'],
    ['it was given away', given('one', 'b'), 'b'],
    ['another one was', given('two', 'b'), 'a'],
    ['it was enrolled', { type: 'credential', endpoint: 'one', data: { change: 'created' } }, undefined],
    ['its key was used', { type: 'credential', endpoint: 'one', data: { change: 'used' } }, 'a'],
    [
      'devices were enrolled by a file',
      { type: 'credential', data: { change: 'imported', count: 2 } },
      undefined,
    ],
  ])('of a device that is remembered: %s', async (_, event, expected) => {
    const tenancy = new Tenancy(inventory({ one: 'a' }));
    await tenancy.recall(['one']);
    tenancy.note(event);
    expect(tenancy.known.get('one')).toBe(expected);
  });

  test('devices that have a credential and are not known yet belong to whom that was given', async () => {
    const tenancy = new Tenancy({
      ...inventory({ known: 'a' }),
      credentials: { get: async () => [{ tenant: 'b' } as Credential] },
    });
    expect(await tenancy.tenantOf('known')).toBe('a');
    expect(await tenancy.tenantOf('coming')).toBe('b');
  });

  test('a credential that cannot be opened gives a device to nobody; a store that does not answer is no answer', async () => {
    const failing = (error: Error) =>
      new Tenancy({ ...inventory({}), credentials: { get: () => Promise.reject(error) } });
    const sealed = failing(new SealError('sealed by another key'));
    await expect(sealed.check({ tenant: 'a' }, 'one')).rejects.toThrow('no device');
    const away = failing(new StoreUnavailableError('away'));
    await expect(away.check({ tenant: 'a' }, 'one')).rejects.toThrow('away');
    expect(away.known.get('one')).toBeUndefined();
  });
});
