import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';
import { isSigned, Receiver } from '../../../support/webhooks/receiver.ts';

let api: ApiHarness;
let receiver: Receiver;
beforeEach(async () => {
  api = await ApiHarness.open();
  receiver = await Receiver.open();
});
afterEach(async () => {
  await api.close();
  await receiver.close();
});

const create = (change: object = {}) =>
  api.call('POST', '/api/webhooks', {
    payload: { name: 'Hook', url: receiver.url, types: ['expired'], ...change },
  });

async function happen(type: string, endpoint: string): Promise<void> {
  const event = { type, endpoint, at: 1_767_225_600_000, data: {} };
  const [id = 0] = await api.stores.events.append([event]);
  api.hub.publishEvent({ ...event, id });
}

describe('webhooks', () => {
  test('one that is made tells its secret, and no other answer does, nor the log', async () => {
    const made = await create();
    expect(made.status).toBe(201);
    const { secret, id } = made.body;
    expect(made.headers.location).toBe(`/api/webhooks/${id}`);
    expect(secret).toMatch(/^whsec_/);
    const rotated = await api.call('POST', `/api/webhooks/${id}/secret`);
    expect(rotated.body.secret).not.toBe(secret);
    await api.call('POST', `/api/webhooks/${id}/test`);
    const payload = { name: 'Other', url: receiver.url, types: ['expired'] };
    const texts = [
      (await api.call('GET', '/api/webhooks')).text,
      (await api.call('GET', `/api/webhooks/${id}`)).text,
      (await api.call('PUT', `/api/webhooks/${id}`, { payload })).text,
      (await api.call('GET', `/api/webhooks/${id}/deliveries`)).text,
      JSON.stringify(api.log),
      JSON.stringify(await api.stores.events.read({ after: 0, limit: 100 })),
    ];
    for (const text of texts) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(rotated.body.secret);
      expect(text).not.toContain('whsec_');
    }
  });

  test('one that goes to its own test does not go round', async () => {
    const base = await api.base();
    const { id } = (await create({ enabled: false })).body;
    const url = `${base}/api/webhooks/${id}/test`;
    const payload = { name: 'Round', url, types: ['expired'], enabled: false };
    expect((await api.call('PUT', `/api/webhooks/${id}`, { payload })).status).toBe(200);
    const test = (await api.call('POST', `/api/webhooks/${id}/test`)).body;
    expect(test).toMatchObject({ state: 'failed', reason: 'answered 400' });
  });

  test('messages are signed, with both secrets after a rotation, and are listed as deliveries', async () => {
    const { id, secret } = (await create()).body;
    const next = (await api.call('POST', `/api/webhooks/${id}/secret`)).body.secret;
    await happen('expired', 'modem-1');
    const [message] = await receiver.received(1);
    if (message === undefined) throw new Error('nothing came');
    expect([isSigned(message, secret), isSigned(message, next), isSigned(message, 'whsec_AAAA')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(message.body).toMatchObject({ type: 'expired', data: { endpoint: 'modem-1' } });
    await vi.waitFor(async () => {
      const { items } = (await api.call('GET', `/api/webhooks/${id}/deliveries?state=delivered`)).body;
      expect(items).toMatchObject([{ id: 'evt_1', type: 'expired', endpoint: 'modem-1', status: 204 }]);
    });
    const again = await api.call('POST', `/api/webhooks/${id}/deliveries/evt_1/retry`);
    expect([again.status, again.body.attempts, receiver.ids]).toEqual([200, 2, ['evt_1', 'evt_1']]);
    expect((await api.call('GET', `/api/webhooks/${id}`)).body).toMatchObject({
      state: 'active',
      lag: 0,
      failures: 0,
    });
  });

  test('trying one out tells what was wrong', async () => {
    const { id } = (await create()).body;
    receiver.answer = () => 503;
    const tried = await api.call('POST', `/api/webhooks/${id}/test`);
    expect([tried.status, tried.body.state, tried.body.status]).toEqual([200, 'failed', 503]);
    const forbidden = (await create({ url: 'http://169.254.169.254/latest/meta-data' })).body;
    const refused = (await api.call('POST', `/api/webhooks/${forbidden.id}/test`)).body;
    expect(refused.reason).toContain('SIMYARD_WEBHOOK_ALLOW');
  });

  test('what is no webhook, type, URL, state or delivery is refused', async () => {
    const { id } = (await create()).body;
    const status = async (...args: Parameters<ApiHarness['call']>) => {
      const { status: code, body } = await api.call(...args);
      return `${code} ${body.code}`;
    };
    expect(await status('GET', '/api/webhooks/x')).toBe('404 unknown_webhook');
    expect(await status('DELETE', '/api/webhooks/x')).toBe('404 unknown_webhook');
    expect(await status('POST', '/api/webhooks/x/test')).toBe('404 unknown_webhook');
    expect(await status('POST', '/api/webhooks/x/secret')).toBe('404 unknown_webhook');
    expect(await status('GET', '/api/webhooks/x/deliveries')).toBe('404 unknown_webhook');
    expect(await status('POST', `/api/webhooks/${id}/deliveries/x/retry`)).toBe('404 unknown_delivery');
    expect(await status('GET', `/api/webhooks/${id}/deliveries?state=lost`)).toBe('400 invalid_request');
    for (const change of [{ types: ['nothing'] }, { url: 'ftp://x' }]) {
      const { status: code, body } = await create(change);
      expect(`${code} ${body.code}`).toBe('400 invalid_request');
    }
    for (const change of [{ types: [] }, { name: '' }, { secret: 'mine' }]) {
      expect((await create(change)).body.code).toBe('validation_failed');
    }
  });

  test('one that is removed is told nothing more', async () => {
    const { id } = (await create()).body;
    expect((await api.call('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
    await create({ name: 'Another' });
    await happen('expired', 'a');
    expect(await receiver.received(1)).toHaveLength(1);
    expect((await api.call('GET', '/api/webhooks')).body.items).toHaveLength(1);
  });
});
