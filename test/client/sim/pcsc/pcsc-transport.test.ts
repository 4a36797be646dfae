import { beforeEach, describe, expect, it } from 'vitest';
import { CardAbsentError } from '../../../../client/sim/card-transport.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { PcscTransport } from '../../../../client/sim/pcsc/pcsc-transport.ts';
import { ReaderMonitor } from '../../../../client/sim/pcsc/reader-monitor.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { type NativeCall, ScriptedDaemon, ScriptedReader } from '../../../support/sim/scripted-pcsc.ts';

const atr = fromHex('3B9F96801FC78031A073BE21136743200718000001A5');
const State = { UNAVAILABLE: 0x08, EMPTY: 0x10, PRESENT: 0x20, EXCLUSIVE: 0x80, MUTE: 0x200 } as const;
const select = fromHex('00A40804022FE2');
const readBinary = fromHex('00B000000A');

describe('a card in a PC/SC reader', () => {
  let daemon: ScriptedDaemon;
  let clock: FakeClock;
  let calls: string[];
  /** Answers of the native side by the call, each used once. */
  let answers: Partial<Record<NativeCall['call'], (Uint8Array | number | Promise<Uint8Array>)[]>>;

  beforeEach(() => {
    daemon = new ScriptedDaemon();
    clock = new FakeClock();
    calls = [];
    answers = {};
    ScriptedReader.answer = ({ call, data, disposition }) => {
      calls.push(call === 'transmit' ? toHex(data ?? new Uint8Array(0)) : `${call}${disposition ?? ''}`);
      return answers[call]?.shift() ?? (call === 'transmit' ? fromHex('9000') : undefined);
    };
  });

  const transport = (reader?: string, reset?: boolean): PcscTransport =>
    new PcscTransport({
      reader,
      monitor: new ReaderMonitor(daemon.open, clock),
      ...(reset === undefined ? {} : { reset }),
    });

  /** A reader with a card, as the daemon tells of it. */
  function seated(name: string, changes = 1): ScriptedReader {
    const reader = daemon.plugIn(name);
    ScriptedDaemon.status(reader, State.PRESENT, changes, atr);
    return reader;
  }

  /** Connects while the daemon tells of its readers. */
  async function connected(
    name: string,
    reset?: boolean,
  ): Promise<{ card: PcscTransport; reader: ScriptedReader }> {
    const card = transport(name, reset);
    const connecting = card.connect();
    const reader = seated(name);
    expect(toHex(await connecting)).toBe(toHex(atr));
    return { card, reader };
  }

  it('is reset when we come and when we go, and found by a part of the reader’s name', async () => {
    const card = transport('omnikey');
    const connecting = card.connect();
    seated('Other 00 00');
    seated('HID OMNIKEY 3121 01 00');
    expect(toHex(await connecting)).toBe(toHex(atr));
    expect(card.reader).toBe('HID OMNIKEY 3121 01 00');
    expect(toHex(await card.transmit(select))).toBe('9000');
    await card.close();
    await card.close();
    expect(calls).toEqual(['connect', 'disconnect1', 'connect', toHex(select), 'disconnect1']);
    expect(daemon.contexts).toBe(0);
  });

  it('is left as it was by a program that only looks', async () => {
    const { card } = await connected('Looked at', false);
    await card.close();
    expect(calls).toEqual(['connect', 'disconnect0']);
  });

  it.each([
    ['no reader', [], undefined, /no reader is plugged in.*libccid/],
    ['no such reader', [['A 00 00', State.PRESENT]], 'B', /no reader B: there is "A 00 00"/],
    ['no card', [['A 00 00', State.EMPTY]], undefined, /"A 00 00": no card in the reader/],
    ['a card upside down', [['A 00 00', State.PRESENT | State.MUTE]], undefined, /right way round/],
    ['a reader that is gone', [['A 00 00', State.UNAVAILABLE]], 'A', /no card in the reader/],
    [
      'two cards',
      [
        ['A 00 00', State.PRESENT],
        ['A 00 01', State.PRESENT],
      ],
      'a',
      /which: "A 00 00", "A 00 01"/,
    ],
  ] as const)('of which there is none says why: %s', async (_, readers, wanted, reason) => {
    const card = transport(wanted);
    const connecting = expect(card.connect()).rejects.toThrow(reason);
    for (const [name, state] of readers) {
      ScriptedDaemon.status(daemon.plugIn(name), state, 1, state === State.PRESENT ? atr : undefined);
    }
    await clock.run(2_000);
    await connecting;
    await card.close();
  });

  it('is not waited for where there is no daemon', async () => {
    daemon.running = false;
    const card = transport();
    await expect(card.connect()).rejects.toThrow(/install the package pcscd/);
    await card.close();
  });

  it('that another program has reset is told as put in again; what needs nothing selected is sent again', async () => {
    const { card } = await connected('Shared');
    const seen: string[] = [];
    card.subscribe((presence) => seen.push(presence));
    answers.transmit = [0x80100068];
    expect(toHex(await card.transmit(select))).toBe('9000');
    expect(seen).toEqual(['absent', 'present']);
    answers.transmit = [0x80100068];
    await expect(card.transmit(readBinary)).rejects.toThrow(/another program reset the card/);
    expect(toHex(await card.transmit(readBinary))).toBe('9000');
    await card.close();
  });

  it('that gave no answer was taken out, if the daemon says so a moment later', async () => {
    const { card, reader } = await connected('Pulled');
    answers.transmit = [0x80100016];
    const sent = expect(card.transmit(select)).rejects.toThrow(CardAbsentError);
    await clock.run(100);
    ScriptedDaemon.status(reader, State.EMPTY, 2);
    await sent;
    await expect(card.transmit(select)).rejects.toThrow(/no card in the reader/);
    await card.close();
  });

  it('that gave no answer, and is still there, can be asked again', async () => {
    const { card } = await connected('Flaky');
    answers.transmit = [0x80100016];
    const sent = expect(card.transmit(select)).rejects.toThrow(/contacts dirty/);
    await clock.run(1_000);
    await sent;
    expect(toHex(await card.transmit(select))).toBe('9000');
    await card.close();
  });

  it('that answers nothing at all has given no answer', async () => {
    const { card } = await connected('Empty');
    answers.transmit = [new Uint8Array(0)];
    const sent = expect(card.transmit(select)).rejects.toThrow(/gave no answer/);
    await clock.run(1_000);
    await sent;
    await card.close();
  });

  it('that does not answer takes nothing else: threads of the process would wait for it', async () => {
    const { card } = await connected('Mute');
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    answers.transmit = [promise];
    const sent = card.transmit(select);
    const before = calls.length;
    await expect(card.transmit(select)).rejects.toThrow(/take it out/);
    await expect(card.reset()).rejects.toThrow(/take it out/);
    expect(calls).toHaveLength(before);
    resolve(fromHex('6F00'));
    expect(toHex(await sent)).toBe('6F00');
    await card.reset();
    await card.close();
  });

  it('that was swapped between two looks is told as out and in', async () => {
    const { card, reader } = await connected('Swapped');
    const seen: string[] = [];
    card.subscribe((presence) => seen.push(presence));
    ScriptedDaemon.status(reader, State.PRESENT, 1, atr);
    expect(seen).toEqual([]);
    ScriptedDaemon.status(reader, State.PRESENT, 3, atr);
    expect(seen).toEqual(['absent', 'present']);
    ScriptedDaemon.status(reader, State.EMPTY, 4);
    ScriptedDaemon.status(reader, State.PRESENT, 5, atr);
    expect(seen).toEqual(['absent', 'present', 'absent', 'present']);
    await card.close();
    ScriptedDaemon.status(reader, State.EMPTY, 6);
    expect(seen).toHaveLength(4);
  });

  it('is there again when the daemon was restarted, by a context of its own', async () => {
    const { card } = await connected('Restarted');
    const seen: string[] = [];
    card.subscribe((presence) => seen.push(presence));
    daemon.end();
    expect(seen).toEqual(['absent']);
    answers.transmit = [0x8010001d];
    answers.disconnect = [0x80100003];
    await expect(card.transmit(select)).rejects.toThrow(/daemon does not run/);
    await new Promise(setImmediate);
    await clock.run(5_000);
    await expect(card.connect()).rejects.toThrow(/install the package pcscd/);
    daemon.running = true;
    await clock.run(1_000);
    seated('Restarted');
    expect(seen).toEqual(['absent', 'present']);
    expect(toHex(await card.connect())).toBe(toHex(atr));
    expect(toHex(await card.transmit(select))).toBe('9000');
    await card.close();
  });

  it('uses native readers again: each holds a context of the daemon', async () => {
    const used = new Set<ScriptedReader>();
    const { answer } = ScriptedReader;
    ScriptedReader.answer = (call) => {
      used.add(call.reader);
      return answer(call);
    };
    for (let i = 0; i < 5; i++) {
      const { card, reader } = await connected('Often used');
      answers.transmit = [0x80100069];
      await expect(card.transmit(select)).rejects.toThrow(CardAbsentError);
      await card.close();
      expect(used).not.toContain(reader);
      daemon.end();
      daemon.running = true;
    }
    expect(used.size).toBe(1);
  });

  it('in a reader that refuses a context that a restart of the daemon ended gets another one', async () => {
    const first = await connected('Renewed');
    await first.card.close();
    daemon.end();
    daemon.running = true;
    answers.connect = [0x80100003];
    const { card } = await connected('Renewed');
    expect(toHex(await card.transmit(select))).toBe('9000');
    await card.close();
  });
});
