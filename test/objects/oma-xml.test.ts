import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { carrierObject } from '../../objects/carrier.ts';
import { defineObject, type ObjectDefinition, type ResourceDefinition } from '../../objects/define-object.ts';
import { iotSensorObject } from '../../objects/iot-sensor.ts';
import { omaObjects } from '../../objects/oma-objects.ts';
import { parseOmaXml } from '../../objects/parse-oma-xml.ts';
import { standardObjects } from '../../objects/registry.ts';
import { objectUrn, toOmaXml } from '../../objects/to-oma-xml.ts';
import { parseXml } from '../../objects/xml.ts';
import { RequestError } from '../../protocol/errors.ts';

/** What the file format carries: enumerations travel in its prose, names in code not at all. */
function carried(definition: ObjectDefinition): unknown {
  const resources = Object.values<ResourceDefinition>(definition.resources);
  return {
    ...definition,
    description: undefined,
    resources: resources.map(({ description: _, values: __, ...rest }) => rest).sort((a, b) => a.id - b.id),
  };
}

describe('an object definition file', () => {
  test.each(standardObjects().map((own) => [`${own.name} ${own.version}`, own] as const))(
    'of %s says all that our definition says',
    (_name, definition) => {
      expect(parseOmaXml(toOmaXml(definition)).map(carried)).toEqual([carried(definition)]);
    },
  );

  test('has the elements of the schema in their order', () => {
    const object = parseXml(toOmaXml(carrierObject)).children[0];
    expect(object?.attributes.ObjectType).toBe('MODefinition');
    expect(object?.children.map(({ name }) => name)).toEqual([
      ...['Name', 'Description1', 'ObjectID', 'ObjectURN', 'LWM2MVersion', 'ObjectVersion'],
      ...['MultipleInstances', 'Mandatory', 'Resources', 'Description2'],
    ]);
    const items = object?.children.find(({ name }) => name === 'Resources')?.children ?? [];
    expect(items).toHaveLength(14);
    expect(items[4]?.attributes.ID).toBe('4');
    expect(items[4]?.children.map(({ name, text }) => [name, text])).toEqual([
      ['Name', 'State'],
      ['Operations', 'R'],
      ['MultipleInstances', 'Single'],
      ['Mandatory', 'Mandatory'],
      ['Type', 'Integer'],
      ['RangeEnumeration', '0,1,2,3,4'],
      ['Units', ''],
      [
        'Description',
        'How far the newest switch is. Unknown: it was asked for, and nobody can tell how it ended.\n' +
          '0: Idle\n1: Switching\n2: Succeeded\n3: Failed\n4: Unknown',
      ],
    ]);
  });

  test.each([carrierObject, iotSensorObject])(
    'in objects/oma is that of $name (scripts/publish-objects.ts)',
    (definition) => {
      const file = join(import.meta.dirname, '../../objects/oma', `${definition.id}.xml`);
      expect(readFileSync(file, 'utf8')).toBe(toOmaXml(definition));
    },
  );

  test.each([
    [3, '1.2', 'urn:oma:lwm2m:oma:3:1.2'],
    [6, '1.0', 'urn:oma:lwm2m:oma:6'],
    [3303, '1.1', 'urn:oma:lwm2m:ext:3303:1.1'],
    [10308, '2.0', 'urn:oma:lwm2m:x:10308:2.0'],
    [42769, '1.0', 'urn:oma:lwm2m:x:42769'],
  ])('of object %i, version %s, has the URN %s', (id, version, urn) => {
    expect(objectUrn({ id, version })).toBe(urn);
  });

  test('survives any text in names and descriptions', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(text, (title) => {
        const definition = defineObject({
          ...{ id: 1, version: '1.0', name: `<${title}>`, description: `]]>&amp;${title}\u0000` },
          resources: { a: { id: 1, title: `&${title}`, operations: 'R', type: 'string' } },
        });
        const [read] = parseOmaXml(toOmaXml(definition));
        const plain = (given: string) =>
          given
            // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot carry them
            .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
            .replace(/\s+/g, ' ')
            .trim();
        expect(read?.name).toBe(plain(definition.name));
        expect(Object.values(read?.resources ?? {})[0]?.title).toBe(plain(`&${title}`));
      }),
    );
  });

  const file = (items: string, head = '') => `<?xml version="1.0" encoding="utf-8"?>
    <!-- a licence --><LWM2M><Object ObjectType="MODefinition"><Name>Pump</Name>
    <Description1><![CDATA[Moves <water> & more.]]></Description1><ObjectID>3456</ObjectID>${head}
    <MultipleInstances>Multiple</MultipleInstances><Mandatory>Optional</Mandatory>
    <Resources>${items}</Resources><Description2/></Object></LWM2M>`;
  const item = (id: string, name: string, operations: string, type: string, more = '') =>
    `<Item ID="${id}"><Name>${name}</Name><Operations>${operations}</Operations><Type>${type}</Type>${more}</Item>`;

  test('of another kind of author is read too', () => {
    const items =
      item(
        '1',
        ' Flow\n Rate ',
        'R',
        'Float',
        '<RangeEnumeration>-1.5 .. 20</RangeEnumeration><Units>m3/s</Units>',
      ) +
      item('2', '2nd Pump', 'RW', 'Boolean', '<MultipleInstances>Multiple</MultipleInstances>') +
      item('3', 'Flow Rate', 'R', 'unsigned integer', '<RangeEnumeration>1,2</RangeEnumeration>') +
      item(
        '33',
        'Flow Rate35',
        'R',
        'String',
        `<RangeEnumeration>0..1${'0'.repeat(400)}</RangeEnumeration>`,
      ) +
      item('35', 'Flow Rate', 'R', 'Corelnk') +
      item('4', '&#x416;', 'E', 'String', '<Mandatory>Mandatory</Mandatory>');
    expect(parseOmaXml(`\ufeff${file(items)}`)).toEqual([
      {
        ...{ id: 3456, version: '1.0', name: 'Pump', description: 'Moves <water> & more.', multiple: true },
        resources: {
          flowRate: {
            id: 1,
            title: 'Flow Rate',
            operations: 'R',
            type: 'float',
            range: [-1.5, 20],
            units: 'm3/s',
          },
          resource2ndPump: { id: 2, title: '2nd Pump', operations: 'RW', type: 'boolean', multiple: true },
          flowRate3: { id: 3, title: 'Flow Rate', operations: 'R', type: 'unsigned' },
          flowRate35: { id: 33, title: 'Flow Rate35', operations: 'R', type: 'string' },
          flowRate3535: { id: 35, title: 'Flow Rate', operations: 'R', type: 'corelnk' },
          resource4: { id: 4, title: 'Ж', operations: 'E', type: 'none', mandatory: true },
        },
      },
    ]);
  });

  test.each([
    ['nothing', ''],
    ['another document', '<html><Object/></html>'],
    ['no object', '<LWM2M></LWM2M>'],
    ['an object without an id', '<LWM2M><Object><Name>x</Name></Object></LWM2M>'],
    ['an object without a name', '<LWM2M><Object><ObjectID>1</ObjectID></Object></LWM2M>'],
    ['a version that is none', file('', '<ObjectVersion>one</ObjectVersion>')],
    ['a resource id out of range', file(item('65535', 'A', 'R', 'String'))],
    ['a resource without an id', file('<Item><Name>A</Name></Item>')],
    ['a resource twice', file(item('1', 'A', 'R', 'String') + item('1', 'B', 'R', 'String'))],
    ['a resource without a name', file(item('1', '', 'R', 'String'))],
    ['unknown operations', file(item('1', 'A', 'RX', 'String'))],
    ['an unknown type', file(item('1', 'A', 'R', 'Complex'))],
    ['a value without a type', file(item('1', 'A', 'R', ''))],
  ])('with %s is refused', (_name, text) => {
    expect(() => parseOmaXml(text)).toThrow(RequestError);
  });

  test('with the ranges of older files, and those that are no ranges', () => {
    const ranges = [
      '0..255 bytes',
      '1-65534',
      '0-255 bytes',
      '1...63',
      '16-32-48 bytes',
      '0,1,2',
      '6 bytes',
      '5..1',
    ];
    const items = ranges.map((range, id) =>
      item(String(id), `R${id}`, 'R', 'String', `<RangeEnumeration>${range}</RangeEnumeration>`),
    );
    const [definition] = parseOmaXml(file(items.join('')));
    expect(Object.values(definition?.resources ?? {}).map(({ range }) => range)).toEqual([
      [0, 255],
      [1, 65534],
      [0, 255],
      [1, 63],
      ...Array(4).fill(undefined),
    ]);
  });

  const object = (id: number) => `<Object><Name>x</Name><ObjectID>${id}</ObjectID></Object>`;
  test.each([
    [
      'more resources than any object has',
      file(Array.from({ length: 1001 }, (_, id) => item(String(id), 'A', 'R', 'String')).join('')),
      'object 3456: 1001 resources, 1000 are the most',
    ],
    [
      'more objects than any file has',
      `<LWM2M>${Array.from({ length: 65 }, (_, id) => object(id)).join('')}</LWM2M>`,
      '65 objects in one file: 64 are the most',
    ],
    [
      'the same object twice',
      `<LWM2M>${object(5)}${object(5)}</LWM2M>`,
      'object 5 version 1.0 is there twice',
    ],
    [
      'a name without end',
      file(item('1', 'A'.repeat(201), 'R', 'String')),
      'the name of resource 1 of object 3456 has 201 characters: 200 are the most',
    ],
    [
      'a unit without end',
      file(item('1', 'A', 'R', 'String', `<Units>${'m'.repeat(65)}</Units>`)),
      'the unit of resource 1 of object 3456 has 65 characters: 64 are the most',
    ],
    [
      'a description without end',
      file(item('1', 'A', 'R', 'String', `<Description>${'m'.repeat(10_001)}</Description>`)),
      'the description of resource 1 of object 3456 has 10001 characters: 10000 are the most',
    ],
    [
      'a resource of no type',
      file(item('7', 'A', 'R', 'Complex')),
      "resource 7 of object 3456: type 'complex'",
    ],
  ])('with %s is refused, and says where', (_name, text, message) => {
    expect(() => parseOmaXml(text)).toThrow(message);
  });
});

describe('XML', () => {
  test('is read with attributes in either quotes, references, sections and comments', () => {
    const root = parseXml(`<a x="1" y='&lt;&#65;&#x42;"'>t<b/><!-- <c> --><![CDATA[<&]]>&gt;<?p?></a>\n`);
    expect(root).toEqual({
      name: 'a',
      attributes: Object.assign(Object.create(null), { x: '1', y: '<AB"' }),
      children: [{ name: 'b', attributes: Object.create(null), children: [], text: '' }],
      text: 't<&>',
    });
  });

  test.each([
    ...[
      '',
      'x',
      '<a>',
      '<a></b>',
      '<a/><b/>',
      'x<a/>',
      '<a b></a>',
      '<a b=c/>',
      '</a>',
      '<a',
      '<1/>',
      '<a/ >',
    ],
    ...['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', '<a>&b;</a>', '<a>&</a>', '<a>&amp</a>', '<a>&#0;</a>'],
    ...[
      '<a>&#xd800;</a>',
      '<a>&constructor;</a>',
      '<!-- <a/>',
      '<a><![CDATA[</a>',
      '<a x="<"/>',
      '<a></a b="1">',
    ],
    '<a>'.repeat(40) + '</a>'.repeat(40),
    `<a>${'<b/>'.repeat(100_001)}</a>`,
  ])('is refused: %s', (text) => {
    expect(() => parseXml(text)).toThrow(RequestError);
  });

  test.each([
    ['<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>', 'XML, line 1: a document type, which is not read'],
    ['<a>\n<b>\n&lol;</b></a>', "XML, line 3: '&lol;'"],
    ['<a>\n<b c="&x;"/></a>', "XML, line 2: '&x;'"],
    ['<a>\n<b>\n</c></a>', "XML, line 3: the end tag of 'c' within b"],
    ['<a>\n<b ', 'XML, line 2: the tag of b'],
    ['<a>\n<!-- ', "XML, line 2: what has no '-->' behind it"],
    ['<a>\n<b>', 'XML, line 2: the end, within b'],
    [`<a>\n${'<b>'.repeat(20)}`, 'XML, line 2: elements nested more than 16 deep'],
    [`<a>\n${'<b/>'.repeat(50_001)}`, 'XML, line 2: more than 50000 elements'],
    [' '.repeat(2 ** 20 + 1), 'XML: 1048577 characters are more than 1048576'],
  ])('that is refused says where: %.40s', (text, message) => {
    expect(() => parseXml(text)).toThrow(message);
  });

  test.each([
    ['open tags', '<a '.repeat(350_000)],
    ['attributes', `<a ${'b="c" '.repeat(170_000)}`],
    ['spaces in a tag', `<a${' '.repeat(1_000_000)}`],
    ['spaces between tags', `<a${' >'.repeat(500_000)}`],
    ['ampersands', `<a>${'&'.repeat(1_000_000)}`],
    ['references', `<a>${'&amp;'.repeat(200_000)}</a>`],
    ['comments', `<a>${'<!---->'.repeat(140_000)}</a>`],
    ['a name', `<${'a'.repeat(1_000_000)}`],
    ['digits of a range', `<LWM2M><Object><ObjectID>${'1'.repeat(1_000_000)}</ObjectID></Object></LWM2M>`],
  ])('of a million characters of %s is read or refused', (_name, text) => {
    // In quadratic time this would take minutes, and the test would be ended.
    try {
      parseOmaXml(text);
    } catch (error) {
      expect(error).toBeInstanceOf(RequestError);
    }
  });

  test('cut or changed anywhere is read or refused, and nothing else', () => {
    const text = toOmaXml(carrierObject);
    const change = fc.tuple(fc.nat(text.length), fc.nat(20), fc.string());
    fc.assert(
      fc.property(change, ([at, removed, added]) => {
        try {
          parseOmaXml(text.slice(0, at) + added + text.slice(at + removed));
        } catch (error) {
          expect(error).toBeInstanceOf(RequestError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('comparing our definitions with a folder of files', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  function compare(files: Readonly<Record<string, string>>) {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-objects-'));
    folders.push(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const script = join(import.meta.dirname, '../../scripts/compare-objects.ts');
    return spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  }

  const files = Object.fromEntries(
    omaObjects.map((definition) => [`${definition.id}-${definition.version}.xml`, toOmaXml(definition)]),
  );

  test('finds none where there is none', () => {
    const { status, stdout } = compare(files);
    expect(stdout).toContain('3 Device 1.2: 0 differences');
    expect(status).toBe(0);
  });

  test('names each where there is one', () => {
    const device = (files['3-1.2.xml'] as string).replace('<Name>Model Number</Name>', '<Name>Model</Name>');
    const { status, stdout } = compare({ '3.xml': device });
    expect(stdout).toContain('/3//1 1.2: title is "Model Number" here and "Model" there');
    expect(stdout).toContain('1 definitions compared');
    expect(status).toBe(1);
  });
});
