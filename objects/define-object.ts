import { MAX_PATH_ID } from '../protocol/lwm2m/path.ts';
import type { ResourceType } from '../protocol/lwm2m/value.ts';

/** Operations on a resource: OMA-TS-LightweightM2M_Core Appendix D. Empty: bootstrap only. */
export type Operations = '' | 'R' | 'W' | 'RW' | 'E';

/** One resource of an object, as data. */
export interface ResourceDefinition {
  readonly id: number;
  /** As in the specification: `Battery Level`. */
  readonly title: string;
  readonly operations: Operations;
  readonly type: ResourceType;
  readonly multiple?: boolean;
  readonly mandatory?: boolean;
  /** Inclusive bounds of numbers; of strings and opaque values, their length. */
  readonly range?: readonly [number, number];
  /** Values with their meaning; where there is no range, no other value is allowed. */
  readonly values?: Readonly<Record<number, string>>;
  /** SenML unit (RFC 8428 §12.1) or as the object's specification says. */
  readonly units?: string;
  readonly description?: string;
}

/** One object, as data; `Names` are the resources' names in code. */
export interface ObjectDefinition<Names extends string = string> {
  readonly id: number;
  readonly version: string;
  readonly name: string;
  readonly description?: string;
  readonly multiple?: boolean;
  readonly mandatory?: boolean;
  readonly resources: Readonly<Record<Names, ResourceDefinition>>;
}

/** The names that a definition's resources have in code. */
export type ResourceName<Definition extends ObjectDefinition> = keyof Definition['resources'] & string;

/**
 * Gives the definition back with its literal types kept, so that handlers, forms and tests are
 * checked by resource name and by each resource's type.
 * @throws TypeError the definition contradicts itself: that is a mistake in our own code
 */
export function defineObject<const Definition extends ObjectDefinition>(definition: Definition): Definition {
  const wrong = (what: string): TypeError =>
    new TypeError(`object ${definition.id} (${definition.name}): ${what}`);
  if (!isId(definition.id)) throw wrong('its id is not 0 to 65534');
  if (!/^\d+\.\d+$/.test(definition.version))
    throw wrong(`version '${definition.version}' is not MAJOR.MINOR`);
  const seen = new Map<number, string>();
  for (const [name, resource] of Object.entries(definition.resources)) {
    const other = seen.get(resource.id);
    if (other !== undefined) throw wrong(`${name} and ${other} have the same id ${resource.id}`);
    seen.set(resource.id, name);
    if (!isId(resource.id)) throw wrong(`the id of ${name} is not 0 to 65534`);
    const executable = resource.operations === 'E';
    if (executable !== (resource.type === 'none'))
      throw wrong(`${name}: an executable, and no other, has type none`);
    if (executable && resource.multiple === true) throw wrong(`${name}: an executable is never multiple`);
    if (resource.range !== undefined && resource.range[0] > resource.range[1])
      throw wrong(`${name}: empty range`);
  }
  return definition;
}

function isId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id <= MAX_PATH_ID;
}
