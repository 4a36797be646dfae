import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/root.ts';
import { loadConfig } from '../../server/config.ts';

interface Service {
  readonly build: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(readFileSync(join(root, 'docker-compose.single.yml'), 'utf8'), {
  uniqueKeys: true,
}) as Compose;
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const instructions = dockerfile.split('\n').map((line) => line.trim().split(/\s+/));
const server = compose.services.server;
const modem = compose.services.modem;

describe('docker-compose.single.yml', () => {
  test('starts a server and a modem', () => {
    const always = Object.entries(compose.services).filter(([, { profiles }]) => profiles === undefined);
    expect(always.map(([name]) => name)).toEqual(['server', 'modem']);
    expect(modem?.command).toContain('client/main.ts');
    expect(modem?.depends_on).toEqual({ server: { condition: 'service_healthy' } });
  });

  test('publishes on loopback only, and what the image exposes', () => {
    const exposed = instructions.find(([word]) => word === 'EXPOSE')?.slice(1);
    expect(server?.ports).toEqual(exposed?.map((port) => `127.0.0.1:${port.split('/')[0]}:${port}`));
    expect(modem?.ports).toBeUndefined();
  });

  test('gives the server settings that it takes', () => {
    const config = loadConfig(server?.environment ?? {}, []);
    expect(server?.ports).toContain(`127.0.0.1:${config.httpPort}:${config.httpPort}/tcp`);
    expect(server?.ports).toContain(`127.0.0.1:${config.coapPort}:${config.coapPort}/udp`);
    expect(modem?.command).toContain(`coap://server:${config.coapPort}`);
    expect(server?.healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${config.httpPort}/healthz`);
  });

  test('keeps the data of both in volumes of its own', () => {
    const mounted = [server, modem].flatMap((service) => service?.volumes ?? []);
    expect(mounted.map((volume) => volume.split(':')[0])).toEqual(['server-data', 'modem-data']);
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(['server-data', 'modem-data']));
    for (const volume of mounted) expect(volume.split(':')[1]).toBe('/simyard/data');
    expect(server?.environment?.SIMYARD_DATA).toBe('/simyard/data');
    expect(modem?.command?.at(-1)).toBe('/simyard/data');
  });
});

describe('the Dockerfile', () => {
  test('copies what is there, and what .dockerignore lets through', () => {
    const copied = instructions
      .filter(([word, next]) => word === 'COPY' && !next?.startsWith('--from'))
      .flatMap((words) => words.slice(1, -1));
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(allowed).toContain(`!${path}`);
    }
  });

  test('holds every folder that the server and the client import from', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    for (const folder of ['protocol', 'objects', 'redis', 'server', 'client']) {
      expect(last).toContain(`COPY ${folder} ${folder}\n`);
    }
    expect(last).toContain('web/dist web/dist');
  });

  test('runs a file of ours as a user without rights', () => {
    const command = instructions.filter(([word]) => word === 'CMD').at(-1);
    expect(JSON.parse(command?.slice(1).join(' ') ?? '')).toContain('server/main.ts');
    expect(instructions.filter(([word]) => word === 'USER').at(-1)).toEqual(['USER', 'node']);
  });

  test('takes the Node that package.json pins, by its major version', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: { node: string };
    };
    const images = instructions.filter(([word]) => word === 'FROM').map((words) => words[1]);
    for (const image of images) expect(image).toMatch(`node:${dependencies.node.split('.')[0]}-`);
  });
});
