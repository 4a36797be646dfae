import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiCommand, ApiProblem } from '../../../server/api/schemas.ts';
import { ServerWorld } from '../../support/server-world.ts';

let world: ServerWorld;
beforeEach(async () => {
  world = await ServerWorld.open(undefined, ':memory:', [
    '--waiting-max-count',
    '3',
    '--waiting-max-bytes',
    '1048576',
  ]);
  const device = world.device('192.0.2.1:1', 'away');
  await device.register('</3/0>', ['lt=300', 'lwm2m=1.1', 'b=U', 'Q']);
  device.endpoint.close();
  await world.pass(120_000);
});
afterEach(() => world.close());

async function post(path: string, body: object): Promise<{ status: number; body: ApiProblem & ApiCommand }> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await world.wait(fetch(`${world.server.httpAddress}${path}`, init));
  return { status: answer.status, body: (await world.wait(answer.json())) as ApiProblem & ApiCommand };
}

describe('what waits for one device', () => {
  const reboot = { operation: 'execute', path: '/3/0/4' };
  const hold = (body: object) => post('/api/devices/away/requests', body);

  it('is bounded by number, and the refusal says what helps', async () => {
    for (let i = 0; i < 3; i++) expect((await hold(reboot)).status).toBe(202);
    const refused = await hold(reboot);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect(refused.body.detail).toMatch(/3 commands of \d+ bytes wait for 'away'.*DELETE/);
    const { items } = await world.api.get<{ items: ApiCommand[] }>('/api/devices/away/commands');
    await world.api.delete(`/api/commands/${items[0]?.id}`);
    expect((await hold(reboot)).status).toBe(202);
  });

  it('is bounded by its content', async () => {
    const large = { operation: 'write', path: '/3/0/14', value: 'x'.repeat(900_000) };
    expect((await hold(large)).status).toBe(202);
    expect(await hold(large)).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect((await hold(reboot)).status).toBe(202);
  });
});
