import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventLog, LogClass } from '../../../../client/modem/event-log/event-log.ts';
import { encodePackage } from '../../../../client/modem/firmware/package.ts';
import { Code } from '../../../../protocol/coap/message.ts';
import { contentFormat, uriPath } from '../../../../protocol/coap/options.ts';
import { ContentFormat } from '../../../../protocol/lwm2m/content-format.ts';
import { ModemWorld } from '../../../support/client/modem-world.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';

describe('an event log', () => {
  it('is a ring: of too many entries, or bytes, the oldest go', () => {
    const log = new EventLog(new FakeClock());
    for (let i = 0; i < 1_000; i++) log.add(LogClass.EVENT, `event ${i}`);
    const lines = new TextDecoder().decode(log.data).trimEnd().split('\n');
    expect(lines).toHaveLength(128);
    expect(lines.at(-1)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z event event 999$/);
    for (let i = 0; i < 100; i++) log.add(LogClass.EVENT, 'x'.repeat(10_000));
    expect(log.data.length).toBeLessThanOrEqual(8_192);
    expect(log.data.length).toBeGreaterThan(7_000);
  });

  it('has one line for each event, whatever is in it', () => {
    const log = new EventLog(new FakeClock());
    log.add(LogClass.EVENT, 'one\r\ntwo\nthree');
    expect(new TextDecoder().decode(log.data).split('\n')).toHaveLength(2);
  });
});

describe('the Event Log object', () => {
  let world: ModemWorld;

  beforeEach(async () => {
    world = new ModemWorld();
    await world.start();
  });

  afterEach(() => expect(world.faults).toEqual([]));

  const lines = async () => {
    const data = await world.value('/20/0/4014');
    return new TextDecoder()
      .decode(data as Uint8Array)
      .split('\n')
      .slice(0, -1);
  };

  it('has what the modem did: its start, its network, its registration (ETS 2000)', async () => {
    const told = (await lines()).map((line) => line.replace(/^\S+ /, ''));
    expect(told).toEqual([
      'system started, firmware 1.2.3',
      'event attached to AT&T, APN m2m.com.attz',
      'event registered with server 101',
    ]);
    expect(await world.values('/20/0')).toMatchObject({ '/20/0/4010': 0, '/20/0/4013': 2, '/20/0/4015': 0 });
  });

  it('can be fetched as bytes, and is observed (ETS 2000)', async () => {
    const response = await world.settle(world.server.read('/20/0/4014', ContentFormat.OPAQUE));
    expect(contentFormat(response.options)).toBe(ContentFormat.OPAQUE);
    expect(new TextDecoder().decode(response.payload)).toContain('registered');
    const { told } = await world.settle(world.server.observe('/20/0/4014', { accept: ContentFormat.OPAQUE }));
    await world.execute('/42769/0/3', "0='2',1='5'");
    await world.clock.run(5_000);
    expect(new TextDecoder().decode(told.at(-1)?.payload)).toMatch(/ACK: the card is on Verizon/);
  });

  it('is stopped, emptied, started and gone on with, as its arguments say (ETS 2001)', async () => {
    const status = () => world.value('/20/0/4013');
    expect(await world.execute('/20/0/4012')).toBe('2.04');
    expect(await status()).toBe(3);
    await world.execute('/42769/0/3', "0='1',1='5'");
    await world.clock.run(5_000);
    expect(await lines()).toHaveLength(3);
    expect(await world.execute('/20/0/4011', "0='1'")).toBe('2.04');
    expect([await status(), (await lines()).length]).toEqual([2, 3]);
    expect(await world.execute('/20/0/4011')).toBe('2.04');
    expect([await status(), await lines()]).toEqual([0, []]);
    await world.execute('/42769/0/3', "0='2',1='6'");
    await world.clock.run(5_000);
    expect((await lines()).join('\n')).toMatch(/Verizon/);
    expect(await world.execute('/20/0/4012', "0='1'")).toBe('2.04');
    expect([await status(), await lines()]).toEqual([1, []]);
    for (const args of ["0='2'", "1='0'", '0', "0='0',1='1'"]) {
      expect(await world.execute('/20/0/4012', args)).toMatch(args === '0' ? /^2\.04/ : /^4\.00/);
    }
  });

  it('collects the class alone that it is told to: handovers are its trace', async () => {
    expect(await world.write('/20/0/4010', '4')).toBe('2.04');
    await world.execute('/20/0/4011');
    await world.execute('/42769/0/3', "0='1',1='5'");
    await world.clock.run(1_800_000);
    const told = await lines();
    expect(told.length).toBeGreaterThan(2);
    for (const line of told)
      expect(line).toMatch(/ trace handover from cell \d+ to \d+, band \d+, -\d+ dBm$/);
    expect(await world.write('/20/0/4010', '99')).toMatch(/^4\.00/);
    expect(await world.write('/20/0/4015', '3')).toMatch(/^4\.00/);
  });

  it('is sent as it grows, not sooner than its interval, and as a whole once it is possible again', async () => {
    const sent: { at: number; lines: string[] }[] = [];
    let answer: Code | 'silence' = Code.CHANGED;
    const handle = world.server.handle;
    world.server.endpoint = world.endpoint('192.0.2.1:5683', {
      handler(request) {
        if (uriPath(request.options)[0] !== 'dp') {
          handle(request);
          return;
        }
        if (answer === 'silence') return;
        const [record] = world.server.records('/', request.payload);
        const data = new TextDecoder().decode(record?.value as Uint8Array);
        if (answer === Code.CHANGED) sent.push({ at: world.clock.now(), lines: data.trimEnd().split('\n') });
        expect(record?.path).toBe('/20/0/4016');
        request.respond({ code: answer });
      },
    });
    expect(await world.write('/20/0/4017', '60')).toBe('2.04');
    expect(await world.value('/20/0/4013')).toBe(10);
    await world.execute('/20/0/4012');
    const switchTo = async (carrier: number, id: number) => {
      await world.execute('/42769/0/3', `0='${carrier}',1='${id}'`);
      await world.clock.run(5_000);
    };
    await switchTo(1, 5);
    await switchTo(2, 6);
    await world.clock.run(30_000);
    expect(sent).toEqual([]);
    await world.clock.run(40_000);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.lines.filter((line) => line.includes('ACK'))).toHaveLength(2);
    answer = Code.INTERNAL_SERVER_ERROR;
    await switchTo(1, 7);
    await world.clock.run(130_000);
    answer = Code.CHANGED;
    await world.clock.run(70_000);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.lines.filter((line) => line.includes('ACK'))).toHaveLength(1);
    // What is sent is taken from nothing else: the log was stopped before, and is as it was.
    expect(await lines()).toHaveLength(3);
    expect(await world.write('/20/0/4017', '0')).toBe('2.04');
    await switchTo(2, 8);
    await world.clock.run(200_000);
    expect(sent).toHaveLength(2);
    await expect(world.values('/20/0/4016')).rejects.toThrow(/^4\.0[45]/);
  });

  it('keeps its class and its interval without power', async () => {
    await world.write('/20/0/4010', '3');
    await world.write('/20/0/4017', '3600');
    await world.restart();
    expect(await world.values('/20/0')).toMatchObject({ '/20/0/4010': 3, '/20/0/4017': 3_600 });
  });

  it('is not filled by who keeps asking for what is not theirs', async () => {
    for (let i = 0; i < 200; i++) await world.settle(world.server.read('/0/0'));
    const told = await lines();
    expect(told.filter((line) => line.includes(' security ')).length).toBeLessThan(3);
    expect(told.join('\n')).toContain('registered');
  });

  it('tells of a firmware update, a reboot and what is not authorised', async () => {
    const firmware = encodePackage(
      { name: 'n', version: '7', minimumHardware: undefined },
      new Uint8Array(9),
    );
    await world.settle(
      world.server.send(Code.PUT, '/5/0/0', { format: ContentFormat.OPAQUE, payload: firmware }),
    );
    await world.execute('/5/0/2');
    await world.registered(2);
    await world.execute('/3/0/4');
    await world.registered(3);
    await world.settle(world.server.read('/0/0'));
    const told = (await lines()).join('\n');
    for (const part of [
      'firmware n 7 is downloaded',
      'firmware n 7 runs',
      'rebooting',
      'security Request /0/0 declined',
    ]) {
      expect(told).toContain(part);
    }
  });
});
