import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../../../scripts/requirements.ts';
import { root } from '../../../scripts/root.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { pythonWithPeers } from '../../support/python-peers.ts';
import { ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import { ServerProcess } from '../support/server-process.ts';

/** As hooks.py knows them. */
const endpoints = ['fuzzed-1', 'fuzzed-2', 'fuzzed-leaver'];
const folder = fileURLToPath(new URL('fuzz', import.meta.url));

describe.skipIf(!isInstalled('python3'))('the API, fuzzed by its own document', () => {
  let server: ServerProcess;
  const modems: ProjectProcess[] = [];

  beforeAll(async () => {
    server = await ServerProcess.start();
    for (const endpoint of endpoints) {
      modems.push(
        new ProjectProcess('client/main.ts', [
          ...['--server', `coap://${server.coap}`, '--endpoint', endpoint, '--state', ':memory:'],
        ]),
      );
    }
    await until('the modems are registered', async () => {
      const { body } = await server.call('GET', '/api/server');
      return (body as { devices: { registered: number } }).devices.registered === endpoints.length;
    });
  });

  afterAll(async () => {
    for (const modem of modems) await modem.kill('SIGTERM');
    await server?.stop();
  });

  // A hundred routes, each some dozens of times: half a minute on a machine of its own.
  test('answers everything, with no 5xx and nothing that the document does not promise', {
    timeout: 400_000,
  }, async () => {
    const python = pythonWithPeers();
    const reports = join(root, 'test-results', 'schema-fuzz');
    rmSync(reports, { recursive: true, force: true });
    mkdirSync(reports, { recursive: true });
    const { code, output } = await runToEnd(
      join(dirname(python), 'schemathesis'),
      ['--config-file', join(folder, 'schemathesis.toml'), 'run', server.url('/openapi.json')],
      { cwd: reports, env: { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' } },
    );
    expect(code, output.slice(-20_000)).toBe(0);
    const cases = Number(/^\s*(\d+) generated/m.exec(output)?.[1]);
    expect(cases).toBeGreaterThan(2_000);
    // The fuzz has come through to the devices, and has not just been refused.
    const metrics = await (await fetch(server.url('/metrics'))).text();
    const route = 'route="/api/devices/:endpoint/objects/*",status="200"';
    expect(metrics).toContain(`method="GET",${route}`);
    expect(server.log()).not.toContain('"level":50');
  });
});
