import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { ObjectDefinition } from '../../objects/define-object.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'simyard-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The files that docs/guides/add-an-object.md has a reader write, their imports led to the repository. */
function writeGuide(): void {
  const guide = readFileSync(join(root, 'docs/guides/add-an-object.md'), 'utf8');
  const [definition, client] = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');
  mkdirSync(join(folder, 'objects'));
  mkdirSync(join(folder, 'client/modem'), { recursive: true });
  const repository = pathToFileURL(root).href;
  writeFileSync(
    join(folder, 'objects/humidity.ts'),
    (definition ?? '').replace("'./", `'${repository}/objects/`),
  );
  writeFileSync(
    join(folder, 'client/modem/humidity.ts'),
    (client ?? '').replace("'../lwm2m/", `'${repository}/client/lwm2m/`),
  );
}

test('the code of the guide does what the guide says', async () => {
  writeGuide();
  const { humidityObject } = (await import(join(folder, 'objects/humidity.ts'))) as {
    humidityObject: ObjectDefinition;
  };
  const { hygrometer } = (await import(join(folder, 'client/modem/humidity.ts'))) as {
    hygrometer(id: number): {
      instance: {
        resources: ReadonlyMap<number, { handler: { read?(): unknown; execute?(): void } }>;
        onChange: ((paths: readonly string[]) => void) | undefined;
      };
      measured(humidity: number): void;
    };
  };
  expect(Object.values(humidityObject.resources).map(({ id }) => id)).toEqual([
    5601, 5602, 5605, 5700, 5701, 5750,
  ]);
  const { instance, measured } = hygrometer(0);
  const read = (id: number) => instance.resources.get(id)?.handler.read?.();
  const heard: string[] = [];
  instance.onChange = (paths) => heard.push(...paths);
  measured(61.5);
  expect([read(5700), read(5601), read(5602), read(5701)]).toEqual([61.5, 50, 61.5, '%RH']);
  expect(heard).toEqual(['/3304/0/5700', '/3304/0/5601', '/3304/0/5602']);
  instance.resources.get(5605)?.handler.execute?.();
  expect([read(5601), read(5602)]).toEqual([61.5, 61.5]);
});
