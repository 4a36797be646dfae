import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { acceptOption } from '../../../protocol/coap/options.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { BootstrapProfile, BootstrapSession } from '../../../server/ports/bootstrap-store.ts';
import { declining, registry, ScriptedBootstrapClient } from '../../support/bootstrap/scripted-client.ts';
import { ServerWorld } from '../../support/server-world.ts';

const profile: BootstrapProfile = {
  id: 'fleet',
  name: 'The fleet',
  enabled: true,
  devices: { endpoint: 'meter-*' },
  priority: 5,
  readFirst: false,
  remove: ['/0', '/1'],
  servers: [
    {
      shortServerId: 101,
      uri: 'coaps://lwm2m.example.org:5684',
      security: 'psk',
      lifetime: 600,
      binding: 'U',
      notificationStoring: true,
      defaultMaximumPeriod: 60,
    },
    {
      shortServerId: 7,
      uri: 'coap://other.example.org:5683',
      security: 'nosec',
      lifetime: 60,
      binding: 'UQ',
      notificationStoring: false,
      priority: 2,
    },
  ],
  objects: [{ path: '/3/0/15', value: 'Europe/Berlin' }],
  access: [{ objectId: 3, instanceId: 0, owner: 101, rights: [{ shortServerId: 7, rights: 1 }] }],
  retries: 1,
  createdAt: 1,
  updatedAt: 1,
};

let world: ServerWorld;
let device: ScriptedBootstrapClient;

beforeEach(async () => {
  world = await ServerWorld.open();
  device = new ScriptedBootstrapClient(world, '192.0.2.9:5683');
  await world.wait(world.stores.bootstrap.putProfile(profile));
});
afterEach(() => world.close());

async function newest(endpoint = 'meter-1'): Promise<BootstrapSession | undefined> {
  return (await world.wait(world.stores.bootstrap.sessions({ endpoint, limit: 1 }))).items[0];
}

/** The newest session, once it has ended. */
function ended(endpoint = 'meter-1'): Promise<BootstrapSession> {
  return world.until('the end of the bootstrap', async () => {
    const session = await newest(endpoint);
    return session !== undefined && session.state !== 'running' && session;
  });
}

const steps = ({ steps: all }: BootstrapSession): string[] =>
  all.map(({ operation, path, code }) =>
    [operation, path, code].filter((each) => each !== undefined).join(' '),
  );

describe('a bootstrap', () => {
  test('discovers, deletes, writes accounts, rights and values, and finishes', async () => {
    expect(await device.ask('ep=meter-1', 'pct=112')).toBe('2.04');
    const session = await ended();
    expect(session).toMatchObject({
      state: 'finished',
      kind: 'requests',
      profile: { id: 'fleet', name: 'The fleet' },
      address: '192.0.2.9:5683',
    });
    expect(steps(session)).toEqual([
      'request /bs 2.04',
      'discover / 2.05',
      'credential',
      'delete /0 2.02',
      'delete /1 2.02',
      ...['/0/1', '/0/2', '/1/0', '/1/1', '/2/0', '/3/0'].map((path) => `write ${path} 2.04`),
      'finish 2.04',
    ]);
    expect([...device.formats]).toEqual([ContentFormat.SENML_CBOR]);
    const [credential] = await world.wait(world.stores.credentials.get('meter-1'));
    expect(credential?.identity).toEqual({ kind: 'psk', name: `bs.${session.id}.101` });
    expect(Object.fromEntries(device.values)).toEqual({
      '/0/1/0': 'coaps://lwm2m.example.org:5684',
      '/0/1/1': false,
      '/0/1/2': 0,
      '/0/1/3': Buffer.from(`bs.${session.id}.101`).toString('hex'),
      '/0/1/4': '',
      '/0/1/5': expect.stringMatching(/^[0-9a-f]{32}$/),
      '/0/1/10': 101,
      '/0/2/0': 'coap://other.example.org:5683',
      '/0/2/1': false,
      '/0/2/2': 3,
      '/0/2/3': '',
      '/0/2/4': '',
      '/0/2/5': '',
      '/0/2/10': 7,
      '/1/0/0': 101,
      '/1/0/1': 600,
      '/1/0/3': 60,
      '/1/0/6': true,
      '/1/0/7': 'U',
      '/1/1/0': 7,
      '/1/1/1': 60,
      '/1/1/6': false,
      '/1/1/7': 'UQ',
      '/1/1/13': 2,
      '/2/0/0': 3,
      '/2/0/1': 0,
      '/2/0/2/7': 1,
      '/2/0/3': 101,
      '/3/0/15': 'Europe/Berlin',
    });
  });

  test('is told step by step, without a key', async () => {
    await device.ask('ep=meter-1', 'pct=112');
    const session = await ended();
    const told = await world.until('the last event', async () => {
      const events = await world.stores.events.latest({ types: ['bootstrap'], limit: 50 });
      return events.some(({ data }) => data['change'] === 'finished') && events.toReversed();
    });
    expect(told.map(({ data }) => data['change'])).toEqual([
      'started',
      ...session.steps.slice(1).map(() => 'step'),
      'finished',
    ]);
    expect(told.every(({ endpoint, data }) => endpoint === 'meter-1' && data['session'] === session.id)).toBe(
      true,
    );
    const key = device.values.get('/0/1/5') as string;
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify([told, session])).not.toContain(key);
  });

  test('leaves the bootstrap account where it is, and an account in its instances', async () => {
    await world.wait(world.stores.bootstrap.putProfile({ ...profile, remove: [], access: [], objects: [] }));
    device.contents =
      '</>;lwm2m=1.1,</0/0>;ssid=101;uri="coaps://a",</0/1>,</0/2>;ssid=9,</1/3>;ssid=101,</1/0>;ssid=9';
    await device.ask('ep=meter-1', 'pct=112');
    expect(steps(await ended()).filter((step) => step.startsWith('write'))).toEqual(
      ['/0/0', '/0/3', '/1/3', '/1/1'].map((path) => `write ${path} 2.04`),
    );
  });

  test('writes in TLV to a device that says nothing, and in SenML where that is refused', async () => {
    await device.ask('ep=meter-1');
    expect((await ended()).state).toBe('finished');
    expect([...device.formats]).toEqual([ContentFormat.TLV]);
    const other = new ScriptedBootstrapClient(world, '192.0.2.10:5683');
    let declined = 0;
    other.answers.set('PUT /0/1', (request) => {
      declined++;
      other.answers.delete('PUT /0/1');
      request.respond({ code: Code.UNSUPPORTED_CONTENT_FORMAT });
    });
    await other.ask('ep=meter-2');
    expect((await ended('meter-2')).state).toBe('finished');
    expect([declined, ...other.formats]).toEqual([1, ContentFormat.SENML_CBOR]);
  });

  test('goes on where the device cannot be discovered, and where there is nothing to delete', async () => {
    device.answers.set('GET /', declining(Code.METHOD_NOT_ALLOWED));
    device.answers.set('DELETE /1', declining(Code.NOT_FOUND));
    await device.ask('ep=meter-1', 'pct=112');
    const session = await ended();
    expect(session.state).toBe('finished');
    expect(steps(session).slice(1, 6)).toEqual([
      'discover / 4.05',
      'credential',
      'delete /0 2.02',
      'delete /1 4.04',
      'write /0/1 2.04',
    ]);
  });

  test('reads what the device has of servers and rights, where the profile says so, for people to see', async () => {
    await world.wait(world.stores.bootstrap.putProfile({ ...profile, readFirst: true }));
    device.contents = '</>;lwm2m=1.1,</0/0>,</1/0>;ssid=5,</2/0>';
    device.answers.set('GET /1', (request) =>
      request.respond({ code: Code.CONTENT, options: [], payload: Buffer.from('not in any format') }),
    );
    device.answers.set('GET /2', declining(Code.METHOD_NOT_ALLOWED, 'not mine'));
    await device.ask('ep=meter-1', 'pct=112');
    const session = await ended();
    expect(session.state).toBe('finished');
    expect(session.steps.filter(({ operation }) => operation === 'read')).toMatchObject([
      { path: '/1', code: '2.05', detail: expect.stringContaining('cannot be read') },
      { path: '/2', code: '4.05', detail: 'not mine' },
    ]);
  });
});

describe('a device that finds its configuration inconsistent', () => {
  test('is written to once more', async () => {
    device.answers.set('POST /bs', (request) => {
      device.answers.delete('POST /bs');
      request.respond({ code: Code.NOT_ACCEPTABLE, payload: Buffer.from('no server') });
    });
    await device.ask('ep=meter-1', 'pct=112');
    const session = await ended();
    expect(session.state).toBe('finished');
    expect(session.steps.filter(({ operation }) => operation === 'finish')).toMatchObject([
      { code: '4.06', detail: 'the device finds its configuration inconsistent: no server' },
      { code: '2.04' },
    ]);
    expect(session.steps.filter(({ path }) => path === '/0/1')).toHaveLength(2);
    expect(await world.wait(world.stores.credentials.get('meter-1'))).toHaveLength(1);
  });

  test('is given up after as many retries as the profile has, and the reason is told', async () => {
    device.answers.set('POST /bs', declining(Code.NOT_ACCEPTABLE, 'no server'));
    await device.ask('ep=meter-1', 'pct=112');
    const session = await ended();
    expect(session).toMatchObject({
      state: 'failed',
      reason: '4.06 the device finds its configuration inconsistent: no server',
    });
    expect(session.steps.filter(({ operation }) => operation === 'finish')).toHaveLength(2);
  });
});

describe('a bootstrap that comes to nothing', () => {
  test('tells which request the device declined', async () => {
    device.answers.set('PUT /1/0', declining(Code.BAD_REQUEST, 'lifetime'));
    await device.ask('ep=meter-1', 'pct=112');
    expect(await ended()).toMatchObject({ state: 'failed', reason: '4.00 lifetime' });
    expect(device.asked.at(-1)).toBe('PUT /1/0');
  });

  test('ends where the device falls silent, and the device may begin anew', async () => {
    device.answers.set('PUT /1/0', () => undefined);
    await device.ask('ep=meter-1', 'pct=112');
    await world.until('the write', () => device.asked.includes('PUT /1/0'));
    await world.pass(94_000);
    expect(await ended()).toMatchObject({ state: 'failed', reason: expect.stringContaining('no answer') });
    device.answers.clear();
    expect(await device.ask('ep=meter-1', 'pct=112')).toBe('2.04');
    expect((await ended()).state).toBe('finished');
  });

  test('is broken off when the device asks again, and the new one goes to its end', async () => {
    device.answers.set('PUT /1/0', () => undefined);
    await device.ask('ep=meter-1', 'pct=112');
    await world.until('the write', () => device.asked.includes('PUT /1/0'));
    const first = await newest();
    device.answers.clear();
    expect(await device.ask('ep=meter-1', 'pct=112')).toBe('2.04');
    const second = await ended();
    expect(second.state).toBe('finished');
    expect(second.id).not.toBe(first?.id);
    expect(await world.wait(world.stores.bootstrap.session(first?.id ?? ''))).toMatchObject({
      state: 'replaced',
    });
  });

  test('is broken off by the end of the server', async () => {
    device.answers.set('PUT /1/0', () => undefined);
    await device.ask('ep=meter-1', 'pct=112');
    await world.until('the write', () => device.asked.includes('PUT /1/0'));
    const { bootstrap } = world.stores;
    const last: unknown[] = [];
    const record = bootstrap.record.bind(bootstrap);
    Object.assign(bootstrap, {
      record: async (session: BootstrapSession) => {
        last.push(session.reason);
        return record(session);
      },
    });
    await world.wait(world.server.close());
    expect(last.at(-1)).toBe('the server is closing');
  });
});

describe('a request', () => {
  test.each([
    ['without a name', [], '4.00 endpoint client name (ep) is missing'],
    [
      'for a format that is none',
      ['ep=meter-1', 'pct=x'],
      "4.00 preferred content format (pct) 'x' is no number",
    ],
    [
      'for a format that cannot be written',
      ['ep=meter-1', 'pct=0'],
      '4.15 content format 0 is none of 112, 11544, 110, 11542',
    ],
  ])('%s is declined', async (_, query, answer) => {
    expect(await device.ask(...query)).toBe(answer);
    expect(await world.wait(world.stores.bootstrap.sessions({ limit: 1 }))).toEqual({ items: [] });
  });

  test('of a device that has a credential, and comes without, is declined and tells nothing', async () => {
    const put = (account: 'server' | 'bootstrap', endpoint: string) =>
      world.wait(world.api.post('/api/credentials', { account, endpoint, type: 'psk', identity: endpoint }));
    await put('bootstrap', 'meter-1');
    await put('server', 'meter-2');
    expect(await device.ask('ep=meter-1', 'pct=112')).toBe('4.00');
    expect(await device.ask('ep=meter-2', 'pct=112')).toBe('4.00');
    expect(device.asked).toEqual([]);
    expect(await world.eventTypes('meter-1')).toContain('refused');
  });

  test('of a device that no profile is for is declined', async () => {
    await world.wait(world.stores.bootstrap.putProfile({ ...profile, id: 'default', enabled: false }));
    await world.wait(world.stores.bootstrap.assign('meter-2', 'gone'));
    expect(await device.ask('ep=other', 'pct=112')).toBe('4.00');
    expect(await device.ask('ep=meter-2', 'pct=112')).toBe('4.00');
  });

  test('finds the bootstrap resources', async () => {
    const { code, payload } = await device.request(Code.GET, '/.well-known/core', []);
    expect([formatCode(code), new TextDecoder().decode(payload)]).toEqual(['2.05', '</bs>,</bspack>']);
    expect(formatCode((await device.request(Code.GET, '/bs', [])).code)).toBe('4.05');
    expect(formatCode((await device.request(Code.GET, '/rd', [])).code)).toBe('4.04');
    expect(formatCode((await device.request(Code.POST, '/bspack', [])).code)).toBe('4.05');
  });
});

describe('a bootstrap pack', () => {
  test.each([[ContentFormat.SENML_CBOR], [ContentFormat.SENML_JSON], [ContentFormat.LWM2M_CBOR]])(
    'in format %s has all that is to be written',
    async (format) => {
      const { code, payload } = await device.request(
        Code.GET,
        '/bspack',
        ['ep=meter-1'],
        [acceptOption(format)],
      );
      expect(formatCode(code)).toBe('2.05');
      const values = new Map(
        decodeContent(format, '/', payload, registry).map(({ path, value }) => [path, value]),
      );
      const [credential] = await world.wait(world.stores.credentials.get('meter-1'));
      expect(Buffer.from(values.get('/0/1/3') as Uint8Array).toString()).toBe(credential?.identity.name);
      expect(values.get('/1/1/0')).toBe(7);
      expect(values.get('/3/0/15')).toBe('Europe/Berlin');
      const session = await ended();
      expect(session).toMatchObject({ kind: 'pack', state: 'finished' });
      expect(steps(session)).toEqual(['request /bspack 2.05', 'credential', 'pack 2.05']);
    },
  );

  test('in a format that carries no tree is declined', async () => {
    const { code } = await device.request(Code.GET, '/bspack', ['ep=meter-1'], [acceptOption(0)]);
    expect(formatCode(code)).toBe('4.06');
  });
});

describe('keys that bootstraps made', () => {
  const names = async (state = 'active') =>
    (await world.wait(world.stores.credentials.get('meter-1')))
      .filter((each) => each.state === state)
      .map(({ identity }) => identity.name);
  const bootstrap = async () => {
    await world.pass(1_000);
    await device.ask('ep=meter-1', 'pct=112');
    const { id } = await ended();
    return `bs.${id}.101`;
  };

  test('do not pile up while the device uses none of them', async () => {
    await bootstrap();
    const second = await bootstrap();
    const third = await bootstrap();
    expect((await names()).sort()).toEqual([second, third].sort());
  });

  test('that are all revoked close the name to who comes without', async () => {
    const first = await bootstrap();
    await world.wait(
      world.stores.credentials.change('server', { kind: 'psk', name: first }, { state: 'revoked' }),
    );
    expect(await device.ask('ep=meter-1', 'pct=112')).toBe('4.00');
  });

  test('stay while the device uses them', async () => {
    const first = await bootstrap();
    await world.wait(world.stores.credentials.change('server', { kind: 'psk', name: first }, { usedAt: 5 }));
    await bootstrap();
    const third = await bootstrap();
    const fourth = await bootstrap();
    expect((await names()).sort()).toEqual([first, third, fourth].sort());
  });
});
