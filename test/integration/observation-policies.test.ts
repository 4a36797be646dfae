import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { IncomingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption, uriQuery } from '../../protocol/coap/options.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiObservationStatus, ApiWantedStatus } from '../../server/api/schemas/observation-policies.ts';
import { type ScriptedDevice, ServerWorld, senml } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const BATTERY = '/3/0/9';
const SENSOR = '/42770/0/2';
const value = (path: string): LwM2mRecord => ({ path, value: 1 });

/** Queries that came with requests, by method and path. */
const queries = new Map<ScriptedDevice, string[]>();

/** A device that has these resources, takes attributes for them, and notes both. */
function device(address: string, name: string, paths: readonly string[]): ScriptedDevice {
  const made = world.device(address, name);
  const noted: string[] = [];
  queries.set(made, noted);
  for (const path of paths) {
    made.answers.set(`GET ${path}`, (request) => {
      const query = uriQuery(request.options).join('&');
      if (request.observe === 0) noted.push(`OBSERVE ${path}${query === '' ? '' : `?${query}`}`);
      request.respond(senml(path, [value(path)]));
    });
    made.answers.set(`PUT ${path}`, (request) => {
      noted.push(`PUT ${path}?${uriQuery(request.options).join('&')}`);
      request.respond({ code: Code.CHANGED });
    });
  }
  return made;
}

/** Discover of the path gives these attributes. */
function discloses(of: ScriptedDevice, path: string, attributes: string): void {
  const observe = of.answers.get(`GET ${path}`);
  of.answers.set(`GET ${path}`, (request) => {
    if (request.observe === 0) observe?.(request);
    else
      request.respond({
        code: Code.CONTENT,
        options: [contentFormatOption(ContentFormat.LINK_FORMAT)],
        payload: new TextEncoder().encode(`<${path}>${attributes}`),
      });
  });
}

const notedOf = (of: ScriptedDevice): readonly string[] => queries.get(of) ?? [];
const update = (of: ScriptedDevice) => of.request(Code.POST, of.location);
const status = (name = 'modem') =>
  world.api.get<ApiObservationStatus>(`/api/devices/${name}/observation-policy`);
const stateOf = async (path: string): Promise<ApiWantedStatus | undefined> =>
  (await status()).wanted.find(({ paths }) => paths[0] === path);
const becomes = (path: string, state: ApiWantedStatus['state']) =>
  world.until(`${path} is ${state}`, async () => {
    const found = await stateOf(path);
    return found?.state === state ? found : undefined;
  });
const putPolicy = (id: string, body: Readonly<Record<string, unknown>>) =>
  world.wait(world.api.put(`/api/observation-policies/${id}`, { name: id, ...body }));
const v10 = ['lt=3000', 'lwm2m=1.0', 'b=U'];
const v11 = ['lt=3000', 'lwm2m=1.1', 'b=U'];
const v12 = ['lt=3000', 'lwm2m=1.2', 'b=U'];

describe('what a person wants to be observed', () => {
  it('is observed again after the device has registered anew', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v11);
    await world.wait(world.api.post(`/api/devices/modem/observations${BATTERY}`, {}));
    modem.observers.clear();
    await modem.register('</3/0>', v11);
    await world.until('it is observed again', () => modem.observers.has(BATTERY));
    expect(await becomes(BATTERY, 'observed')).toMatchObject({ by: { kind: 'hand' } });
  });

  it('is observed at the new address after the device came back from elsewhere', async () => {
    world = await ServerWorld.open();
    await device('device:1', 'modem', [BATTERY]).register('</3/0>', v11);
    const moved = device('device:2', 'modem', [BATTERY]);
    await world.wait(
      world.api.put('/api/devices/modem/observation-policy', { paths: [BATTERY], wanted: true }),
    );
    await moved.register('</3/0>', v11);
    await world.until('it is observed there', () => moved.observers.has(BATTERY));
  });

  it('keeps its attributes and content format when the device registers anew', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v12);
    await world.wait(
      world.api.put('/api/devices/modem/observation-policy', {
        paths: [BATTERY],
        wanted: true,
        attributes: { pmin: 5, pmax: 50 },
        contentFormat: 112,
      }),
    );
    await modem.register('</3/0>', v12);
    await world.until('it is observed twice', () => notedOf(modem).length === 2);
    expect(notedOf(modem)).toEqual(Array(2).fill(`OBSERVE ${BATTERY}?pmin=5&pmax=50`));
    expect(await becomes(BATTERY, 'observed')).toMatchObject({
      attributes: { pmin: 5, pmax: 50 },
      contentFormat: 112,
      real: { attributes: { pmin: 5, pmax: 50 }, contentFormat: 112 },
    });
  });

  it('is kept for a device that is not registered now, and made when it comes', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v11);
    await modem.request(Code.DELETE, modem.location);
    await world.wait(
      world.api.put('/api/devices/modem/observation-policy', { paths: [BATTERY], wanted: true }),
    );
    expect(await status()).toMatchObject({
      registered: false,
      wanted: [{ paths: [BATTERY], state: 'pending', reason: 'the device is not registered now' }],
    });
    await modem.register('</3/0>', v11);
    await becomes(BATTERY, 'observed');
  });

  it('is no longer observed after a person ended it, also when the device registers anew', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [SENSOR, BATTERY]);
    await modem.register('</3/0>,</42770/0>', v11);
    await becomes(SENSOR, 'observed');
    await world.wait(world.api.delete(`/api/devices/modem/observations${SENSOR}`));
    await modem.register('</3/0>,</42770/0>', v11);
    await world.pass(3_000);
    expect(notedOf(modem)).toEqual([`OBSERVE ${SENSOR}`]);
    expect(await status()).toMatchObject({
      wanted: [],
      suppressed: [{ paths: [SENSOR], by: { kind: 'hand' } }],
    });
    await world.wait(
      fetchJson('DELETE', `/api/devices/modem/observation-policy?paths=${encodeURIComponent(SENSOR)}`),
    );
    await becomes(SENSOR, 'observed');
  });

  it('is not ruled out for ever by ending what nobody else wanted', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v11);
    await world.wait(world.api.post(`/api/devices/modem/observations${BATTERY}`, {}));
    await world.wait(world.api.delete(`/api/devices/modem/observations${BATTERY}`));
    await putPolicy('battery', { observations: [{ paths: [BATTERY] }] });
    await becomes(BATTERY, 'observed');
  });

  it('is told to be cancelled where it is ended while the device is asked for it', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', []);
    let asked: IncomingRequest | undefined;
    modem.answers.set(`GET ${BATTERY}`, (request) => {
      asked = request;
    });
    await modem.register('</3/0>', v11);
    const url = `${world.server.httpAddress}/api/devices/modem/observations${BATTERY}`;
    const observing = fetch(url, { method: 'POST' });
    await world.until('the device is asked', () => asked);
    expect((await world.wait(fetch(url, { method: 'DELETE' }))).status).toBe(204);
    asked?.respond(senml(BATTERY, [value(BATTERY)]));
    const answer = await world.wait(observing);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([409, 'conflict']);
  });

  it('is in the store as what the device is still asked for, until it has answered', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    const answer = modem.answers.get(`GET ${BATTERY}`);
    let asked: IncomingRequest | undefined;
    modem.answers.set(`GET ${BATTERY}`, (request) => {
      asked = request;
    });
    await modem.register('</3/0>', v11);
    const { id } = (await world.stores.registrations.byEndpoint('modem')) as { readonly id: string };
    const stored = async () =>
      (await world.stores.observations.byRegistration(id)).map(({ paths, pending }) => ({ paths, pending }));
    const observed = world.api.post(`/api/devices/modem/observations${BATTERY}`, {});
    await world.until('the device is asked', () => asked !== undefined);
    expect(await stored()).toEqual([{ paths: [BATTERY], pending: true }]);
    if (asked !== undefined) answer?.(asked);
    await world.wait(observed);
    expect(await stored()).toEqual([{ paths: [BATTERY], pending: undefined }]);
  });

  it('survives a restart of the server, and so does what was ended', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-policies-'));
    world = await ServerWorld.open(undefined, folder);
    try {
      const modem = device('device:1', 'modem', [BATTERY, SENSOR]);
      await modem.register('</3/0>,</42770/0>', v11);
      await becomes(SENSOR, 'observed');
      await world.wait(world.api.post(`/api/devices/modem/observations${BATTERY}`, {}));
      await world.wait(world.api.delete(`/api/devices/modem/observations${SENSOR}`));
      await putPolicy('x', { observations: [{ paths: ['/3/0/7'] }] });
      await world.restart();
      modem.observers.clear();
      await update(modem);
      await becomes(BATTERY, 'observed');
      await becomes('/3/0/7', 'refused');
      expect(modem.observers.has(SENSOR)).toBe(false);
      expect((await status()).suppressed).toMatchObject([{ paths: [SENSOR] }]);
    } finally {
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is observed again, although nothing was heard of it, when the device reports something else after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-policies-'));
    world = await ServerWorld.open(undefined, folder);
    try {
      const modem = device('device:1', 'modem', [BATTERY, SENSOR]);
      await modem.register('</3/0>,</42770/0>', v11);
      await becomes(SENSOR, 'observed');
      await world.wait(world.api.post(`/api/devices/modem/observations${BATTERY}`, {}));
      await world.restart();
      expect(await stateOf(BATTERY)).toMatchObject({ state: 'pending' });
      await world.wait(modem.notify(SENSOR, [value(SENSOR)]));
      await becomes(BATTERY, 'observed');
      await becomes(SENSOR, 'observed');
    } finally {
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a policy', () => {
  it('that is made brings registered devices in line at once, by their model', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    modem.has('/3/0', () => [
      { path: '/3/0/0', value: 'Acme' },
      { path: '/3/0/1', value: 'X-1' },
    ]);
    const other = device('device:2', 'other', [BATTERY]);
    other.has('/3/0', () => [{ path: '/3/0/1', value: 'Y' }]);
    await modem.register('</3/0>', v11);
    await other.register('</3/0>', v11);
    await world.pass(1_000);
    await putPolicy('x', {
      devices: { manufacturer: 'acme', model: 'X-*' },
      observations: [{ paths: [BATTERY] }],
    });
    expect(await becomes(BATTERY, 'observed')).toMatchObject({ by: { kind: 'policy', id: 'x' } });
    await world.pass(2_000);
    expect(other.observers.size).toBe(0);
  });

  it('is for a device as soon as it has said which model it is', async () => {
    world = await ServerWorld.open();
    await putPolicy('x', { devices: { model: 'X' }, observations: [{ paths: [BATTERY] }] });
    const modem = device('device:1', 'modem', [BATTERY]);
    modem.has('/3/0', () => [{ path: '/3/0/1', value: 'X' }]);
    await modem.register('</3/0>', v11);
    await becomes(BATTERY, 'observed');
  });

  it('that is changed changes what is observed; one that is removed ends it', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY, '/3/0/7']);
    await modem.register('</3/0>', v12);
    await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmin: 1 } }] });
    await becomes(BATTERY, 'observed');
    await putPolicy('x', {
      observations: [{ paths: [BATTERY], attributes: { pmin: 2 } }, { paths: ['/3/0/7'] }],
    });
    await becomes('/3/0/7', 'observed');
    expect(notedOf(modem)).toEqual([
      `OBSERVE ${BATTERY}?pmin=1`,
      `OBSERVE ${BATTERY}?pmin=2`,
      'OBSERVE /3/0/7',
    ]);
    await world.wait(world.api.delete('/api/observation-policies/x'));
    await world.until('nothing is observed', async () => {
      const { items } = await world.api.get<{ items: unknown[] }>('/api/devices/modem/observations');
      return items.length === 0;
    });
    expect(await world.eventTypes('modem')).not.toContain('observation-drifted');
  });

  it('that comes with the server can be switched off, and restored', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [SENSOR]);
    await modem.register('</42770/0>', v11);
    await becomes(SENSOR, 'observed');
    const observations = [{ paths: ['/42770/*/2'] }];
    await putPolicy('default-sensors', { enabled: false, observations });
    await world.until('it is ended', async () => (await status()).wanted.length === 0);
    await world.wait(world.api.post('/api/observation-policies/default-sensors/restore', {}));
    await becomes(SENSOR, 'observed');
  });

  it('has its attributes written before an older device is observed, and removed when nobody wants them any more', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v10);
    await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmin: 1, pmax: 60, con: 1 } }] });
    await becomes(BATTERY, 'observed');
    await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmin: 3 } }] });
    await world.until('it is observed anew', () => notedOf(modem).length === 5);
    await world.wait(world.api.delete('/api/observation-policies/x'));
    await world.until('the rest is removed', () => notedOf(modem).length === 6);
    expect(notedOf(modem)).toEqual([
      `PUT ${BATTERY}?pmin=1&pmax=60`,
      `OBSERVE ${BATTERY}`,
      `PUT ${BATTERY}?pmax`,
      `PUT ${BATTERY}?pmin=3`,
      `OBSERVE ${BATTERY}`,
      `PUT ${BATTERY}?pmin`,
    ]);
  });

  it('removes again what a person had written with an observation that is ended', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v11);
    const post = (attributes: object) =>
      world.wait(world.api.post(`/api/devices/modem/observations${BATTERY}`, { attributes }));
    await post({ pmin: 1, pmax: 9 });
    await post({ pmin: 2 });
    await world.until('pmax is removed', () => notedOf(modem).includes(`PUT ${BATTERY}?pmax`));
    await world.wait(world.api.delete(`/api/devices/modem/observations${BATTERY}`));
    await world.until('pmin is removed', () => notedOf(modem).at(-1) === `PUT ${BATTERY}?pmin`);
  });

  it('of several paths is one composite observation', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', []);
    modem.answers.set('FETCH /', (request) => request.respond(senml('/', [value(BATTERY), value(SENSOR)])));
    modem.answers.set(`GET ${SENSOR}`, (request) => request.respond(senml(SENSOR, [value(SENSOR)])));
    await modem.register('</3/0>,</42770/0>', v11);
    await putPolicy('x', { observations: [{ paths: [BATTERY, '/42770/*/2'] }] });
    await world.until('it is observed', async () =>
      (await status()).wanted.some(
        ({ paths, composite, state }) => composite && paths.length === 2 && state === 'observed',
      ),
    );
  });

  it('does not wake a device that sleeps: it is brought in line when it speaks', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', ['lt=3000', 'lwm2m=1.1', 'b=U', 'Q']);
    await world.clock.run(300_000);
    const before = modem.asked.length;
    await putPolicy('x', { observations: [{ paths: [BATTERY] }] });
    await world.pass(30_000);
    expect(modem.asked).toHaveLength(before);
    expect(await stateOf(BATTERY)).toMatchObject({ state: 'pending' });
    await update(modem);
    await becomes(BATTERY, 'observed');
  });
});

describe('drift', () => {
  it('of an observation that the device ended is told, and repaired without the device having to update', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [SENSOR]);
    await modem.register('</42770/0>', v11);
    await becomes(SENSOR, 'observed');
    const observer = modem.observers.get(SENSOR);
    observer?.notify({ code: Code.INTERNAL_SERVER_ERROR }, { keep: true }, () => undefined);
    expect(await becomes(SENSOR, 'drifted')).toMatchObject({ reason: '5.00' });
    await becomes(SENSOR, 'observed');
    expect(await world.eventTypes('modem')).toEqual(
      expect.arrayContaining(['observation-ended', 'observation-drifted']),
    );
  });

  it('that comes again and again is repaired less and less often', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [SENSOR]);
    await modem.register('</42770/0>', v11);
    for (let turn = 0; turn < 200; turn++) {
      const observer = modem.observers.get(SENSOR);
      modem.observers.delete(SENSOR);
      observer?.notify({ code: Code.INTERNAL_SERVER_ERROR }, { keep: true }, () => undefined);
      await world.pass(1_000);
    }
    expect(notedOf(modem).length).toBeGreaterThan(3);
    expect(notedOf(modem).length).toBeLessThan(9);
  });

  it('of one that is silent for longer than its pmax is told, and repaired', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmax: 60 } }] });
    await modem.register('</3/0>', v12);
    await becomes(BATTERY, 'observed');
    await world.clock.run(80_000);
    expect(await world.wait(modem.notify(BATTERY, [value(BATTERY)]))).toBe(true);
    await world.pass(100_000);
    expect(notedOf(modem)).toHaveLength(1);
    await world.until('it is observed anew', () => notedOf(modem).length === 2);
    await becomes(BATTERY, 'observed');
    expect(await world.eventTypes('modem')).toContain('observation-drifted');
  });

  it('of attributes is found out after silence, and they are written again', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v11);
    await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmax: 60 } }] });
    await becomes(BATTERY, 'observed');
    discloses(modem, BATTERY, '');
    const answer = modem.answers.get(`PUT ${BATTERY}`);
    modem.answers.delete(`PUT ${BATTERY}`);
    modem.answers.set(`PUT ${BATTERY}`, (request) => request.respond({ code: Code.SERVICE_UNAVAILABLE }));
    await world.clock.run(100_000);
    const failed = await becomes(BATTERY, 'failed');
    expect(failed).toMatchObject({ code: '5.03' });
    if (answer !== undefined) modem.answers.set(`PUT ${BATTERY}`, answer);
    await becomes(BATTERY, 'observed');
    expect(notedOf(modem).filter((what) => what.startsWith('PUT'))).toHaveLength(2);
    const { items } = await world.api.get<{ items: { type: string; data: { reason?: string } }[] }>(
      '/api/devices/modem/events',
    );
    const drift = items.find(({ type }) => type === 'observation-drifted');
    expect(drift?.data.reason).toMatch(/with a pmax of 60 s; it has other attributes$/);
  });

  it('of attributes is found out by asking the device, and repaired', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v11);
    await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmin: 5 } }] });
    await becomes(BATTERY, 'observed');
    discloses(modem, BATTERY, ';pmin=77');
    const checked = await world.wait(
      world.api.post<ApiObservationStatus>('/api/devices/modem/observation-policy/check', {}),
    );
    expect(checked.wanted).toMatchObject([
      {
        state: 'drifted',
        reason: 'the device has other attributes',
        attributes: { pmin: 5 },
        real: { attributes: { pmin: 77 } },
      },
    ]);
    await becomes(BATTERY, 'observed');
    expect(notedOf(modem).filter((what) => what.startsWith('PUT'))).toHaveLength(2);
  });

  it('is none where two observations share the attributes of a node', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    modem.answers.set('FETCH /', (request) => request.respond(senml('/', [value(BATTERY)])));
    await putPolicy('x', {
      observations: [
        { paths: [BATTERY], attributes: { pmin: 5 } },
        { paths: [BATTERY], composite: true, attributes: { pmax: 60 } },
      ],
    });
    await modem.register('</3/0>', v11);
    await world.until('both are observed', async () => {
      const { wanted } = await status();
      return wanted.length === 2 && wanted.every(({ state }) => state === 'observed');
    });
    discloses(modem, BATTERY, ';pmin=5;pmax=60');
    const { wanted } = await world.wait(
      world.api.post<ApiObservationStatus>('/api/devices/modem/observation-policy/check', {}),
    );
    expect(wanted.map(({ state }) => state)).toEqual(['observed', 'observed']);
    await world.wait(world.api.delete('/api/observation-policies/x'));
    await world.until(
      'both attributes are removed',
      () => notedOf(modem).at(-1) === `PUT ${BATTERY}?pmin&pmax`,
    );
  });

  it('is none where the device has what is wanted', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v12);
    await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmin: 5 } }] });
    await becomes(BATTERY, 'observed');
    for (let turn = 0; turn < 5; turn++) {
      await world.clock.run(600_000);
      expect(await world.wait(modem.notify(BATTERY, [value(BATTERY)]))).toBe(true);
      await update(modem);
    }
    await world.pass(5_000);
    expect(notedOf(modem)).toHaveLength(1);
  });
});

describe('an observation that the device', () => {
  it('refuses is told, and asked for again when the device registers anew or lists other objects', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', []);
    await modem.register('</42770/0>', v11);
    expect(await becomes(SENSOR, 'refused')).toMatchObject({ code: '4.04' });
    for (let turn = 0; turn < 3; turn++) {
      await world.clock.run(60_000);
      await update(modem);
    }
    await world.pass(3_000);
    const asked = () => modem.asked.filter((what) => what === `OBSERVE ${SENSOR}`).length;
    expect(asked()).toBe(1);
    await modem.request(Code.POST, modem.location, [], '</42770/0>,</3/0>');
    await world.until('it is asked for again', () => asked() === 2);
    await modem.register('</42770/0>', v11);
    await world.until('and again', () => asked() === 3);
    expect(await world.eventTypes('modem')).toContain('observation-refused');
  });

  it('refuses is asked for again when a policy changes what it asks for, or a person has it renewed', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', []);
    await modem.register('</42770/0>', v11);
    await becomes(SENSOR, 'refused');
    const asked = () => modem.asked.filter((what) => what === `OBSERVE ${SENSOR}`).length;
    await putPolicy('x', { observations: [{ paths: ['/42770/*/2'], contentFormat: 112 }] });
    await world.until('it is asked for again', () => asked() === 2);
    await world.wait(world.api.post('/api/devices/modem/observation-policy/renew', {}));
    expect(asked()).toBe(3);
  });

  it.each([
    ['1.1', 'PUT', v11],
    ['1.2', 'GET', v12],
  ] as const)(
    'takes without its attributes is observed without them, and that is told (LwM2M %s)',
    async (_, method, query) => {
      world = await ServerWorld.open();
      const modem = device('device:1', 'modem', [BATTERY]);
      const good = modem.answers.get(`GET ${BATTERY}`);
      modem.answers.set(`${method} ${BATTERY}`, (request) => {
        if (uriQuery(request.options).length > 0) request.respond({ code: Code.BAD_REQUEST });
        else good?.(request);
      });
      await modem.register('</3/0>', query);
      await putPolicy('x', { observations: [{ paths: [BATTERY], attributes: { pmin: 5 } }] });
      const refused = await becomes(BATTERY, 'refused');
      expect(refused).toMatchObject({
        code: '4.00',
        reason: 'it is observed without the attributes, which the device does not take',
        attributes: { pmin: 5 },
      });
      expect(refused.real).not.toHaveProperty('attributes');
      expect(await world.wait(modem.notify(BATTERY, [value(BATTERY)]))).toBe(true);
      const before = modem.asked.length;
      await update(modem);
      await world.pass(3_000);
      expect(modem.asked).toHaveLength(before);
      await putPolicy('x', { observations: [{ paths: [BATTERY] }] });
      await becomes(BATTERY, 'observed');
    },
  );

  it('cannot have now is tried again by itself, with longer and longer pauses', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [SENSOR]);
    const good = modem.answers.get(`GET ${SENSOR}`);
    let times = 0;
    modem.answers.set(`GET ${SENSOR}`, (request) => {
      times++;
      if (times < 4) request.respond({ code: Code.SERVICE_UNAVAILABLE });
      else good?.(request);
    });
    await modem.register('</42770/0>', v11);
    const failed = await becomes(SENSOR, 'failed');
    expect(failed).toMatchObject({ code: '5.03', attempts: 1 });
    expect(failed.retryAt).toBeGreaterThan(world.clock.wallTime());
    await world.pass(12_000);
    expect(times).toBe(2);
    await becomes(SENSOR, 'observed');
    expect(times).toBe(4);
  });

  it('is slow about is told as being made, and made behind the answer', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [BATTERY]);
    await modem.register('</3/0>', v11);
    await world.pass(500);
    const good = modem.answers.get(`GET ${BATTERY}`);
    modem.answers.set(`GET ${BATTERY}`, (request) => {
      world.clock.setTimer(30_000, () => good?.(request));
    });
    const answer = await world.wait(
      world.api.put<ApiObservationStatus>('/api/devices/modem/observation-policy', {
        paths: [BATTERY],
        wanted: true,
      }),
    );
    expect(answer).toMatchObject({ busy: true, wanted: [{ state: 'pending', reason: 'it is being made' }] });
    await world.pass(25_000);
    await becomes(BATTERY, 'observed');
  });

  it('does not answer is tried again by itself', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [SENSOR]);
    const good = modem.answers.get(`GET ${SENSOR}`);
    modem.answers.set(`GET ${SENSOR}`, () => undefined);
    await modem.register('</42770/0>', v11);
    await world.pass(65_000);
    expect(await stateOf(SENSOR)).toMatchObject({ state: 'failed', reason: 'the device does not answer' });
    if (good !== undefined) modem.answers.set(`GET ${SENSOR}`, good);
    await becomes(SENSOR, 'observed');
  });
});

async function fetchJson(method: string, path: string): Promise<void> {
  const response = await fetch(`${world.server.httpAddress}${path}`, { method });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

describe('whatever happens', () => {
  it.each([1, 2, 3])(
    'the device has in the end what is wanted of it, and nothing else (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
      const paths = [BATTERY, SENSOR, '/42770/1/2', '/4/0/2'];
      const attributes = [undefined, { pmin: 1 }, { pmin: 2, pmax: 600 }];
      world = await ServerWorld.open();
      const modem = device('device:1', 'modem', paths);
      const links = '</3/0>,</4/0>,</42770/0>,</42770/1>';
      const url = '/api/devices/modem/observation-policy';
      const wanted = () => ({ paths: [pick(paths)], attributes: pick(attributes) });
      const steps: readonly (() => Promise<unknown>)[] = [
        () => putPolicy(pick(['a', 'b']), { observations: [wanted(), wanted()], enabled: random() < 0.8 }),
        () =>
          putPolicy('c', { devices: { endpoint: 'mo*' }, observations: [{ ...wanted(), exclude: true }] }),
        () =>
          fetch(`${world.server.httpAddress}/api/observation-policies/${pick(['a', 'c'])}`, {
            method: 'DELETE',
          }),
        () => world.api.put(url, { ...wanted(), wanted: true }),
        () => world.api.put(url, { paths: [pick(paths)], wanted: false }),
        () => fetchJson('DELETE', `${url}?paths=${pick(paths)}`),
        () => world.api.post(`/api/devices/modem/observations${pick(paths)}`, {}),
        async () => {
          const [path, observer] = pick([...modem.observers]) ?? [];
          if (path === undefined) return;
          modem.observers.delete(path);
          observer?.notify({ code: Code.SERVICE_UNAVAILABLE }, { keep: true }, () => undefined);
        },
        () => update(modem),
        () => {
          modem.observers.clear();
          return modem.register(links, pick([v11, v12]));
        },
        () => world.pass(Math.floor(random() * 20_000)),
      ];
      await modem.register(links, v11);
      const others: Promise<unknown>[] = [];
      for (let turn = 0; turn < 60; turn++) {
        // A registration that is replaced in the middle of a request is a 409, and the caller's business.
        const step = pick(steps)().catch((error: unknown) => {
          if (!String(error).includes(': 409 ')) throw error;
        });
        // Some come one upon the other.
        if (random() < 0.7) await world.wait(step);
        else others.push(step);
      }
      await world.wait(Promise.all(others));
      await world.pass(30_000);
      await update(modem);
      const settled = await world.until('all is observed', async () => {
        const now = await status();
        return !now.busy && now.wanted.every(({ state }) => state === 'observed') && now;
      });
      expect(settled.unwanted).toEqual([]);
      const { items } = await world.api.get<{ items: { paths: string[] }[] }>(
        '/api/devices/modem/observations',
      );
      const real = items.map((item) => item.paths[0]).sort();
      expect(real).toEqual(settled.wanted.map((item) => item.paths[0]).sort());
      for (const { attributes: asked, real: had } of settled.wanted) expect(had?.attributes).toEqual(asked);
      expect(world.faults).toEqual([]);
    },
  );
});

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('the metrics', () => {
  it('count what is wanted and what there is', async () => {
    world = await ServerWorld.open();
    const modem = device('device:1', 'modem', [SENSOR]);
    await modem.register('</42770/0>,</42770/1>', v11);
    await becomes('/42770/1/2', 'refused');
    await becomes(SENSOR, 'observed');
    const lines = (await (await fetch(`${world.server.httpAddress}/metrics`)).text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'simyard_observations{state="observed"} 1',
        'simyard_observations{state="refused"} 1',
        'simyard_observations{state="pending"} 0',
        'simyard_observations{state="drifted"} 0',
        'simyard_observations_wanted 2',
      ]),
    );
    await modem.request(Code.DELETE, modem.location);
    await world.until('nothing is wanted', async () =>
      (await (await fetch(`${world.server.httpAddress}/metrics`)).text()).includes(
        'simyard_observations_wanted 0',
      ),
    );
  });
});
