import { X509Certificate } from 'node:crypto';
import { verifyChain } from '../../../protocol/dtls/certificates/chain.ts';
import { endpointNames, rawPublicKeyName } from '../../../protocol/dtls/certificates/names.ts';
import type { OwnIdentity, ServerCredentials } from '../../../protocol/dtls/types.ts';
import { type CertificateRecipe, type KeyPair, makeCertificate, makeKeyPair } from './make-certificate.ts';

/** A certificate that is good whatever time a test's clock shows. */
const always = { validFrom: 0, validTo: Date.UTC(2099, 0) };

/** An own identity with everything in it. */
export interface Identity extends OwnIdentity {
  readonly certificateChain: readonly Uint8Array[];
  readonly publicKey: Uint8Array;
  readonly pair: KeyPair;
}

/** An authority of its own, and the server and the devices that it knows. */
export class Authority {
  readonly key = makeKeyPair();
  readonly subject: string;
  readonly certificate: Uint8Array;

  constructor(subject = 'the authority') {
    this.subject = subject;
    const { key } = this;
    this.certificate = makeCertificate({ ...always, subject, key, authority: true, keyUsage: 0x06 });
  }

  /** A certificate that it has issued. */
  issue(subject: string, key: KeyPair, recipe: Partial<CertificateRecipe> = {}): Uint8Array {
    return makeCertificate({ ...always, subject, key, issuer: this, keyUsage: 0x80, ...recipe });
  }

  /** A key pair with a certificate and a raw public key. */
  identity(subject: string, recipe: Partial<CertificateRecipe> = {}): Identity {
    const pair = makeKeyPair();
    const certificate = this.issue(subject, pair, recipe);
    return { privateKey: pair.privateKey, publicKey: pair.spki, certificateChain: [certificate], pair };
  }

  /** What a server needs that takes its devices, by certificate or by raw public key. */
  credentials(
    identity: OwnIdentity,
    rawPublicKeys: readonly Uint8Array[],
    now: () => number,
  ): ServerCredentials {
    const names = new Set(rawPublicKeys.map(rawPublicKeyName));
    return {
      identity,
      rawPublicKey: (spki) => {
        const name = rawPublicKeyName(spki);
        return Promise.resolve(names.has(name) ? { kind: 'rpk', name } : undefined);
      },
      certificate: (chain) => {
        const anchors = [new X509Certificate(this.certificate)];
        const verdict = verifyChain(chain, { anchors, now: now(), purpose: 'client' });
        const [name] = verdict.problem === undefined ? endpointNames(verdict.leaf) : [];
        return Promise.resolve(name === undefined ? undefined : { kind: 'x509', name });
      },
    };
  }
}
