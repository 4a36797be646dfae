import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ChainRules, verifyChain } from '../../../../protocol/dtls/certificates/chain.ts';
import { ExtendedKeyUsage } from '../../../../protocol/dtls/certificates/extensions.ts';
import { endpointNames, isForHost } from '../../../../protocol/dtls/certificates/names.ts';
import { unhex } from '../../../support/coap/raw-peer.ts';
import {
  type CertificateRecipe,
  makeCertificate,
  makeKeyPair,
} from '../../../support/dtls/make-certificate.ts';

const root = { subject: 'root', key: makeKeyPair() };
const middle = { subject: 'middle', key: makeKeyPair() };
const lower = { subject: 'lower', key: makeKeyPair() };
const device = makeKeyPair();
const stranger = { subject: 'root', key: makeKeyPair() };

const rootCertificate = (recipe: Partial<CertificateRecipe> = {}) =>
  makeCertificate({ ...root, authority: true, keyUsage: 0x06, ...recipe });
const middleCertificate = (recipe: Partial<CertificateRecipe> = {}) =>
  makeCertificate({ ...middle, issuer: root, authority: true, keyUsage: 0x06, ...recipe });
const leaf = (recipe: Partial<CertificateRecipe> = {}) =>
  makeCertificate({ subject: 'device-1', key: device, issuer: root, keyUsage: 0x80, ...recipe });

const now = Date.now();
const verdict = (
  chain: readonly Uint8Array[],
  anchors: readonly Uint8Array[] = [rootCertificate()],
  rules: Partial<ChainRules> = {},
) =>
  verifyChain(chain, {
    anchors: anchors.map((der) => new X509Certificate(der)),
    now,
    purpose: 'client',
    ...rules,
  }).problem;

describe('a chain of certificates is good', () => {
  test('where a trusted authority has issued it', () => {
    expect(verdict([leaf()])).toBeUndefined();
    expect(verdict([leaf({ hash: 'sha384' })])).toBeUndefined();
  });
  test('over an authority between them, with the root sent along or not', () => {
    const chain = [leaf({ issuer: middle }), middleCertificate()];
    expect(verdict(chain)).toBeUndefined();
    expect(verdict([...chain, rootCertificate()])).toBeUndefined();
  });
  test('where the authority between is the one that is trusted', () => {
    expect(verdict([leaf({ issuer: middle })], [middleCertificate()])).toBeUndefined();
  });
  test('where of two certificates of an authority one has run out', () => {
    const anchors = [rootCertificate({ validTo: now - 1 }), rootCertificate()];
    expect(verdict([leaf()], anchors)).toBeUndefined();
    expect(verdict([leaf()], [...anchors].reverse())).toBeUndefined();
  });
  test('with the purpose that is needed, or with any', () => {
    const { CLIENT, SERVER, ANY } = ExtendedKeyUsage;
    expect(verdict([leaf({ extendedKeyUsage: [SERVER, CLIENT] })])).toBeUndefined();
    expect(verdict([leaf({ extendedKeyUsage: [ANY] })])).toBeUndefined();
  });
});

describe('a chain of certificates is refused', () => {
  const cases: readonly (readonly [name: string, problem: string, () => string | undefined])[] = [
    ['without a certificate', 'no certificate', () => verdict([])],
    ['with bytes that are none', 'cut short', () => verdict([unhex('00')])],
    ['with nobody trusted', 'no trusted authority', () => verdict([leaf()], [])],
    [
      'of an authority that has the same name and another key',
      'no trusted authority',
      () => verdict([leaf({ issuer: stranger })]),
    ],
    [
      'signed by itself',
      'no trusted authority',
      () => verdict([leaf({ issuer: { subject: 'device-1', key: device } })]),
    ],
    ['before its time', 'not valid before', () => verdict([leaf({ validFrom: now + 5_000 })])],
    ['after its time', 'was valid until', () => verdict([leaf({ validTo: now - 5_000 })])],
    [
      'of an authority after its time',
      'of its issuer: it was valid until',
      () => verdict([leaf()], [rootCertificate({ validTo: now - 5_000 })]),
    ],
    [
      'over another device’s certificate',
      'the chain is broken',
      () => verdict([leaf({ issuer: middle }), makeCertificate({ ...middle, issuer: root, keyUsage: 0x80 })]),
    ],
    [
      'over one that says that it is no authority',
      'its issuer is no authority',
      () => verdict([leaf({ issuer: middle }), middleCertificate({ authority: false })]),
    ],
    [
      'over one whose key may not sign certificates',
      'the chain is broken',
      () => verdict([leaf({ issuer: middle }), middleCertificate({ keyUsage: 0x80 })]),
    ],
    ['with one of the chain missing', 'no trusted authority', () => verdict([leaf({ issuer: middle })])],
    [
      'with another one in its place',
      'the chain is broken',
      () => verdict([leaf({ issuer: middle }), makeCertificate({ ...lower, issuer: root, authority: true })]),
    ],
    [
      'longer than the root allows',
      'longer than an authority allows',
      () => verdict([leaf({ issuer: middle }), middleCertificate()], [rootCertificate({ pathLength: 0 })]),
    ],
    [
      'longer than an authority between allows',
      'longer than an authority allows',
      () =>
        verdict([
          leaf({ issuer: lower }),
          makeCertificate({ ...lower, issuer: middle, authority: true }),
          middleCertificate({ pathLength: 0 }),
        ]),
    ],
    ['whose key may not sign', 'may not sign', () => verdict([leaf({ keyUsage: 0x08 })])],
    [
      'of a server where a client is wanted',
      'not for a client',
      () => verdict([leaf({ extendedKeyUsage: [ExtendedKeyUsage.SERVER] })]),
    ],
    [
      'of a client where a server is wanted',
      'not for a server',
      () =>
        verdict([leaf({ extendedKeyUsage: [ExtendedKeyUsage.CLIENT] })], undefined, { purpose: 'server' }),
    ],
    [
      'with a critical extension that is not understood',
      '2.5.29.30',
      () => verdict([leaf({ extensions: [['2.5.29.30', true, unhex('3000')]] })]),
    ],
    [
      'with a time that is none',
      'not valid before',
      () => verdict([leaf({ times: ['20260000000000Z', '20991332256199Z'] })]),
    ],
    [
      'with an end that is none',
      'valid until',
      () => verdict([leaf({ times: ['20200101000000Z', '20991332256199Z'] })]),
    ],
    [
      'over an authority whose key is none',
      'the chain is broken',
      () =>
        verdict([
          leaf({ issuer: middle }),
          middleCertificate({ spki: unhex('3018301306072a8648ce3d020106082a8648ce3d030107030100') }),
        ]),
    ],
    ['signed over SHA-1', 'no trusted authority', () => verdict([leaf({ hash: 'sha1' })])],
  ];
  for (const [name, problem, run] of cases) {
    test(name, () => expect(run()).toContain(problem));
  }

  test('with any one byte of it changed', () => {
    const good = leaf();
    for (let at = 0; at < good.length; at++) {
      const forged = Uint8Array.from(good);
      forged[at] = (forged[at] as number) ^ 0x01;
      expect(verdict([forged])).toBeDefined();
      expect(verdict([good.subarray(0, at)])).toBeDefined();
    }
  });
});

describe('names', () => {
  test('an endpoint is named by URI, DNS name or common name', () => {
    const certificate = leaf({ uris: ['urn:imei:123'], dnsNames: ['dev.example', 'device-1'] });
    expect(endpointNames(new X509Certificate(certificate))).toEqual([
      'urn:imei:123',
      'dev.example',
      'device-1',
    ]);
  });
  test('a host is named by its DNS names, and by the common name where it has none', () => {
    const named = new X509Certificate(leaf({ subject: 'other.example', dnsNames: ['a.example'] }));
    expect(isForHost(named, 'a.example')).toBe(true);
    expect(isForHost(named, 'b.example')).toBe(false);
    expect(isForHost(named, 'other.example')).toBe(false);
    const plain = new X509Certificate(leaf({ subject: 'c.example' }));
    expect(isForHost(plain, 'c.example')).toBe(true);
    expect(isForHost(plain, '127.0.0.1')).toBe(false);
    expect(isForHost(plain, '::1')).toBe(false);
  });
});
