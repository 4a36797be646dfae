import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defineObject, type ObjectDefinition, type ResourceDefinition } from '../../objects/define-object.ts';
import { createObjectRegistry, standardObjects } from '../../objects/registry.ts';
import { compareVersions } from '../../objects/versions.ts';

function definition(
  version: string,
  resources: Readonly<Record<string, Partial<ResourceDefinition>>>,
  id = 5000,
): ObjectDefinition {
  return defineObject({
    ...{ id, version, name: `Object ${version}` },
    resources: Object.fromEntries(
      Object.entries(resources).map(([name, own], at) => [
        name,
        { id: at, title: `${name} of ${version}`, operations: 'R', type: 'string', ...own } as const,
      ]),
    ),
  });
}

describe('the registry', () => {
  const registry = createObjectRegistry(standardObjects());

  test('finds objects and resources, and tells decoders their types', () => {
    expect(registry.object(3)?.name).toBe('Device');
    expect(registry.object(3)?.version).toBe('1.2');
    expect(registry.resource(3, 9)?.title).toBe('Battery Level');
    expect(registry.resourceType(3, 9)).toEqual({ type: 'integer', multiple: false });
    expect(registry.resourceType(3, 6)).toEqual({ type: 'integer', multiple: true });
    const ids = registry.objects().map(({ id, version }) => `${id} ${version}`);
    expect(ids.slice(0, 7)).toEqual(['0 1.0', '0 1.1', '0 1.2', '1 1.0', '1 1.1', '1 1.2', '2 1.0']);
    expect(ids.slice(-2)).toEqual(['42769 1.0', '42770 1.0']);
  });

  test('knows nothing of what was never defined', () => {
    expect(registry.object(12)).toBeUndefined();
    expect(registry.resource(3, 999)).toBeUndefined();
    expect(registry.resource(12, 0)).toBeUndefined();
    expect(registry.resourceType(3, 999)).toBeUndefined();
    expect(registry.resourceType(12, 0)).toBeUndefined();
    expect(registry.originOf(12, '1.0')).toBeUndefined();
    expect(registry.originOf(3, '9.9')).toBeUndefined();
  });

  test('gives the version that is asked for, else the nearest, and without one the newest', () => {
    const several = createObjectRegistry(
      ['2.0', '1.0', '1.10', '1.9'].map((version) => definition(version, { a: {} })),
    );
    const given = (version?: string) => several.object(5000, version)?.version;
    expect(given()).toBe('2.0');
    expect(given('1.0')).toBe('1.0');
    expect(given('1.9')).toBe('1.9');
    expect(given('1.5')).toBe('1.9');
    expect(given('1.11')).toBe('1.10');
    expect(given('3.0')).toBe('2.0');
    expect(given('0.9')).toBe('2.0');
    expect(given('nonsense')).toBe('2.0');
    expect(several.resource(5000, 0, '1.5')?.title).toBe('a of 1.9');
    expect(several.objects().map(({ version }) => version)).toEqual(['1.0', '1.9', '1.10', '2.0']);
  });

  test('compares versions by their numbers', () => {
    expect(['1.10', '2.0', '1.9', '1.0'].sort(compareVersions)).toEqual(['1.0', '1.9', '1.10', '2.0']);
  });

  test('refuses the same version twice', () => {
    const one = definition('1.0', { a: {} });
    expect(() => createObjectRegistry([one, one])).toThrow(TypeError);
  });
});

describe('the registry as a device sees it', () => {
  const registry = createObjectRegistry(standardObjects());

  test('has the versions that the device announced', () => {
    const view = registry.withVersions(
      new Map([
        [5, '1.0'],
        [21, '1.1'],
        [3, '1.2'],
        [7777, '1.0'],
      ]),
    );
    expect(view.object(5)?.version).toBe('1.0');
    expect(view.resource(5, 5)?.range).toEqual([0, 9]);
    expect(view.resource(5, 10, '1.0')).toBeUndefined();
    expect(view.resource(21, 0)?.type).toBe('string');
    expect(view.resourceType(21, 0)).toEqual({ type: 'string', multiple: false });
    expect(registry.resourceType(21, 0)).toEqual({ type: 'opaque', multiple: false });
    expect(view.object(5, '1.1')?.version).toBe('1.1');
    expect(view.resource(21, 0, '2.0')?.type).toBe('opaque');
    expect(view.object(7777)).toBeUndefined();
    expect(view.originOf(5, '1.0')).toBe('built-in');
  });

  test('has the newest version of what the device did not tell of', () => {
    expect(registry.withVersions(new Map([[5, '1.0']])).object(4)?.version).toBe('1.3');
    expect(registry.withVersions(new Map()).object(5)?.version).toBe('1.2');
  });

  test('has each object once', () => {
    const view = registry.withVersions(new Map([[5, '1.0']]));
    const ids = view.objects().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(view.objects().find(({ id }) => id === 5)?.version).toBe('1.0');
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  test('takes a resource that the announced version does not have from the newest', () => {
    const view = registry.withVersions(
      new Map([
        [5, '1.0'],
        [21, '1.1'],
      ]),
    );
    expect(view.resourceType(5, 12)).toEqual({ type: 'time', multiple: false });
    expect(view.resource(5, 12)?.title).toBe('Last State Change Time');
    expect(view.resourceType(5, 99)).toBeUndefined();
    expect(view.resource(5, 99)).toBeUndefined();
  });

  test('is made once for the same map, and shared by devices that announce the same', () => {
    const versions = new Map([
      [5, '1.0'],
      [3, '1.1'],
    ]);
    const view = registry.withVersions(versions);
    expect(registry.withVersions(versions)).toBe(view);
    expect(
      registry.withVersions(
        new Map([
          [3, '1.1'],
          [5, '1.0'],
        ]),
      ),
    ).toBe(view);
    expect(registry.withVersions(new Map([[3, '1.1']]))).not.toBe(view);
  });

  test('of a view has its versions, and those of the view for the others', () => {
    const view = registry
      .withVersions(
        new Map([
          [5, '1.0'],
          [3, '1.0'],
        ]),
      )
      .withVersions(new Map([[5, '1.1']]));
    expect(view.object(5)?.version).toBe('1.1');
    expect(view.object(3)?.version).toBe('1.0');
  });

  test('is right for thousands of devices that all announce otherwise', () => {
    const views = Array.from({ length: 2000 }, (_, at) => {
      const versions = new Map([
        [5, at % 2 === 0 ? '1.0' : '1.1'],
        [9000 + at, '1.0'],
      ]);
      return { at, view: registry.withVersions(versions), again: () => registry.withVersions(versions) };
    });
    for (const { at, view, again } of views) {
      expect(view.object(5)?.version).toBe(at % 2 === 0 ? '1.0' : '1.1');
      expect(again()).toBe(view);
    }
  });
});

describe('a definition that is loaded while the registry is in use', () => {
  test('is there at once, in views that were made before too, and goes again', () => {
    const registry = createObjectRegistry(standardObjects());
    const view = registry.withVersions(new Map([[5000, '1.0']]));
    expect(view.resourceType(5000, 0)).toBeUndefined();
    registry.load(definition('1.0', { a: { type: 'integer' } }));
    expect(view.resourceType(5000, 0)).toEqual({ type: 'integer', multiple: false });
    expect(registry.originOf(5000, '1.0')).toBe('loaded');
    registry.load(definition('2.0', { a: { type: 'boolean', multiple: true } }));
    expect(registry.resourceType(5000, 0)).toEqual({ type: 'boolean', multiple: true });
    expect(view.resourceType(5000, 0)).toEqual({ type: 'integer', multiple: false });
    expect(view.resource(5000, 0)?.title).toBe('a of 1.0');
    expect(registry.objects().filter(({ id }) => id === 5000)).toHaveLength(2);
    expect(view.objects().filter(({ id }) => id === 5000)).toHaveLength(1);
    expect(registry.unload(5000, '1.0')).toBe(true);
    expect(view.resourceType(5000, 0)).toEqual({ type: 'boolean', multiple: true });
    expect(registry.unload(5000, '1.0')).toBe(false);
    expect(registry.unload(5000, '2.0')).toBe(true);
    expect(registry.resourceType(5000, 0)).toBeUndefined();
    expect(registry.object(5000)).toBeUndefined();
    expect(registry.objects().some(({ id }) => id === 5000)).toBe(false);
  });

  test('replaces the one with its id and version', () => {
    const registry = createObjectRegistry([definition('1.0', { a: {}, b: {} })]);
    registry.load(definition('1.0', { a: { type: 'float' } }));
    expect(registry.objects()).toHaveLength(1);
    expect(registry.resourceType(5000, 0)?.type).toBe('float');
    expect(registry.resourceType(5000, 1)).toBeUndefined();
    registry.load(definition('1.0', { a: { type: 'time' } }));
    expect(registry.resourceType(5000, 0)?.type).toBe('time');
  });

  test('gives way to the built-in one that it replaced; that one stays', () => {
    const registry = createObjectRegistry([definition('1.0', { a: {}, b: {} })]);
    registry.load(definition('1.0', { a: { type: 'float' } }));
    expect(registry.unload(5000, '1.0')).toBe(true);
    expect(registry.originOf(5000, '1.0')).toBe('built-in');
    expect(registry.resourceType(5000, 0)?.type).toBe('string');
    expect(registry.resourceType(5000, 1)?.type).toBe('string');
    expect(registry.unload(5000, '1.0')).toBe(false);
  });
});

/** What the registry is after any loads and unloads is what one made of the remaining definitions is. */
test('any loads and unloads leave what a registry of the remaining definitions has, its views too', () => {
  const version = fc.constantFrom('1.0', '1.1', '1.10', '2.0');
  const id = fc.constantFrom(5000, 5001);
  const type = fc.constantFrom('string', 'integer', 'opaque');
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('load' as const),
      id,
      version,
      type,
      count: fc.integer({ min: 0, max: 3 }),
    }),
    fc.record({ kind: fc.constant('unload' as const), id, version }),
  );
  const builtIn = [definition('1.0', { a: {}, b: { type: 'boolean' } })];
  const announced = new Map([
    [5000, '1.1'],
    [5001, '1.0'],
  ]);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const registry = createObjectRegistry(builtIn);
      const view = registry.withVersions(announced);
      const loaded = new Map<string, ObjectDefinition>();
      for (const next of steps) {
        const key = `${next.id} ${next.version}`;
        if (next.kind === 'load') {
          const resources = Object.fromEntries(
            Array.from({ length: next.count }, (_, at) => [`r${at}`, { type: next.type }]),
          );
          const given = definition(next.version, resources, next.id);
          registry.load(given);
          loaded.set(key, given);
        } else {
          expect(registry.unload(next.id, next.version)).toBe(loaded.delete(key));
        }
        // Asked in between, so that what a view remembers must follow.
        view.resourceType(next.id, 0);
      }
      const kept = builtIn.filter((own) => !loaded.has(`${own.id} ${own.version}`));
      const anew = createObjectRegistry([...kept, ...loaded.values()]);
      const anewView = anew.withVersions(announced);
      expect(registry.objects()).toEqual(anew.objects());
      expect(view.objects()).toEqual(anewView.objects());
      for (const object of [5000, 5001]) {
        for (const resource of [0, 1, 2, 3]) {
          expect(registry.resourceType(object, resource)).toEqual(anew.resourceType(object, resource));
          expect(view.resourceType(object, resource)).toEqual(anewView.resourceType(object, resource));
          expect(view.resource(object, resource)).toEqual(anewView.resource(object, resource));
        }
      }
    }),
    { numRuns: 300 },
  );
});
