import { RequestError } from '../../protocol/errors.ts';

/** Where a page ended, made opaque: `kind` keeps a cursor of one list from being used with another. */
export function encodeCursor(kind: string, place: string | number): string {
  return Buffer.from(JSON.stringify([kind, place])).toString('base64url');
}

/** @throws RequestError it was not made by encodeCursor for this kind and type of place. */
export function decodeCursor(kind: string, cursor: string, type: 'string'): string;
export function decodeCursor(kind: string, cursor: string, type: 'number'): number;
export function decodeCursor(kind: string, cursor: string, type: 'string' | 'number'): string | number {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (Array.isArray(parts) && parts.length === 2 && parts[0] === kind && typeof parts[1] === type) {
    return parts[1] as string | number;
  }
  throw new RequestError('the cursor is not one that this list gave');
}
