import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
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

const endpoint = 'urn:imei:490154203237518';
const password = 'generated clients';
const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs a program to its end. @returns what it printed. @throws Error with that, where it ends other than well. */
async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const { code, output } = await runToEnd(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

/** The programs print what they saw as the last line. */
function seen(output: string): Record<string, unknown> {
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
}

describe('a client that is generated from the OpenAPI document', () => {
  let server: ServerProcess;
  let modem: ProjectProcess;
  let document: string;
  /** With which the generated clients show who they are: without one they would be refused. */
  let token: string;

  beforeAll(async () => {
    server = await ServerProcess.start(['--login', 'required', '--admin-password', password]);
    const { body: session } = await server.call('POST', '/api/login', { username: 'admin', password });
    server.bearer = (session as { readonly token: string }).token;
    const { body: made } = await server.call('POST', '/api/tokens', {
      name: 'generated',
      scopes: ['operate'],
    });
    token = (made as { readonly token: string }).token;
    modem = new ProjectProcess('client/main.ts', [
      ...['--server', `coap://${server.coap}`, '--endpoint', endpoint, '--state', ':memory:'],
    ]);
    await until('the modem is there with its readings', async () => {
      const { body } = await server.call(
        'GET',
        `/api/devices/${encodeURIComponent(endpoint)}/readings?path=/42770/1/2`,
      );
      return (body as { items?: readonly unknown[] }).items?.length ? true : undefined;
    });
    document = JSON.stringify((await server.call('GET', '/openapi.json')).body);
  });

  afterAll(async () => {
    await modem?.kill('SIGTERM');
    await server?.stop();
  });

  const expected = {
    found: [endpoint],
    battery: expect.any(Number),
    repeated: { status: 202, sameCommand: true },
    state: 'done',
    refused: { status: 404, code: 'unknown_device' },
  };

  test('in TypeScript: compiles strictly, and does the main job', async () => {
    const folder = join(root, '.cache', 'typescript-client');
    mkdirSync(folder, { recursive: true });
    for (const name of ['simyard', 'out']) rmSync(join(folder, name), { recursive: true, force: true });
    cpSync(source('typescript'), folder, { recursive: true });
    writeFileSync(join(folder, 'openapi.json'), document);
    const bin = (name: string) => join('node_modules', name);
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
    await run(process.execPath, [bin('@hey-api/openapi-ts/bin/run.js')], { cwd: folder });
    await run(process.execPath, [bin('typescript/bin/tsc'), '--project', '.'], { cwd: folder });
    const base = server.url('');
    const saw = seen(
      await run(process.execPath, ['out/main-job.js', base, endpoint, token], { cwd: folder }),
    );
    expect(saw).toMatchObject({ ...expected, period: 250_000, carrier: 'Verizon' });
    expect(saw['states']).toEqual(expect.arrayContaining(['sent', 'accepted', 'done']));
    expect((saw['readings'] as number[]).length).toBe(5);
  });

  test.skipIf(!isInstalled('python3'))('in Python: does the main job', async () => {
    const folder = join(root, '.cache', 'python-client');
    mkdirSync(folder, { recursive: true });
    const python = pythonWithPeers();
    writeFileSync(join(folder, 'openapi.json'), document);
    // The generator calls the formatter by its name.
    const env = { PATH: `${dirname(python)}:${process.env['PATH'] ?? ''}` };
    const output = await run(
      join(dirname(python), 'openapi-python-client'),
      ['generate', '--path', 'openapi.json', '--output-path', 'client', '--overwrite'],
      { cwd: folder, env },
    );
    // All that it cannot make: it has no code for object definitions, which travel as XML, nor for captures.
    const warnings = output.match(/^WARNING .*|^Unable .*/gm) ?? [];
    expect(warnings.filter((line) => !/\/api\/object-models|\/trace\/pcapng/.test(line))).toEqual([]);

    const saw = seen(
      await run(python, [source('python/main_job.py'), server.url(''), endpoint, token], {
        cwd: folder,
        env: { ...env, PYTHONPATH: join(folder, 'client') },
      }),
    );
    expect(saw).toMatchObject({ ...expected, period: 500_000, carrier: 'T-Mobile' });
    expect(saw['states']).toEqual(expect.arrayContaining(['queued', 'sent', 'accepted', 'done']));
    expect((saw['readings'] as number[]).length).toBe(5);
  });
});
