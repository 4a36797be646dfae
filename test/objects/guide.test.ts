import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { ObjectDefinition } from '../../objects/define-object.ts';

const root = join(import.meta.dirname, '../..');
const source = (file: string) => readFileSync(join(root, file), 'utf8');
const guide = source('docs/guides/add-an-object.md');
const folder = mkdtempSync(join(tmpdir(), 'simyard-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The files that docs/guides/add-an-object.md has a reader write, their imports led to the repository. */
function writeGuide(): void {
  const [definition, client] = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');
  mkdirSync(join(folder, 'objects/ipso'), { recursive: true });
  mkdirSync(join(folder, 'client/modem'), { recursive: true });
  const repository = pathToFileURL(root).href;
  writeFileSync(
    join(folder, 'objects/ipso/concentration.ts'),
    (definition ?? '')
      .replace("'../define-object.ts'", `'${repository}/objects/define-object.ts'`)
      .replace("'./resources.ts'", `'${repository}/objects/ipso/resources.ts'`),
  );
  writeFileSync(
    join(folder, 'client/modem/co2-sensor.ts'),
    (client ?? '').replace("'../lwm2m/", `'${repository}/client/lwm2m/`),
  );
}

test('the code of the guide does what the guide says', async () => {
  writeGuide();
  const { concentrationObject } = (await import(join(folder, 'objects/ipso/concentration.ts'))) as {
    concentrationObject: ObjectDefinition;
  };
  const { co2Sensor } = (await import(join(folder, 'client/modem/co2-sensor.ts'))) as {
    co2Sensor(id: number): {
      instance: {
        resources: ReadonlyMap<number, { handler: { read?(): unknown; execute?(): void } }>;
        onChange: ((instance: unknown, names: readonly string[]) => void) | undefined;
      };
      measured(concentration: number): void;
    };
  };
  const ids = Object.values(concentrationObject.resources).map(({ id }) => id);
  // As in the registry's own file, 3325.xml.
  expect(ids.sort()).toEqual([5601, 5602, 5603, 5604, 5605, 5700, 5701, 5750, 5821]);
  const { instance, measured } = co2Sensor(0);
  const read = (id: number) => instance.resources.get(id)?.handler.read?.();
  const heard: string[] = [];
  instance.onChange = (_instance, names) => heard.push(...names);
  measured(815.5);
  expect([read(5700), read(5601), read(5602), read(5701)]).toEqual([815.5, 420, 815.5, 'ppm']);
  expect(heard).toEqual(['sensorValue', 'minMeasuredValue', 'maxMeasuredValue']);
  instance.resources.get(5605)?.handler.execute?.();
  expect([read(5601), read(5602)]).toEqual([815.5, 815.5]);
});

test('the places that the guide has a reader change are there, before the change and after it', () => {
  expect(source('objects/oma-objects.ts')).toMatch(
    / {2}pressureObject,\n( {2}concentrationObject,\n)? {2}gyrometerObject,\n/,
  );
  expect(guide).toContain('  pressureObject,\n  concentrationObject,\n  gyrometerObject,\n');
  const end = '    const { tree } = this.client;\n';
  for (const text of [end, 'export class Modem {\n', 'random', 'clock', '#closed']) {
    expect(source('client/modem/modem.ts')).toContain(text);
  }
  expect(guide).toContain(`${end}    tree.add(this.#co2.instance);\n`);
  expect(source('objects/registry.ts')).toContain('export function standardObjects(');
  expect(source('test/objects/define-object.test.ts')).toContain("      '3323 Pressure 1.1',\n");
});

test('an XML file goes where the server takes it, and the folder has the name of its setting', () => {
  expect(guide).toMatch(
    /curl -H 'content-type: application\/xml' --data-binary @\S+ localhost:8080\/api\/object-models\n/,
  );
  const route = source('server/api/routes/object-models.ts');
  expect(route).toMatch(/app\.post\(\s*'\/api\/object-models',/);
  expect(route).toContain("'application/xml'");
  expect(guide).toContain('`SIMYARD_OBJECTS`');
  expect(source('server/config.ts')).toContain("'SIMYARD_OBJECTS'");
});
