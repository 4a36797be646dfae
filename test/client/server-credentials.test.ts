import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../client/command-line.ts';
import { readCredentials } from '../../client/server-credentials.ts';
import type { ClientCredentials } from '../../protocol/dtls/types.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-credentials-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, contents: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
};
const shown = (credentials: ClientCredentials | undefined) =>
  credentials?.kind === 'psk'
    ? [Buffer.from(credentials.identity).toString(), Buffer.from(credentials.key).toString('hex')]
    : credentials?.kind;

describe('credentials of the command line', () => {
  test('a pre-shared key goes by the endpoint name where no identity is given', () => {
    const of = readCredentials({ key: '00FF' }, 'host');
    expect(shown(of?.({ endpoint: 'modem-1' }))).toEqual(['modem-1', '00ff']);
  });

  test('modems of a fleet differ by their names and numbers', () => {
    const of = readCredentials({ identity: 'x:{name}/{n}', key: 'aabb{n}' }, 'host');
    expect(shown(of?.({ endpoint: 'fleet-18', number: 18 }))).toEqual(['x:fleet-18/18', 'aabb00000012']);
    expect(shown(of?.({ endpoint: 'fleet-19', number: 19 }))).toEqual(['x:fleet-19/19', 'aabb00000013']);
  });

  test('a key may stand in a file', () => {
    const of = readCredentials({ identity: 'a', keyFile: file('key', 'c0ffee\n') }, 'host');
    expect(shown(of?.({ endpoint: 'e' }))).toEqual(['a', 'c0ffee']);
  });

  test('a private key alone is a raw public key', () => {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const flags = {
      privateKey: file('own.pem', own.privateKey.export({ format: 'pem', type: 'pkcs8' })),
      serverPublicKey: file('server.pem', server.publicKey.export({ format: 'pem', type: 'spki' })),
    };
    const found = readCredentials(flags, 'host')?.({ endpoint: 'e' });
    expect(found).toMatchObject({
      kind: 'rpk',
      own: { publicKey: own.publicKey.export({ format: 'der', type: 'spki' }) },
      serverPublicKey: server.publicKey.export({ format: 'der', type: 'spki' }),
    });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const wrong = file('wrong.pem', other.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    expect(() => readCredentials({ ...flags, privateKey: wrong }, 'host')).toThrow(
      'not one on the curve P-256',
    );
    expect(() => readCredentials({ ...flags, privateKey: file('none', 'x') }, 'host')).toThrow(
      'no private key',
    );
  });

  test('what is said of one server goes before what is said of all, and coap servers take none', () => {
    const line = parseCommandLine([
      ...['--server', 'coaps://a,identity=own,key=01', '--server', 'coaps://b:9', '--server', 'coap://c'],
      ...['--identity', 'all', '--key', '02'],
    ]);
    if (line === 'help') throw new Error('no help was asked for');
    expect(line.modem.servers.map(({ uri }) => uri)).toEqual([
      'coaps://a:5684',
      'coaps://b:9',
      'coap://c:5683',
    ]);
    expect(line.modem.servers.map(({ credentials }) => shown(credentials?.({ endpoint: 'e' })))).toEqual([
      ['own', '01'],
      ['all', '02'],
      undefined,
    ]);
  });
});
