import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deviceObject } from '../../../objects/device.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { toOmaXml } from '../../../objects/to-oma-xml.ts';
import { systemClock } from '../../../protocol/clock.ts';
import { ConfigError } from '../../../server/config.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { LiveHub } from '../../../server/live/hub.ts';
import { EventPublisher } from '../../../server/live/publisher.ts';
import { type ModelFile, ObjectModels } from '../../../server/lwm2m/object-models.ts';
import { readObjectFolder } from '../../../server/object-folder.ts';
import type { Stores } from '../../../server/ports/stores.ts';

let stores: Stores;
beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
});
afterEach(() => stores.close());

const warnings: string[] = [];
const log = pino({ level: 'warn' }, { write: (line) => warnings.push(line) });

const tank = (name: string, version = '1.0') =>
  toOmaXml({
    id: 26241,
    version,
    name,
    resources: { level: { id: 0, title: 'Level', operations: 'R', type: 'integer' } },
  });

async function open(files: readonly ModelFile[] = []): Promise<ObjectModels> {
  const hub = await LiveHub.open(stores.events, stores.log);
  const models = new ObjectModels({
    registry: createObjectRegistry(standardObjects()),
    store: stores.objectModels,
    own: new Set([42769, 42770]),
    events: new EventPublisher(stores.events, hub, log),
    clock: systemClock,
  });
  warnings.length = 0;
  await models.open(files, log);
  return models;
}

describe('object definitions', () => {
  it('of a folder are loaded at the start, with the name of their file', async () => {
    const models = await open([{ name: 'tank.xml', xml: tank('Tank') }]);
    expect(models.get(26241)).toMatchObject({
      source: 'folder',
      file: 'tank.xml',
      definition: { name: 'Tank' },
    });
    expect(warnings).toEqual([]);
  });

  it('that were uploaded are there again after a restart', async () => {
    await (await open()).upload(tank('Tank'));
    const models = await open();
    expect(models.get(26241)).toMatchObject({ source: 'uploaded', definition: { name: 'Tank' } });
    expect(models.xml(models.get(26241) as NonNullable<ReturnType<typeof models.get>>)).toBe(tank('Tank'));
  });

  it('that are uploaded have a bounded size together, whatever each of them is', async () => {
    const models = await open();
    const padded = (id: number, padding: number) =>
      toOmaXml({
        id,
        version: '1.0',
        name: 'Padded',
        resources: { level: { id: 0, title: 'Level', operations: 'R', type: 'integer' } },
      }).replace('<Object ', `<!--${'€'.repeat(padding)}--><Object `);
    for (let id = 0; id < 10; id++) await models.upload(padded(30_000 + id, 1_040_000));
    await expect(models.upload(padded(30_010, 1_040_000))).rejects.toThrow('33554432 bytes');
    expect(models.get(30_010)).toBeUndefined();
    await models.remove(30_000, '1.0');
    await models.upload(padded(30_001, 1_040_000));
    await models.upload(padded(30_010, 1_040_000));
    const again = await open();
    await expect(again.upload(padded(30_000, 1_040_000))).rejects.toThrow('33554432 bytes');
    expect(again.problems).toEqual([]);
  });

  it('of a folder are passed over where they are not UTF-8, whatever they declare', async () => {
    const latin = Buffer.from(tank('Kühlung'), 'latin1');
    const declared = tank('Tank').replace(
      /^(<\?xml[^>]*\?>)?/,
      '<?xml version="1.0" encoding="ISO-8859-1"?>',
    );
    const models = await open([
      { name: 'latin.xml', xml: latin },
      { name: 'declared.xml', xml: Buffer.from(declared) },
      { name: 'right.xml', xml: Buffer.from(tank('Kühlung')) },
    ]);
    expect(models.problems).toEqual([
      { file: 'latin.xml', detail: 'XML: it is not UTF-8' },
      { file: 'declared.xml', detail: "XML: the encoding is 'ISO-8859-1', and only UTF-8 is read" },
    ]);
    expect(models.get(26241)?.definition.name).toBe('Kühlung');
  });

  it('that were uploaded count before those of the folder, which count again without them', async () => {
    const files = [{ name: 'tank.xml', xml: tank('From the folder') }];
    await (await open(files)).upload(tank('Uploaded'));
    const models = await open(files);
    expect(models.get(26241)?.definition.name).toBe('Uploaded');
    expect(await models.remove(26241, '1.0')).toBe(true);
    expect(models.get(26241)).toMatchObject({ source: 'folder', definition: { name: 'From the folder' } });
    await expect(models.remove(26241, '1.0')).rejects.toThrow('tank.xml');
  });

  it('of a folder count before built-in ones', async () => {
    const models = await open([{ name: '3.xml', xml: toOmaXml({ ...deviceObject, name: 'Ours' }) }]);
    expect(models.get(3, deviceObject.version)).toMatchObject({
      source: 'folder',
      definition: { name: 'Ours' },
    });
  });

  it.each([
    ['is not well-formed', '<LWM2M>\n<Object></LWM2M>', /line 2/],
    ['is of the server itself', tank('x').replaceAll('26241', '42770'), /built in/],
    ['is in another file already', tank('Again'), /a\.xml already/],
  ])('of which a file %s pass it over, tell it, and load the others', async (_, xml, detail) => {
    const models = await open([
      { name: 'a.xml', xml: tank('Tank') },
      { name: 'bad.xml', xml },
      { name: 'c.xml', xml: tank('Tank', '1.1') },
    ]);
    expect(models.versions(26241)).toEqual(['1.0', '1.1']);
    expect(models.get(26241, '1.0')?.definition.name).toBe('Tank');
    expect(models.problems).toMatchObject([{ file: 'bad.xml', detail: expect.stringMatching(detail) }]);
    expect(warnings.join()).toContain('bad.xml');
  });
});

describe('the folder of definitions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'simyard-objects-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('gives its XML files by name, and nothing else', () => {
    mkdirSync(join(folder, 'deeper'), { recursive: true });
    writeFileSync(join(folder, 'b.xml'), 'B');
    writeFileSync(join(folder, 'a.XML'), 'A');
    writeFileSync(join(folder, 'notes.txt'), 'N');
    writeFileSync(join(folder, 'deeper', 'c.xml'), 'C');
    expect(readObjectFolder(folder)).toEqual([
      { name: 'a.XML', xml: Buffer.from('A') },
      { name: 'b.xml', xml: Buffer.from('B') },
    ]);
  });

  it('stops the start with one line where it cannot be read', () => {
    expect(() => readObjectFolder(join(folder, 'nowhere'))).toThrow(ConfigError);
    mkdirSync(join(folder, 'x.xml'), { recursive: true });
    expect(() => readObjectFolder(folder)).toThrow(/SIMYARD_OBJECTS: .*x\.xml/);
  });
});
