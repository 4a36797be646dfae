import { describe, expect, it } from 'vitest';
import type { ObjectDefinition } from '../../../objects/define-object.ts';
import { createObjectRegistry } from '../../../objects/registry.ts';
import { parseLinks } from '../../../protocol/lwm2m/link-format.ts';
import { DeviceModels, registeredVersions } from '../../../server/lwm2m/device-models.ts';

const device = (version: string, links: string) => ({ version, links: parseLinks(links) });
const versionsOf = (version: string, links: string) =>
  Object.fromEntries(registeredVersions(device(version, links)));

function model(version: string, type: 'integer' | 'string', more = false): ObjectDefinition {
  return {
    id: 9999,
    version,
    name: `Thing ${version}`,
    resources: {
      value: { id: 0, title: 'Value', operations: 'R', type },
      ...(more
        ? { extra: { id: 7, title: 'Extra', operations: 'R' as const, type: 'boolean' as const } }
        : {}),
    },
  };
}

describe('the versions that a device registered', () => {
  it('are those of `ver`, at the object or at one of its instances, quoted or not', () => {
    expect(versionsOf('1.1', '</3>;ver="1.2",</3/0>,</3303/0>,</3303/1>;ver=1.1')).toEqual({
      3: '1.2',
      3303: '1.1',
    });
  });

  it('are 1.0 for a 1.0 client that says none', () => {
    expect(versionsOf('1.0', '</1/0>,</3/0>,</4/0>,</3303/0>')).toEqual({
      1: '1.0',
      3: '1.0',
      4: '1.0',
      3303: '1.0',
    });
  });

  it('are those of the LwM2M version for the objects of the core, and 1.0 for others', () => {
    const links = '</1/0>,</2/0>,</3/0>,</4/0>,</5/0>,</6/0>,</3303/0>';
    expect(versionsOf('1.1', links)).toEqual({
      1: '1.1',
      2: '1.0',
      3: '1.1',
      4: '1.2',
      5: '1.0',
      6: '1.0',
      3303: '1.0',
    });
    expect(versionsOf('1.2', links)).toEqual({
      1: '1.2',
      2: '1.1',
      3: '1.2',
      4: '1.3',
      5: '1.1',
      6: '1.0',
      3303: '1.0',
    });
  });

  it('pass over a version that is none, and links that are no path', () => {
    expect(versionsOf('1.2', '</3/0>;ver=newest,</sensors/temp>')).toEqual({ 3: '1.2' });
  });
});

describe('the model of a device', () => {
  const registry = createObjectRegistry([model('1.0', 'integer'), model('1.1', 'string', true)]);

  it('has the types of the registered version, side by side with that of another device', () => {
    const models = new DeviceModels(registry);
    const older = models.lookupFor(device('1.1', '</9999/0>'));
    const newer = models.lookupFor(device('1.1', '</9999/0>;ver=1.1'));
    expect(older.resourceType(9999, 0)).toEqual({ type: 'integer', multiple: false });
    expect(newer.resourceType(9999, 0)).toEqual({ type: 'string', multiple: false });
    expect(older.object(9999)?.name).toBe('Thing 1.0');
    expect(newer.resource(9999, 0)?.type).toBe('string');
  });

  it('types what the registered version lacks as the newest does', () => {
    const older = new DeviceModels(registry).lookupFor(device('1.0', '</9999/0>'));
    expect(older.resourceType(9999, 7)?.type).toBe('boolean');
    expect(older.resourceType(9999, 8)).toBeUndefined();
    expect(older.resourceType(12, 0)).toBeUndefined();
  });

  it('of an object that the device did not list is the newest', () => {
    const view = new DeviceModels(registry).lookupFor(device('1.1', '</3/0>'));
    expect(view.resourceType(9999, 0)?.type).toBe('string');
  });

  it('is one for all devices with the same versions', () => {
    const models = new DeviceModels(registry);
    const first = models.lookupFor(device('1.0', '</3/0>,</9999/0>'));
    expect(models.lookupFor(device('1.0', '</9999/3>,</3/0>'))).toBe(first);
    expect(models.lookupFor(device('1.1', '</9999/0>,</3/0>'))).not.toBe(first);
  });

  it('of the same links goes by the version of LwM2M that they are registered with', () => {
    const models = new DeviceModels(registry);
    const { links } = device('1.0', '</3/0>,</9999/0>');
    const [old, core] = [
      models.lookupFor({ version: '1.0', links }),
      models.lookupFor({ version: '1.1', links }),
    ];
    expect(core).not.toBe(old);
    expect(models.lookupFor({ version: '1.1', links })).toBe(core);
    expect(models.lookupFor({ version: '1.0', links })).toBe(old);
  });
});
