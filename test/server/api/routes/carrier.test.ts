import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../../../server/ports/errors.ts';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
});
afterAll(() => api.close());

const taken = { takenAt: 1_767_225_600_000_000, receivedAt: 1_767_225_600_000_000 };

/** A modem whose Carrier object has been heard. */
async function modem(endpoint: string): Promise<string> {
  await api.register(endpoint);
  await api.stores.lastValues.set(endpoint, [
    { path: '/42769/0/0', value: 'AT&T', ...taken },
    { path: '/42769/0/1/0', value: 'AT&T', ...taken },
    { path: '/42769/0/1/1', value: 'T-Mobile', ...taken },
    { path: '/42769/0/1/2', value: 'Verizon', ...taken },
    { path: '/42769/0/7', value: '8901410321111851072', ...taken },
  ]);
  return `/api/devices/${endpoint}`;
}

describe('carrier', () => {
  test('GET tells the current carrier and what the card offers', async () => {
    const url = await modem('c1');
    const { status, body } = await api.call('GET', `${url}/carrier`);
    expect(status).toBe(200);
    expect(body.current).toBe('AT&T');
    expect(body.slots).toHaveLength(1);
    expect(body.slots[0]).toMatchObject({ slot: 0, current: 'AT&T', iccid: '8901410321111851072' });
    expect(body.slots[0].available).toContainEqual({ id: 1, name: 'T-Mobile' });
  });

  test('GET of a device that was never heard says null, of one that is not known 404', async () => {
    await api.register('silent', { links: [{ target: '/42769/0', attributes: {} }] });
    expect((await api.call('GET', '/api/devices/silent/carrier')).body.current).toBeNull();
    expect((await api.call('GET', '/api/devices/nobody/carrier')).body.code).toBe('unknown_device');
  });

  test('POST queues a command, says where it is, and the command is there', async () => {
    const url = await modem('c2');
    const posted = await api.call('POST', `${url}/carrier`, { payload: { carrier: 't-mobile' } });
    expect(posted.status).toBe(202);
    expect(posted.body).toMatchObject({
      endpoint: 'c2',
      kind: 'carrier-switch',
      state: 'queued',
      attempts: 0,
    });
    expect(posted.body.parameters).toMatchObject({ carrier: 1 });
    expect(posted.headers.location).toBe(`/api/commands/${encodeURIComponent(posted.body.id)}`);
    expect((await api.call('GET', posted.headers.location as string)).body).toEqual(posted.body);
    expect((await api.call('GET', `${url}/carrier`)).body.slots[0].command.id).toBe(posted.body.id);
  });

  test('a repetition with the same Idempotency-Key gets the same answer', async () => {
    const url = await modem('c3');
    const headers = { 'idempotency-key': 'key-1' };
    const payload = { carrier: 2 };
    const first = await api.call('POST', `${url}/carrier`, { payload, headers });
    const second = await api.call('POST', `${url}/carrier`, { payload, headers });
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.body).toEqual(first.body);
    const other = await api.call('POST', `${url}/carrier`, { payload: { carrier: 1 }, headers });
    expect([other.status, other.body.code]).toEqual([409, 'conflict']);
    const unkeyed = await api.call('POST', `${url}/carrier`, { payload });
    expect(unkeyed.status).toBe(202);
    expect(unkeyed.body.number).toBeGreaterThan(first.body.number);
  });

  test('a carrier that the card does not have is refused, with those that it has', async () => {
    const url = await modem('c4');
    const { status, body } = await api.call('POST', `${url}/carrier`, { payload: { carrier: 'Vodafone' } });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.detail).toContain('T-Mobile');
  });

  test.each([
    {},
    { carrier: '' },
    { carrier: null },
    { carrier: -1 },
    { carrier: 1.5 },
    { carrier: 'x'.repeat(101) },
    { carrier: 1, slot: '0' },
    { carrier: 1, force: true },
    [],
  ])('the body %j is refused', async (payload) => {
    const { status, body } = await api.call('POST', '/api/devices/c2/carrier', { payload });
    expect([status, body.code]).toEqual([400, 'validation_failed']);
  });

  test('an Idempotency-Key that is too long is refused', async () => {
    const headers = { 'idempotency-key': 'k'.repeat(201) };
    const answer = await api.call('POST', '/api/devices/c2/carrier', { payload: { carrier: 1 }, headers });
    expect(answer.status).toBe(400);
  });
});

describe('commands', () => {
  test('lists are newest first, by device and state, in pages', async () => {
    const url = await modem('q1');
    const ids: string[] = [];
    for (const carrier of [0, 1, 2, 1]) {
      ids.unshift((await api.call('POST', `${url}/carrier`, { payload: { carrier } })).body.id);
    }
    const first = (await api.call('GET', `${url}/commands?limit=3`)).body;
    expect(first.items.map((command: { id: string }) => command.id)).toEqual(ids.slice(0, 3));
    const rest = (await api.call('GET', `${url}/commands?limit=3&cursor=${encodeURIComponent(first.next)}`))
      .body;
    expect(rest.items.map((command: { id: string }) => command.id)).toEqual(ids.slice(3));
    expect(rest.next).toBeNull();

    await api.call('DELETE', `/api/commands/${ids[0]}`);
    const listed = async (query: string) =>
      (await api.call('GET', `/api/commands?${query}`)).body.items.map(
        (command: { id: string }) => command.id,
      );
    expect(await listed('endpoint=q1&state=cancelled')).toEqual([ids[0]]);
    expect(await listed('endpoint=q1&state=queued,sent')).toEqual(ids.slice(1));
    expect((await listed('limit=1000')).length).toBeGreaterThan(4);
    expect(await listed('endpoint=nobody')).toEqual([]);
    expect((await api.call('GET', '/api/devices/nobody/commands')).status).toBe(404);
    expect((await api.call('GET', '/api/commands?state=lost')).body.code).toBe('invalid_request');
  });

  test('a queued command can be cancelled once', async () => {
    const url = await modem('q2');
    const { body } = await api.call('POST', `${url}/carrier`, { payload: { carrier: 1 } });
    const cancelled = await api.call('DELETE', `/api/commands/${body.id}`);
    expect([cancelled.status, cancelled.body.state]).toEqual([200, 'cancelled']);
    expect(cancelled.body.history.map((step: { state: string }) => step.state)).toEqual([
      'queued',
      'cancelled',
    ]);
    const again = await api.call('DELETE', `/api/commands/${body.id}`);
    expect([again.status, again.body.code]).toEqual([409, 'conflict']);
  });

  test('one that is not there is a 404', async () => {
    expect((await api.call('GET', '/api/commands/nothing')).body.code).toBe('unknown_command');
    expect((await api.call('DELETE', '/api/commands/nothing')).body.code).toBe('unknown_command');
  });
});

test('while the store is down the answer is 503, says when to try again, and is a warning in the log', async () => {
  const own = await ApiHarness.open();
  await own.stores.close();
  own.log.length = 0;
  const { status, body, headers } = await own.call('GET', '/api/devices');
  expect([status, body.code, headers['retry-after']]).toEqual([503, 'store_unavailable', '5']);
  expect(own.log.filter(({ level }) => level >= 40).map(({ level }) => level)).toEqual([40]);
  await expect(own.stores.check()).rejects.toThrow(StoreUnavailableError);
  const health = await own.call('GET', '/healthz');
  expect([health.status, health.body.code]).toEqual([503, 'not_ready']);
  expect(health.body.detail).not.toBe('');
  await own.close();
});
