import type { ObjectRegistry } from '../../objects/registry.ts';
import type { ApiDependencies } from './dependencies.ts';

/** The object definitions in the versions that the device registered; the newest of a device that is not registered. */
export async function deviceModel(
  { stores, registry, lookupFor }: Pick<ApiDependencies, 'stores' | 'registry' | 'lookupFor'>,
  endpoint: string,
): Promise<ObjectRegistry> {
  if (lookupFor === undefined) return registry;
  const registration = await stores.registrations.byEndpoint(endpoint);
  return registration === undefined ? registry : lookupFor(registration);
}
