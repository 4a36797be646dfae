import { DecodeError, RequestError } from '../errors.ts';

/**
 * A path in the LwM2M tree, OMA-TS-LightweightM2M_Core §7.3: as deep as its members go; none: the root.
 * Ids are 0 to 65534 (65535 is MAX_ID, reserved).
 */
export interface LwM2mPath {
  readonly object?: number;
  readonly instance?: number;
  readonly resource?: number;
  readonly resourceInstance?: number;
}

/** The highest id that an object, an instance, a resource or a resource instance may have. */
export const MAX_PATH_ID = 65534;

const SLASH = 0x2f;
const ZERO = 0x30;

/**
 * The ids of a path, at most four; undefined where the text is no path. Decimal, without leading
 * zeros, so that two different texts never name the same node. The leading slash may be missing.
 */
export function pathIds(text: string): number[] | undefined {
  const ids: number[] = [];
  const length = text.length;
  let at = length > 0 && text.charCodeAt(0) === SLASH ? 1 : 0;
  if (at === length) return ids;
  for (;;) {
    const start = at;
    let id = 0;
    while (at < length) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      id = id * 10 + digit;
      at++;
      if (id > MAX_PATH_ID || (at - start > 1 && text.charCodeAt(start) === ZERO)) return undefined;
    }
    if (at === start) return undefined;
    ids.push(id);
    if (at === length) return ids;
    if (ids.length === 4 || text.charCodeAt(at) !== SLASH) return undefined;
    at++;
  }
}

/**
 * Reads a path that a caller gave: `/3/0/9`, `3/0`, `/`.
 * @throws RequestError
 */
export function parsePath(text: string): LwM2mPath {
  return fromIds(pathIds(text) ?? fail(RequestError, text));
}

/**
 * Reads a path that a peer sent.
 * @throws DecodeError
 */
export function decodePath(text: string): LwM2mPath {
  return fromIds(pathIds(text) ?? fail(DecodeError, text));
}

/**
 * The canonical text, `/3/0/9`; the root is `/`.
 * @throws RequestError an id out of range, or a level without the one above it
 */
export function formatPath(path: LwM2mPath): string {
  const { object, instance, resource, resourceInstance } = path;
  const levels = [object, instance, resource, resourceInstance];
  const depth = levels.indexOf(undefined);
  const ids = depth === -1 ? levels : levels.slice(0, depth);
  if (levels.slice(ids.length).some((id) => id !== undefined)) {
    throw new RequestError(`a path has a gap between its levels: ${JSON.stringify(path)}`);
  }
  for (const id of ids) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) > MAX_PATH_ID) {
      throw new RequestError(`${id} is not an id: 0 to ${MAX_PATH_ID}`);
    }
  }
  return `/${ids.join('/')}`;
}

/**
 * The canonical text of a path that a caller gave: with its leading slash.
 * @throws RequestError
 */
export function canonicalPath(text: string): string {
  const ids = pathIds(text) ?? fail(RequestError, text);
  return `/${ids.join('/')}`;
}

/** Whether `path` lies below `base`, and is not `base` itself. Both canonical. */
export function isBelow(path: string, base: string): boolean {
  if (base === '/') return path !== '/';
  return path.length > base.length && path.charCodeAt(base.length) === SLASH && path.startsWith(base);
}

/** Whether `path` is `base` or lies below it. Both canonical. */
export function isAtOrBelow(path: string, base: string): boolean {
  return path === base || isBelow(path, base);
}

/**
 * The order of the tree: numeric per level, a node before what is below it.
 * @throws RequestError one of them is no path
 */
export function comparePaths(a: string, b: string): number {
  const left = pathIds(a) ?? fail(RequestError, a);
  const right = pathIds(b) ?? fail(RequestError, b);
  const depth = Math.min(left.length, right.length);
  for (let level = 0; level < depth; level++) {
    const difference = (left[level] as number) - (right[level] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * A path below another: `joinPath('/3/0', '9')` and `joinPath('/3', 0, 9)` are `/3/0/9`.
 * @throws RequestError what comes out is no path
 */
export function joinPath(base: string, ...below: readonly (string | number)[]): string {
  const parts = [base, ...below.map(String)].map((part) => part.replace(/^\/|\/$/g, ''));
  return canonicalPath(`/${parts.filter((part) => part !== '').join('/')}`);
}

/** The path with as many of the ids as there are. */
export function fromIds(ids: readonly number[]): LwM2mPath {
  const [object, instance, resource, resourceInstance] = ids;
  if (object === undefined) return {};
  if (instance === undefined) return { object };
  if (resource === undefined) return { object, instance };
  if (resourceInstance === undefined) return { object, instance, resource };
  return { object, instance, resource, resourceInstance };
}

function fail(Kind: typeof DecodeError | typeof RequestError, text: string): never {
  throw new Kind(`'${text.slice(0, 64)}' is not an LwM2M path: up to four ids of 0 to ${MAX_PATH_ID}`);
}
