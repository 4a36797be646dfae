import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setFaults } from '../../../client/sim/cli/faults.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { openPcscCard } from '../../../client/sim/pcsc/open-reader.ts';
import type { PcscTransport } from '../../../client/sim/pcsc/pcsc-transport.ts';
import { systemClock } from '../../../protocol/clock.ts';
import type { ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import { hasPcsc, PcscWorld, readers } from './pcsc-world.ts';

const select = fromHex('00A40804022FE2');
const readBinary = fromHex('00B000000A');
const sequence = ['00A40804022FE2', '00C0000011', '00B000000A'].map(fromHex);

/** `npm run sim` with this daemon, to its end. */
async function sim(world: PcscWorld, ...args: string[]): Promise<{ code: number | string; output: string }> {
  const process = world.program('client/sim/cli/main.ts', args);
  return { code: await process.exit(), output: process.output };
}

// pcsclite 1.0.1 in this process, with pcscd and vpcd of Debian.
describe.skipIf(!hasPcsc)('a PC/SC reader', () => {
  let world: PcscWorld;
  let served: ProjectProcess;
  let card: PcscTransport;
  let file: string;

  beforeAll(async () => {
    world = await PcscWorld.start();
    file = join(world.folder, 'card.json');
    // Read by libpcsclite once, when it is used for the first time.
    process.env.PCSCLITE_CSOCK_NAME = world.socket;
    served = await world.serve(file);
    card = openPcscCard(readers[0], systemClock);
    await card.connect();
  });
  afterAll(async () => {
    await card?.close();
    await served?.kill('SIGTERM');
    await world?.stop();
  });

  test('carries a thousand commands; how long they take is printed', async () => {
    const times: number[] = [];
    const answers = new Set<string>();
    for (let i = 0; i < 1_000; i++) {
      const started = performance.now();
      for (const command of sequence) answers.add(toHex(await card.transmit(command)));
      times.push(((performance.now() - started) * 1_000) / sequence.length);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(0);
    console.info(`per APDU: median ${at(0.5)} µs, 95 % within ${at(0.95)} µs`);
    expect([...answers]).toEqual([
      '6111',
      expect.stringMatching(/^62.*9000$/),
      expect.stringMatching(/^98.*9000$/),
    ]);
  });

  test('is listed with its card, as the command tells it', async () => {
    const { code, output } = await sim(world, 'readers', '--json');
    expect(code, output).toBe(0);
    expect(JSON.parse(output)).toEqual([
      { name: readers[0], card: 'present', exclusive: false, atr: expect.stringMatching(/^3B9F96/) },
      { name: readers[1], card: 'absent', exclusive: false, atr: null },
    ]);
  });

  test('shows card and profiles, and switches, by the commands', async () => {
    const before = JSON.parse((await sim(world, 'info', '--card', 'pcsc:00 00', '--json')).output);
    expect(before).toMatchObject({ iccid: expect.stringMatching(/^8901410/), operator: 'AT&T' });
    expect((await sim(world, 'profiles', '--card', 'pcsc')).output).toMatch(
      /2 {2}disabled {2}8901260\d+ {2}T-Mobile/,
    );
    expect(await sim(world, 'switch', 't-mobile')).toMatchObject({
      code: 0,
      output: expect.stringMatching(`ICCID before: ${before.iccid}\nICCID now: {4}8901260`),
    });
    const traced = await sim(world, 'trace', '00A40804022FE2', '00B000000A');
    expect(traced.output).toMatch(/9000/);
    expect(traced.code).toBe(0);
  });

  test('whose card another program has reset: a command that needs nothing selected goes through', async () => {
    await card.connect();
    await sim(world, 'switch', 'AT&T');
    expect(toHex(await card.transmit(select))).toMatch(/^61/);
    await sim(world, 'switch', 'Verizon');
    await expect(card.transmit(readBinary)).rejects.toThrow(/another program reset the card/);
  });

  test('says what is wrong, and what helps', async () => {
    for (const [args, reason] of [
      [['info', '--card', 'pcsc:00 01'], /"Virtual PCD 00 01": no card in the reader/],
      [
        ['info', '--card', 'pcsc:Omnikey'],
        /there is no reader Omnikey: there is "Virtual PCD 00 00", "Virtual/,
      ],
      [['switch', 'Vodafone'], /the card has no profile Vodafone/],
      [['info', '--card', 'virtual'], /needs its file/],
    ] as const) {
      const { code, output } = await sim(world, ...args);
      expect(output).toMatch(reason);
      expect(output.trim().split('\n'), output).toHaveLength(1);
      expect(code).not.toBe(0);
    }
  });

  test('has two cards at a time, of which one has to be named', async () => {
    const second = await world.serve(join(world.folder, 'second.json'), 1);
    // pcscd looks at its readers a few times a second.
    await until('pcscd has both', async () =>
      /cards are in several readers/.test((await sim(world, 'info')).output),
    );
    const iccid = async (reader: string): Promise<unknown> =>
      JSON.parse((await sim(world, 'info', '--card', `pcsc:${reader}`, '--json')).output).iccid;
    expect(await iccid('00 00')).not.toBe(await iccid('00 01'));
    await second.kill('SIGTERM');
  });

  test('whose card is pulled and put back a dozen times finds it each time', async () => {
    const seen: string[] = [];
    const unsubscribe = card.subscribe((presence) => seen.push(presence));
    for (let i = 0; i < 12; i++) {
      await card.connect();
      setFaults(file, ['absent']);
      await until('it is out', () => seen.at(-1) === 'absent');
      await expect(card.transmit(select)).rejects.toMatchObject({ name: 'CardAbsentError' });
      setFaults(file, ['none']);
      await until('it is in', () => seen.at(-1) === 'present');
    }
    unsubscribe();
    await card.connect();
    expect(toHex(await card.transmit(select))).toMatch(/^61/);
  });

  test('whose card is mute is free again when the card is pulled', async () => {
    setFaults(file, ['mute:on=read,times=1']);
    await until('the card has the fault', () => /mute:on=read,times=1 befalls/.test(served.output));
    await card.transmit(select);
    const sent = card.transmit(readBinary);
    const failed = expect(sent).rejects.toThrow(/taken out|no answer/);
    await expect(card.reset()).rejects.toThrow(/take it out/);
    setFaults(file, ['absent']);
    await failed;
    setFaults(file, ['none']);
    await until('it is found again', () =>
      card.connect().then(
        () => true,
        () => false,
      ),
    );
    expect(toHex(await card.transmit(select))).toMatch(/^61/);
  });

  test('whose card is mute keeps no modem from ending', async () => {
    const dumb = await world.serve(join(world.folder, 'dumb.json'), 1);
    setFaults(join(world.folder, 'dumb.json'), ['mute']);
    await dumb.printed(/mute befalls/);
    const modem = world.program('client/main.ts', [
      ...['--server', 'coap://127.0.0.1:9', '--endpoint', 'dumb', '--state', ':memory:'],
      ...['--card', `pcsc:${readers[1]}`, '--card-timeout', '1'],
    ]);
    await modem.printed(/the card is away: the card (did not answer|has still not answered)/);
    expect(await modem.kill('SIGTERM'), modem.output).toBe(0);
    await dumb.kill('SIGTERM');
  });

  test('is found again after pcscd was restarted, with the card', async () => {
    const seen: string[] = [];
    const unsubscribe = card.subscribe((presence) => seen.push(presence));
    for (let i = 0; i < 3; i++) {
      await world.stopDaemon();
      await until('it is told', () => seen.at(-1) === 'absent');
      await expect(card.connect()).rejects.toThrow(/PC\/SC daemon/);
      const { code, output } = await sim(world, 'readers');
      expect(output).toMatch(/install the package pcscd/);
      expect(code).toBe(1);
      await world.startDaemon();
      await until('the card is there', () => seen.at(-1) === 'present');
      await card.connect();
      expect(toHex(await card.transmit(select))).toMatch(/^61/);
    }
    unsubscribe();
  });

  test('of a world beside it is another one', async () => {
    const other = await PcscWorld.start();
    try {
      const theirs = await other.serve(join(other.folder, 'card.json'));
      const iccid = async (where: PcscWorld): Promise<unknown> =>
        JSON.parse((await sim(where, 'info', '--json', '--card', 'pcsc:00 00')).output).iccid;
      expect(await iccid(other)).not.toBe(await iccid(world));
      await theirs.kill('SIGTERM');
    } finally {
      await other.stop();
    }
  });
});
