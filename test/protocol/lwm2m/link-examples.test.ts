import { describe, expect, test } from 'vitest';
import { DecodeError } from '../../../protocol/errors.ts';
import { formatLinks, parseLinks } from '../../../protocol/lwm2m/link-format.ts';
import { objectLinks } from '../../../protocol/lwm2m/object-links.ts';

interface Example {
  readonly name: string;
  readonly text: string;
  /** `target attribute=value …`, a line per link. */
  readonly links: readonly string[];
  /** What is written, where it is not what was read. */
  readonly written?: string;
}

// The example client of OMA-TS-LightweightM2M_Core-V1_2 Appendix F.
const registered = '</1/0>,</1/1>,</2/0>,</2/1>,</2/2>,</2/3>,</2/4>,</3/0>,</4/0>,</5>';
const instances = ['/1/0', '/1/1', '/2/0', '/2/1', '/2/2', '/2/3', '/2/4', '/3/0', '/4/0', '/5'];
const spaced = (text: string) => text.replaceAll(', ', ',');

const examples: readonly Example[] = [
  // OMA-TS-LightweightM2M_Core-V1_2, as printed.
  { name: 'LwM2M §6.2.1, a registration', text: registered, links: instances },
  {
    name: 'LwM2M §6.2.1, with a content format',
    text: `</>;ct=110, ${registered}`,
    links: ['/ ct=110', ...instances],
    written: `</>;ct=110,${registered}`,
  },
  {
    name: 'LwM2M §6.2.1, with several content formats',
    text: `</>;ct="110 112 60", ${registered}`,
    links: ['/ ct=110 112 60', ...instances],
    written: `</>;ct="110 112 60",${registered}`,
  },
  {
    name: 'LwM2M §7.2.3, example 2, a core object of an older version',
    text: '</1>;ver=1.0,</1/0>,</1/1>,</3/0>',
    links: ['/1 ver=1.0', '/1/0', '/1/1', '/3/0'],
  },
  {
    name: 'LwM2M §7.2.3, example 3, the version at the instance',
    text: '</1/0>,</1/1>,</3/0>,</44/0>;ver=2.2',
    links: ['/1/0', '/1/1', '/3/0', '/44/0 ver=2.2'],
  },
  {
    name: 'LwM2M §7.2.3, example 4, an object beside its instances',
    text: '</1>,</1/0>,</1/1>,</3/0>,</4/0>',
    links: ['/1', '/1/0', '/1/1', '/3/0', '/4/0'],
  },
  ...[
    '</3>;pmin=10, </3/0>;pmax=60, </3/0/1>, </3/0/2>, </3/0/3>, </3/0/4>, </3/0/6>;dim=2, </3/0/7>;dim=2;gt=50;lt=42.2, </3/0/8>;dim=2, </3/0/11>, </3/0/16>',
    '</1>, </1/0>, </1/4>;pmax=300',
    '</3/0>;pmin=10;pmax=60, </3/0/1>, </3/0/2>, </3/0/3>, </3/0/4>, </3/0/6>;dim=2, </3/0/6/0>, </3/0/6/3>, </3/0/7>;dim=2;gt=50;lt=42.2, </3/0/7/0>, </3/0/7/1>;lt=45, </3/0/8>;dim=2, </3/0/8/1>, </3/0/8/2>, </3/0/11>, </3/0/16>',
    '</3/0>;pmin=10;pmax=60',
    '</3/0/7>;dim=2;pmin=10;pmax=60;gt=50;lt=42.2, </3/0/7/0>, </3/0/7/1>;lt=45',
    '</3/0/7>;dim=2;gt=50;lt=42.2, </3/0/7/0>, </3/0/7/1>',
    '</3/0/7>;dim=2;pmax=300;gt=80;lt=65.5, </3/0/7/0>, </3/0/7/1>',
  ].map((text, at) => ({
    name: `LwM2M §6.3.2, Discover ${at + 1}`,
    text,
    links: text.split(', ').map((link) => link.replace('<', '').replace('>', '').replaceAll(';', ' ')),
    written: spaced(text),
  })),
  {
    name: 'LwM2M §7.1, Discover /1',
    text: '</1/0/0>,</1/0/1>,</1/0/6>,</1/0/7>, </1/0/8>, </1/1/0>,</1/1/1>,</1/1/2>,</1/1/4>,</1/1/6>,</1/1/7>, </1/1/8>',
    links: [
      ...['/1/0/0', '/1/0/1', '/1/0/6', '/1/0/7', '/1/0/8', '/1/1/0', '/1/1/1', '/1/1/2', '/1/1/4'],
      ...['/1/1/6', '/1/1/7', '/1/1/8'],
    ],
    written:
      '</1/0/0>,</1/0/1>,</1/0/6>,</1/0/7>,</1/0/8>,</1/1/0>,</1/1/1>,</1/1/2>,</1/1/4>,</1/1/6>,</1/1/7>,</1/1/8>',
  },
  {
    name: 'LwM2M §6.1.7.3, Bootstrap-Discover /0',
    text: '</>;lwm2m=1.1,</0/0>;ssid=101;uri="coaps://server_1.example.com", </0/1/>, </0/2>;ssid=102;uri="coaps://server_2.example.com"',
    links: [
      '/ lwm2m=1.1',
      '/0/0 ssid=101 uri=coaps://server_1.example.com',
      '/0/1/',
      '/0/2 ssid=102 uri=coaps://server_2.example.com',
    ],
    written:
      '</>;lwm2m=1.1,</0/0>;ssid=101;uri="coaps://server_1.example.com",</0/1/>,</0/2>;ssid=102;uri="coaps://server_2.example.com"',
  },
  {
    name: 'LwM2M §6.1.7.3, Bootstrap-Discover /',
    text: '</>;lwm2m=1.1,</0/0>;ssid=101;uri="coaps://server_1.example.com", </0/1>, </1/0/>;ssid=101, </3/0>,</5>,</4>',
    links: [
      ...['/ lwm2m=1.1', '/0/0 ssid=101 uri=coaps://server_1.example.com', '/0/1', '/1/0/ ssid=101'],
      ...['/3/0', '/5', '/4'],
    ],
    written:
      '</>;lwm2m=1.1,</0/0>;ssid=101;uri="coaps://server_1.example.com",</0/1>,</1/0/>;ssid=101,</3/0>,</5>,</4>',
  },
  {
    name: 'LwM2M §6.1.7.3, Bootstrap-Discover with OSCORE',
    text: '</>;lwm2m=1.1,</0/0>;ssid=101;uri="coaps://server_1.example.com",</0/2>;ssid=102;uri="coap://server_1.example.com",</21/0>;ssid=101,</21/2>;ssid=102,</0/1>,</21/1/>',
    links: [
      '/ lwm2m=1.1',
      '/0/0 ssid=101 uri=coaps://server_1.example.com',
      '/0/2 ssid=102 uri=coap://server_1.example.com',
      ...['/21/0 ssid=101', '/21/2 ssid=102', '/0/1', '/21/1/'],
    ],
  },
  {
    name: 'LwM2M §6.1.7.3, Bootstrap-Discover with an object of version 1.9',
    text: '</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri="coaps://server_1.example.com", </1/0/>;ssid=101, </3/0>,</5>,</4>,</55>;ver=1.9,</55/0>',
    links: [
      ...['/ lwm2m=1.1', '/0/0', '/0/1 ssid=101 uri=coaps://server_1.example.com', '/1/0/ ssid=101'],
      ...['/3/0', '/5', '/4', '/55 ver=1.9', '/55/0'],
    ],
    written:
      '</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri="coaps://server_1.example.com",</1/0/>;ssid=101,</3/0>,</5>,</4>,</55>;ver=1.9,</55/0>',
  },
  {
    name: 'LwM2M §6.4.4, attributes of two objects',
    text: '</3>;pmin=60,</4>;pmax=300',
    links: ['/3 pmin=60', '/4 pmax=300'],
  },

  // RFC 6690 §5, as later documents quote it: the text of the RFC itself was not at hand.
  { name: 'RFC 6690 §5, a link to another document', text: '</sensors>;ct=40', links: ['/sensors ct=40'] },
  {
    name: 'RFC 6690 §5, the sensors there',
    text: '</sensors/temp>;rt="temperature-c";if="sensor",\n</sensors/light>;rt="light-lux";if="sensor"',
    links: ['/sensors/temp rt=temperature-c if=sensor', '/sensors/light rt=light-lux if=sensor'],
    written: '</sensors/temp>;rt="temperature-c";if="sensor",</sensors/light>;rt="light-lux";if="sensor"',
  },
  {
    name: 'RFC 6690 §5, with titles, anchors and relations over several lines',
    text: `</sensors>;ct=40;title="Sensor Index",
   </sensors/temp>;rt="temperature-c";if="sensor",
   </sensors/light>;rt="light-lux";if="sensor",
   <http://www.example.com/sensors/t123>;anchor="/sensors/temp"
   ;rel="describedby",
   </t>;anchor="/sensors/temp";rel="alternate"`,
    links: [
      '/sensors ct=40 title=Sensor Index',
      '/sensors/temp rt=temperature-c if=sensor',
      '/sensors/light rt=light-lux if=sensor',
      'http://www.example.com/sensors/t123 anchor=/sensors/temp rel=describedby',
      '/t anchor=/sensors/temp rel=alternate',
    ],
    written:
      '</sensors>;ct=40;title="Sensor Index",</sensors/temp>;rt="temperature-c";if="sensor",' +
      '</sensors/light>;rt="light-lux";if="sensor",<http://www.example.com/sensors/t123>;anchor="/sensors/temp";rel="describedby",' +
      '</t>;anchor="/sensors/temp";rel="alternate"',
  },
  {
    name: 'RFC 6690 §5, two resource types',
    text: '</sensors/light>;rt="light-lux core.sen-light";if="sensor"',
    links: ['/sensors/light rt=light-lux core.sen-light if=sensor'],
  },
  {
    name: 'RFC 6690 §5, what is known of an anchor',
    text: '<http://www.example.com/sensors/temp123>;anchor="/sensors/temp";rel="describedby",</t>;anchor="/sensors/temp";rel="alternate"',
    links: [
      'http://www.example.com/sensors/temp123 anchor=/sensors/temp rel=describedby',
      '/t anchor=/sensors/temp rel=alternate',
    ],
  },
  {
    name: 'RFC 6690 §5, a size',
    text: '</firmware/v2.1>;rt="firmware";sz=262144',
    links: ['/firmware/v2.1 rt=firmware sz=262144'],
  },
];

const shown = (text: string) =>
  parseLinks(text).map(({ target, attributes }) =>
    [target, ...Object.entries(attributes).map(([name, value]) => `${name}=${value}`)].join(' '),
  );

describe('an example of link format', () => {
  test.each(examples)('is read: $name', ({ text, links }) => {
    expect(shown(text)).toEqual(links);
  });

  test.each(examples)('is written: $name', ({ text, written }) => {
    expect(formatLinks(parseLinks(text))).toBe(written ?? text);
  });

  test.each(examples)('cut anywhere is refused or read as it stands: $name', ({ text }) => {
    for (let length = 0; length < text.length; length++) {
      try {
        const links = parseLinks(text.slice(0, length));
        expect(parseLinks(formatLinks(links))).toEqual(links);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

// As printed, but for a space that stands within each target there.
test('an alternate path is the one of OMA-TS-LightweightM2M_Transport-V1_2 §6.4.1', () => {
  const text = `</lwm2m>;rt="oma.lwm2m", ${registered.replaceAll('</', '</lwm2m/')}`;
  const { rootPath, objects } = objectLinks(parseLinks(text));
  expect(rootPath).toBe('/lwm2m');
  expect(objects.map(({ path }) => path)).toEqual(instances);
});

describe('the content formats of a registration', () => {
  test('stand at the root link, which needs no rt (§6.2.1)', () => {
    expect(objectLinks(parseLinks(`</>;ct=110, ${registered}`)).contentFormats).toEqual([110]);
    expect(objectLinks(parseLinks('</>;ct="110 112 60",</3/0>')).contentFormats).toEqual([110, 112, 60]);
  });

  test('stand at the alternate root path, and not at / beside it', () => {
    const links = parseLinks('</>;ct=60,</lwm2m>;rt="oma.lwm2m";ct=112,</lwm2m/3/0>');
    expect(objectLinks(links)).toMatchObject({ rootPath: '/lwm2m', contentFormats: [112] });
  });
});

test('the form that earlier versions of §6.1.7.3 printed, without a link for the version, is no link format', () => {
  expect(() => parseLinks('lwm2m=1.0,</0/0>;ssid=101,</0/1/>,</0/2>;ssid=102')).toThrow(DecodeError);
});
