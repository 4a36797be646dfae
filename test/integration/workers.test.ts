import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiCluster, ApiDevicePage } from '../../server/api/schemas.ts';
import { PortSharers } from '../support/port-sharers.ts';
import { until } from '../support/until.ts';

const MODEMS = 10;
const LIMIT = 60_000;

let sharers: PortSharers;
afterEach(() => sharers.close());

/** Processes that a process has started. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

/** Until each modem has had something acknowledged from now on. */
async function readingsGoOn(): Promise<void> {
  const before = sharers.modems.map(({ port }) => port.acknowledged.length);
  await until(
    'readings go on',
    () => sharers.modems.every(({ port }, i) => port.acknowledged.length > (before[i] ?? 0)),
    2 * LIMIT,
  );
}

async function nodesUp(): Promise<string[]> {
  const { nodes } = await sharers.api.get<ApiCluster>('/api/cluster');
  return nodes
    .filter(({ state }) => state === 'up')
    .map(({ name }) => name)
    .sort();
}

async function takes(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

describe('--workers 2', () => {
  it(
    'is two nodes on one port; one that is killed with -9 is there again under its name, and nothing acknowledged is lost',
    async () => {
      sharers = await PortSharers.open();
      const server = await sharers.startServer('--workers', '2', '--node', 'here');
      expect(await nodesUp()).toEqual(['here-1', 'here-2']);
      for (let index = 0; index < MODEMS; index++) await sharers.startModem();
      await readingsGoOn();

      for (const _round of [1, 2]) {
        const [victim, other] = childrenOf(server.pid) as [number, number];
        process.kill(victim, 'SIGKILL');
        await until('another one is there', () => {
          const now = childrenOf(server.pid);
          return now.length === 2 && !now.includes(victim);
        });
        expect(childrenOf(server.pid)).toContain(other);
        await readingsGoOn();
        await until('both are up', async () => (await nodesUp()).length === 2, LIMIT);
        expect(await nodesUp()).toEqual(['here-1', 'here-2']);
      }

      const { total } = await sharers.api.get<ApiDevicePage>('/api/devices?state=registered');
      expect(total).toBe(MODEMS);
      expect(sharers.modems.map(({ registrations }) => registrations)).toEqual(sharers.modems.map(() => 1));
      expect(await server.kill('SIGTERM')).toBe(0);
      expect(await takes(sharers.httpPort)).toBe(false);
      expect(await sharers.discrepancies()).toEqual([]);
    },
    8 * LIMIT,
  );

  it(
    'leaves nothing behind on its ports where the one who started them is killed',
    async () => {
      sharers = await PortSharers.open();
      const server = await sharers.startServer('--workers', '2', '--node', 'here');
      expect(await takes(sharers.httpPort)).toBe(true);
      await server.kill('SIGKILL');
      await until('the port is free', async () => !(await takes(sharers.httpPort)), LIMIT);
      // Its names are free at once, for both have said goodbye.
      await sharers.startServer('--workers', '2', '--node', 'here');
      expect(await nodesUp()).toEqual(['here-1', 'here-2']);
    },
    4 * LIMIT,
  );

  it('says once what is wrong', async () => {
    sharers = await PortSharers.open();
    await sharers.redis.kill();
    await expect(sharers.startServer('--workers', '2')).rejects.toThrow(/it ended before it printed/);
    const { output } = sharers.servers.at(-1) ?? { output: '' };
    expect(output.match(/^simyard: /gm)).toHaveLength(1);
    expect(await sharers.servers.at(-1)?.exit()).toBe(1);
  });
});
