import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSealer, NoSecretKeyError } from '../../../server/secrets/sealer.ts';
import { KEY_FILE, openSealer, parseSecretKeys } from '../../../server/secrets/secret-keys.ts';

const secret = Buffer.from('secret');

describe('keys as texts', () => {
  const key = randomBytes(32);

  test.each(['hex', 'base64', 'base64url'] as const)('%s', (encoding) => {
    expect(Buffer.from(parseSecretKeys(key.toString(encoding))[0] ?? [])).toEqual(key);
  });

  test('several, the first first', () => {
    const other = randomBytes(32);
    const [first, second] = parseSecretKeys(`${key.toString('hex')}, ${other.toString('base64')}`);
    expect([Buffer.from(first ?? []), Buffer.from(second ?? [])]).toEqual([key, other]);
  });

  test.each(['', 'abc', 'ab'.repeat(16), `${'ab'.repeat(32)},`, 'g'.repeat(64)])('no key: %j', (text) => {
    expect(() => parseSecretKeys(text)).toThrow(RangeError);
  });

  test('what is wrong is not shown', () => {
    expect(() => parseSecretKeys(`${'ab'.repeat(32)},hunter2`)).toThrow(/^(?!.*hunter2)key 2 is not/);
  });
});

describe('what the server seals with', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-key-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('a file beside the database that its owner alone may read, made at the first start and used at the next', async () => {
    const data = join(folder, 'data');
    const sealed = (await openSealer({ keys: undefined, data })).seal(secret, 'a');
    expect(statSync(join(data, KEY_FILE)).mode & 0o777).toBe(0o600);
    expect(Buffer.from((await openSealer({ keys: undefined, data })).open(sealed, 'a'))).toEqual(secret);
  });

  test('of two that start at once both have the same', async () => {
    const [one, other] = await Promise.all([
      openSealer({ keys: undefined, data: folder }),
      openSealer({ keys: undefined, data: folder }),
    ]);
    expect(Buffer.from(other.open(one.seal(secret, 'a'), 'a'))).toEqual(secret);
  });

  test('a file that is no key ends the start with its name, and stays as it is', async () => {
    const file = join(folder, KEY_FILE);
    writeFileSync(file, 'short\n');
    await expect(openSealer({ keys: undefined, data: folder })).rejects.toThrow(file);
  });

  test('the keys of the settings go before the file', async () => {
    const key = randomBytes(32);
    const sealer = await openSealer({ keys: [key], data: folder });
    expect(Buffer.from(createSealer([key]).open(sealer.seal(secret, 'a'), 'a'))).toEqual(secret);
  });

  test('in memory a random one, another each time', async () => {
    const one = await openSealer({ keys: undefined, data: ':memory:' });
    const other = await openSealer({ keys: undefined, data: ':memory:' });
    expect(() => other.open(one.seal(secret, 'a'), 'a')).toThrow();
  });

  test('where nodes share a store there must be one', async () => {
    const sealer = await openSealer({ keys: undefined, data: undefined });
    expect(() => sealer.seal(secret, 'a')).toThrow(NoSecretKeyError);
  });
});
