export type KeyExchange = 'psk' | 'ecdhe_psk' | 'ecdhe_ecdsa';

/** How records are protected. All suites here use AES-128, and SHA-256 in the PRF. */
export type RecordCipher = 'ccm' | 'ccm_8' | 'gcm' | 'cbc_sha256';

export interface CipherSuite {
  readonly id: number;
  /** The name in IANA's registry. */
  readonly name: string;
  readonly keyExchange: KeyExchange;
  readonly cipher: RecordCipher;
}

/**
 * The suites that are spoken, in our order of preference: those with forward secrecy first, then by the length of
 * the tag. RFC 7925 §4.2 and §4.4 and OMA-TS-LightweightM2M_Transport §5.2.8 ask for TLS_PSK_WITH_AES_128_CCM_8 and
 * TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8. CBC is only chosen with encrypt-then-MAC (RFC 7366).
 */
export const cipherSuites: readonly CipherSuite[] = [
  // RFC 5289 §3.2, RFC 7251 §2
  suite(0xc02b, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ecdhe_ecdsa', 'gcm'),
  suite(0xc0ac, 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM', 'ecdhe_ecdsa', 'ccm'),
  suite(0xc0ae, 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'ecdhe_ecdsa', 'ccm_8'),
  // RFC 8442 §3
  suite(0xd001, 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256', 'ecdhe_psk', 'gcm'),
  suite(0xd005, 'TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256', 'ecdhe_psk', 'ccm'),
  suite(0xd003, 'TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256', 'ecdhe_psk', 'ccm_8'),
  // RFC 5489 §3.2
  suite(0xc037, 'TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256', 'ecdhe_psk', 'cbc_sha256'),
  // RFC 5487 §3.1, RFC 6655 §4
  suite(0x00a8, 'TLS_PSK_WITH_AES_128_GCM_SHA256', 'psk', 'gcm'),
  suite(0xc0a4, 'TLS_PSK_WITH_AES_128_CCM', 'psk', 'ccm'),
  suite(0xc0a8, 'TLS_PSK_WITH_AES_128_CCM_8', 'psk', 'ccm_8'),
  // RFC 5487 §3.2
  suite(0x00ae, 'TLS_PSK_WITH_AES_128_CBC_SHA256', 'psk', 'cbc_sha256'),
];

function suite(id: number, name: string, keyExchange: KeyExchange, cipher: RecordCipher): CipherSuite {
  return { id, name, keyExchange, cipher };
}

const byId = new Map(cipherSuites.map((entry) => [entry.id, entry]));

export function cipherSuiteOf(id: number): CipherSuite | undefined {
  return byId.get(id);
}

/** Whether the suite may be used only where both sides have encrypt-then-MAC: RFC 7366, for Lucky 13. */
export function needsEncryptThenMac(suite: CipherSuite): boolean {
  return suite.cipher === 'cbc_sha256';
}
