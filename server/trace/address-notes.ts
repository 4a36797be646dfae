/**
 * What became known of an address, written between the datagrams:
 * - holds: this device was heard there, and was elsewhere before (`former`), or nowhere
 * - lost: another device is heard there, where this one was before
 * - ended: this device's registration ended, and it was heard there last
 */
export interface AddressNote {
  readonly kind: 'holds' | 'lost' | 'ended';
  readonly endpoint: string;
  readonly peer: string;
  readonly former?: string;
}

const decoder = new TextDecoder();

export function encodeNote({ kind, endpoint, peer, former }: AddressNote): Uint8Array {
  // Out of the pool of small buffers: a TextEncoder would ask for memory of its own each time.
  return Buffer.from(JSON.stringify([kind, endpoint, peer, former]));
}

/** Of what `encodeNote` has made. */
export function decodeNote(data: Uint8Array): AddressNote {
  const [kind, endpoint, peer, former] = JSON.parse(decoder.decode(data)) as [
    AddressNote['kind'],
    string,
    string,
    string | null,
  ];
  return { kind, endpoint, peer, ...(former === null ? {} : { former }) };
}
