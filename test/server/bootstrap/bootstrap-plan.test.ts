import { describe, expect, test } from 'vitest';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { planBootstrap, type ReadyAccount } from '../../../server/bootstrap/bootstrap-plan.ts';
import {
  decodeDeviceContents,
  describeContents,
  unknownContents,
} from '../../../server/bootstrap/device-contents.ts';

const registry = createObjectRegistry(standardObjects());
const nothing = { remove: [], objects: [], access: [] };
const contents = (links: string) => decodeDeviceContents(new TextEncoder().encode(links));

function account(shortServerId: number): ReadyAccount {
  const settings = {
    shortServerId,
    security: 'nosec',
    lifetime: 60,
    binding: 'U',
    notificationStoring: true,
  };
  return { account: settings as ReadyAccount['account'], uri: `coap://s${shortServerId}`, psk: undefined };
}

const paths = (
  links: string | undefined,
  servers: readonly number[],
  remove: readonly string[] = [],
): string[] =>
  planBootstrap(
    { ...nothing, remove },
    servers.map(account),
    links === undefined ? unknownContents : contents(links),
    registry,
  ).writes.map(({ path }) => path);

describe('instances that are written', () => {
  test.each([
    ['a device that cannot be asked', undefined, [101], [], ['/0/1', '/1/0']],
    [
      'a device whose bootstrap account is not the first',
      '</0/0>;ssid=9,</0/1>',
      [101],
      ['/0'],
      ['/0/0', '/1/0'],
    ],
    ['a device that hides its bootstrap account', '</1/0>;ssid=9', [101], ['/'], ['/0/1', '/1/0']],
    ['an account that is there', '</0/0>,</0/5>;ssid=101,</1/2>;ssid=101', [101], [], ['/0/5', '/1/2']],
    ['an account that was there', '</0/0>,</0/5>;ssid=101,</1/2>;ssid=101', [101], ['/'], ['/0/1', '/1/0']],
    [
      'accounts beside others',
      '</0/0>,</0/1>;ssid=9,</1/0>;ssid=9',
      [101, 102],
      [],
      ['/0/2', '/0/3', '/1/1', '/1/2'],
    ],
    [
      'an instance that was deleted by itself',
      '</0/0>,</0/1>;ssid=9,</1/0>',
      [101],
      ['/0/1', '/1/0'],
      ['/0/1', '/1/0'],
    ],
  ])('of %s', (_, links, servers, remove, written) => {
    expect(paths(links, servers, remove)).toEqual(written);
  });

  test('are deleted only where the device has the object, or could not be asked', () => {
    const removals = (links: string | undefined) =>
      planBootstrap(
        { ...nothing, remove: ['/', '/0', '/2', '/5/1'] },
        [],
        links === undefined ? unknownContents : contents(links),
        registry,
      ).removals;
    expect(removals('</0/0>,</1>,</5>')).toEqual(['/', '/0', '/5/1']);
    expect(removals(undefined)).toEqual(['/', '/0', '/2', '/5/1']);
  });

  test('of rights are free ones', () => {
    const rights = { objectId: 3, instanceId: 0, owner: 101, rights: [] };
    const { writes } = planBootstrap(
      { ...nothing, access: [rights, rights] },
      [],
      contents('</2/0>,</2/2>'),
      registry,
    );
    expect(writes.map(({ path }) => path)).toEqual(['/2/1', '/2/3']);
  });

  test('of other objects hold all of their values', () => {
    const objects = [
      { path: '/3/0/15', value: 'UTC' },
      { path: '/5/0/1', value: 'coap://x' },
      { path: '/3/0/14', value: '+01' },
    ];
    const { writes } = planBootstrap({ ...nothing, objects }, [], unknownContents, registry);
    expect(writes.map(({ path, records }) => [path, records.length])).toEqual([
      ['/3/0', 2],
      ['/5/0', 1],
    ]);
  });
});

describe('what a device has', () => {
  test('is read from its links, and said in words', () => {
    const found = contents(
      '</>;lwm2m=1.2,</0/0>,</0/1>;ssid=101;uri="coaps://a",</1/0>;ssid=101,</2/3>,</3/0>,</x>',
    );
    expect(found).toEqual({
      version: '1.2',
      objects: new Set([0, 1, 2, 3]),
      security: new Map([
        [0, undefined],
        [1, 101],
      ]),
      servers: new Map([[0, 101]]),
      access: new Set([3]),
    });
    expect(describeContents(found)).toBe('LwM2M 1.2, bootstrap account /0/0, servers 101');
    expect(describeContents(contents(''))).toBe('LwM2M of an untold version, no servers');
  });

  test('every truncation of it is read, or is a DecodeError', () => {
    const bytes = new TextEncoder().encode('</>;lwm2m=1.2,</0/1>;ssid=101;uri="coaps://ü"');
    for (let length = 0; length < bytes.length; length++) {
      try {
        decodeDeviceContents(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});
