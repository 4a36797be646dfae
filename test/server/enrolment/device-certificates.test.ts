import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { certificateCredential } from '../../../server/enrolment/device-certificates.ts';
import { fingerprintOf } from '../../../server/enrolment/public-keys.ts';
import type { CertificateName } from '../../../server/ports/credential-store.ts';
import { aCertificate } from '../../contract/credential-store.ts';
import { Authority } from '../../support/dtls/authorities.ts';

const now = Date.UTC(2026, 5);
const ours = new Authority('ours');
const others = new Authority('others');
const authorities = [new X509Certificate(ours.certificate)];

const credential = (
  chain: readonly Uint8Array[],
  enrolled: readonly CertificateName[],
  rules: { readonly trusted?: readonly X509Certificate[]; readonly at?: number } = {},
) =>
  certificateCredential(chain, {
    authorities: rules.trusted ?? authorities,
    now: rules.at ?? now,
    find: async (name) => enrolled.find(({ identity }) => identity.name === name),
  });

describe('the credential of a certificate', () => {
  const { certificateChain } = ours.identity('meter-1');
  const own = certificateChain[0] as Uint8Array;

  test('is that of its name, where a trusted authority has issued it', async () => {
    const enrolled = aCertificate('dev', 'meter-1');
    expect(await credential(certificateChain, [enrolled])).toBe(enrolled);
    expect(await credential(certificateChain, [aCertificate('dev', 'meter-2')])).toBeUndefined();
    expect(await credential(certificateChain, [enrolled], { trusted: [] })).toBeUndefined();
    expect(await credential(others.identity('meter-1').certificateChain, [enrolled])).toBeUndefined();
  });

  test('that is pinned is of that certificate alone, whoever has issued it', async () => {
    const foreign = others.identity('meter-1').certificateChain;
    const pinned = {
      ...aCertificate('dev', 'meter-1'),
      fingerprint: fingerprintOf(foreign[0] as Uint8Array),
    };
    expect(await credential(foreign, [pinned], { trusted: [] })).toBe(pinned);
    expect(await credential(certificateChain, [pinned])).toBeUndefined();
  });

  test('is none outside the time of the certificate, pinned or not', async () => {
    const short = ours.identity('meter-1', {
      validFrom: now - 10_000,
      validTo: now + 10_000,
    }).certificateChain;
    const enrolled = aCertificate('dev', 'meter-1');
    const pinned = { ...enrolled, fingerprint: fingerprintOf(short[0] as Uint8Array) };
    for (const one of [enrolled, pinned]) {
      expect(await credential(short, [one])).toBe(one);
      expect(await credential(short, [one], { at: now + 3_600_000 })).toBeUndefined();
      expect(await credential(short, [one], { at: now - 3_600_000 })).toBeUndefined();
    }
  });

  test('is none of what is no certificate', async () => {
    const enrolled = [aCertificate('dev', 'meter-1')];
    expect(await credential([], enrolled)).toBeUndefined();
    for (const bytes of [new Uint8Array(), new Uint8Array(40).fill(0x30), own.subarray(0, own.length - 1)]) {
      expect(await credential([bytes], enrolled)).toBeUndefined();
    }
  });
});
