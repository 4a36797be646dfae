import { RequestError } from '../../protocol/errors.ts';

/** Parts of a place that one value does not name. */
export type PlaceParts = readonly (string | number | boolean | null)[];

/** Where a page ended, made opaque: `kind` keeps a cursor of one list from being used with another. */
export function encodeCursor(kind: string, place: string | number | PlaceParts): string {
  return Buffer.from(JSON.stringify([kind, place])).toString('base64url');
}

/** @throws RequestError it was not made by encodeCursor for this kind and type of place. */
export function decodeCursor(kind: string, cursor: string, type: 'string'): string;
export function decodeCursor(kind: string, cursor: string, type: 'number'): number;
export function decodeCursor(kind: string, cursor: string, type: 'parts'): PlaceParts;
export function decodeCursor(
  kind: string,
  cursor: string,
  type: 'string' | 'number' | 'parts',
): string | number | PlaceParts {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (Array.isArray(parts) && parts.length === 2 && parts[0] === kind) {
    const place: unknown = parts[1];
    if (type === 'parts' ? Array.isArray(place) : typeof place === type) return place as PlaceParts;
  }
  throw foreignCursor();
}

/** What a list says to a cursor that it did not give. */
export function foreignCursor(): RequestError {
  return new RequestError('the cursor is not one that this list gave');
}
