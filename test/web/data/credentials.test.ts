import { describe, expect, test } from 'vitest';
import { credentialEventWords, refusalEventWords } from '../../../web/data/credential-words.ts';
import {
  type CredentialForm,
  credentialOfForm,
  credentialQuery,
  emptyCredential,
  exportHref,
  importWords,
  parseCredentialFilter,
  stateWords,
} from '../../../web/data/credentials.ts';

describe('the filter of the credentials', () => {
  test.each([
    ['', { search: '', account: '', state: '' }],
    [
      'search=meter&account=bootstrap&state=revoked',
      { search: 'meter', account: 'bootstrap', state: 'revoked' },
    ],
    ['account=x&state=y', { search: '', account: '', state: '' }],
  ] as const)('of %j', (query, filter) => {
    expect(parseCredentialFilter(query)).toEqual(filter);
    expect(parseCredentialFilter(credentialQuery(filter))).toEqual(filter);
  });

  test('is that of the export', () => {
    const filter = { search: 'a b', account: '', state: 'active' } as const;
    expect(exportHref(filter)).toBe('/api/credentials-export?search=a+b&state=active');
    expect(exportHref({ search: '', account: '', state: '' })).toBe('/api/credentials-export');
  });
});

describe('the form of a credential', () => {
  const form = (change: Partial<CredentialForm>) => credentialOfForm({ ...emptyCredential, ...change });

  test('leaves to the server what is not filled in', () => {
    expect(form({ endpoint: ' meter-1 ' })).toEqual({
      body: { endpoint: 'meter-1', type: 'psk', account: 'server' },
      faults: new Map(),
    });
  });

  test('takes a key as people write one', () => {
    const { body, faults } = form({ endpoint: 'a', identity: 'id', key: '00:ff AB' });
    expect(body).toMatchObject({ identity: 'id', key: '00ffAB' });
    expect(faults.size).toBe(0);
  });

  test('sends of each type what is its own', () => {
    const all = { endpoint: 'a', identity: 'id', key: '00', publicKey: 'PEM', certificate: 'CERT' };
    expect(form({ ...all, type: 'rpk' }).body).toEqual({
      endpoint: 'a',
      type: 'rpk',
      account: 'server',
      publicKey: 'PEM',
    });
    expect(form({ ...all, type: 'x509' }).body).toEqual({
      endpoint: 'a',
      type: 'x509',
      account: 'server',
      identity: 'id',
      certificate: 'CERT',
    });
  });

  test.each([
    [{}, 'endpoint'],
    [{ endpoint: 'x'.repeat(256) }, 'endpoint'],
    [{ endpoint: 'a', identity: 'ü'.repeat(65) }, 'identity'],
    [{ endpoint: 'a', key: '0' }, 'key'],
    [{ endpoint: 'a', key: 'zz' }, 'key'],
    [{ endpoint: 'a', key: '00'.repeat(65) }, 'key'],
    [{ endpoint: 'a', type: 'rpk' }, 'publicKey'],
  ] as const)('says what is to be mended in %j', (change, field) => {
    expect([...form(change).faults.keys()]).toEqual([field]);
  });
});

describe('credentials in words', () => {
  test.each([
    [{ state: 'active' }, 'never used'],
    [{ state: 'active', usedAt: 5 }, 'active'],
    [{ state: 'active', usedAt: 5, validUntil: 11 }, 'being replaced'],
    [{ state: 'active', usedAt: 5, validUntil: 10 }, 'expired'],
    [{ state: 'revoked', usedAt: 5, validUntil: 11 }, 'revoked'],
  ] as const)('%j is %s', (credential, word) => {
    expect(stateWords(credential, 10).word).toBe(word);
  });

  test.each([
    [
      { dryRun: true, imported: 3, unchanged: 1, errors: 2 },
      '3 devices can be enrolled, 1 is there already, 2 rows are bad',
    ],
    [{ dryRun: true, imported: 1, unchanged: 0, errors: 1 }, '1 device can be enrolled, 1 row is bad'],
    [{ dryRun: false, imported: 1, unchanged: 2, errors: 0 }, '1 device was enrolled, 2 are there already'],
    [{ dryRun: false, imported: 2, unchanged: 0, errors: 0 }, '2 devices were enrolled'],
  ])('%j is told', ({ errors, ...result }, words) => {
    const bad = Array.from({ length: errors }, (_, line) => ({ line, reason: 'x' }));
    expect(importWords({ ...result, rows: 9, errors: bad, ignoredColumns: [] })).toBe(words);
  });

  test('what happened to them, and who was not let in', () => {
    expect(credentialEventWords({ change: 'revoked', identity: 'id', account: 'bootstrap' })).toEqual({
      title: 'Credential revoked',
      detail: 'id · at bootstrap servers',
      tone: 'waiting',
    });
    expect(credentialEventWords({ change: 'imported', count: 2 })).toMatchObject({
      title: 'Imported',
      detail: '2 devices',
    });
    expect(refusalEventWords({ reason: 'wrong_key', address: '192.0.2.1:5' })).toEqual({
      title: 'Not let in',
      detail: 'the key is not the one · from 192.0.2.1:5',
      tone: 'bad',
    });
  });
});
