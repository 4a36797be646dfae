import { RequestError } from '../errors.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A token as lower-case hex: how observations are named, and the key of every map of tokens. */
export function formatToken(token: Uint8Array): string {
  let text = '';
  for (let i = 0; i < token.length; i++) text += HEX[token[i] as number] as string;
  return text;
}

/**
 * The bytes of a token of 1 to 8 bytes in lower-case hex.
 * @throws RequestError where it is not one.
 */
export function parseToken(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2}){1,8}$/.test(text)) {
    throw new RequestError(`${JSON.stringify(text)} is no token of 1 to 8 bytes in lower-case hex`);
  }
  const token = new Uint8Array(text.length / 2);
  for (let i = 0; i < token.length; i++) token[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16);
  return token;
}
