import { describe, expect, it } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import {
  lifetimeOf,
  parseObjects,
  parseParameters,
  requireEndpoint,
  requireVersion,
  UnsupportedVersionError,
} from '../../../server/lwm2m/registration-request.ts';

describe('the parameters of a Register', () => {
  it('are read as OMA Core §6.2.1 names them, unknown ones kept', () => {
    expect(
      parseParameters(['ep=modem-1', 'lt=300', 'lwm2m=1.1', 'b=U', 'Q', 'sms=+15551234', 'x=y']),
    ).toEqual({
      endpoint: 'modem-1',
      lifetime: 300,
      version: '1.1',
      binding: 'U',
      queueMode: true,
      smsNumber: '+15551234',
      additional: { x: 'y' },
    });
  });

  it('take queue mode from the binding of a 1.0 client', () => {
    expect(parseParameters(['b=UQ'])).toMatchObject({ binding: 'UQ', queueMode: true });
  });

  it('default to a day and version 1.0', () => {
    expect(lifetimeOf(parseParameters([]))).toBe(86_400);
    expect(requireVersion(parseParameters([]))).toBe('1.0');
  });

  it('refuse a second endpoint name', () => {
    expect(() => parseParameters(['ep=a', 'ep=b'])).toThrow('given twice');
  });

  it.each(['lt=-5', 'lt=abc', 'lt=', 'b=X', 'b='])('refuse %s', (query) => {
    expect(() => parseParameters([query])).toThrow(RequestError);
  });

  it('take a lifetime of any number of digits as the longest there is', () => {
    expect(parseParameters(['lt=99999999999']).lifetime).toBe(2_147_483_647);
    expect(parseParameters([`lt=${'9'.repeat(200)}`]).lifetime).toBe(2_147_483_647);
  });

  it('take a lifetime of 0 as one without end', () => {
    expect(parseParameters(['lt=0']).lifetime).toBe(2_147_483_647);
  });

  it.each([
    ['pid=6:27354b9a', ['6:27354b9a']],
    ['pid="6:1234abcd,oma:dev-1,v:x"', ['6:1234abcd', 'oma:dev-1', 'v:x']],
    ['pid="v:x,v:x"', ['v:x']],
  ])('read the profile ids of %s', (query, profiles) => {
    expect(parseParameters([query])).toEqual({ profiles, additional: {} });
  });

  it.each([
    'pid=',
    'pid=6',
    'pid=6:',
    'pid=6:ABCD',
    'pid=oma:a_b',
    'pid=x:1',
    'pid="6:ab',
    'pid="6:ab,"',
    'pid=6:ab,v:x',
    `pid=6:${'a'.repeat(100)}`,
    `pid="${Array.from({ length: 17 }, (_, i) => `v:${i}`).join(',')}"`,
  ])('refuse %s', (query) => {
    expect(() => parseParameters([query])).toThrow(RequestError);
  });

  it.each([
    ['1.0', '1.0'],
    ['1.2', '1.2'],
    ['1.1.1', '1.1'],
    ['1.2.2', '1.2'],
  ])('take version %s as %s', (given, version) => {
    expect(requireVersion(parseParameters([`lwm2m=${given}`]))).toBe(version);
    expect(requireVersion(parseParameters([`lwm2m="${given}"`]))).toBe(version);
  });

  it('bound a lifetime that is longer than any device lives', () => {
    expect(parseParameters(['lt=4294967295']).lifetime).toBe(2_147_483_647);
  });

  it('do not let a peer reach the prototype', () => {
    const { additional } = parseParameters(['__proto__=x', 'constructor=y']);
    expect(Object.keys(additional)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('need an endpoint name, of printable characters and bounded length', () => {
    expect(() => requireEndpoint({})).toThrow('endpoint client name (ep) is missing');
    expect(() => requireEndpoint({ endpoint: 'a\nb' })).toThrow('cannot be shown');
    for (const hidden of ['a\u200bb', 'a\u202eb', '\u2028']) {
      expect(() => requireEndpoint({ endpoint: hidden })).toThrow('cannot be shown');
    }
    for (const dots of ['.', '..']) {
      expect(() => requireEndpoint({ endpoint: dots })).toThrow('cannot be');
    }
    expect(requireEndpoint({ endpoint: 'Zähler № 7 (東京)' })).toBe('Zähler № 7 (東京)');
    expect(() => requireEndpoint({ endpoint: 'x'.repeat(256) })).toThrow('longer than 255');
    expect(requireEndpoint({ endpoint: 'urn:imei:490154203237518' })).toBe('urn:imei:490154203237518');
  });

  it('name a version that is not ours with its own error, for 4.12', () => {
    expect(() => requireVersion({ version: '2.0', additional: {} })).toThrow(UnsupportedVersionError);
  });
});

describe('the objects of a Register', () => {
  it('are listed without the root path, content formats told', () => {
    const payload = new TextEncoder().encode(
      '</lwm2m>;rt="oma.lwm2m";ct="110 112",</lwm2m/3/0>,</lwm2m/1/0>;ver=1.1',
    );
    const { rootPath, contentFormats, links } = parseObjects(payload);
    expect(rootPath).toBe('/lwm2m');
    expect(contentFormats).toEqual([110, 112]);
    expect(links.map(({ target }) => target)).toEqual(['/3/0', '/1/0']);
  });

  it('that are no UTF-8 are a DecodeError', () => {
    expect(() => parseObjects(new Uint8Array([0xff, 0xfe]))).toThrow(DecodeError);
  });
});
