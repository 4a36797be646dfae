import { createHash } from 'node:crypto';
import { formatLinks, type Link } from '../../protocol/lwm2m/link-format.ts';

/**
 * What is sent for a list of objects (`pid`, OMA-TS-LightweightM2M_Core-V1_2 §6.2.1), with the hash that the
 * server prefers; empty: nothing, the objects are listed.
 */
export type ProfileIds = (links: readonly Link[], hashAlgorithm: number | undefined) => string;

/** Bits of each SHA-256 suite by its id in the Named Information registry (RFC 6920 §9.4). */
const suites: Readonly<Record<number, number>> = { 1: 256, 2: 128, 3: 120, 4: 96, 5: 64, 6: 32 };
const defaultSuite = 1;
const mostCharacters = 240;

/** Profile ids that client and server were given beforehand: `oma:…` or `v:…`. @throws TypeError it is none */
export function givenProfiles(ids: readonly string[]): ProfileIds {
  for (const id of ids) {
    if (!/^(oma|v):[A-Za-z0-9-]+$/.test(id)) throw new TypeError(`${id} is no pre-configured profile id`);
  }
  // "pid=" and they share one Uri-Query option of 255 bytes (RFC 7252 §5.10).
  if (ids.join(',').length > mostCharacters) throw new TypeError('so many profile ids fit no request');
  const value = ids.length > 1 ? `"${ids.join(',')}"` : (ids[0] ?? '');
  return () => value;
}

/** `1:` and the hash of all that a Register lists, with the version of each object, 1.0 included. */
export const hashedProfile: ProfileIds = (links, hashAlgorithm) => {
  const suite =
    hashAlgorithm !== undefined && suites[hashAlgorithm] !== undefined ? hashAlgorithm : defaultSuite;
  const named = new Set(links.map((link) => link.target));
  const unnamed = new Set(
    links.map((link) => link.target.split('/')[1] ?? '').filter((id) => id !== '' && !named.has(`/${id}`)),
  );
  const all = [...links, ...[...unnamed].map((id) => ({ target: `/${id}`, attributes: { ver: '1.0' } }))];
  const text = formatLinks(all.sort((a, b) => (a.target < b.target ? -1 : 1)));
  const digest = createHash('sha256').update(text).digest('hex');
  return `${suite}:${digest.slice(0, (suites[suite] ?? 0) / 4)}`;
};
