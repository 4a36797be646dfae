import { DecodeError } from '../errors.ts';
import { isAtOrBelow, pathIds } from './path.ts';
import { rootPrefix } from './senml.ts';

/**
 * The ids of the path that base name and name give in the JSON of LwM2M 1.0, either of them empty where it is not
 * there. Tolerant, for version 1.0 left much open: a slash between them, and only one; one at the end or not; a
 * name alone is relative to what was asked for; the client's root path may stand in front.
 * @throws DecodeError no resource at or below `basePath`
 */
export function lwm2mJsonIds(bn: string, n: string, basePath: string, rootPath: string): number[] {
  const root = rootPrefix(rootPath);
  const base = bn === '' && !n.startsWith('/') ? basePath : bn;
  const joined = n === '' ? base : `${base.replace(/\/$/, '')}/${n.replace(/^\//, '')}`;
  const full = joined.replace(/\/$/, '');
  const path = root !== '' && full.startsWith(`${root}/`) ? full.slice(root.length) : full;
  const ids = pathIds(path) ?? [];
  if (ids.length < 3) throw new DecodeError(`LwM2M JSON: '${full}' is no path of a resource`);
  if (!isAtOrBelow(`/${ids.join('/')}`, basePath)) {
    throw new DecodeError(`LwM2M JSON: ${path} is not at or below ${basePath}`);
  }
  return ids;
}
