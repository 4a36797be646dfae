/** Where a card is. */
export type CardAddress =
  /** In this process, kept in the file; undefined: the file that who opens it has for it, or none. */
  | { readonly kind: 'virtual'; readonly file: string | undefined }
  /** In a PC/SC reader: its name or a part of it; undefined: the only reader with a card. */
  | { readonly kind: 'pcsc'; readonly reader: string | undefined };

/** How an address is written. */
export const cardAddressForm = 'virtual, virtual:FILE, pcsc or pcsc:READER';

/** Undefined: the text is no address. */
export function parseCardAddress(text: string): CardAddress | undefined {
  const match = /^(virtual|pcsc)(?::(.+))?$/.exec(text);
  if (match === null) return undefined;
  const [, kind, rest] = match;
  return kind === 'virtual' ? { kind, file: rest } : { kind: 'pcsc', reader: rest };
}
