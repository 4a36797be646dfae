import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { ServerProcess } from '../support/server-process.ts';

const coapClient = 'coap-client-notls';

/** What `coap-client -v 7` tells of the answer that it got. */
interface Answered {
  readonly code: string;
  readonly locationPath: readonly string[];
  readonly output: string;
}

async function coap(...args: string[]): Promise<Answered> {
  const { output } = await runToEnd(coapClient, ['-v', '7', '-B', '10', ...args]);
  const answer = output.split('\n').findLast((line) => /\bc:[245]\.\d\d\b/.test(line));
  if (answer === undefined) throw new Error(`coap-client had no answer:\n${output}`);
  return {
    code: /\bc:([245]\.\d\d)\b/.exec(answer)?.[1] ?? '',
    locationPath: [...answer.matchAll(/Location-Path:([^,\s\]]+)/g)].map((match) => match[1] ?? ''),
    output,
  };
}

// One registration, told in order, typed by hand as a person with coap-client would.
describe.skipIf(!isInstalled(coapClient))("libcoap's coap-client", () => {
  let server: ServerProcess;
  let location = '';

  beforeAll(async () => {
    server = await ServerProcess.start();
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });

  const register = (
    query: string,
    links = '</>;rt="oma.lwm2m";ct=11543,</1/0>,</3/0>;ver=1.1',
  ): Promise<Answered> => coap('-m', 'post', '-t', '40', '-e', links, `coap://${server.coap}/rd?${query}`);

  test('finds the registration interface', async () => {
    const { code, output } = await coap('-m', 'get', `coap://${server.coap}/.well-known/core`);
    expect(code).toBe('2.05');
    expect(output).toContain('</rd>;rt="core.rd"');
  });

  test('registers by hand, and is seen in the inventory', async () => {
    const { code, locationPath, output } = await register('ep=libcoap-1&lt=60&lwm2m=1.1&b=U');
    expect(code, output).toBe('2.01');
    expect(locationPath[0]).toBe('rd');
    expect(locationPath[1]?.length).toBeGreaterThan(10);
    location = locationPath.join('/');

    const { body } = await server.call('GET', '/api/devices');
    expect(body).toMatchObject({
      total: 1,
      items: [
        {
          endpoint: 'libcoap-1',
          state: 'awake',
          registration: {
            lifetime: 60,
            version: '1.1',
            binding: 'U',
            objects: [{ path: '/1/0' }, { path: '/3/0', attributes: { ver: '1.1' } }],
          },
        },
      ],
      next: null,
    });
  });

  test('updates its lifetime', async () => {
    const { code } = await coap('-m', 'post', `coap://${server.coap}/${location}?lt=120`);
    expect(code).toBe('2.04');
    const { body } = await server.call('GET', '/api/devices/libcoap-1');
    expect(body).toMatchObject({ registration: { lifetime: 120 } });
  });

  test('registers anew under the same name, and its old location is gone', async () => {
    const { code, locationPath } = await register('ep=libcoap-1&lt=60&lwm2m=1.1&b=U');
    expect(code).toBe('2.01');
    const before = await coap('-m', 'post', `coap://${server.coap}/${location}?lt=300`);
    expect(before.code).toBe('4.04');
    location = locationPath.join('/');
  });

  test.each([
    ['no endpoint name', 'lt=60&lwm2m=1.1&b=U', '4.00'],
    ['a lifetime that is no number', 'ep=libcoap-2&lt=soon&lwm2m=1.1', '4.00'],
    ['a version that nobody speaks', 'ep=libcoap-2&lt=60&lwm2m=9.9', '4.12'],
  ])('is refused with %s', async (_, query, expected) => {
    const { code, output } = await register(query);
    expect(code, output).toBe(expected);
    const { body } = await server.call('GET', '/api/devices');
    expect(body).toMatchObject({ total: 1 });
  });

  test('is of version 1.0 where it names none, and lives a day where it names no lifetime', async () => {
    const { code } = await register('ep=libcoap-old');
    expect(code).toBe('2.01');
    const { body } = await server.call('GET', '/api/devices/libcoap-old');
    expect(body).toMatchObject({ registration: { version: '1.0', lifetime: 86_400 } });
  });

  test('gets 4.02 for a critical option that no one knows', async () => {
    const { code } = await coap(
      '-m',
      'post',
      '-O',
      '65001,x',
      '-e',
      '</1/0>',
      `coap://${server.coap}/rd?ep=libcoap-3&lt=60&lwm2m=1.1`,
    );
    expect(code).toBe('4.02');
  });

  test('deregisters', async () => {
    const { code } = await coap('-m', 'delete', `coap://${server.coap}/${location}`);
    expect(code).toBe('2.02');
    const { body } = await server.call('GET', '/api/devices/libcoap-1');
    expect(body).toMatchObject({ endpoint: 'libcoap-1', state: 'left' });
    const again = await coap('-m', 'delete', `coap://${server.coap}/${location}`);
    expect(again.code).toBe('4.04');
  });
});
