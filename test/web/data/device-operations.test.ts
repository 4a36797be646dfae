import { describe, expect, it } from 'vitest';
import { curlOf, DeviceOperations } from '../../../web/data/device-operations.ts';

const operations = new DeviceOperations('urn:imei:49/7');
const base = '/api/devices/urn%3Aimei%3A49%2F7';

describe('the requests to a device', () => {
  it.each([
    ['Read', operations.read('/3/0/9'), 'GET', `${base}/objects/3/0/9`, undefined],
    [
      'Read with a format and a patience',
      operations.read('/3', { format: 'SENML_JSON', timeout: 5000 }),
      'GET',
      `${base}/objects/3?format=SENML_JSON&timeout=5000`,
      undefined,
    ],
    ['Write', operations.write('/1/0/1', 300), 'PUT', `${base}/objects/1/0/1`, { value: 300 }],
    [
      'Write that replaces',
      operations.writeMany('/16/0', { '0/1': 'a' }, 'replace'),
      'PUT',
      `${base}/objects/16/0`,
      { values: { '0/1': 'a' } },
    ],
    [
      'Write that updates',
      operations.writeMany('/16/0', { '0/1': 'a' }, 'update'),
      'PUT',
      `${base}/objects/16/0?mode=update`,
      { values: { '0/1': 'a' } },
    ],
    ['Execute', operations.execute('/3/0/4', []), 'POST', `${base}/objects/3/0/4`, undefined],
    [
      'Execute with arguments',
      operations.execute('/42769/0/3', ['1', '7']),
      'POST',
      `${base}/objects/42769/0/3`,
      { arguments: ['1', '7'] },
    ],
    ['Create', operations.create('/19', {}), 'POST', `${base}/objects/19`, { values: {} }],
    ['Delete', operations.delete('/19/0'), 'DELETE', `${base}/objects/19/0`, undefined],
    ['Discover', operations.discover('/3', 2), 'GET', `${base}/discover/3?depth=2`, undefined],
    [
      'Write-Attributes',
      operations.writeAttributes('/3/0/9', { pmin: 5, gt: null }),
      'PUT',
      `${base}/attributes/3/0/9`,
      { pmin: 5, gt: null },
    ],
    ['Observe', operations.observe('/3/0/9', {}), 'POST', `${base}/observations/3/0/9`, undefined],
    [
      'Observe with attributes',
      operations.observe('/3/0/9', { pmin: 5 }),
      'POST',
      `${base}/observations/3/0/9`,
      { attributes: { pmin: 5 } },
    ],
    [
      'the end of an observation, told at once',
      operations.cancel('/3/0/9', true),
      'DELETE',
      `${base}/observations/3/0/9?active=true`,
      undefined,
    ],
    [
      'the end of an observation, told later',
      operations.cancel('/3/0/9', false),
      'DELETE',
      `${base}/observations/3/0/9`,
      undefined,
    ],
    [
      'Read-Composite',
      operations.readComposite(['/3/0/9', '/4/0/2']),
      'GET',
      `${base}/composite?paths=/3/0/9,/4/0/2`,
      undefined,
    ],
    [
      'Write-Composite',
      operations.writeComposite({ '/3/0/14': '+01:00', '/1/0/1': 300 }),
      'PUT',
      `${base}/composite`,
      { values: { '/3/0/14': '+01:00', '/1/0/1': 300 } },
    ],
    [
      'Observe-Composite',
      operations.observeComposite(['/3/0/9', '/4/0/2']),
      'POST',
      `${base}/composite-observations?paths=/3/0/9,/4/0/2`,
      undefined,
    ],
  ] as const)('%s', (_, operation, method, url, body) => {
    expect({ method: operation.method, url: operation.url, body: operation.body }).toEqual({
      method,
      url,
      body,
    });
  });
});

describe('a request as a shell command', () => {
  const origin = 'http://127.0.0.1:8080';

  it('is curl alone for what only reads', () => {
    expect(curlOf(operations.read('/3/0/9'), origin)).toBe(`curl '${origin}${base}/objects/3/0/9'`);
  });

  it('has method, type and body, and keeps what a shell would take apart', () => {
    expect(curlOf(operations.write('/16/0/0/1', `it's "5 $HOME"`), origin)).toBe(
      `curl -X PUT -H 'content-type: application/json' -d '{"value":"it'\\''s \\"5 $HOME\\""}' '${origin}${base}/objects/16/0/0/1'`,
    );
  });

  it('says that the answer can wait where it is held', () => {
    expect(curlOf(operations.read('/3/0/9'), origin, true)).toContain(`-H 'prefer: respond-async'`);
  });
});
