/**
 * Protects the records of one direction and epoch. `sequence` is the 8 bytes `epoch ‖ sequence_number`, and must
 * never be given twice for the same keys. `additional` is the pseudo-header that is authenticated, 13 bytes
 * (RFC 5246 §6.2.3.3, RFC 6347 §4.1.2.1) or, with a connection id, 23 and the id (RFC 9146 §5); what its last two
 * bytes, the length, must be depends on the cipher, so they are written here.
 */
export interface RecordProtection {
  /** How many bytes a fragment can be longer than its plaintext. */
  readonly overhead: number;
  /** The fragment that goes into the record. */
  seal(sequence: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext; undefined where the fragment is not authentic, and nothing is told about why. */
  open(sequence: Uint8Array, additional: Uint8Array, fragment: Uint8Array): Uint8Array | undefined;
}

/** Writes the length into the last two bytes of a pseudo-header. */
export function setLength(additional: Uint8Array, length: number): void {
  additional[additional.length - 2] = length >> 8;
  additional[additional.length - 1] = length;
}
