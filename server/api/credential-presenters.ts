import { rawPublicKeyName } from '../../protocol/dtls/certificates/names.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { IssuedCredential, NewCredential } from '../enrolment/credential-service.ts';
import { checkIdentityName, parseKey } from '../enrolment/identities.ts';
import { fingerprintOf, parseCertificate, parsePublicKey } from '../enrolment/public-keys.ts';
import type { CredentialSummary, EnrolmentAttributes } from '../ports/credential-store.ts';
import { Secret } from '../ports/secret.ts';
import type {
  ApiCredential,
  ApiCredentialBody,
  ApiCredentialRotationBody,
  ApiIssuedCredential,
} from './schemas.ts';

/** Nothing of a key: it is not in a summary, and what is shown is named here. */
export function presentCredential(credential: CredentialSummary): ApiCredential {
  const { endpoint, account, identity, state, createdAt, changedAt } = credential;
  const { usedAt, validUntil, tenant, attributes } = credential;
  const fingerprint = 'fingerprint' in credential ? credential.fingerprint : undefined;
  return {
    endpoint,
    account,
    type: identity.kind,
    identity: identity.name,
    state,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    createdAt,
    changedAt,
    ...(usedAt === undefined ? {} : { usedAt }),
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(tenant === undefined ? {} : { tenant }),
    ...attributes,
  };
}

/** With the key that the server has made, if it has: the one answer that a key is in. */
export function presentIssued({ credential, key }: IssuedCredential): ApiIssuedCredential {
  const shown = presentCredential(credential);
  return key === undefined ? shown : { ...shown, key: Buffer.from(key.reveal()).toString('hex') };
}

/** @throws RequestError */
export function credentialInput(body: ApiCredentialBody, tenant: string | undefined): NewCredential {
  const { endpoint, account = 'server', serialNumber, mac, imei, iccid } = body;
  const attributes: EnrolmentAttributes = {
    ...(serialNumber === undefined ? {} : { serialNumber }),
    ...(mac === undefined ? {} : { mac: mac.toUpperCase() }),
    ...(imei === undefined ? {} : { imei }),
    ...(iccid === undefined ? {} : { iccid }),
  };
  const whose = tenant ?? body.tenant;
  return {
    account,
    endpoint,
    ...proofOf(body.type, endpoint, body),
    ...(whose === undefined ? {} : { tenant: whose }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

/** @throws RequestError */
export function rotationInput(
  endpoint: string,
  body: ApiCredentialRotationBody,
): Omit<NewCredential, 'endpoint'> & { readonly grace?: number } {
  const { account = 'server', type = 'psk', graceSeconds, ...proof } = body;
  return {
    account,
    ...proofOf(type, type === 'psk' ? undefined : endpoint, proof),
    ...(graceSeconds === undefined ? {} : { grace: graceSeconds * 1000 }),
  };
}

type Proof = Pick<ApiCredentialBody, 'identity' | 'key' | 'publicKey' | 'certificate'>;

/** What only another type has must not be there: it would be passed over in silence. */
function proofOf(
  type: ApiCredentialBody['type'],
  standard: string | undefined,
  { identity, key, publicKey, certificate }: Proof,
): Pick<NewCredential, 'identity' | 'key' | 'fingerprint'> {
  const refuse = (name: string, value: unknown): void => {
    if (value !== undefined) throw new RequestError(`'${name}' is not of a credential of type ${type}`);
  };
  if (type !== 'psk') refuse('key', key);
  if (type !== 'rpk') refuse('publicKey', publicKey);
  if (type !== 'x509') refuse('certificate', certificate);
  switch (type) {
    case 'psk': {
      if (identity !== undefined) checkIdentityName(identity);
      return {
        ...(identity === undefined ? {} : { identity: { kind: 'psk', name: identity } }),
        ...(key === undefined ? {} : { key: new Secret(parseKey(key)) }),
      };
    }
    case 'rpk': {
      refuse('identity', identity);
      if (publicKey === undefined) throw new RequestError("'publicKey' is missing");
      return { identity: { kind: 'rpk', name: rawPublicKeyName(parsePublicKey(publicKey)) } };
    }
    case 'x509': {
      const name = identity ?? standard;
      if (name === undefined) throw new RequestError("'identity' is missing");
      checkIdentityName(name);
      if (certificate === undefined) return { identity: { kind: 'x509', name } };
      const parsed = parseCertificate(certificate);
      return { identity: { kind: 'x509', name }, fingerprint: fingerprintOf(parsed.raw) };
    }
  }
}
