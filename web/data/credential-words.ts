import type { ApiEvent } from './api-types.ts';
import { clipped } from './names.ts';
import { counted } from './numbers.ts';

/** As an event is told (EventWords of device-events.ts). */
interface Words {
  readonly title: string;
  readonly detail: string;
  readonly tone: 'bad' | 'waiting' | 'plain';
}

const changes: Readonly<Record<string, string>> = {
  created: 'Enrolled',
  rotated: 'Given a new key',
  revoked: 'Credential revoked',
  removed: 'Credential deleted',
  used: 'Proved itself for the first time',
};

/** Why somebody was not let in, as one would say it. */
const reasons: Readonly<Record<string, string>> = {
  unknown_identity: 'nobody has the identity',
  wrong_key: 'the key is not the one',
  revoked: 'the credential was revoked',
  expired: 'the credential was replaced by another one',
  bad_certificate: 'the certificate is not taken',
  no_common_suite: 'there is no cipher suite that both have',
  malformed: 'its handshake makes no sense',
  refused: 'it was refused',
  another_endpoint: 'the name is another device’s',
  enrolled: 'it came without security, and the name has a credential',
  not_valid: 'its credential is good no more',
};

export function refusalText(data: ApiEvent['data']): string {
  const reason = String(data['reason'] ?? '');
  return reasons[reason] ?? reason;
}

/** What happened to a credential, in words. */
export function credentialEventWords(data: ApiEvent['data']): Words {
  const change = String(data['change'] ?? '');
  if (change === 'imported') {
    return { title: 'Imported', detail: counted(Number(data['count'] ?? 0), 'device'), tone: 'plain' };
  }
  const at = data['account'] === 'bootstrap' ? ' · at bootstrap servers' : '';
  return {
    title: changes[change] ?? change,
    detail: `${clipped(String(data['identity'] ?? ''), 80)}${at}`,
    tone: change === 'revoked' || change === 'removed' ? 'waiting' : 'plain',
  };
}

/** Somebody was not let in, in words. */
export function refusalEventWords(data: ApiEvent['data']): Words {
  const from = typeof data['address'] === 'string' ? ` · from ${data['address']}` : '';
  return { title: 'Not let in', detail: `${refusalText(data)}${from}`, tone: 'bad' };
}
