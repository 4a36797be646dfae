import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { LiveItem, LivePosition, LiveWish } from '../../../server/events.ts';
import { LiveHub } from '../../../server/live/hub.ts';
import { Tenancy } from '../../../server/people/tenancy.ts';
import type { StoredEvent } from '../../../server/ports/event-log.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { encodePack, type Pack } from '../../../server/telemetry/pack.ts';
import { aRegistration } from '../../contract/engine.ts';

let stores: Stores;
let hub: LiveHub;
let tenancy: Tenancy;
const open: (() => void)[] = [];

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  for (const [endpoint, tenant] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['own', undefined],
  ] as const) {
    await stores.registrations.register(aRegistration(endpoint), tenant);
  }
  tenancy = new Tenancy({ devices: stores.devices });
  hub = await LiveHub.open(stores.events, stores.log, undefined, tenancy);
});
afterEach(async () => {
  for (const close of open.splice(0)) close();
  await stores.close();
});

async function happens(event: Partial<StoredEvent> & Pick<StoredEvent, 'type'>): Promise<void> {
  const whole = { at: 1, data: {}, ...event };
  const [id] = await stores.events.append([whole]);
  hub.publishEvent({ ...whole, id: id as number });
}

let keys = 0;
async function reads(endpoint: string, value: number): Promise<void> {
  const pack: Pack = {
    endpoint,
    receivedAt: 1_700_000_000_000_000,
    overtaken: false,
    series: [{ path: '/3/0/9', takenAt: [1_700_000_000_000_000], values: [value] }],
  };
  await new Promise<void>((resolve, reject) => {
    const entry = { endpoint, key: `k${keys++}`, receivedAt: pack.receivedAt, body: encodePack(pack) };
    stores.log.append(entry, (error, position) => {
      if (error !== undefined) return reject(error);
      hub.publishPack(pack, position);
      resolve();
    });
  });
}

function short(item: LiveItem): string {
  if (item.kind === 'event') return `${item.event.type} ${item.event.endpoint ?? ''}`.trim();
  if (item.kind === 'trace') return `trace ${item.endpoint}`;
  return `readings ${item.readings.endpoint} ${item.readings.series[0]?.readings[0]?.value}`;
}

function listen(
  tenant: string | undefined,
  options: { after?: LivePosition; wishes?: readonly LiveWish[] } = {},
) {
  const seen: string[] = [];
  const waiters: (() => void)[] = [];
  const subscription = hub.subscribe({
    after: options.after ?? hub.position(),
    wishes: options.wishes ?? [],
    tenant,
    onEntries(entries) {
      seen.push(...entries.map(({ item }) => short(item)));
      for (const wake of waiters.splice(0)) wake();
      return true;
    },
    onGap: () => seen.push('gap'),
    onError(error) {
      throw error;
    },
  });
  open.push(() => subscription.close());
  return {
    seen,
    async until(text: string): Promise<void> {
      while (!seen.includes(text)) await new Promise<void>((resolve) => waiters.push(resolve));
    },
  };
}

describe('the live stream of a tenant', () => {
  it('has its devices and nothing of others, from the first item on, though nothing is remembered yet', async () => {
    const a = listen('a');
    const b = listen('b');
    const all = listen(undefined);
    for (const endpoint of ['a1', 'b1', 'own', 'nobody', 'a2']) await happens({ type: 'updated', endpoint });
    for (const endpoint of ['b1', 'own', 'a1']) await reads(endpoint, 7);
    await happens({ type: 'updated', endpoint: 'a1' });
    await happens({ type: 'expired', endpoint: 'b1' });
    await happens({ type: 'expired', endpoint: 'a2' });
    await Promise.all([a.until('expired a2'), b.until('expired b1'), all.until('expired a2')]);
    expect(a.seen.toSorted()).toEqual(
      ['updated a1', 'updated a2', 'readings a1 7', 'updated a1', 'expired a2'].toSorted(),
    );
    expect(b.seen.toSorted()).toEqual(['updated b1', 'readings b1 7', 'expired b1'].toSorted());
    expect(all.seen).toHaveLength(11);
  });

  it('is the same when it is read from the logs', async () => {
    const start = hub.position();
    for (const endpoint of ['a1', 'b1', 'own', 'a2']) {
      await happens({ type: 'updated', endpoint });
      await reads(endpoint, 1);
    }
    const a = listen('a', { after: start });
    await a.until('readings a2 1');
    expect(a.seen.toSorted()).toEqual(
      ['updated a1', 'updated a2', 'readings a1 1', 'readings a2 1'].toSorted(),
    );
  });

  it('has of what is of no device the tenant’s own jobs and webhooks, and changes of definitions', async () => {
    const a = listen('a');
    await happens({ type: 'node', data: { node: { name: 'n', state: 'started' } } });
    await happens({ type: 'job', data: { job: { id: '1', tenant: 'b' } } });
    await happens({ type: 'job', data: { job: { id: '2' } } });
    await happens({ type: 'observation-policy', data: { id: 'p' } });
    await happens({ type: 'webhook', data: { webhook: { id: 'w', tenant: 'a' } } });
    await happens({ type: 'job', data: { job: { id: '3', tenant: 'a' } } });
    await happens({ type: 'object-model', data: {} });
    await a.until('object-model');
    expect(a.seen).toEqual(['webhook', 'job', 'object-model']);
  });

  it('follows a device that is given away, from that event on', async () => {
    const a = listen('a');
    const b = listen('b');
    await reads('a1', 1);
    await a.until('readings a1 1');
    await happens({ type: 'updated', endpoint: 'b1' });
    await b.until('updated b1');
    await stores.devices.setTenant('a1', 'b');
    await happens({ type: 'device', endpoint: 'a1', data: { attributes: { tenant: 'b' } } });
    await reads('a1', 2);
    await happens({ type: 'updated', endpoint: 'a2' });
    await b.until('readings a1 2');
    await a.until('updated a2');
    expect(b.seen).toEqual(['updated b1', 'device a1', 'readings a1 2']);
    expect(a.seen).not.toContain('readings a1 2');
    expect(a.seen).not.toContain('device a1');
  });

  it('gives nothing of a device that is named and is another one’s', async () => {
    const wishes = [{ endpoint: 'b1' }, { endpoint: 'a1' }];
    const a = listen('a', { wishes });
    await happens({ type: 'updated', endpoint: 'b1' });
    await reads('b1', 1);
    await happens({ type: 'updated', endpoint: 'a1' });
    await a.until('updated a1');
    expect(a.seen).toEqual(['updated a1']);
  });

  it('has traces of its devices alone', async () => {
    const types = new Set(['trace']);
    await tenancy.recall(['a1', 'b1']);
    const a = listen('a', {
      wishes: [{ endpoint: 'a1', types }, { endpoint: 'b1', types }, { types: new Set(['updated']) }],
    });
    await happens({ type: 'updated', endpoint: 'a1' });
    await a.until('updated a1');
    hub.publishTrace('b1', {});
    hub.publishTrace('a1', {});
    await a.until('trace a1');
    expect(a.seen).toEqual(['updated a1', 'trace a1']);
  });

  it('of a hub that knows of no tenants has nothing', async () => {
    hub = await LiveHub.open(stores.events, stores.log);
    const a = listen('a');
    const all = listen(undefined);
    await happens({ type: 'updated', endpoint: 'a1' });
    await all.until('updated a1');
    expect(a.seen).toEqual([]);
  });
});
