import { randomInt } from 'node:crypto';

/** As OWASP ASVS 4.0 §2.1 has it: long rather than of prescribed characters. */
export const MIN_PASSWORD = 12;
export const MAX_PASSWORD = 256;
const MIN_DISTINCT = 5;

/** Without those that are taken for each other. */
const letters = 'abcdefghjkmnpqrstuvwxyz23456789';

/** What is wrong with a password that somebody wants; undefined: nothing. */
export function passwordFault(password: string, username: string): string | undefined {
  const characters = [...password.normalize('NFKC')];
  if (characters.length < MIN_PASSWORD) return `it must have at least ${MIN_PASSWORD} characters`;
  if (characters.length > MAX_PASSWORD) return `it must have at most ${MAX_PASSWORD} characters`;
  if (new Set(characters).size < MIN_DISTINCT)
    return `it must have at least ${MIN_DISTINCT} different characters`;
  if (username.length > 3 && password.toLowerCase().includes(username))
    return 'the user name must not be in it';
  return undefined;
}

/** One that is given to somebody, who has to change it: 98 random bits. */
export function makePassword(): string {
  const group = (): string => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}
