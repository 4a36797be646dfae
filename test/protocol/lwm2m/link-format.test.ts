import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { formatLinks, type Link, MAX_LINKS, parseLinks } from '../../../protocol/lwm2m/link-format.ts';
import { objectLinks } from '../../../protocol/lwm2m/object-links.ts';

interface Vector {
  readonly name: string;
  readonly text: string;
  readonly links: readonly Link[];
  /** What is written, where it is not what was read. */
  readonly canonical?: string;
}

const link = (target: string, attributes: Record<string, string> = {}): Link => ({ target, attributes });

const vectors: readonly Vector[] = [
  { name: 'nothing', text: '', links: [] },
  { name: 'one link', text: '</sensors>', links: [link('/sensors')] },
  {
    name: 'RFC 6690 §5: a directory',
    text: '</sensors>;ct=40',
    links: [link('/sensors', { ct: '40' })],
  },
  {
    name: 'RFC 6690 §5: two sensors',
    text: '</sensors/temp>;if="sensor",</sensors/light>;if="sensor"',
    links: [link('/sensors/temp', { if: 'sensor' }), link('/sensors/light', { if: 'sensor' })],
  },
  {
    name: 'RFC 6690 §5: titles, anchors and a full URI',
    text:
      '</sensors>;ct=40;title="Sensor Index",</sensors/temp>;rt="temperature-c";if="sensor",' +
      '</sensors/light>;rt="light-lux";if="sensor",' +
      '<http://www.example.com/sensors/t123>;anchor="/sensors/temp";rel="describedby",' +
      '</t>;anchor="/sensors/temp";rel="alternate"',
    links: [
      link('/sensors', { ct: '40', title: 'Sensor Index' }),
      link('/sensors/temp', { rt: 'temperature-c', if: 'sensor' }),
      link('/sensors/light', { rt: 'light-lux', if: 'sensor' }),
      link('http://www.example.com/sensors/t123', { anchor: '/sensors/temp', rel: 'describedby' }),
      link('/t', { anchor: '/sensors/temp', rel: 'alternate' }),
    ],
  },
  {
    name: 'RFC 6690 §5: two relation types in one value',
    text: '</sensors>;rt="light-lux core.sen-light";sz=262144',
    links: [link('/sensors', { rt: 'light-lux core.sen-light', sz: '262144' })],
  },
  {
    name: 'LwM2M §6.2.1: a registration with root, versions and an instance',
    text: '</>;rt="oma.lwm2m";ct="60 110",</1/0>,</3/0>;ver=1.2,</5>',
    links: [
      link('/', { rt: 'oma.lwm2m', ct: '60 110' }),
      link('/1/0'),
      link('/3/0', { ver: '1.2' }),
      link('/5'),
    ],
  },
  {
    name: 'a Discover with attributes (§6.3.2)',
    text: '</3/0>;pmin=10;pmax=60;gt=50;lt=-42.2,</3/0/6>;dim=2,</3/0/9>;st=0.5',
    links: [
      link('/3/0', { pmin: '10', pmax: '60', gt: '50', lt: '-42.2' }),
      link('/3/0/6', { dim: '2' }),
      link('/3/0/9', { st: '0.5' }),
    ],
  },
  {
    name: 'quoted ver and ct, as devices send them',
    text: '</>;ct="110",</3>;ver="1.1"',
    links: [link('/', { ct: '110' }), link('/3', { ver: '1.1' })],
    canonical: '</>;ct=110,</3>;ver=1.1',
  },
  {
    name: 'commas, semicolons and escapes within quotes',
    text: '</a>;title="x, <y>; \\"z\\" \\\\",</b>;obs',
    links: [link('/a', { title: 'x, <y>; "z" \\' }), link('/b', { obs: '' })],
  },
  {
    name: 'an empty quoted value',
    text: '</a>;title=""',
    links: [link('/a', { title: '' })],
    canonical: '</a>;title',
  },
  {
    name: 'a repeated attribute, of which the first counts',
    text: '</a>;rt="one";rt="two"',
    links: [link('/a', { rt: 'one' })],
    canonical: '</a>;rt="one"',
  },
  {
    name: 'white space and a trailing comma',
    text: ' </1/0> ; ver = 1.1 ,\r\n</3/0> , ',
    links: [link('/1/0', { ver: '1.1' }), link('/3/0')],
    canonical: '</1/0>;ver=1.1,</3/0>',
  },
];

const plain = (links: readonly Link[]) =>
  links.map(({ target, attributes }) => ({ target, attributes: { ...attributes } }));

describe('link format', () => {
  test.each(vectors)('reads $name', ({ text, links }) => {
    expect(plain(parseLinks(text))).toEqual(links);
  });

  test.each(vectors)('writes $name', ({ text, links, canonical }) => {
    expect(formatLinks(links)).toBe(canonical ?? text);
  });

  test.each(vectors)('reads every beginning of $name or throws DecodeError', ({ text }) => {
    for (let length = 0; length < text.length; length++) {
      const part = text.slice(0, length);
      try {
        // What it gives must be what it means: written and read again it is the same.
        const links = plain(parseLinks(part));
        expect(plain(parseLinks(formatLinks(links)))).toEqual(links);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });

  test.each([
    'x',
    '<a',
    '<a>x',
    '<a>;',
    '<a>;=1',
    '<a>;t="x',
    '<a>;t="x\\',
    '<a>;t=',
    '<a>;t=a b',
    '<a><b>',
    '<a>,,<b>',
  ])('refuses %s', (text) => expect(() => parseLinks(text)).toThrow(DecodeError));

  test('bounds the number of links and of attributes', () => {
    expect(parseLinks('<a>,'.repeat(MAX_LINKS))).toHaveLength(MAX_LINKS);
    expect(() => parseLinks('<a>,'.repeat(MAX_LINKS + 1))).toThrow(DecodeError);
    expect(() => parseLinks(`<a>${';x'.repeat(65)}`)).toThrow(DecodeError);
  });

  test('keeps an attribute called __proto__ as any other', () => {
    const [first] = parseLinks('<a>;__proto__=1;constructor=2');
    expect(Object.entries(first?.attributes ?? {})).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  test('does not write what cannot be read back', () => {
    expect(() => formatLinks([link('/a>b')])).toThrow(RequestError);
    expect(() => formatLinks([link('/a', { 'b c': '1' })])).toThrow(RequestError);
  });

  test('survives writing and reading again', () => {
    const target = fc.string().map((text) => text.replaceAll('>', ''));
    const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/);
    const links = fc.array(fc.record({ target, attributes: fc.dictionary(name, fc.string()) }));
    fc.assert(
      fc.property(links, (given) => {
        expect(plain(parseLinks(formatLinks(given)))).toEqual(plain(given));
      }),
    );
  });
});

describe('the links of a registration', () => {
  const read = (text: string) => objectLinks(parseLinks(text));

  test('give objects and instances, and / as root where none is named', () => {
    const { rootPath, contentFormats, objects } = read('</1/0>,</3/0>;ver=1.2,</5>,</sensors/temp>,</3/0/9>');
    expect(rootPath).toBe('/');
    expect(contentFormats).toEqual([]);
    expect(objects.map(({ path }) => path)).toEqual(['/1/0', '/3/0', '/5']);
    expect(objects[1]).toMatchObject({ object: 3, instance: 0, attributes: { ver: '1.2' } });
    expect(objects[2]?.instance).toBeUndefined();
  });

  test('give the content formats of the root link, quoted or not', () => {
    expect(read('</>;rt="oma.lwm2m";ct="60 110 112"').contentFormats).toEqual([60, 110, 112]);
    expect(read('</>;rt="oma.lwm2m";ct=110').contentFormats).toEqual([110]);
    expect(read('</>;rt=oma.lwm2m;ct="x 99999 42"').contentFormats).toEqual([42]);
  });

  test('are stripped of an alternate root path', () => {
    const { rootPath, objects } = read(
      '</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>,</lwm2m/3/0/>,</9/0>,</lwm2mx/4/0>',
    );
    expect(rootPath).toBe('/lwm2m');
    expect(objects.map(({ path }) => path)).toEqual(['/1/0', '/3/0']);
    expect(read('</a/b/>;rt="other oma.lwm2m",</a/b/3/0>').rootPath).toBe('/a/b');
  });

  test('name each object once', () => {
    expect(read('</3/0>,</3/0>;ver=1.1').objects).toHaveLength(1);
  });
});
