import type { Link } from './link-format.ts';
import { fromIds, type LwM2mPath, pathIds } from './path.ts';

/** One object or object instance that a client lists in its registration. */
export interface ObjectLink extends LwM2mPath {
  readonly object: number;
  /** Canonical, without the client's root path: `/3/0`, `/3303`. */
  readonly path: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the links of a Register or an Update say, OMA-TS-LightweightM2M_Core §6.2.1. */
export interface ObjectLinks {
  /** Path under which the client keeps its objects: the link with `rt="oma.lwm2m"`, or `/`. */
  readonly rootPath: string;
  /** Content-Format ids of the root link's `ct`, in its order; empty where it says nothing. */
  readonly contentFormats: readonly number[];
  /** Objects without instances, and instances; in the order of the links, each once. */
  readonly objects: readonly ObjectLink[];
}

/** Picks out what LwM2M means by a client's links; others, such as `</sensors/temp>`, are left out. */
export function objectLinks(links: readonly Link[]): ObjectLinks {
  const root = links.find(({ attributes }) => attributes.rt?.split(' ').includes('oma.lwm2m'));
  const rootPath = root === undefined ? '/' : trimSlash(root.target);
  const prefix = rootPath === '/' ? '/' : `${rootPath}/`;
  const seen = new Set<string>();
  const objects: ObjectLink[] = [];
  for (const { target, attributes } of links) {
    if (!target.startsWith(prefix)) continue;
    const ids = pathIds(trimSlash(target.slice(prefix.length - 1)));
    const object = ids?.[0];
    if (ids === undefined || object === undefined || ids.length > 2) continue;
    const path = `/${ids.join('/')}`;
    if (seen.has(path)) continue;
    seen.add(path);
    objects.push({ ...fromIds(ids), object, path, attributes });
  }
  // The formats stand at the root path's link, which needs no `rt` where the root path is `/` (§6.2.1).
  const formats = root ?? links.find(({ target }) => target === '/');
  return { rootPath, contentFormats: contentFormats(formats?.attributes.ct), objects };
}

/** `110`, `60 110 112`: ids that fit 16 bits; anything else in the list is passed over. */
function contentFormats(ct: string | undefined): number[] {
  const ids = (ct ?? '').split(/\s+/).filter((id) => /^\d{1,5}$/.test(id));
  return ids.map(Number).filter((id) => id <= 65535);
}

function trimSlash(target: string): string {
  return target.length > 1 && target.endsWith('/') ? target.slice(0, -1) : target;
}
