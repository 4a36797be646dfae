import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { presentEvent, presentLiveReadings } from '../../../server/api/presenters.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { LiveHub } from '../../../server/live/hub.ts';
import { Tenancy } from '../../../server/people/tenancy.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { encodePack, type Pack } from '../../../server/telemetry/pack.ts';
import type { SendOutcome, WebhookMessage } from '../../../server/webhooks/sender.ts';
import { WebhookService } from '../../../server/webhooks/service.ts';
import { aRegistration } from '../../contract/engine.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const day = 86_400_000;
const ok: SendOutcome = { delivered: true, status: 200 };
const broken: SendOutcome = { delivered: false, status: 500, reason: 'answered 500' };

/** Webhooks on real stores, with a time and a receiver that the test has in hand. */
async function open() {
  const stores = await openEmbeddedStores({ path: ':memory:' });
  const clock = new ManualClock();
  const tenancy = new Tenancy({ devices: stores.devices });
  const hub = await LiveHub.open(stores.events, stores.log, undefined, tenancy);
  const sent: { readonly id: string; readonly body: unknown; readonly headers: WebhookMessage['headers'] }[] =
    [];
  const told: object[] = [];
  const world = {
    stores,
    clock,
    hub,
    sent,
    told,
    answer: (_message: WebhookMessage): SendOutcome | Promise<SendOutcome> => ok,
    async start(): Promise<WebhookService> {
      const service = new WebhookService({
        stores,
        live: hub,
        tenancy,
        events: { publish: (_type, _endpoint, _at, data) => void told.push(data['webhook'] as object) },
        present: { event: presentEvent, readings: presentLiveReadings },
        send: async (message) => {
          const id = message.headers['webhook-id'] ?? '';
          sent.push({ id, body: JSON.parse(message.body), headers: message.headers });
          return world.answer(message);
        },
        clock,
        log: pino({ level: 'silent' }),
        random: () => 0.5,
      });
      await service.start();
      return service;
    },
    async happen(type: string, endpoint?: string): Promise<void> {
      const event = {
        type,
        at: 1_767_225_600_000,
        data: {},
        ...(endpoint === undefined ? {} : { endpoint }),
      };
      const [id = 0] = await stores.events.append([event]);
      hub.publishEvent({ ...event, id });
    },
    read(endpoint: string, value: number): Promise<void> {
      const pack: Pack = {
        endpoint,
        receivedAt: 1_767_225_600_000_000,
        overtaken: false,
        series: [{ path: '/3303/0/5700', takenAt: [1_767_225_600_000_000], values: [value] }],
      };
      const entry = { endpoint, key: `k${value}`, receivedAt: pack.receivedAt, body: encodePack(pack) };
      return new Promise((resolve, reject) => {
        stores.log.append(entry, (error, position) => {
          if (error !== undefined) return reject(error);
          hub.publishPack(pack, position);
          resolve();
        });
      });
    },
    ids: () => sent.map(({ id }) => id),
    delivered: (count: number) => vi.waitFor(() => expect(sent.length).toBeGreaterThanOrEqual(count)),
  };
  const service = await world.start();
  closing.push(async () => {
    await service.close();
    await stores.close();
  });
  return { ...world, world, service };
}

const input = {
  name: 'Hook',
  url: 'http://hooks.test/',
  types: ['expired', 'updated'],
  endpoints: [],
  enabled: true,
};

describe('a webhook', () => {
  test('is one of a hundred at the most, however many are made at once', async () => {
    const { service } = await open();
    const all = await Promise.allSettled(Array.from({ length: 105 }, () => service.create(input)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    expect(service.list()).toHaveLength(100);
  });

  test('that is removed while it is changed is told nothing more', async () => {
    const { service, happen, sent, ids, delivered } = await open();
    const { settings } = await service.create(input);
    const changed = service.replace(settings.id, { ...input, types: ['expired'] });
    const [, removed] = await Promise.all([changed, service.remove(settings.id)]);
    expect([removed, service.list()]).toEqual([true, []]);
    await service.create({ ...input, types: ['expired', 'updated', 'registered'] });
    await happen('expired', 'a');
    await happen('updated', 'a');
    await vi.waitFor(() => expect(ids()).toContain('evt_2'));
    await delivered(2);
    expect(sent).toHaveLength(2);
  });

  test('that the store does not let go is still there, and goes on', async () => {
    const { service, stores, happen, delivered } = await open();
    const { settings } = await service.create(input);
    vi.spyOn(stores.webhooks, 'remove').mockRejectedValueOnce(new StoreUnavailableError('the disk is full'));
    await expect(service.remove(settings.id)).rejects.toThrow('the disk is full');
    expect(service.list()).toHaveLength(1);
    await happen('expired', 'a');
    await delivered(1);
    expect(await service.remove(settings.id)).toBe(true);
  });

  test('is told what it wants, in order, from when it was made', async () => {
    const { service, happen, sent, ids, delivered, stores } = await open();
    await happen('expired', 'before');
    const { settings } = await service.create(input);
    await happen('expired', 'a');
    await happen('registered', 'a');
    await happen('updated', 'b');
    await delivered(2);
    expect(ids()).toEqual(['evt_2', 'evt_4']);
    expect(sent[0]?.body).toEqual({
      type: 'expired',
      timestamp: '2026-01-01T00:00:00.000Z',
      data: { id: 2, type: 'expired', endpoint: 'a', at: 1_767_225_600_000, data: {} },
    });
    await vi.waitFor(async () => {
      const { items } = await stores.webhooks.deliveries({ id: settings.id, limit: 10 });
      expect(items.map(({ id, state }) => `${id} ${state}`)).toEqual(['evt_4 delivered', 'evt_2 delivered']);
    });
    await vi.waitFor(() => expect(service.get(settings.id)).toMatchObject({ state: 'active', lag: 0 }));
  });

  test('of some devices is told of those alone, by name or by glob', async () => {
    const { service, happen, sent, delivered } = await open();
    await service.create({ ...input, endpoints: ['meter-*', 'pump'] });
    await service.create({ ...input, endpoints: ['pump'] });
    for (const endpoint of ['meter-1', 'other', 'pump', undefined]) await happen('expired', endpoint);
    await delivered(3);
    const seen = sent.map(({ body }) => (body as { data: { endpoint: string } }).data.endpoint);
    expect(seen.sort()).toEqual(['meter-1', 'pump', 'pump']);
  });

  test('gets readings in batches, each pack with its place in the log', async () => {
    const { service, read, sent, delivered, clock } = await open();
    await service.create({ ...input, types: ['readings'] });
    await Promise.all([read('m', 1), read('m', 2), read('m', 3)]);
    await vi.waitFor(() => {
      clock.advance(200);
      expect(sent).toHaveLength(1);
    });
    await delivered(1);
    expect(sent[0]?.id).toBe('log_1-3');
    expect(sent[0]?.body).toMatchObject({
      type: 'readings',
      data: { items: [{ position: 1, endpoint: 'm' }, { position: 2 }, { position: 3 }] },
    });
  });

  test('that fails is tried again with longer and longer pauses, and holds what follows', async () => {
    const { world, service, happen, ids, delivered, clock, told } = await open();
    const { settings } = await service.create(input);
    world.answer = () => broken;
    await happen('expired', 'a');
    await happen('expired', 'b');
    await delivered(1);
    for (const [index, pause] of [5_000, 10_000, 20_000].entries()) {
      await vi.waitFor(() => expect(service.get(settings.id)?.nextAttemptAt).toBe(clock.wallTime() + pause));
      expect(service.get(settings.id)).toMatchObject({ state: 'retrying', lag: 2 });
      clock.advance(pause - 1);
      expect(ids()).toHaveLength(index + 1);
      clock.advance(1);
      await delivered(index + 2);
    }
    expect(new Set(ids())).toEqual(new Set(['evt_1']));
    world.answer = () => ok;
    await vi.waitFor(() => expect(service.get(settings.id)?.nextAttemptAt).toBeDefined());
    clock.advance(40_000);
    await vi.waitFor(() => expect(ids().slice(4)).toEqual(['evt_1', 'evt_2']));
    await vi.waitFor(() => expect(service.get(settings.id)).toMatchObject({ state: 'active', lag: 0 }));
    const { id, name } = settings;
    expect(told).toEqual([
      { id, name, state: 'retrying', reason: 'answered 500' },
      { id, name, state: 'active' },
    ]);
  });

  test('that fails for three days is given up, and goes on from there when it is enabled again', async () => {
    const { world, service, happen, ids, delivered, clock, told } = await open();
    const { settings } = await service.create(input);
    world.answer = () => broken;
    await happen('expired', 'a');
    await delivered(1);
    const begin = clock.now();
    while (service.get(settings.id)?.state !== 'disabled') {
      await vi.waitFor(() => {
        const webhook = service.get(settings.id);
        expect(webhook?.nextAttemptAt !== undefined || webhook?.state === 'disabled').toBe(true);
      });
      const next = service.get(settings.id)?.nextAttemptAt;
      if (next !== undefined) {
        const had = ids().length;
        clock.advance(next - clock.wallTime());
        await delivered(had + 1);
      }
    }
    expect(clock.now() - begin).toBeGreaterThanOrEqual(3 * day);
    expect(clock.now() - begin).toBeLessThan(3.5 * day);
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ state: 'disabled' }));
    await happen('expired', 'b');
    const had = ids().length;
    world.answer = () => ok;
    await service.replace(settings.id, input);
    await delivered(had + 2);
    expect(ids().slice(had)).toEqual(['evt_1', 'evt_2']);
  });

  test('whose receiver is gone for good (410) is given up at once', async () => {
    const { world, service, happen, delivered } = await open();
    const { settings } = await service.create(input);
    world.answer = () => ({ delivered: false, status: 410, reason: 'answered 410' });
    await happen('expired', 'a');
    await delivered(1);
    await vi.waitFor(() => expect(service.get(settings.id)?.state).toBe('disabled'));
    expect(service.get(settings.id)?.progress.disabled?.reason).toContain('410');
  });

  test('that is paused is told nothing, and everything when it goes on', async () => {
    const { service, happen, ids, delivered } = await open();
    const { settings } = await service.create(input);
    await happen('expired', 'a');
    await delivered(1);
    await service.replace(settings.id, { ...input, enabled: false });
    expect(service.get(settings.id)?.state).toBe('paused');
    await happen('expired', 'b');
    await happen('expired', 'c');
    expect(ids()).toEqual(['evt_1']);
    expect(service.get(settings.id)?.lag).toBe(2);
    await service.replace(settings.id, input);
    await delivered(3);
    expect(ids()).toEqual(['evt_1', 'evt_2', 'evt_3']);
  });

  test('goes on after a restart from what is known to be delivered', async () => {
    const { world, service, happen, ids, delivered } = await open();
    const { settings } = await service.create(input);
    await happen('expired', 'a');
    await delivered(1);
    let release: (outcome: SendOutcome) => void = () => undefined;
    world.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await happen('expired', 'b');
    await delivered(2);
    // Nobody knows whether this one arrived.
    const closed = service.close();
    release({ delivered: false, reason: 'called off' });
    await closed;
    world.answer = () => ok;
    const again = await world.start();
    closing.push(() => again.close());
    await delivered(3);
    await happen('expired', 'c');
    await delivered(4);
    expect(ids()).toEqual(['evt_1', 'evt_2', 'evt_2', 'evt_3']);
    expect(again.get(settings.id)?.settings.secret).toBe(settings.secret);
  });

  test('is told that there is a gap, where the log does not have what it missed', async () => {
    const { service, happen, sent, stores, delivered } = await open();
    const { settings } = await service.create({ ...input, enabled: false });
    for (let count = 0; count < 5; count++) await happen('expired', 'a');
    await stores.events.trim(2);
    await service.replace(settings.id, input);
    await delivered(3);
    expect(sent.map(({ body }) => (body as { type: string }).type)).toEqual(['gap', 'expired', 'expired']);
  });

  test('keeps little in memory of what waits, and misses nothing of it', async () => {
    const { world, service, happen, ids, clock } = await open();
    const { settings } = await service.create(input);
    world.answer = () => broken;
    for (let count = 0; count < 400; count++) await happen('expired', 'a');
    await vi.waitFor(() => expect(service.get(settings.id)?.nextAttemptAt).toBeDefined());
    world.answer = () => ok;
    clock.advance(5_000);
    await vi.waitFor(() => expect(ids().at(-1)).toBe('evt_400'), { timeout: 10_000 });
    expect([...new Set(ids())]).toEqual(Array.from({ length: 400 }, (_, index) => `evt_${index + 1}`));
    expect(ids()).toHaveLength(401);
  });
});

describe('a person', () => {
  test('sends again what was delivered or waits, with its id; and not what is gone', async () => {
    const { world, service, happen, read, ids, sent, delivered, clock, stores } = await open();
    const { settings } = await service.create({ ...input, types: ['expired', 'readings'] });
    await happen('expired', 'a');
    await delivered(1);
    await read('m', 1);
    await vi.waitFor(() => {
      clock.advance(200);
      expect(ids()).toContain('log_1-1');
    });
    await vi.waitFor(async () =>
      expect(await stores.webhooks.delivery(settings.id, 'log_1-1')).toBeDefined(),
    );
    expect(await service.retry(settings.id, 'evt_1')).toMatchObject({ state: 'delivered', attempts: 2 });
    expect(await service.retry(settings.id, 'log_1-1')).toMatchObject({ state: 'delivered', attempts: 2 });
    expect(ids()).toEqual(['evt_1', 'log_1-1', 'evt_1', 'log_1-1']);
    expect(sent[2]?.body).toEqual(sent[0]?.body);
    const data = (index: number) => (sent[index]?.body as { data: unknown } | undefined)?.data;
    expect(data(3)).toEqual(data(1));
    expect(data(3)).toBeDefined();

    world.answer = () => broken;
    await happen('expired', 'b');
    await vi.waitFor(() => expect(service.get(settings.id)?.nextAttemptAt).toBeDefined());
    world.answer = () => ok;
    expect(await service.retry(settings.id, 'evt_2')).toMatchObject({ state: 'delivered', attempts: 2 });
    await vi.waitFor(() => expect(service.get(settings.id)?.state).toBe('active'));

    await stores.events.trim(1);
    await expect(service.retry(settings.id, 'evt_1')).rejects.toThrow('not kept');
    expect(await service.retry(settings.id, 'evt_99')).toBeUndefined();
  });

  test('changes the secret, and both sign for a day', async () => {
    const { service, happen, sent, delivered, clock } = await open();
    const { settings } = await service.create(input);
    const signatures = async (count: number) => {
      await happen('expired', 'a');
      await delivered(count);
      return sent.at(-1)?.headers['webhook-signature']?.split(' ').length;
    };
    expect(await signatures(1)).toBe(1);
    const rotated = await service.rotate(settings.id);
    expect(rotated?.settings.secret).not.toBe(settings.secret);
    expect(await signatures(2)).toBe(2);
    clock.advance(day);
    expect(await signatures(3)).toBe(1);
  });

  test('of a tenant is told of its devices alone, also of what is sent once more', async () => {
    const { service, stores, happen, read, clock, sent, ids } = await open();
    await stores.registrations.register(aRegistration('mine'), 'acme');
    await stores.registrations.register(aRegistration('theirs'), 'other');
    const { settings } = await service.create({ ...input, types: [...input.types, 'readings'] }, 'acme');
    expect(settings.tenant).toBe('acme');
    for (const endpoint of ['theirs', 'mine', 'nobody', undefined]) await happen('expired', endpoint);
    await read('theirs', 1);
    await read('mine', 2);
    await vi.waitFor(() => {
      clock.advance(200);
      expect(ids()).toEqual(['evt_2', 'log_2-2']);
    });
    await vi.waitFor(async () => {
      expect(await stores.webhooks.delivery(settings.id, 'log_2-2')).toMatchObject({ state: 'delivered' });
    });
    expect(JSON.stringify(sent)).not.toContain('theirs');
    await service.retry(settings.id, 'evt_2');
    await service.retry(settings.id, 'log_2-2');
    expect(ids()).toEqual(['evt_2', 'log_2-2', 'evt_2', 'log_2-2']);
    await stores.devices.setTenant('mine', 'other');
    await expect(service.retry(settings.id, 'evt_2')).rejects.toThrow('not kept');
    await expect(service.retry(settings.id, 'log_2-2')).rejects.toThrow('not kept');
  });

  test('of a tenant leave room for those of others', async () => {
    const { service } = await open();
    for (let i = 0; i < 20; i++) await service.create(input, 'acme');
    await expect(service.create(input, 'acme')).rejects.toThrow('20 webhooks');
    await expect(service.create(input, 'other')).resolves.toMatchObject({ settings: { tenant: 'other' } });
    await expect(service.create(input)).resolves.toBeDefined();
  });

  test('tries a webhook out, in whatever state it is', async () => {
    const { world, service, sent } = await open();
    const { settings } = await service.create({ ...input, enabled: false });
    expect(await service.test(settings.id)).toMatchObject({ type: 'test', state: 'delivered', status: 200 });
    world.answer = () => broken;
    expect(await service.test(settings.id)).toMatchObject({ state: 'failed', reason: 'answered 500' });
    expect(sent[0]?.body).toMatchObject({ type: 'test', data: { webhook: { name: 'Hook' } } });
    expect(await service.test('nothing')).toBeUndefined();
    expect(service.get(settings.id)?.state).toBe('paused');
  });

  test.each(['ftp://x/', 'http://user:pass@x/', 'x', 'file:///etc/passwd'])('is refused %s', async (url) => {
    const { service } = await open();
    await expect(service.create({ ...input, url })).rejects.toThrow('url');
  });
});
