import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { isInstalled } from '../../../scripts/requirements.ts';
import { root } from '../../../scripts/root.ts';
import { dashboards, expressionsOf } from '../../support/monitoring/dashboards.ts';
import { freePort, ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import { Receiver } from '../../support/webhooks/receiver.ts';
import { EventStream } from '../support/event-stream.ts';
import { ServerProcess } from '../support/server-process.ts';

const folder = join(root, 'monitoring/prometheus');
const MODEMS = 6;

const promtool = (args: readonly string[], input?: string) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  });
  return { status, output: stdout + stderr };
};

/** One sample of an instant vector. */
interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

describe.skipIf(!isInstalled('prometheus'))('what promtool says', () => {
  test('of the configuration and the rules: nothing, and their unit tests pass', () => {
    for (const args of [
      // The token's file is there in the container alone.
      ['check', 'config', '--syntax-only', join(folder, 'prometheus.yml')],
      ['check', 'rules', join(folder, 'alerts.yml')],
      ['test', 'rules', join(folder, 'alerts.test.yml')],
    ]) {
      const { status, output } = promtool(args);
      expect(status, output).toBe(0);
    }
  });
});

describe.skipIf(!isInstalled('prometheus'))('Prometheus beside a server with a fleet', () => {
  const data = mkdtempSync(join(tmpdir(), 'simyard-prometheus-'));
  let server: ServerProcess;
  let fleet: ProjectProcess;
  let receiver: Receiver;
  let stream: EventStream;
  let prometheus: ChildProcess;
  let base = '';

  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${base}${path}`);
    const body = (await answer.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  };
  const query = async (expression: string): Promise<Sample[]> => {
    const plain = expression
      .replaceAll('$__rate_interval', '30s')
      .replaceAll('$__range', '5m')
      .replaceAll('$instance', '.*');
    const found = await ask<{ result: Sample[] }>(`/api/v1/query?query=${encodeURIComponent(plain)}`);
    return found.result;
  };

  beforeAll(async () => {
    const token = 'prometheus'.repeat(4);
    const tokenFile = join(data, 'metrics-token');
    writeFileSync(tokenFile, token);
    server = await ServerProcess.start(['--metrics-token', token]);
    receiver = await Receiver.open();
    stream = await EventStream.open(server.url('/api/events'));
    const webhook = { name: 'Hook', url: receiver.url, types: ['registered', 'command'] };
    expect((await server.call('POST', '/api/webhooks', webhook)).status).toBe(201);

    const configuration = parse(readFileSync(join(folder, 'prometheus.yml'), 'utf8'));
    configuration.global = { scrape_interval: '1s', evaluation_interval: '1s' };
    configuration.rule_files = [join(folder, 'alerts.yml')];
    configuration.scrape_configs[0].static_configs[0].targets = [new URL(server.url('/')).host];
    configuration.scrape_configs[0].authorization.credentials_file = tokenFile;
    const file = join(data, 'prometheus.yml');
    writeFileSync(file, stringify(configuration));
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(data, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    await until('Prometheus has the server', async () => {
      const answer = await fetch(`${base}/-/ready`).catch(() => undefined);
      return answer?.ok === true && (await query('up == 1')).length === 1;
    });
    fleet = new ProjectProcess('client/main.ts', [
      '--fleet',
      '--count',
      String(MODEMS),
      '--server',
      `coap://${server.coap}`,
    ]);
    const registered = 'sum(simyard_devices{state="awake"})';
    await until(
      'the fleet is there',
      async () => (await query(`${registered} == ${MODEMS}`)).length === 1,
      60_000,
    );
    const { body } = await server.call('GET', '/api/devices?limit=1');
    const endpoint = (body as { items: { endpoint: string }[] }).items[0]?.endpoint ?? '';
    const device = `/api/devices/${encodeURIComponent(endpoint)}`;
    expect((await server.call('GET', `${device}/objects/3/0/0`)).status).toBe(200);
    expect((await server.call('POST', `${device}/carrier`, { carrier: 'T-Mobile' })).status).toBe(202);
    await until(
      'the switch is counted',
      async () => (await query('simyard_carrier_switches_total{outcome="ack"} == 1')).length === 1,
      60_000,
    );
    // Rates need two samples of what happened last.
    await until(
      'rates are there',
      async () => (await query('rate(simyard_webhook_requests_total[30s]) > 0')).length > 0,
    );
  });

  afterAll(async () => {
    stream?.close();
    await fleet?.kill('SIGKILL');
    prometheus?.kill('SIGKILL');
    await receiver?.close();
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
    rmSync(data, { recursive: true, force: true });
  });

  test('promtool finds nothing wrong with the names of the metrics', async () => {
    const text = await (await fetch(server.url('/metrics'))).text();
    const { status, output } = promtool(['check', 'metrics'], text);
    expect(output).toBe('');
    expect(status).toBe(0);
  });

  test.each(
    dashboards().flatMap((dashboard) =>
      expressionsOf(dashboard).map(
        ({ title, expression }) => [`${dashboard.title}: ${title}`, expression] as const,
      ),
    ),
  )('%s has data: %s', async (_title, expression) => {
    const samples = await query(expression);
    expect(samples.length).toBeGreaterThan(0);
    expect(samples.some(({ value }) => !Number.isNaN(Number(value[1])))).toBe(true);
  });

  test('the servers to choose from, and the marks of restarts, are found', async () => {
    for (const { annotations } of dashboards()) {
      for (const { expr } of annotations.list) if (expr !== undefined) await query(expr);
    }
    const instances = await ask<string[]>('/api/v1/label/instance/values?match[]=simyard_build_info');
    expect(instances).toEqual([new URL(server.url('/')).host]);
  });

  test('every alert is evaluated, and none fires while all is well', async () => {
    const { groups } = await ask<{
      groups: { rules: { name: string; health: string; state: string; lastError?: string }[] }[];
    }>('/api/v1/rules');
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBe(12);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });

  test('what the fleet does is what the dashboard shows', async () => {
    const number = async (expression: string) => Number((await query(expression))[0]?.value[1]);
    expect(await number('sum(simyard_devices{state=~"awake|asleep"})')).toBe(MODEMS);
    expect(await number('simyard_events_total{type="registered"}')).toBeGreaterThanOrEqual(MODEMS);
    expect(await number('sum(rate(simyard_telemetry_readings_total[30s]))')).toBeGreaterThan(1);
    expect(await number('simyard_http_event_streams')).toBe(1);
    expect(await number('simyard_webhooks{state="active"}')).toBe(1);
  });
});
