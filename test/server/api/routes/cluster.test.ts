import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { singleNode } from '../../../../server/cluster/single-node.ts';
import { loadConfig } from '../../../../server/config.ts';
import { StoreUnavailableError } from '../../../../server/ports/errors.ts';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeEach(async () => {
  api = await ApiHarness.open();
});
afterEach(() => api.close());

describe('GET /api/cluster', () => {
  test('tells the node that answers, its devices and its load', async () => {
    await api.register('m-1');
    await api.register('m-2');
    const { status, body } = await api.call('GET', '/api/cluster');
    expect(status).toBe(200);
    expect(body.nodes).toEqual([
      {
        name: 'n1',
        version: '1.2.3',
        startedAt: 1_767_225_600_000,
        state: 'up',
        coap: 'coap://127.0.0.1:5683',
        http: 'http://127.0.0.1:8080',
        devices: 2,
        cores: expect.any(Number),
        load: { cpu: 0.25, memory: 100_000_000, eventLoopDelay: 1.5 },
        self: true,
      },
    ]);
    expect(body.store).toEqual({
      description: api.stores.description,
      durable: false,
      ready: true,
      lag: 0,
    });
  });

  test('tells that the store does not answer, and why, and does not fail with it', async () => {
    const cluster = singleNode({
      stores: {
        ...api.stores,
        check: () => Promise.reject(new StoreUnavailableError('the disk is full')),
        size: async () => 4096,
      },
      load: { read: () => ({ cpu: 0, memory: 1, eventLoopDelay: 0 }) },
      lag: () => 7,
      node: { name: 'n', version: '1', startedAt: 0, coap: 'coap://[::1]:5683' },
      http: () => 'http://[::1]:8080',
    });
    expect(await cluster.store()).toEqual({
      description: api.stores.description,
      durable: false,
      ready: false,
      reason: 'the disk is full',
      size: 4096,
      lag: 7,
    });
  });
});

describe('GET /api/server/settings', () => {
  test('tells every setting with what it is set to', async () => {
    const settings = loadConfig({ SIMYARD_HTTP_PORT: '9000', SIMYARD_NODE: '' }, [
      '--coap-port',
      '9001',
    ]).inForce;
    const set = await ApiHarness.open({ settings });
    const { body } = await set.call('GET', '/api/server/settings');
    const of = (name: string) => body.items.find((item: { name: string }) => item.name === name);
    expect(of('SIMYARD_HTTP_PORT')).toMatchObject({
      value: '9000',
      default: '8080',
      given: true,
      flag: 'http-port',
    });
    expect(of('SIMYARD_COAP_PORT')).toMatchObject({ value: '9001', default: '5683', given: true });
    expect(of('SIMYARD_NODE')).toMatchObject({ value: null, default: null, given: false, secret: false });
    await set.close();
  });

  test('keeps the values of secrets back', async () => {
    const setting = { name: 'X', flag: 'x', default: undefined, meaning: 'A key.', given: true };
    const set = await ApiHarness.open({ settings: [{ ...setting, value: 'hunter2', secret: true }] });
    const { text, body } = await set.call('GET', '/api/server/settings');
    expect(body.items).toEqual([{ ...setting, value: null, default: null, secret: true }]);
    expect(text).not.toContain('hunter2');
    await set.close();
  });

  test('takes no setting for harmless that may hold a secret', () => {
    // Names that sound like it: an address for browsers, the name of a file.
    const harmless = ['SIMYARD_PUBLIC_URL', 'SIMYARD_SERVER_KEY'];
    for (const { name, secret } of loadConfig({}, []).inForce) {
      if (!/TOKEN|SECRET|PASSWORD|KEY|_URL$/.test(name)) continue;
      expect([name, secret]).toEqual([name, !harmless.includes(name)]);
    }
  });
});
