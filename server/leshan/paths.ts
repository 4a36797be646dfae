import { joinPath } from '../../protocol/lwm2m/path.ts';
import { invalid, unexpected } from './refusals.ts';

/** A path in the object tree, as a request names it. */
export interface LeshanPath {
  /** `/3/0/9`; `/` is the root. */
  readonly text: string;
  readonly ids: readonly number[];
}

/** Why a text is no path, in the words of the interface; its ids where it is one. */
function read(text: string): readonly number[] | string {
  const inner = text.replace(/^\//, '').replace(/\/$/, '');
  if (inner === '') return [];
  const parts = inner.split('/');
  if (parts.length > 4) return `Invalid length for path ${inner}`;
  const ids = parts.map((part) => (/^[+-]?\d{1,10}$/.test(part) ? Number(part) : Number.NaN));
  if (ids.some((id) => !(Math.abs(id) < 2 ** 31))) return `Invalid elements in path ${inner}`;
  const level = ids.findIndex((id) => id < 0 || id > 65535);
  if (level < 0) return ids;
  return `Invalid ${levels[level]} id ${ids[level]}, It MUST be an unsigned int.`;
}

const levels = ['object', 'object instance', 'resource', 'resource instance'];

/** The path of a request to one place. @throws LeshanRefusal */
export function pathOf(text: string): LeshanPath {
  const ids = read(text);
  if (typeof ids === 'string') {
    throw invalid(`org.eclipse.leshan.core.node.InvalidLwM2mPathException: ${ids}`);
  }
  return { text: joinPath('/', ...ids), ids };
}

/** The path of a request to one place that is not the root. @throws LeshanRefusal */
export function placeOf(text: string, request: string): LeshanPath {
  const path = pathOf(text);
  if (path.ids.length === 0) throw invalid(`${request} request cannot target root path`);
  return path;
}

/** `/3/0,/4/0/2` of a composite request. @throws LeshanRefusal */
export function pathsOf(text: string | undefined): readonly LeshanPath[] {
  if (text === undefined) throw invalid("'paths' is missing");
  const paths = text.split(',').map((one) => {
    const ids = read(one.trim());
    if (typeof ids === 'string') throw unexpected(ids);
    return { text: joinPath('/', ...ids), ids };
  });
  for (const [index, path] of paths.entries()) {
    const other = paths.slice(index + 1).find((later) => overlap(path, later));
    if (other === undefined) continue;
    throw invalid(`Invalid path list :  ${path.text} and ${other.text} are overlapped paths`);
  }
  return paths;
}

function overlap({ ids: a }: LeshanPath, { ids: b }: LeshanPath): boolean {
  const depth = Math.min(a.length, b.length);
  return a.slice(0, depth).every((id, level) => id === b[level]);
}
