import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { root } from '../../../scripts/root.ts';
import { ServerWorld } from '../../support/server-world.ts';

let world: ServerWorld;
let text: string;
beforeAll(async () => {
  world = await ServerWorld.open();
  const device = world.device('10.0.0.1:40000', 'meter-with-a-name');
  await device.register('</1/0>,</3/0>');
  await device.request(Code.POST, device.location);
  await world.pass(1_000);
  text = await (await fetch(`${world.server.httpAddress}/metrics`)).text();
});
afterAll(() => world.close());

const value = (name: string): number => {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no ${name}`);
  return Number(line.split(' ').at(-1));
};

describe('GET /metrics', () => {
  test('is what docs/metrics.md says, metric by metric', () => {
    const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
    const documented = [...page.matchAll(/^\| `(simyard_\w+)` \| (\w+) \|.*\| (.+) \|$/gm)].map(
      ([, name, type, help]) => `${name} ${type} ${help}`,
    );
    const given = [...text.matchAll(/^# HELP (simyard_\w+) (.*)\n# TYPE \w+ (\w+)$/gm)].map(
      ([, name, help, type]) => `${name} ${type} ${help}`,
    );
    expect(given.sort()).toEqual(documented.sort());
  });

  test('follows the conventions: counters end in _total, and nothing else does', () => {
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
    expect(types.filter(([, name, type]) => name?.endsWith('_total') !== (type === 'counter'))).toEqual([]);
    expect(types.filter(([, name]) => /_(ms|milliseconds|kb|percent)(_|$)/.test(name ?? ''))).toEqual([]);
  });

  test('has no device in any label', () => {
    expect(text).not.toContain('meter-with-a-name');
  });

  test('counts what happened', () => {
    expect(value('simyard_devices{state="awake"}')).toBe(1);
    expect(value('simyard_events_total{type="registered"}')).toBe(1);
    expect(value('simyard_registration_duration_seconds_count{operation="register"}')).toBe(1);
    expect(value('simyard_registration_duration_seconds_count{operation="update"}')).toBe(1);
    expect(value('simyard_carrier_switches_total{outcome="ack"}')).toBe(0);
    expect(value('simyard_store_up')).toBe(1);
    expect(value('simyard_webhooks{state="active"}')).toBe(0);
  });
});
