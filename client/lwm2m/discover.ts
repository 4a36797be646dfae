import { Code } from '../../protocol/coap/message.ts';
import { uriQuery } from '../../protocol/coap/options.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { formatLinks, type Link } from '../../protocol/lwm2m/link-format.ts';
import {
  attributeQueries,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { AttributeStore } from './attributes.ts';
import type { LwM2mVersion } from './formats.ts';
import type { ClientObject, ObjectInstance, ObjectTree } from './object-tree.ts';
import { type Answer, content, type OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { bootstrapObjects, type Target } from './target.ts';

/** Objects of the core specification that a newer one has in another version than 1.0 (Appendix E). */
const revisedObjects: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 21]);

export interface LinkOptions {
  /** Where our objects are; default `/`. */
  readonly rootPath?: string;
  /** The version of LwM2M that is spoken; default 1.0. */
  readonly version?: LwM2mVersion;
}

/**
 * The links of a Register or an Update (OMA-TS-LightweightM2M_Core §6.2.1): the root with our formats, then objects
 * and instances; never Security and OSCORE. The version stands beside each object whose version may be in doubt.
 */
export function registrationLinks(
  tree: ObjectTree,
  contentFormats: readonly number[],
  { rootPath = '/', version = '1.0' }: LinkOptions = {},
): Link[] {
  const ct = contentFormats.join(' ');
  const prefix = rootPath === '/' ? '' : rootPath;
  const links: Link[] = [{ target: rootPath, attributes: { rt: 'oma.lwm2m', ct } }];
  for (const object of tree.objects()) {
    if (bootstrapObjects.has(object.definition.id)) continue;
    const attributes = versionOf(object, version);
    if (object.instances.size === 0 || attributes.ver !== undefined) {
      links.push({ target: `${prefix}/${object.definition.id}`, attributes });
    }
    for (const { path } of object.instances.values()) links.push({ target: prefix + path, attributes: {} });
  }
  return links;
}

/** An answer in link format. */
export function linksAnswer(links: readonly Link[]): Answer {
  return content(ContentFormat.LINK_FORMAT, new TextEncoder().encode(formatLinks(links)));
}

/** Discover, OMA-TS-LightweightM2M_Core §6.3.2. Every registered server may. @throws OperationError 4.00 */
export function discover({ server, request, rootPath }: OperationContext, target: Target): Answer {
  const depth = depthOf(uriQuery(request.options));
  const links = discoverTarget(target, server.attributes, {
    version: server.version,
    ...(depth === undefined ? {} : { depth }),
  });
  const prefix = rootPath === '/' ? '' : rootPath;
  return linksAnswer(links.map(({ target: path, attributes }) => ({ target: prefix + path, attributes })));
}

/** `depth=0` to `depth=3` (1.2). @throws OperationError 4.00 */
function depthOf(query: readonly string[]): number | undefined {
  const given = query.find((each) => each === 'depth' || each.startsWith('depth='));
  if (given === undefined) return undefined;
  if (!/^depth=[0-3]$/.test(given)) throw new OperationError(Code.BAD_REQUEST, `${given}: depth is 0 to 3`);
  return Number(given.slice(-1));
}

export interface DiscoverOptions {
  readonly version: LwM2mVersion;
  /** How many levels below the target; default by table 6.3.2.-2: 2 for an object, 1 for all others. */
  readonly depth?: number;
}

/**
 * What is there at and below a target, and its attributes: of the target also those that it inherits, of each
 * node below its own.
 */
export function discoverTarget(
  target: Target,
  attributes: AttributeStore,
  { version, depth }: DiscoverOptions,
): Link[] {
  const { object, instance, resource, path } = target;
  const levels = depth ?? defaultDepth(target, version);
  const [below, properties] = ((): [Link[], Record<string, string>] => {
    if (instance === undefined) return [instancesOf(object, levels), versionOf(object, version)];
    if (resource === undefined) return [resourcesOf(instance, levels), {}];
    if (target.resourceInstance !== undefined) return [[], {}];
    const values = resource.handler.read?.();
    return [resourceInstancesOf(path, values, levels), dimension(values)];
  })();
  const own = asText(attributes.inherited(path));
  return [
    { target: path, attributes: { ...properties, ...own } },
    ...below.map((link) => ({
      target: link.target,
      attributes: { ...link.attributes, ...asText(attributes.of(link.target)) },
    })),
  ];
}

/** A 1.0 client lists no resource instances: they cannot be addressed there. */
function defaultDepth({ instance, resource }: Target, version: LwM2mVersion): number {
  if (instance === undefined) return 2;
  return resource !== undefined && version === '1.0' ? 0 : 1;
}

function instancesOf({ instances }: ClientObject, levels: number): Link[] {
  if (levels < 1) return [];
  return [...instances.values()].flatMap((each) => [
    { target: each.path, attributes: {} },
    ...resourcesOf(each, levels - 1),
  ]);
}

function resourcesOf(instance: ObjectInstance, levels: number): Link[] {
  if (levels < 1) return [];
  return [...instance.resources].flatMap(([id, { definition, handler }]) => {
    const target = `${instance.path}/${id}`;
    const values = definition.multiple === true ? handler.read?.() : undefined;
    return [{ target, attributes: dimension(values) }, ...resourceInstancesOf(target, values, levels - 1)];
  });
}

function resourceInstancesOf(path: string, values: unknown, levels: number): Link[] {
  if (levels < 1 || !(values instanceof Map)) return [];
  return [...values.keys()].map((id) => ({ target: `${path}/${id}`, attributes: {} }));
}

/** A version of 1.0 goes without saying, but for those core objects of which a newer enabler means another (§7.2.3). */
function versionOf({ definition }: ClientObject, enabler: LwM2mVersion): Record<string, string> {
  const doubtful = enabler !== '1.0' && revisedObjects.has(definition.id);
  return definition.version === '1.0' && !doubtful ? {} : { ver: definition.version };
}

function dimension(value: unknown): Record<string, string> {
  return value instanceof Map ? { dim: String(value.size) } : {};
}

function asText(attributes: NotificationAttributes): Record<string, string> {
  return Object.fromEntries(attributeQueries(attributes).map((query) => query.split('=', 2)));
}
