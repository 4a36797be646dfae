import {
  defineObject,
  type ObjectDefinition,
  type ResourceDefinition,
  type ResourceName,
} from './define-object.ts';

/**
 * An object as it was in an earlier version: without the resources that came later, and with those that
 * were otherwise. Ids that are shared keep their names in code, so that one handler serves all versions.
 */
export function earlierVersion<
  const Definition extends ObjectDefinition,
  const Later extends ResourceName<Definition> = never,
  const Changed extends Readonly<Record<string, ResourceDefinition>> = Readonly<Record<never, never>>,
>(
  definition: Definition,
  version: string,
  { later = [], changed, ...rest }: EarlierVersionOptions<Later, Changed>,
): Omit<Definition, 'version' | 'resources'> & {
  readonly version: string;
  readonly resources: Omit<Definition['resources'], Later | keyof Changed> & Changed;
} {
  const left = new Set<string>(later);
  const kept = Object.entries<ResourceDefinition>(definition.resources).filter(([name]) => !left.has(name));
  const earlier: object = defineObject({
    ...definition,
    ...rest,
    version,
    resources: { ...Object.fromEntries(kept), ...changed },
  });
  return earlier as ReturnType<typeof earlierVersion<Definition, Later, Changed>>;
}

interface EarlierVersionOptions<Later, Changed> {
  /** Resources that came after this version. */
  readonly later?: readonly Later[];
  /** Resources that were otherwise, or have gone since. */
  readonly changed?: Changed;
  readonly name?: string;
}
