import type { FastifyInstance } from 'fastify';
import {
  type IdentifierKind,
  identifierKindOf,
  identifierKinds,
  isSecretTitle,
  maskCharacter,
  maskIdentifier,
} from '../../objects/identifiers.ts';
import type { ObjectRegistry } from '../../objects/registry.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import { identityOf } from './authentication.ts';
import { seesMasked } from './visible-devices.ts';

/** What a value is hidden as. */
type HiddenKind = IdentifierKind | 'secret';

/** Of a secret not even the length is shown. */
const hiddenSecret = maskCharacter.repeat(6);

/**
 * What the API shows without what names a subscriber, a card or a piece of equipment, and without secrets: the one place where identifiers
 * and secrets are hidden from who may only look. It knows them by the names of members, and by what resources are by their
 * definitions, wherever in an answer they stand, so that a route need not think of it.
 */
export type Mask = <T>(shown: T) => T;

const members: ReadonlyMap<string, IdentifierKind> = new Map(identifierKinds.map((kind) => [kind, kind]));

/** @param registry tells which resources hold identifiers */
export function identifierMask(registry: Pick<ObjectRegistry, 'resource'>): Mask {
  const kindAt = (path: string): HiddenKind | undefined => {
    const [object, , resource] = pathIds(path) ?? [];
    if (object === undefined || resource === undefined) return undefined;
    const title = registry.resource(object, resource)?.title;
    return isSecretTitle(title) ? 'secret' : identifierKindOf(title);
  };
  const kindBelow = (base: string | undefined, name: string): HiddenKind | undefined => {
    if (name.startsWith('/')) return kindAt(name);
    return base === undefined || !/^\d/.test(name) ? undefined : kindAt(`${base}/${name}`);
  };

  /** What is below `path`, where that is known. */
  const shownOf = (value: unknown, path: string | undefined): unknown => {
    if (Array.isArray(value)) return value.map((item) => shownOf(item, path));
    if (!isPlain(value)) return value;
    const { path: own, imei } = value;
    const base = typeof own === 'string' ? own : path;
    const kind = typeof own === 'string' ? kindAt(own) : undefined;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        const byName = members.get(name) ?? kindBelow(base, name);
        if (byName !== undefined) return [name, hidden(byName, member)];
        // Many devices have their IMEI for a serial number.
        if (name === 'serialNumber' && imei !== undefined && imei === member)
          return [name, hidden('imei', member)];
        if (kind !== undefined && valueMembers.has(name)) return [name, hidden(kind, member)];
        if (kind !== undefined && name === 'points') return [name, hiddenPoints(kind, member)];
        return [name, shownOf(member, base)];
      }),
    );
  };
  return <T>(shown: T) => shownOf(shown, undefined) as T;
}

/** Members that hold the value, or the values, of the `path` beside them. */
const valueMembers: ReadonlySet<string> = new Set(['value', 'values', 'last']);

/** Each is a time and a value. */
function hiddenPoints(kind: HiddenKind, points: unknown): unknown {
  if (!Array.isArray(points)) return points;
  return points.map((point) => (Array.isArray(point) ? [point[0], hidden(kind, point[1])] : point));
}

/** All texts and numbers in it. */
function hidden(kind: HiddenKind, value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'number') {
    return kind === 'secret' ? hiddenSecret : maskIdentifier(kind, String(value));
  }
  if (Array.isArray(value)) return value.map((item) => hidden(kind, item));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hidden(kind, member)]));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Has every answer in JSON masked for who may only look. To be called before the routes are registered. */
export function maskAnswers(app: FastifyInstance, mask: Mask): void {
  app.addHook('preSerialization', (request, _reply, payload, done) => {
    const principal = identityOf(request)?.principal;
    done(null, principal !== undefined && seesMasked(principal) ? mask(payload) : payload);
  });
}
