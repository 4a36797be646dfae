import { afterEach, describe, expect, it } from 'vitest';
import type { SchemaStep } from '../../redis/schema.ts';
import type { ApiCluster, ApiCommand, ApiDevicePage } from '../../server/api/schemas.ts';
import type { RunningServer } from '../../server/main.ts';
import { PortSharers } from '../support/port-sharers.ts';
import { ApiClient } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const MODEMS = 8;
const LIMIT = 60_000;

let sharers: PortSharers;
afterEach(() => sharers.close());

/** A later version of the store has something more in it. */
const step: SchemaStep = async (redis) => {
  await redis.call((client) => client.set(redis.keys.shared('upgrade', 'added'), 'yes'));
};

/** Until each modem has had something acknowledged from now on. */
async function readingsGoOn(): Promise<void> {
  const before = sharers.modems.map(({ port }) => port.acknowledged.length);
  await until(
    'readings go on',
    () => sharers.modems.every(({ port }, i) => port.acknowledged.length > (before[i] ?? 0)),
    LIMIT,
  );
}

/** Each modem is asked by this node, whoever has it. */
async function asksAll(node: RunningServer): Promise<void> {
  const api = new ApiClient(node.httpAddress);
  for (const { name, serial } of sharers.modems) {
    expect(await api.get<{ value: unknown }>(`/api/devices/${name}/objects/3/0/2`)).toMatchObject({
      value: serial,
    });
  }
}

describe('nodes of two adjacent versions of the store, on one port', () => {
  it(
    'stand beside each other, each serving all devices, until the older one has gone; and it may come back',
    async () => {
      sharers = await PortSharers.open();
      const older = await sharers.startNode('older', []);
      for (let index = 0; index < MODEMS; index++) await sharers.startModem();
      await readingsGoOn();

      const newer = await sharers.startNode('newer', [step]);
      expect(await sharers.redis.cli('get', 'sy:{upgrade}:added')).toBe('yes\n');
      await readingsGoOn();
      await asksAll(older);
      await asksAll(newer);
      const { nodes } = await new ApiClient(older.httpAddress).get<ApiCluster>('/api/cluster');
      expect(nodes.map(({ name }) => name).sort()).toEqual(['newer', 'older']);

      await older.close();
      await readingsGoOn();
      await asksAll(newer);
      const api = new ApiClient(newer.httpAddress);
      const { id } = await api.post<ApiCommand>('/api/devices/modem-0/carrier', { carrier: 'Verizon' });
      await until(
        'the switch is done',
        async () => (await api.get<ApiCommand>(`/api/commands/${id}`)).state === 'done',
        LIMIT,
      );

      // The upgrade is taken back.
      const again = await sharers.startNode('older', []);
      await readingsGoOn();
      await newer.close();
      await readingsGoOn();
      await asksAll(again);
      const page = await new ApiClient(again.httpAddress).get<ApiDevicePage>('/api/devices?state=registered');
      expect(page.total).toBe(MODEMS);
      expect(sharers.modems.map(({ registrations }) => registrations)).toEqual(sharers.modems.map(() => 1));
      expect(await sharers.discrepancies()).toEqual([]);
    },
    5 * LIMIT,
  );
});
