import { afterEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import { uriQuery } from '../../protocol/coap/options.ts';
import type { ApiObservationStatus, ApiWantedStatus } from '../../server/api/schemas/observation-policies.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const SERIAL = '/3/0/2';
const BATTERY = '/3/0/9';
const URL = '/api/devices/modem/observation-policy';
const v11 = ['lt=3000', 'lwm2m=1.1', 'b=U'];

/** A device of which a text and a number can be observed; it notes the attributes that it is given. */
async function device(query = v11): Promise<{ modem: ScriptedDevice; given: string[] }> {
  const modem = world.device('device:1', 'modem');
  const given: string[] = [];
  for (const path of [SERIAL, BATTERY]) {
    modem.has(path, () => [{ path, value: path === SERIAL ? 'x' : 1 }]);
    modem.answers.set(`PUT ${path}`, (request) => {
      given.push(`${path}?${uriQuery(request.options).join('&')}`);
      request.respond({ code: Code.CHANGED });
    });
  }
  await modem.register('</3/0>', query);
  return { modem, given };
}

const stateOf = async (path: string): Promise<ApiWantedStatus | undefined> =>
  (await world.api.get<ApiObservationStatus>(URL)).wanted.find(({ paths }) => paths[0] === path);
const becomes = (path: string, state: ApiWantedStatus['state']) =>
  world.until(`${path} is ${state}`, async () => {
    const found = await stateOf(path);
    return found?.state === state ? found : undefined;
  });
const answerTo = async (method: string, path: string, body?: unknown) => {
  const response = await world.wait(
    fetch(`${world.server.httpAddress}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};

describe('an attribute that has no meaning on a resource', () => {
  it('is refused at once where a person wants it', async () => {
    world = await ServerWorld.open();
    await device();
    const { status, body } = await answerTo('PUT', URL, {
      paths: [SERIAL],
      wanted: true,
      attributes: { gt: 5 },
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringContaining('gt needs a number'),
    });
    expect(await stateOf(SERIAL)).toBeUndefined();
  });

  it('is refused for the device that it does not fit, where a policy wants it, and the rest is observed', async () => {
    world = await ServerWorld.open();
    const { modem, given } = await device();
    await world.wait(
      world.api.put('/api/observation-policies/p', {
        name: 'p',
        observations: [{ paths: [SERIAL, BATTERY].slice(0, 1), attributes: { gt: 5 } }, { paths: [BATTERY] }],
      }),
    );
    const refused = await becomes(SERIAL, 'refused');
    expect(refused.reason).toMatch(/without the attributes: gt needs a number/);
    expect(refused.code).toBeUndefined();
    await becomes(BATTERY, 'observed');
    expect(modem.observers.has(SERIAL)).toBe(true);
    expect(given).toEqual([]);
  });

  it('does not keep a device from its observations when it is not wanted any more and the device restarts', async () => {
    world = await ServerWorld.open();
    const { modem } = await device();
    await modem.request(Code.DELETE, modem.location);
    const wish = { paths: [SERIAL], wanted: true, attributes: { gt: 5 } };
    expect((await answerTo('PUT', URL, wish)).status).toBe(200);
    await world.wait(world.api.put(URL, { paths: [BATTERY], wanted: true }));
    await modem.register('</3/0>', v11);
    await becomes(SERIAL, 'refused');
    await answerTo('DELETE', `${URL}?paths=${SERIAL}`);
    modem.observers.clear();
    await modem.register('</3/0>', v11);
    await becomes(BATTERY, 'observed');
    expect((await world.api.get<ApiObservationStatus>(URL)).wanted).toHaveLength(1);
  });

  it('is no drift where the device refuses it, however often that is looked at', async () => {
    world = await ServerWorld.open();
    const { modem } = await device();
    modem.answers.set(`PUT ${BATTERY}`, (request) => request.respond({ code: Code.BAD_REQUEST }));
    await world.wait(world.api.put(URL, { paths: [BATTERY], wanted: true, attributes: { gt: 5 } }));
    await becomes(BATTERY, 'refused');
    modem.asked.length = 0;
    const { body } = await answerTo('POST', `${URL}/check`);
    expect(body.wanted).toMatchObject([{ state: 'refused' }]);
    await world.pass(30_000);
    expect(modem.asked).toEqual([]);
    expect(await stateOf(BATTERY)).toMatchObject({ state: 'refused' });
  });

  it('can be removed', async () => {
    world = await ServerWorld.open();
    const { given } = await device();
    const { status } = await answerTo('PUT', `/api/devices/modem/attributes${SERIAL}`, { gt: null });
    expect(status).toBe(204);
    expect(given).toEqual([`${SERIAL}?gt`]);
  });
});
