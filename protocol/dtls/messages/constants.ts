/** Versions as they stand on the wire: the ones' complement of TLS's (RFC 6347 §4.1). */
export const DtlsVersion = { DTLS_1_0: 0xfeff, DTLS_1_2: 0xfefd } as const;

/** Record content types: RFC 5246 §6.2.1, tls12_cid of RFC 9146 §4, return_routability_check of RFC 9853 §4. */
export const ContentType = {
  CHANGE_CIPHER_SPEC: 20,
  ALERT: 21,
  HANDSHAKE: 22,
  APPLICATION_DATA: 23,
  TLS12_CID: 25,
  RETURN_ROUTABILITY_CHECK: 27,
} as const;
export type ContentType = (typeof ContentType)[keyof typeof ContentType];

/** Handshake message types, RFC 5246 §7.4, RFC 6347 §4.3.2. */
export const HandshakeType = {
  HELLO_REQUEST: 0,
  CLIENT_HELLO: 1,
  SERVER_HELLO: 2,
  HELLO_VERIFY_REQUEST: 3,
  NEW_SESSION_TICKET: 4,
  CERTIFICATE: 11,
  SERVER_KEY_EXCHANGE: 12,
  CERTIFICATE_REQUEST: 13,
  SERVER_HELLO_DONE: 14,
  CERTIFICATE_VERIFY: 15,
  CLIENT_KEY_EXCHANGE: 16,
  FINISHED: 20,
} as const;
export type HandshakeType = (typeof HandshakeType)[keyof typeof HandshakeType];

/** Extension types that are understood; all others are passed over (RFC 5246 §7.4.1.4). */
export const ExtensionType = {
  /** RFC 6066 §3 */
  SERVER_NAME: 0,
  /** RFC 6066 §4 */
  MAX_FRAGMENT_LENGTH: 1,
  /** RFC 8422 §5.1.1 */
  SUPPORTED_GROUPS: 10,
  /** RFC 8422 §5.1.2 */
  EC_POINT_FORMATS: 11,
  /** RFC 5246 §7.4.1.4.1 */
  SIGNATURE_ALGORITHMS: 13,
  /** RFC 7250 §3 */
  CLIENT_CERTIFICATE_TYPE: 19,
  /** RFC 7250 §3 */
  SERVER_CERTIFICATE_TYPE: 20,
  /** RFC 7366 §2 */
  ENCRYPT_THEN_MAC: 22,
  /** RFC 7627 §5.1 */
  EXTENDED_MASTER_SECRET: 23,
  /** RFC 8449 §4 */
  RECORD_SIZE_LIMIT: 28,
  /** RFC 5077 §3.2 */
  SESSION_TICKET: 35,
  /** RFC 9146 §3 */
  CONNECTION_ID: 54,
  /** RFC 9853 §3 */
  RRC: 61,
  /** RFC 5746 §3.2 */
  RENEGOTIATION_INFO: 0xff01,
} as const;

/** RFC 7250 §3 and the registry of TLS certificate types. */
export const CertificateType = { X509: 0, RAW_PUBLIC_KEY: 2 } as const;
export type CertificateType = (typeof CertificateType)[keyof typeof CertificateType];

/** The only point format that is left (RFC 8422 §5.1.2). */
export const UNCOMPRESSED_POINT = 0;

/** The only compression method that is offered and taken (RFC 7925 §19). */
export const NO_COMPRESSION = 0;

/** Signalling suites of ClientHello: no ciphers. RFC 5746 §3.3, RFC 7507 §2. */
export const SignallingSuite = { EMPTY_RENEGOTIATION_INFO: 0x00ff, FALLBACK: 0x5600 } as const;

/** What a client certificate may be, RFC 8422 §5.5: `ecdsa_sign` alone, for the suites are ECDSA's. */
export const ClientCertificateType = { ECDSA_SIGN: 64 } as const;
