import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LegacyCard } from '../../../../client/sim/applet/legacy-card.ts';
import { CardSession } from '../../../../client/sim/card-session.ts';
import { type CardEvent, CardRefusalError } from '../../../../client/sim/carrier-card.ts';
import { toHex } from '../../../../client/sim/hex.ts';
import { LegacyApplet } from '../../../../client/sim/virtual-card/applet-legacy.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { encodePacket } from '../../../../protocol/flow/packet.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { Network } from '../../../support/sim/applet-world.ts';

let clock: FakeClock;
let network: Network;
let virtual: VirtualCard;
let card: LegacyCard;
let events: CardEvent[];
let lines: string[];
let faults: unknown[];
/** APDUs that went to the card, and what it said, in hex. */
let apdus: string[];

function insert(gateway: { address: string; port: number } | undefined): void {
  const { transmit } = virtual;
  virtual.transmit = async (command) => {
    const answer = await transmit.call(virtual, command);
    apdus.push(`${toHex(command)} ${toHex(answer)}`);
    return answer;
  };
  card = new LegacyCard({
    transport: virtual,
    session: new CardSession(virtual),
    clock,
    openChannel: network.open,
    gateway,
    log: (line) => lines.push(line),
    onFault: (error) => faults.push(error),
  });
  card.onChanged((event) => events.push(event));
}

beforeEach(async () => {
  clock = new FakeClock();
  network = new Network();
  events = [];
  lines = [];
  faults = [];
  apdus = [];
  virtual = new VirtualCard({
    serial: 42,
    kind: 'legacy',
    clock,
    applications: [new LegacyApplet({ address: '192.0.2.9', port: 6001 })],
  });
  insert({ address: '192.0.2.7', port: 6001 });
  await card.connect();
});

afterEach(async () => {
  await card.close();
  expect(faults).toEqual([]);
});

/** So many polls, and what comes of them. */
const polls = (count: number) => clock.run(count * 340);
const carrier = async (id: number) => {
  const found = (await card.carriers()).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no carrier ${id}`);
  return found;
};

describe('a card with the old applet', () => {
  it('is polled three times a second: it asks for a channel, then for data', async () => {
    await polls(3);
    expect(network.destinations).toEqual(['192.0.2.7:6001']);
    expect(network.got).toEqual(['1100']);
    expect(apdus).toEqual([
      '00F3000015 D01E8103014001820281828500350103390205783C9000',
      '00F2000011 D029810301430182028121' + '8500B61C' + '1100' + '9000',
      '00F3000015 D00E8103014200820281218500B701020000000000' + '9000',
      '00F3000015 D00E8103014200820281218500B701020000000000' + '9000',
    ]);
  });

  it('that is closed, or left alone, while its channel is being opened leaves none open', async () => {
    for (const end of ['close', 'rest'] as const) {
      const opened = Promise.withResolvers<void>();
      let closed = 0;
      const late = new LegacyCard({
        transport: virtual,
        session: new CardSession(virtual),
        clock,
        openChannel: async () => {
          await opened.promise;
          return {
            send: async () => {},
            onData: () => {},
            onDropped: () => {},
            close: async () => void closed++,
          };
        },
        gateway: { address: '192.0.2.7', port: 6001 },
        log: (line) => lines.push(line),
        onFault: (error) => faults.push(error),
      });
      await late.connect();
      await clock.run(340);
      const ended = end === 'close' ? late.close() : Promise.resolve(late.rest());
      opened.resolve();
      await ended;
      await clock.run(340);
      expect([end, closed]).toEqual([end, 1]);
      await late.close();
      expect(closed).toBe(1);
    }
  });

  it('has the carriers that the protocol names, and is on the one that its profile is of', async () => {
    expect((await card.carriers()).map(({ id, name, iccid }) => [id, name, iccid])).toEqual([
      [0, 'AT&T', undefined],
      [1, 'T-Mobile', undefined],
      [2, 'Verizon', undefined],
    ]);
    expect(await card.current()).toEqual({
      carrierId: 0,
      iccid: virtual.enabledProfile?.iccid,
      imsi: virtual.enabledProfile?.imsi,
    });
    expect(apdus[0]).toBe('00F2000011 D029810301430182028121' + '8500B61C' + '1100' + '9000');
  });

  it('takes the modem’s order and acknowledges; that its ICCID stays is said', async () => {
    await polls(2);
    apdus.length = 0;
    const { note } = await card.enable(await carrier(2));
    expect(note).toBe(
      `the applet acknowledged; the ICCID of the card did not change (${virtual.enabledProfile?.iccid})`,
    );
    expect(apdus.filter((apdu) => /^00F[34]/.test(apdu))).toEqual([
      '00F40000021020 9000',
      '00F3000011 D029810301430182028121' + '8500B61C' + '1102' + '9000',
    ]);
    expect(await card.current()).toMatchObject({ carrierId: 2, iccid: virtual.profiles[0]?.iccid });
    expect(network.got).toEqual(['1100', '1102']);
    expect(events).toEqual([]);
  });

  it('is left without a carrier, and remembers it without power', async () => {
    await card.disable();
    expect(await card.current()).toBeUndefined();
    await virtual.reset();
    expect(await card.current()).toBeUndefined();
  });

  it('refuses a carrier that it does not know', async () => {
    await expect(card.enable({ id: 7, name: 'Seven', iccid: undefined })).rejects.toThrow(
      new CardRefusalError('the applet refused: it is on AT&T'),
    );
  });

  it('is handed the gateway’s perform, and its ACK goes back', async () => {
    await polls(2);
    network.say('1010');
    await polls(2);
    expect(network.got).toEqual(['1100', '1101']);
    expect((await card.current())?.carrierId).toBe(1);
    expect(events).toEqual(['changed']);
    expect(lines).toEqual(['the old applet acknowledged a switch to T-Mobile']);
  });

  it('has a NACK for a carrier that it does not know, and hears nothing that is no perform', async () => {
    await polls(2);
    network.say('1070');
    network.say('ffff');
    await polls(3);
    expect(network.got).toEqual(['1100', '1110']);
    expect(events).toEqual([]);
    expect(lines).toHaveLength(2);
  });

  it('gives readings back to be sent', async () => {
    const reading = encodePacket({
      kind: 'iot-data',
      deviceId: 3,
      takenAt: { year: 2023, month: 6, day: 14, hour: 12, minute: 34, second: 56, microsecond: 789_012 },
      data: Uint8Array.of(0, 0, 1, 0xc3),
    });
    expect(await card.sendReadings([reading])).toBe(0);
    await polls(2);
    apdus.length = 0;
    expect(await card.sendReadings([reading])).toBe(1);
    expect(network.got).toEqual(['1100', '000000000357E756B22E30285004000001C3']);
    expect(apdus.map((apdu) => apdu.slice(0, 10))).toEqual(['00F4000012', '00F3000021']);
  });

  it('gets its channel again after it was dropped, and tries as long as there is no network', async () => {
    await polls(2);
    network.up = false;
    network.drop();
    await polls(3);
    expect(network.isOpen).toBe(false);
    network.up = true;
    await polls(2);
    expect(network.isOpen).toBe(true);
    expect(network.got).toEqual(['1100', '1100']);
  });

  it('goes where its OPEN CHANNEL says only where the answer was not cut: it needs to be told', async () => {
    await card.close();
    insert(undefined);
    await card.connect();
    await polls(3);
    expect(network.destinations).toEqual([]);
  });

  it('that is pulled is told of once, and polled again when it is back', async () => {
    await polls(2);
    virtual.faults.absent = true;
    await polls(5);
    expect(lines).toEqual(['polling the card: there is no card in the slot']);
    virtual.faults.absent = false;
    await card.connect();
    apdus.length = 0;
    await polls(2);
    expect(apdus.length).toBeGreaterThan(0);
  });
});
