import { describe, expect, test } from 'vitest';
import { createObjectRegistry } from '../../../objects/registry.ts';
import { executeArgumentsOf } from '../../../server/leshan/execute-arguments.ts';
import { compositeChangesOf, newInstanceOf, writeContentOf } from '../../../server/leshan/node-bodies.ts';
import { pathOf, pathsOf } from '../../../server/leshan/paths.ts';
import { LeshanRefusal } from '../../../server/leshan/refusals.ts';
import { allTypesObject } from '../../interop/leshan/all-types.ts';

const registry = createObjectRegistry([allTypesObject]);
const own = '/42771/0';

const body = (content: unknown, contentType = 'application/json') => ({
  contentType,
  bytes: new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content)),
});
const written = (path: string, content: unknown, type?: string, replace = true) =>
  writeContentOf(pathOf(path), body(content, type), replace, registry);

/** Status and text of a refusal. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof LeshanRefusal) return `${error.status} ${error.message}`;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a body of a Write', () => {
  test.each([
    ['STRING', 'x', 'x'],
    ['string', 'x', 'x'],
    ['INTEGER', '9223372036854775807', 9_223_372_036_854_775_807n],
    ['INTEGER', 5, 5],
    ['UNSIGNED_INTEGER', '18446744073709551615', 18_446_744_073_709_551_615n],
    ['FLOAT', '1.0E-3', 0.001],
    ['FLOAT', 2, 2],
    ['BOOLEAN', false, false],
    ['TIME', 1_700_000_000_999, 1_700_000_000],
    ['OPAQUE', '00FF', Uint8Array.of(0, 255)],
    ['OBJLNK', { objectId: 3, objectInstanceId: 0 }, { objectId: 3, instanceId: 0 }],
    ['CORELINK', '</3>', '</3>'],
  ])('has a value of type %s', (type, value, read) => {
    // Of a resource that no definition has, for any type is right there.
    expect(written('/9/9/9', { id: 9, kind: 'singleResource', type, value })).toEqual({ value: read });
    expect(written('/9/9/9', { id: 9, type, value })).toEqual({ value: read });
  });

  test('keeps an integer that JSON numbers cannot have', () => {
    const json = '{"id":1,"type":"INTEGER","value":9007199254740993}';
    expect(written(`${own}/1`, json)).toEqual({ value: 9_007_199_254_740_993n });
  });

  test('is a resource with instances, an instance, an instance of a resource', () => {
    const multiple = { kind: 'multiResource', id: 10, type: 'STRING', values: { 0: 'a', 7: 'b' } };
    const records = [
      { path: `${own}/10/0`, value: 'a' },
      { path: `${own}/10/7`, value: 'b' },
    ];
    expect(written(`${own}/10`, multiple)).toEqual({ records });
    expect(written(own, { kind: 'instance', id: 0, resources: [multiple] })).toEqual({ records });
    const one = { kind: 'resourceInstance', id: 7, type: 'STRING', value: 'b' };
    expect(written(`${own}/10/7`, one)).toEqual({ value: 'b' });
  });

  test('may be a plain text', () => {
    expect(written(`${own}/0`, 'ü', 'text/plain; charset=utf-8')).toEqual({ value: 'ü' });
  });

  test.each([
    [`${own}/1`, 'x', 'text/plain', `${own}/1, expected INTEGER, got STRING`],
    [`${own}/1`, { id: 1, type: 'FLOAT', value: '1' }, undefined, `${own}/1, expected INTEGER, got FLOAT`],
    [
      own,
      { resources: [{ id: 4, type: 'TIME', value: 1 }] },
      undefined,
      `${own}/4, expected BOOLEAN, got TIME`,
    ],
  ])('at %s has to be of the type that is defined: %j', (path, content, type, why) => {
    expect(refusal(() => written(path, content, type))).toBe(
      `400 Invalid request: Invalid value type for resource ${why}`,
    );
  });

  const single = { id: 1, type: 'INTEGER', value: '1' };
  const kind = (text: string) => `400 Invalid request: ${text}`;
  test.each([
    ['/', single, kind('Write request cannot target root path')],
    ['/42771', single, kind('write request /42771 cannot target an object')],
    [own, single, kind(`path '${own}' and node type 'LwM2mSingleResource' do not match`)],
    [`${own}/1/0`, single, kind(`path '${own}/1/0' and node type 'LwM2mSingleResource' do not match`)],
    [`${own}/1`, { type: 'INTEGER', value: '1' }, kind('unable to parse json to tlv:Missing id')],
    [`${own}/1`, { id: 1 }, kind('unable to parse json to tlv:Invalid node element')],
    [`${own}/1`, '{', kind('unable to parse json to tlv:the payload is not JSON')],
    [
      `${own}/1`,
      { id: 1, type: 'INTEGER', value: true },
      "500 Unexpected exception: Unexpected JSON type of 'value' field [true]: a JSON string is expected for INTEGER but was boolean. (number is tolerated but not advised)",
    ],
    [
      `${own}/1`,
      { id: 1, type: 'INTEGER', value: 'x' },
      '500 Unexpected exception: "x" is not a valid Long.',
    ],
  ])('at %s is refused: %o', (path, content, text) => {
    expect(refusal(() => written(path, content))).toBe(text);
  });

  test('cannot be an update of one value', () => {
    expect(refusal(() => written(`${own}/1`, single, undefined, false))).toBe(
      kind(`Invalid mode for '${own}/1': update is not allowed on single resource`),
    );
  });

  test('has to say what it is', () => {
    expect(refusal(() => written(`${own}/1`, 'x', 'text/html'))).toBe(
      kind('content type text/html not supported'),
    );
  });
});

describe('a body of a Create', () => {
  const resources = [{ id: 0, type: 'STRING', value: 'x' }];
  test('may name the instance', () => {
    const made = newInstanceOf(pathOf('/42771'), body({ id: 4, resources }), registry);
    expect(made.id).toBe(4);
    expect(made.recordsAt('/42771/4')).toEqual([{ path: '/42771/4/0', value: 'x' }]);
    expect(newInstanceOf(pathOf('/42771'), body({ resources }), registry).id).toBeUndefined();
  });

  test('has to be an instance, of an object', () => {
    expect(refusal(() => newInstanceOf(pathOf('/42771'), body(resources[0]), registry))).toBe(
      '500 Unexpected exception: payload must contain an object instance',
    );
    expect(refusal(() => newInstanceOf(pathOf('/42771/1'), body({ resources }), registry))).toBe(
      '400 Invalid request: Invalid path /42771/1: Create request must target an object',
    );
  });
});

describe('a body of a composite Write', () => {
  test('has a node for each path', () => {
    const changes = compositeChangesOf(
      body({
        [`${own}/1`]: { id: 1, type: 'INTEGER', value: '1' },
        [`${own}/10/7`]: { id: 7, kind: 'resourceInstance', type: 'STRING', value: 'b' },
      }),
      registry,
    );
    expect(changes).toEqual([
      { path: `${own}/1`, value: 1 },
      { path: `${own}/10/7`, value: 'b' },
    ]);
  });

  test('has single values only', () => {
    expect(
      refusal(() => compositeChangesOf(body({ [own]: { kind: 'instance', resources: [] } }), registry)),
    ).toBe(
      '400 Invalid request: LwM2mObjectInstance is not supported, only [LwM2mSingleResource, LwM2mResourceInstance] is allowed',
    );
  });
});

describe('a path', () => {
  test.each(['/3/0/9', '3/0/9', '/3/0/9/', '/03/0/9'])('may be written %s', (text) => {
    expect(pathOf(text).text).toBe('/3/0/9');
  });

  test.each([
    ['/abc', 'Invalid elements in path abc'],
    ['/3//0', 'Invalid elements in path 3//0'],
    ['/3/0/4294967296', 'Invalid elements in path 3/0/4294967296'],
    ['/70000', 'Invalid object id 70000, It MUST be an unsigned int.'],
    ['/3/0/0/0/0', 'Invalid length for path 3/0/0/0/0'],
  ])('cannot be %s', (text, why) => {
    expect(refusal(() => pathOf(text))).toBe(
      `400 Invalid request: org.eclipse.leshan.core.node.InvalidLwM2mPathException: ${why}`,
    );
  });

  test('of a composite request must not lie within another', () => {
    expect(refusal(() => pathsOf('/3/0,/3/0/1'))).toBe(
      '400 Invalid request: Invalid path list :  /3/0 and /3/0/1 are overlapped paths',
    );
    expect(refusal(() => pathsOf('/3/0,abc'))).toBe('500 Unexpected exception: Invalid elements in path abc');
    expect(pathsOf('/3/0/1,/3/0/11').map(({ text }) => text)).toEqual(['/3/0/1', '/3/0/11']);
  });
});

describe('arguments of an Execute', () => {
  test.each(['', '5', "5='x'", "0='1',1='7'", "0,1=''"])('may be %j', (text) => {
    expect(executeArgumentsOf(text)).toBe(text);
  });

  test.each([
    ['hello', 'Invalid digit [h] (an integer between 0 and 9 is expected)'],
    ["0='a',0='b'", 'Unable to build Arguments : digit [0] exists more than once '],
    ['0=a', "opening quote ['] is expected at index 2 after [0=]"],
    ['10', '[,] separator expected at index 1 after [1]'],
  ])('cannot be %j', (text, why) => {
    expect(refusal(() => executeArgumentsOf(text))).toBe(
      `400 Invalid request: Invalid Execute request : [Unable to parse Arguments [${text}] : ${why}]`,
    );
  });
});
