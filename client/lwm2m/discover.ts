import type { Link } from '../../protocol/lwm2m/link-format.ts';
import type { AttributeStore } from './attributes.ts';
import type { ClientObject, ObjectInstance, ObjectTree } from './object-tree.ts';
import type { Target } from './target.ts';

/** Objects that no registration lists: Security and OSCORE (OMA-TS-LightweightM2M_Core §6.2.1). */
const hidden: ReadonlySet<number> = new Set([0, 21]);

/**
 * The links of a Register or an Update: the root with our formats, then objects and instances. The
 * version stands beside each object whose version is not 1.0.
 */
export function registrationLinks(tree: ObjectTree, contentFormats: readonly number[]): Link[] {
  const links: Link[] = [{ target: '/', attributes: { rt: 'oma.lwm2m', ct: contentFormats.join(' ') } }];
  for (const object of tree.objects()) {
    const { id, version } = object.definition;
    if (hidden.has(id)) continue;
    if (object.instances.size === 0 || version !== '1.0') {
      links.push({ target: `/${id}`, attributes: versionOf(object) });
    }
    for (const instance of object.instances.values()) links.push({ target: instance.path, attributes: {} });
  }
  return links;
}

/** What Discover answers, OMA-TS-LightweightM2M_Core §6.3.2: what is there, and its attributes. */
export function discoverTarget(target: Target, attributes: AttributeStore): Link[] {
  const { object, instance, resource } = target;
  const own = (path: string): Record<string, string> => Object.fromEntries(attributes.of(path));
  if (resource !== undefined && instance !== undefined) {
    const path = `${instance.path}/${resource.definition.id}`;
    const inherited = Object.assign({}, own(`/${object.definition.id}`), own(instance.path), own(path));
    return [{ target: path, attributes: { ...dimension(resource.handler.read?.()), ...inherited } }];
  }
  const resources = (each: ObjectInstance): Link[] =>
    [...each.resources].map(([id, bound]) => ({
      target: `${each.path}/${id}`,
      attributes: {
        ...(bound.definition.multiple === true ? dimension(bound.handler.read?.()) : {}),
        ...own(`${each.path}/${id}`),
      },
    }));
  if (instance !== undefined) {
    return [{ target: instance.path, attributes: own(instance.path) }, ...resources(instance)];
  }
  const path = `/${object.definition.id}`;
  return [
    { target: path, attributes: { ...versionOf(object), ...own(path) } },
    ...[...object.instances.values()].flatMap((each) => [
      { target: each.path, attributes: own(each.path) },
      ...resources(each),
    ]),
  ];
}

function versionOf(object: ClientObject): Record<string, string> {
  const { version } = object.definition;
  return version === '1.0' ? {} : { ver: version };
}

function dimension(value: unknown): Record<string, string> {
  return value instanceof Map ? { dim: String(value.size) } : {};
}
