import { DecodeError } from '../../errors.ts';

/** What a decoder makes of a peer's bytes; undefined where they break the grammar, for which records are dropped in silence. */
export function wellFormed<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
