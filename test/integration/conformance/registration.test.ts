import { afterEach, describe, expect, it } from 'vitest';
import { hashedProfile } from '../../../client/lwm2m/profile-id.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { endpoint, ManagedModem, modemAddress, type Wire } from './managed-modem.ts';

// The cases of OMA-ETS-LightweightM2M_INT about the registration interface.

let managed: ManagedModem | undefined;
afterEach(async () => {
  await managed?.close();
  managed = undefined;
});

const fromDevice = (wire: readonly Wire[], what: string): Wire[] =>
  wire.filter((each) => each.from === 'device' && each.what === what);
const fromServer = (wire: readonly Wire[], what: string): Wire[] =>
  wire.filter((each) => each.from === 'server' && each.what === what);

describe('the registration interface', () => {
  it('registers: 2.01 with a Location, name, lifetime, version, binding and objects known (ETS 101)', async () => {
    managed = await ManagedModem.open();
    const wire = managed.since(0);
    const [register] = fromDevice(wire, 'POST');
    expect(register).toMatchObject({ path: '/rd', contentFormat: 40 });
    expect(register?.query).toEqual(
      expect.arrayContaining([`ep=${endpoint}`, 'lt=300', 'lwm2m=1.1', expect.stringMatching(/^b=U$/)]),
    );
    expect(fromServer(wire, '2.01')).toHaveLength(1);
    const { registration } = await managed.device();
    expect(registration).toMatchObject({
      lifetime: 300,
      version: '1.1',
      binding: 'U',
      address: modemAddress,
    });
    const paths = (registration as unknown as { objects: { path: string }[] }).objects.map(
      ({ path }) => path,
    );
    expect(paths).toEqual(expect.arrayContaining(['/1/0', '/3/0', '/4/0', '/5/0']));
    // §6.2.1: what is only a bootstrap server's is not listed.
    expect(paths.filter((path) => /^\/(0|21|23)(\/|$)/.test(path))).toEqual([]);
  });

  it('updates after a new lifetime of 20 s, and the server ends the registration when the device falls silent (ETS 102)', async () => {
    managed = await ManagedModem.open();
    const begin = managed.mark();
    expect((await managed.call('PUT', '/objects/1/0/1', { value: 20 })).status).toBe(204);
    await managed.world.until('lt=20', async () => (await managed?.device())?.registration?.lifetime === 20);
    const update = fromDevice(managed.since(begin), 'POST')[0];
    expect(update?.path).toMatch(/^\/rd\/.+/);
    expect(update?.query).toEqual(['lt=20']);
    expect(fromServer(managed.since(begin), '2.04')).not.toHaveLength(0);
    // It keeps itself alive within the lifetime …
    const alive = managed.mark();
    await managed.world.pass(60_000);
    expect(fromDevice(managed.since(alive), 'POST').length).toBeGreaterThanOrEqual(3);
    expect((await managed.device()).registration).toBeDefined();
    // … and without it the server ends the registration.
    managed.world.link.deaf.add(modemAddress);
    managed.world.link.filter = (_data, from) => from === modemAddress;
    await managed.world.pass(40_000);
    await managed.world.until('its end', async () => (await managed?.device())?.registration === undefined);
    expect(await managed.events()).toContain('expired');
    managed.world.link.filter = undefined;
    managed.world.link.deaf.clear();
  });

  it('deregisters when it is disabled, and registers again after the disable timeout (ETS 103)', async () => {
    managed = await ManagedModem.open();
    expect((await managed.call('PUT', '/objects/1/0/5', { value: 60 })).status).toBe(204);
    const begin = managed.mark();
    expect((await managed.call('POST', '/server/disable')).status).toBe(204);
    await managed.world.until('gone', async () => (await managed?.device())?.registration === undefined);
    const wire = managed.since(begin);
    expect(fromServer(wire, 'POST')[0]?.path).toBe('/1/0/4');
    expect(managed.answers(wire)[0]).toBe('2.04');
    const [goodbye] = fromDevice(wire, 'DELETE');
    expect(goodbye?.path).toMatch(/^\/rd\/.+/);
    expect(fromServer(wire, '2.02')).toHaveLength(1);
    await managed.world.pass(61_000);
    await managed.registered();
  });

  it('updates at once when the Registration Update Trigger is executed (ETS 104)', async () => {
    managed = await ManagedModem.open();
    const begin = managed.mark();
    expect((await managed.call('POST', '/server/update-trigger')).status).toBe(204);
    await managed.quiet();
    const wire = managed.since(begin);
    expect(fromServer(wire, 'POST')[0]?.path).toBe('/1/0/8');
    const [update] = fromDevice(wire, 'POST');
    expect(update?.path).toMatch(/^\/rd\/.+/);
    expect(update?.query).toEqual([]);
    expect(fromServer(wire, '2.04')).toHaveLength(1);
    // The lifetime begins anew with it.
    const { expiresAt, updatedAt } = (await managed.device()).registration as {
      expiresAt: number;
      updatedAt: number;
    };
    expect(expiresAt - updatedAt).toBeGreaterThanOrEqual(300_000);
    expect(Math.abs(updatedAt - managed.world.clock.wallTime())).toBeLessThan(10_000);
  });

  it('answers 4.04 to an Update of a registration that is over, and the device registers anew (ETS 105)', async () => {
    managed = await ManagedModem.open();
    const location = fromDevice(managed.since(0), 'POST').find(({ path }) => path !== '/rd')?.path;
    // The server forgets it: another device registers under the same name and leaves again.
    const other = managed.world.device('other:1', endpoint);
    await other.register('</1/0>');
    await other.request(Code.DELETE, other.location);
    await managed.world.until('gone', async () => (await managed?.device())?.registration === undefined);
    const begin = managed.mark();
    managed.modem.client.registration.update();
    await managed.registered();
    const wire = managed.since(begin);
    expect(fromServer(wire, '4.04')).toHaveLength(1);
    const posts = fromDevice(wire, 'POST').map(({ path }) => path);
    expect(posts[0]).toMatch(/^\/rd\/.+/);
    expect(posts).toContain('/rd');
    expect(location).not.toBe('/rd');
    expect((await managed.device()).registration).toMatchObject({ address: modemAddress });
  });

  it('extends its lifetime by Updates in time, for as long as it lives (ETS 107)', async () => {
    managed = await ManagedModem.open({ account: { lifetime: 120 } });
    const begin = managed.mark();
    await managed.world.pass(300_000);
    expect((await managed.device()).registration).toBeDefined();
    expect(fromDevice(managed.since(begin), 'POST').length).toBeGreaterThanOrEqual(2);
    expect(await managed.events()).not.toContain('expired');
  });

  it('says in its Register that it is in queue mode (ETS 108)', async () => {
    managed = await ManagedModem.open({ account: { queueMode: true }, awakeTime: 10_000 });
    const [register] = fromDevice(managed.since(0), 'POST');
    expect(register?.query).toContain('Q');
    expect((await managed.device()).registration).toMatchObject({ queueMode: true });
  });

  it('gives what was asked while it slept to the device when it next speaks (ETS 109)', async () => {
    managed = await ManagedModem.open({ account: { queueMode: true, lifetime: 3_600 }, awakeTime: 10_000 });
    // What the policy observes would wake it up again and again.
    const { body } = await managed.call('GET', '/observations');
    for (const { paths } of (body as { items: { paths: string[] }[] }).items) {
      await managed.call('DELETE', `/observations${paths[0]}?active=true`);
    }
    await managed.world.until('asleep', () => managed?.modem.client.isAwake === false);
    // The server holds a device to be awake for MAX_TRANSMIT_WAIT after it was heard, where it has not learnt better.
    await managed.world.pass(100_000);
    const begin = managed.mark();
    const asked = fetch(
      `${managed.world.server.httpAddress}/api/devices/${endpoint}/objects/3/0/2?timeout=300000`,
    );
    await managed.world.pass(60_000);
    expect(fromServer(managed.since(begin), 'GET')).toEqual([]);
    managed.modem.client.registration.update();
    const answer = await managed.world.wait(asked);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ value: '000000042' });
    const order = managed.since(begin).map(({ from, what, path }) => `${from} ${what} ${path}`);
    expect(order.findIndex((each) => each.startsWith('device POST /rd/'))).toBeLessThan(
      order.indexOf('server GET /3/0/2'),
    );
  });

  it('registers by a profile id that the server knows, and lists nothing (ETS 1.2-110)', async () => {
    managed = await ManagedModem.open({ server: { version: '1.2', profiles: hashedProfile } });
    const { registration } = await managed.device();
    const begin = managed.mark();
    managed.modem.client.reregister();
    await managed.world.until('anew', () => fromServer(managed?.since(begin) ?? [], '2.01').length === 1);
    const [register] = fromDevice(managed.since(begin), 'POST');
    expect(register?.query.join()).toMatch(/pid=1:[0-9a-f]{64}/);
    expect(register?.message.payload).toHaveLength(0);
    const again = (await managed.device()).registration;
    expect(again).toMatchObject({
      version: '1.2',
      objects: registration?.objects,
      profiles: registration?.profiles,
    });
    expect(JSON.stringify(again)).toContain('/3/0');
  });

  it('refuses a profile id that the server does not know; the device lists its objects beside it', async () => {
    managed = await ManagedModem.open({ server: { version: '1.2', profiles: hashedProfile } });
    const [first, second] = fromDevice(managed.since(0), 'POST').filter(({ path }) => path === '/rd');
    const pid = first?.query.find((each) => each.startsWith('pid=')) ?? '';
    expect(pid).toMatch(/^pid=1:[0-9a-f]{64}$/);
    expect(first?.message.payload).toHaveLength(0);
    expect(fromServer(managed.since(0), '4.09')).toHaveLength(1);
    expect(second?.query).toContain(pid);
    expect(second).toMatchObject({ contentFormat: 40 });
    expect((await managed.device()).registration).toMatchObject({ profiles: [pid.slice('pid='.length)] });
  });
});
