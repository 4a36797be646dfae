import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { root } from '../../scripts/root.ts';
import { loadConfig } from '../../server/config.ts';

const folder = join(root, 'deploy/kubernetes');

// biome-ignore lint/suspicious/noExplicitAny: the schema validator of test/interop/deploy tells what it is
type Manifest = any;

function manifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(folder, file), 'utf8'), { uniqueKeys: true }).map((document) =>
    document.toJS(),
  );
}

const kustomization: Manifest = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'));
const all = (kustomization.resources as string[]).flatMap(manifests);
const find = (kind: string, name: string): Manifest =>
  all.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
const pod: Manifest = find('DaemonSet', 'simyard').spec.template.spec;
const container: Manifest = pod.containers[0];

describe('deploy/kubernetes', () => {
  test('names every file that is there, and the version that this is', () => {
    const files = readdirSync(folder).filter((file) => file !== 'kustomization.yaml');
    expect([...kustomization.resources].sort()).toEqual(files.sort());
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(kustomization.images).toEqual([{ name: container.image, newTag: version }]);
  });

  test('gives the nodes settings that they take', () => {
    const literals = kustomization.configMapGenerator[0].literals as string[];
    const common = Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s).slice(0, 2)));
    expect(container.envFrom).toEqual([{ configMapRef: { name: kustomization.configMapGenerator[0].name } }]);
    const names = (container.env as Manifest[]).map(({ name }) => name as string);
    expect(names).toContain('SIMYARD_REDIS_URL');
    const values: Readonly<Record<string, string>> = {
      SIMYARD_REDIS_URL: 'redis://redis:6379',
      SIMYARD_METRICS_TOKEN: 'a'.repeat(48),
      SIMYARD_SECRET_KEY: 'ab'.repeat(32),
    };
    const own = Object.fromEntries(names.map((name) => [name, values[name] ?? '10.0.0.7']));
    const config = loadConfig({ ...common, ...own }, []);
    const ports = (container.ports as Manifest[]).map(({ containerPort }) => containerPort);
    // Beyond the machine nobody comes without security.
    expect(config.noSec).toBe(false);
    expect(ports).toEqual([config.coapsPort, config.bootstrapsPort, config.httpPort]);
    expect(config.allowedHosts).toContain(find('Service', 'simyard-http').metadata.name);
  });

  test('has CoAP on the network of the machine, so that addresses of devices stay what they are', () => {
    expect(pod.hostNetwork).toBe(true);
    expect(pod.dnsPolicy).toBe('ClusterFirstWithHostNet');
    for (const { kind, spec } of all.filter(({ kind }) => kind === 'Service')) {
      expect(
        spec.ports.map(({ protocol = 'TCP' }: Manifest) => protocol),
        kind,
      ).not.toContain('UDP');
    }
  });

  test('does not start a node again because its Redis is away, and sends it no requests then', () => {
    expect(container.livenessProbe.tcpSocket).toBeDefined();
    expect(container.livenessProbe.httpGet).toBeUndefined();
    expect(container.readinessProbe.httpGet.path).toBe('/healthz');
  });

  test('keeps Redis durable, and its memory below the limit of its container', () => {
    const conf = find('ConfigMap', 'redis').data['redis.conf'] as string;
    expect(conf).toMatch(/^appendonly yes$/m);
    expect(conf).toMatch(/^appendfsync always$/m);
    expect(conf).toMatch(/^maxmemory-policy noeviction$/m);
    const redis: Manifest = find('StatefulSet', 'redis').spec;
    const gigabytes = (text: string): number => Number(/\d+/.exec(text)?.[0]);
    const limit = redis.template.spec.containers[0].resources.limits.memory as string;
    expect(gigabytes(limit)).toBeGreaterThanOrEqual(
      2 * gigabytes(/^maxmemory (\d+)gb$/m.exec(conf)?.[1] ?? ''),
    );
    expect(redis.volumeClaimTemplates[0].metadata.name).toBe('data');
  });

  test('mounts what there is: the secret is what docs/guides/cluster.md has one make', () => {
    const guide = readFileSync(join(root, 'docs/guides/cluster.md'), 'utf8');
    expect(guide).toContain('kubectl --namespace simyard create secret generic simyard-redis');
    expect(guide).toContain('kubectl --namespace simyard create secret generic simyard-admin');
    const keys = (container.env as Manifest[]).flatMap(({ valueFrom }) => valueFrom.secretKeyRef?.key ?? []);
    for (const key of [...keys, 'users.acl']) expect(guide).toContain(`${key}=`);
  });
});
