import { afterEach, describe, expect, it } from 'vitest';
import { Code, MessageType } from '../../protocol/coap/message.ts';
import { contentFormatOption } from '../../protocol/coap/options.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiCarrierAnswer, ApiCommand } from '../../server/api/schemas.ts';
import { type ScriptedDevice, ServerWorld, senml } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const SLOT = '/42769/0';

interface Card {
  current: string;
  state: number;
  result: number;
  reason: string;
  /** Null: a device that keeps no command ids. */
  lastCommand: number | null;
}

function records(card: Card): LwM2mRecord[] {
  return [
    { path: `${SLOT}/0`, value: card.current },
    { path: `${SLOT}/1/0`, value: 'AT&T' },
    { path: `${SLOT}/1/1`, value: 'T-Mobile' },
    { path: `${SLOT}/4`, value: card.state },
    { path: `${SLOT}/5`, value: card.result },
    { path: `${SLOT}/6`, value: card.reason },
    ...(card.lastCommand === null ? [] : [{ path: `${SLOT}/10`, value: card.lastCommand }]),
  ];
}

/** A modem that takes every switch and says nothing of it until it is told to. */
async function modem(
  lastCommand: number | null = 0,
  lifetime = 300,
): Promise<{ device: ScriptedDevice; card: Card; executed: string[] }> {
  const device = world.device('device:1', 'modem');
  const card: Card = { current: 'AT&T', state: 0, result: 0, reason: '', lastCommand };
  const executed: string[] = [];
  device.has(SLOT, () => records(card));
  device.answers.set(`POST ${SLOT}/3`, (request) => {
    const args = new TextDecoder().decode(request.payload);
    executed.push(args);
    if (card.lastCommand !== null) card.lastCommand = Number(/1='(\d+)'/.exec(args)?.[1]);
    card.state = 1;
    request.respond({ code: Code.CHANGED });
  });
  await device.register('</42769/0>', [`lt=${lifetime}`, 'lwm2m=1.1', 'b=U']);
  await world.until('the slot is observed', () => device.observers.has(SLOT));
  await world.until('the card is known', async () => {
    const { current } = await world.api.get<ApiCarrierAnswer>('/api/devices/modem/carrier');
    return current === 'AT&T';
  });
  return { device, card, executed };
}

const switchTo = (carrier: string | number, key?: string): Promise<ApiCommand> =>
  world.api.post<ApiCommand>(
    '/api/devices/modem/carrier',
    { carrier },
    key === undefined ? {} : { 'idempotency-key': key },
  );
const reach = (id: string, state: ApiCommand['state']): Promise<ApiCommand> =>
  world.until(`the command is ${state}`, async () => {
    const command = await world.api.get<ApiCommand>(`/api/commands/${id}`);
    return command.state === state ? command : undefined;
  });
/** As `reach`, where it takes long in simulated time. */
async function reachInTime(id: string, state: ApiCommand['state'], limit: number): Promise<ApiCommand> {
  for (let passed = 0; passed < limit; passed += 5_000) {
    const command = await world.api.get<ApiCommand>(`/api/commands/${id}`);
    if (command.state === state) return command;
    await world.pass(5_000);
  }
  return reach(id, state);
}
const steps = (command: ApiCommand): string[] => command.history.map(({ state }) => state);

describe('a carrier switch', () => {
  it('goes through queued, sent and accepted to what the card says', async () => {
    world = await ServerWorld.open();
    const { device, card, executed } = await modem();
    const { id, number } = await switchTo('t-mobile');
    await reach(id, 'accepted');
    expect(executed).toEqual([`0='1',1='${number}'`]);
    Object.assign(card, { current: 'T-Mobile', state: 2, lastCommand: number });
    await world.wait(device.notify(SLOT, records(card)));
    const done = await reach(id, 'done');
    expect(steps(done)).toEqual(['queued', 'sent', 'accepted', 'done']);
    expect(done.result).toMatchObject({ answer: 'ACK', carrier: 'T-Mobile' });
    const events = await world.until('its events', async () => {
      const types = await world.eventTypes('modem');
      return types.filter((type) => type === 'command').length === 4;
    });
    expect(events).toBe(true);
  });

  it("fails with the card's own reason", async () => {
    world = await ServerWorld.open();
    const { device, card } = await modem();
    const { id, number } = await switchTo('T-Mobile');
    await reach(id, 'accepted');
    Object.assign(card, {
      state: 3,
      result: 1,
      reason: 'the card forbids it by policy',
      lastCommand: number,
    });
    await world.wait(device.notify(SLOT, records(card)));
    expect(await reach(id, 'failed')).toMatchObject({
      reason: 'the card forbids it by policy',
      result: { answer: 'NACK', carrier: 'AT&T' },
    });
  });

  it('is not ended by what the device said of an older command', async () => {
    world = await ServerWorld.open();
    const { device, card } = await modem(5);
    const former = records({ ...card, state: 2 });
    const { id } = await switchTo('T-Mobile');
    await reach(id, 'accepted');
    await world.wait(device.notify(SLOT, former));
    await world.pass(1_000);
    expect((await world.api.get<ApiCommand>(`/api/commands/${id}`)).state).toBe('accepted');
  });

  it('asks a device that does not tell how it went', async () => {
    world = await ServerWorld.open();
    const { card } = await modem();
    const { id, number } = await switchTo('T-Mobile');
    await reach(id, 'accepted');
    Object.assign(card, { current: 'T-Mobile', state: 2, lastCommand: number });
    await world.pass(30_000);
    expect((await reach(id, 'done')).result).toMatchObject({ carrier: 'T-Mobile' });
  });

  it('is refused with what the device says', async () => {
    world = await ServerWorld.open();
    const { device } = await modem();
    device.answers.set(`POST ${SLOT}/3`, (request) =>
      request.respond({ code: Code.BAD_REQUEST, payload: new TextEncoder().encode('no such carrier') }),
    );
    const { id } = await switchTo('T-Mobile');
    expect((await reach(id, 'failed')).reason).toBe('the device refused: 4.00 no such carrier');
  });

  it('waits for a device that is busy, and is sent again', async () => {
    world = await ServerWorld.open();
    const { device, executed } = await modem();
    const take = device.answers.get(`POST ${SLOT}/3`);
    device.answers.set(`POST ${SLOT}/3`, (request) => request.respond({ code: Code.SERVICE_UNAVAILABLE }));
    const { id } = await switchTo('T-Mobile');
    await world.pass(1_000);
    expect(executed).toEqual([]);
    if (take !== undefined) device.answers.set(`POST ${SLOT}/3`, take);
    await world.pass(40_000);
    expect(steps(await reach(id, 'accepted'))).toEqual(['queued', 'sent', 'queued', 'sent', 'accepted']);
    expect(executed).toHaveLength(1);
  });

  it('is sent again after silence where the device keeps command ids and has not had this one', async () => {
    world = await ServerWorld.open();
    const { device, executed } = await modem();
    const take = device.answers.get(`POST ${SLOT}/3`);
    device.answers.set(`POST ${SLOT}/3`, () => undefined);
    world.link.filter = (_, from, to) => from === 'device:1' || to === 'device:1';
    const { id } = await switchTo('T-Mobile');
    await world.pass(100_000);
    expect((await world.api.get<ApiCommand>(`/api/commands/${id}`)).state).toBe('sent');
    world.link.filter = undefined;
    if (take !== undefined) device.answers.set(`POST ${SLOT}/3`, take);
    await reachInTime(id, 'accepted', 300_000);
    expect(executed).toHaveLength(1);
  });

  it('is unknown after silence where the device cannot tell what it had', async () => {
    world = await ServerWorld.open();
    const { device } = await modem(null);
    // It takes the request, and dies before it answers.
    device.answers.set(`POST ${SLOT}/3`, () => {
      device.answers.delete(`POST ${SLOT}/3`);
    });
    const { id } = await switchTo('T-Mobile');
    await world.pass(200_000);
    const unknown = await reach(id, 'unknown');
    expect(unknown.attempts).toBe(1);
    expect(unknown.reason).toContain('cannot tell');
  });

  it('waits in the queue for a device that is not registered, and goes out when it is', async () => {
    world = await ServerWorld.open();
    const { device, executed } = await modem();
    await device.request(Code.DELETE, device.location);
    const first = await switchTo('T-Mobile');
    const second = await switchTo('AT&T');
    await world.pass(2_000);
    expect(await reach(first.id, 'queued')).toMatchObject({ attempts: 0 });
    expect(executed).toEqual([]);
    await device.register('</42769/0>');
    await reach(first.id, 'accepted');
    // One in flight: the second waits for the end of the first.
    expect((await world.api.get<ApiCommand>(`/api/commands/${second.id}`)).state).toBe('queued');
    expect(executed).toHaveLength(1);
  });

  it('can be cancelled while it is queued, and not later', async () => {
    world = await ServerWorld.open();
    const { device } = await modem();
    await device.request(Code.DELETE, device.location);
    const { id } = await switchTo('T-Mobile');
    await world.pass(500);
    await world.wait(world.api.delete(`/api/commands/${id}`));
    await reach(id, 'cancelled');
    await expect(world.api.delete(`/api/commands/${id}`)).rejects.toThrow('409');
  });

  it('is the same command for the same idempotency key, and a conflict for another carrier', async () => {
    world = await ServerWorld.open();
    await modem();
    const first = await switchTo('T-Mobile', 'k1');
    expect((await switchTo('T-Mobile', 'k1')).id).toBe(first.id);
    await expect(switchTo('AT&T', 'k1')).rejects.toThrow('409');
  });

  it('names the carriers that there are, when asked for one that there is not', async () => {
    world = await ServerWorld.open();
    await modem();
    await expect(switchTo('Vodafone')).rejects.toThrow('it has AT&T (0), T-Mobile (1), and Disconnect');
  });

  it('expires when the device does not come back in time', async () => {
    world = await ServerWorld.open();
    const { device } = await modem();
    await device.request(Code.DELETE, device.location);
    const { id } = await switchTo('T-Mobile');
    await world.pass(500);
    await world.clock.run(86_400_000);
    await world.pass(10_000);
    expect(steps(await reach(id, 'expired')).at(-1)).toBe('expired');
  });

  it('does not stay accepted for ever where the device answers what cannot be read', async () => {
    world = await ServerWorld.open();
    // It stays registered for all that time.
    const { device } = await modem(0, 86_400);
    const { id } = await switchTo('T-Mobile');
    await reach(id, 'accepted');
    device.answers.set(`GET ${SLOT}`, (request) =>
      request.respond({
        code: Code.CONTENT,
        options: [contentFormatOption(112)],
        payload: new Uint8Array([0xff, 0]),
      }),
    );
    await world.clock.run(31 * 60_000);
    expect((await reachInTime(id, 'unknown', 120_000)).reason).toContain('never told');
  });

  it('does not stay accepted for ever where the device was removed', async () => {
    world = await ServerWorld.open();
    const { device } = await modem();
    const { id } = await switchTo('T-Mobile');
    await reach(id, 'accepted');
    await device.request(Code.DELETE, device.location);
    await world.wait(world.api.delete('/api/devices/modem'));
    await world.clock.run(31 * 60_000);
    await reachInTime(id, 'unknown', 120_000);
  });

  it('that reached the device just before it would have expired ends on what the card says', async () => {
    world = await ServerWorld.open();
    const { device, card, executed } = await modem();
    await device.request(Code.DELETE, device.location);
    const { id, number } = await switchTo('T-Mobile');
    await world.pass(500);
    await world.clock.run(86_400_000 - 20_000);
    await world.pass(500);
    await device.register('</42769/0>');
    world.link.filter = (_, from) => from === 'device:1' && executed.length > 0;
    await world.until('it is executed', () => executed.length > 0);
    await world.pass(90_000);
    world.link.filter = undefined;
    Object.assign(card, { current: 'T-Mobile', state: 2, lastCommand: number });
    await reachInTime(id, 'done', 120_000);
  });

  it('of a device that is away for an hour ends on what the card says', async () => {
    world = await ServerWorld.open();
    const { device, card } = await modem();
    const { id, number } = await switchTo('T-Mobile');
    await reach(id, 'accepted');
    world.link.filter = (_, from, to) => from === 'device:1' || to === 'device:1';
    for (let minutes = 0; minutes < 60; minutes += 2) {
      await world.clock.run(120_000);
      await world.pass(500);
    }
    world.link.filter = undefined;
    Object.assign(card, { current: 'T-Mobile', state: 2, lastCommand: number });
    await device.register('</42769/0>');
    await reachInTime(id, 'done', 120_000);
  });

  it('is not given up because the system sets its clock', async () => {
    world = await ServerWorld.open();
    const { card, device } = await modem();
    const { id, number } = await switchTo('T-Mobile');
    await reach(id, 'accepted');
    world.clock.setWallTime(world.clock.wallTime() + 3_600_000);
    await world.pass(30_000);
    Object.assign(card, { current: 'T-Mobile', state: 2, lastCommand: number });
    await device.register('</42769/0>');
    await reachInTime(id, 'done', 120_000);
  });

  it('is sent again with growing pauses where the device answers RST', async () => {
    world = await ServerWorld.open();
    const { device } = await modem(1);
    let posts = 0;
    await device.endpoint.close();
    const raw = world.raw('device:1', 'server:5683');
    raw.onMessage = (message) => {
      if (message.code === Code.POST) {
        posts++;
        raw.send({ type: MessageType.RST, messageId: message.messageId });
      } else if (message.code === Code.GET) {
        raw.send({
          ...senml(SLOT, [{ path: `${SLOT}/10`, value: 1 }]),
          type: MessageType.ACK,
          messageId: message.messageId,
          token: Buffer.from(message.token).toString('hex'),
        });
      }
    };
    await switchTo('T-Mobile');
    await world.pass(10_000);
    expect(posts).toBe(1);
    await world.pass(110_000);
    expect(posts).toBeGreaterThan(1);
    expect(posts).toBeLessThan(5);
  });

  it('goes out at once when the device registers anew, whatever it was being asked before', async () => {
    world = await ServerWorld.open();
    const { card } = await modem();
    const first = await switchTo('T-Mobile');
    await reach(first.id, 'accepted');
    // The device dies; the server comes to ask how it went, and waits for an answer.
    world.link.filter = (_, from, to) => from === 'device:1' || to === 'device:1';
    await world.pass(25_000);
    const again = world.device('device:2', 'modem');
    again.has(SLOT, () => records({ ...card, state: 3, lastCommand: first.number }));
    again.answers.set(`POST ${SLOT}/3`, (request) => request.respond({ code: Code.CHANGED }));
    await again.register('</42769/0>');
    const before = world.clock.now();
    await reach(first.id, 'failed');
    const second = await switchTo('T-Mobile');
    await reach(second.id, 'accepted');
    expect(world.clock.now() - before).toBeLessThan(15_000);
  });
});
