import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { StatusWord } from '../../../../client/sim/apdu.ts';
import { CardSession } from '../../../../client/sim/card-session.ts';
import { CardAbsentError } from '../../../../client/sim/card-transport.ts';
import { fromHex } from '../../../../client/sim/hex.ts';
import {
  type BearerChannel,
  BearerError,
  type ChannelOptions,
} from '../../../../client/sim/toolkit/bearer-channel.ts';
import type { LocationInformation } from '../../../../client/sim/toolkit/data-objects.ts';
import type {
  OpenChannelCommand,
  ProactiveCommand,
} from '../../../../client/sim/toolkit/proactive-command.ts';
import { RefreshMode } from '../../../../client/sim/toolkit/tags.ts';
import { Terminal, type TerminalOptions } from '../../../../client/sim/toolkit/terminal.ts';
import { decodeTerminalProfile } from '../../../../client/sim/toolkit/terminal-profile.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { ProactiveCard } from '../../../support/sim/proactive-card.ts';
import { commands, responses } from './vectors.ts';

/** The network's end of one channel. */
class FarEnd implements BearerChannel {
  readonly options: ChannelOptions;
  readonly got: number[][] = [];
  closed = false;
  say: (data: Uint8Array) => void = () => {};
  drop: (reason: string) => void = () => {};

  constructor(options: ChannelOptions) {
    this.options = options;
  }

  async send(data: Uint8Array): Promise<void> {
    this.got.push([...data]);
  }

  onData(listener: (data: Uint8Array) => void): void {
    this.say = listener;
  }

  onDropped(listener: (reason: string) => void): void {
    this.drop = listener;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const cell: LocationInformation = { mcc: '310', mnc: '410', areaCode: 7, cell: { id: 0x1234567, bits: 28 } };
let clock: FakeClock;
let card: ProactiveCard;
let session: CardSession;
let terminal: Terminal;
let ends: FarEnd[];
let refusal: Error | undefined;
let refreshes: unknown[];
let lines: string[];
let faults: unknown[];
let location: LocationInformation | undefined;

async function start(options: Partial<TerminalOptions> = {}): Promise<void> {
  terminal = new Terminal({
    session,
    clock,
    openChannel: async (channel) => {
      if (refusal !== undefined) throw refusal;
      const end = new FarEnd(channel);
      ends.push(end);
      return end;
    },
    localInformation: {
      imei: () => '123456789012345',
      imeisv: () => '1234567890123456',
      location: () => location,
      accessTechnology: () => (location === undefined ? undefined : 8),
      time: () => ({ wallTime: Date.UTC(2002, 4, 7, 14, 8, 17), zone: undefined }),
      language: () => 'en',
      battery: () => undefined,
    },
    onRefresh: (mode, files) => void refreshes.push([mode, files]),
    onLog: (line) => lines.push(line),
    onFault: (error) => faults.push(error),
    ...options,
  });
  await terminal.start();
  await session.connect();
}

/** Has the card ask for these, and the terminal find out. */
async function ask(...asked: readonly (ProactiveCommand | Uint8Array)[]): Promise<void> {
  card.ask(...asked);
  terminal.poll();
  await clock.run(0);
}

const vector = (name: string): Uint8Array => fromHex(commands.find((each) => each.name === name)?.hex ?? '');
const answer = (name: string): string | undefined => responses.find((each) => each.name === name)?.hex;
const details = (type: number, qualifier = 0) => ({ number: 1, type, qualifier });

const opening: OpenChannelCommand = {
  kind: 'open-channel',
  details: details(0x40, 1),
  bearer: { type: 3, parameters: new Uint8Array(0) },
  bufferSize: 100,
  transport: { protocol: 1, port: 6_001 },
  destination: '192.0.2.1',
};
const events: ProactiveCommand = {
  kind: 'set-up-event-list',
  details: details(0x05),
  events: [0x09, 0x0a, 0x03],
};
const receive = (length: number, channel = 1): ProactiveCommand => ({
  kind: 'receive-data',
  details: details(0x42),
  channel,
  length,
});
const send = (data: readonly number[], qualifier = 1, channel = 1): ProactiveCommand => ({
  kind: 'send-data',
  details: details(0x43, qualifier),
  channel,
  data: Uint8Array.from(data),
});
const close = (channel = 1): ProactiveCommand => ({ kind: 'close-channel', details: details(0x41), channel });
const status: ProactiveCommand = { kind: 'get-channel-status', details: details(0x44) };

/** General result and additional information of the answers since the last look. */
let seen = 0;
function results(): string[] {
  const found = card.responses.slice(seen).map(({ result }) => {
    const { general, additional } = result;
    const bytes = additional === undefined ? [general] : [general, additional];
    return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  });
  seen = card.responses.length;
  return found;
}

beforeEach(() => {
  clock = new FakeClock();
  card = new ProactiveCard();
  session = new CardSession(card);
  ends = [];
  refusal = undefined;
  refreshes = [];
  lines = [];
  faults = [];
  location = cell;
  seen = 0;
});

describe('a terminal', () => {
  it('tells the card at each power-up what it can do', async () => {
    await start({ maxChannels: 5 });
    await session.reset();
    expect(card.profiles).toHaveLength(2);
    const { facilities, channels } = decodeTerminalProfile(card.profiles[0] ?? new Uint8Array(0));
    expect(channels).toBe(5);
    for (const facility of ['OPEN_CHANNEL', 'UDP_CLIENT', 'EVENT_DATA_AVAILABLE', 'REFRESH'] as const) {
      expect(facilities).toContain(facility);
    }
    expect(facilities).not.toContain('TCP_CLIENT');
  });

  it('takes up a card that is powered up already', async () => {
    await session.connect();
    card.atProfile.push(vector('SET UP EVENT LIST'));
    await start();
    expect(results()).toEqual(['00']);
    expect(terminal.hasToolkit).toBe(true);
  });

  it('polls, at first every 30 s, then as the card asks', async () => {
    await start();
    const polls = (): number => card.asked.filter((apdu) => apdu === '80F2000C').length;
    await clock.run(90_000);
    expect(polls()).toBe(3);
    await ask({ kind: 'poll-interval', details: details(0x03), milliseconds: 10_000 });
    expect(card.lastResponse).toBe('810301030082028281830100840264'.replace('840264', '84020264'));
    const before = polls();
    await clock.run(30_000);
    expect(polls()).toBe(before + 3);
    await ask({ kind: 'polling-off', details: details(0x04) });
    const off = polls();
    await clock.run(3_600_000);
    expect(polls()).toBe(off);
    await session.reset();
    await clock.run(30_000);
    expect(polls()).toBe(off + 1);
  });

  it('keeps the interval that the card asks for within bounds, and says which it is', async () => {
    await start();
    await ask({ kind: 'poll-interval', details: details(0x03), milliseconds: 100 });
    expect(card.responses.at(-1)?.milliseconds).toBe(500);
  });

  it('leaves a card without toolkit alone', async () => {
    card.profileAnswer = StatusWord.INS_NOT_SUPPORTED;
    await start();
    await clock.run(600_000);
    terminal.poll();
    await clock.run(0);
    expect(card.asked.filter((apdu) => apdu.startsWith('80F2'))).toEqual([]);
    expect(lines.join()).toContain('no application toolkit');
  });

  it('tells once of a card that does not answer, and goes on when it does again', async () => {
    await start();
    card.statusAnswer = new CardAbsentError('there is no card in the slot');
    await clock.run(120_000);
    expect(lines.filter((line) => line.includes('no card in the slot'))).toHaveLength(1);
    card.statusAnswer = StatusWord.OK;
    await ask(vector('MORE TIME'));
    expect(results()).toEqual(['00']);
    expect(faults).toEqual([]);
  });

  it('serves all that waits, one after the other, whatever command announced it', async () => {
    await start();
    card.ask(vector('MORE TIME'), vector('PROVIDE LOCAL INFORMATION, date and time'), vector('POLLING OFF'));
    const { sw } = await session.send({ cla: 0, ins: 0xa4, p1: 0, p2: 0, data: fromHex('3F00') });
    expect(sw).toBe(StatusWord.OK);
    expect(results()).toEqual(['00', '00', '00']);
  });

  it('lets others at the card of one that never has enough', async () => {
    await start();
    for (let i = 0; i < 200; i++) card.ask(vector('MORE TIME'));
    terminal.poll();
    let left = -1;
    const other = session.later(async () => {
      left = card.queue.length;
    });
    await clock.run(0);
    await other;
    expect(left).toBeGreaterThan(100);
    await clock.run(90_000);
    expect(card.queue).toEqual([]);
  });

  it('stops: channels are closed, and nothing is polled', async () => {
    await start();
    await ask(opening);
    await terminal.stop();
    await terminal.stop();
    const before = card.asked.length;
    await clock.run(600_000);
    expect(ends[0]?.closed).toBe(true);
    expect(card.asked).toHaveLength(before);
    expect(clock.pending).toBe(0);
  });
});

describe('a command that is not for this terminal', () => {
  beforeEach(() => start());

  it.each([
    ['of another type', 'D009810301210082028182', '810301210082028281830130'],
    ['of another type with text', 'D0118103012100820281828D06F44869212121', '810301210082028281830130'],
    [
      'with an object that has to be understood and is not',
      'D00C8103010200820281828E0100',
      '810301020082028281830132',
    ],
    ['without its device identities', 'D00581030102AA', '8103010 2AA82028281830136'.replace(' ', '')],
    ['without its objects', 'D009810301430182028121', '810301430182028281830136'],
    ['with an object that is none', 'D00C810301420082028121B70200', '810301420082028281830132'],
    ['that is to no channel', 'D00C810301420082028182B701C8', '810301420082028281830132'],
    ['without command details', 'D00482028182', '810300000082028281830136'],
    ['that is no proactive command', 'D109810301210082028182', '810300000082028281830136'],
    ['of no bytes that make sense', '00FF00FF', '810300000082028281830136'],
    [
      'REFRESH with a mode of the future',
      'D0098103010150 82028182'.replace(' ', ''),
      '810301015082028281830130',
    ],
    [
      'PROVIDE LOCAL INFORMATION of what it does not know',
      'D009810301260982028182',
      '810301260982028281830130',
    ],
    ['SET UP EVENT LIST with another event', 'D00D810301050082028182990209FF', '810301050082028281830130'],
  ])('%s is answered so that the card knows', async (_what, hex, response) => {
    await ask(fromHex(hex));
    expect(card.lastResponse).toBe(response);
    expect(faults).toEqual([]);
  });

  it('leaves the event list as it was when one of the events is not for it', async () => {
    await ask(events, opening, fromHex('D00D810301050082028182990209FF'));
    ends[0]?.say(Uint8Array.of(1));
    await clock.run(0);
    expect(card.envelopes).toHaveLength(1);
  });
});

describe('PROVIDE LOCAL INFORMATION', () => {
  beforeEach(() => start());

  it.each([
    ['date and time', 'D009810301260382028182', '810301260382028281830100A607205070418071FF'],
    ['IMEI', 'D009810301260182028182', '81030126018202828183010094081A32547698103254'],
    ['IMEISV', 'D009810301260882028182', '810301260882028281830100E2091332547698103254F6'],
    ['language', 'D009810301260482028182', '810301260482028281830100AD02656E'],
    ['access technology', 'D009810301260682028182', '810301260682028281830100BF0108'],
    ['a battery of which nothing is known', 'D009810301260A82028182', '810301260A82028281830100E301FF'],
    [
      'location',
      'D009810301260082028182',
      '81030126008202828183010093091300140007123456 7F'.replace(' ', ''),
    ],
  ])('%s', async (_what, hex, response) => {
    await ask(fromHex(hex));
    expect(card.lastResponse).toBe(response);
  });

  it.each(['D009810301260082028182', 'D009810301260682028182'])(
    'says that there is no service where there is none: %s',
    async (hex) => {
      location = undefined;
      await ask(fromHex(hex));
      expect(results()).toEqual(['2004']);
    },
  );
});

describe('REFRESH', () => {
  beforeEach(() => start());

  it.each(Object.entries(RefreshMode).filter(([, mode]) => mode !== RefreshMode.UICC_RESET))(
    '%s has the files read again, and is answered then',
    async (_name, mode) => {
      await ask({ kind: 'refresh', details: details(0x01, mode), files: [[0x3f00, 0x2fe2]] });
      expect(refreshes).toEqual([[mode, [[0x3f00, 0x2fe2]]]]);
      expect(results()).toEqual(['00']);
      expect(card.resets).toBe(0);
    },
  );

  it('UICC_RESET is answered, resets the card, closes its channels, and has all read again', async () => {
    await ask(opening, { kind: 'refresh', details: details(0x01, RefreshMode.UICC_RESET) });
    expect(results()).toEqual(['00', '00']);
    expect(card.resets).toBe(1);
    expect(card.profiles).toHaveLength(2);
    expect(ends[0]?.closed).toBe(true);
    expect(refreshes).toEqual([[RefreshMode.UICC_RESET, undefined]]);
    await ask(status);
    expect(card.lastResponse).toBe(answer('GET CHANNEL STATUS without channels'));
  });

  it('goes on with what the card asks for right after the reset', async () => {
    card.atProfile.push(vector('SET UP EVENT LIST'));
    await ask({ kind: 'refresh', details: details(0x01, RefreshMode.UICC_RESET) });
    expect(results()).toEqual(['00', '00']);
  });
});

describe('a channel', () => {
  beforeEach(() => start());

  it('is opened, used and closed as the vectors have it', async () => {
    await ask(vector('OPEN CHANNEL of a UDP channel'));
    expect(card.lastResponse).toBe(answer('OPEN CHANNEL'));
    expect(ends[0]?.options).toMatchObject({ protocol: 'udp', destination: '1.1.1.1', port: 44_444 });
    await ask(vector('SEND DATA'));
    expect(card.lastResponse).toBe(answer('SEND DATA'));
    expect(ends[0]?.got).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
    await ask(status);
    expect(card.lastResponse).toBe(answer('GET CHANNEL STATUS with a link'));
    ends[0]?.say(new Uint8Array(455).fill(0xa5));
    await ask(vector('RECEIVE DATA of 200 bytes'));
    expect(card.lastResponse).toBe(answer('RECEIVE DATA'));
    await ask(vector('CLOSE CHANNEL'));
    expect(card.lastResponse).toBe('810301410082028281830100');
    expect(ends[0]?.closed).toBe(true);
    await ask(vector('CLOSE CHANNEL'));
    expect(card.lastResponse).toBe(answer('CLOSE CHANNEL of a channel that is closed'));
    await ask(status);
    expect(card.lastResponse).toBe(answer('GET CHANNEL STATUS without channels'));
  });

  it('that was never opened is none', async () => {
    await ask(vector('SEND DATA'));
    expect(card.lastResponse).toBe(answer('SEND DATA on a channel that is not there'));
    await ask(receive(10), close(7), send([1], 1, 0));
    expect(results().slice(1)).toEqual(['3a03', '3a03', '3a03']);
  });

  it('is one of so many, and a closed one makes room', async () => {
    await ask(opening, opening, opening, opening);
    expect(results()).toEqual(['00', '00', '00', '3a01']);
    await ask(close(2), opening);
    expect(results()).toEqual(['00', '00']);
    expect(card.responses.at(-1)?.channels).toEqual([{ channel: 2, linked: true, information: 0 }]);
    await ask(status);
    expect(card.responses.at(-1)?.channels?.map(({ channel }) => channel)).toEqual([1, 3, 2]);
  });

  it('gets no more buffer than there is, and the card is told', async () => {
    await ask({ ...opening, bufferSize: 0xffff });
    expect(results()).toEqual(['07']);
    expect(card.responses.at(-1)?.bufferSize).toBe(1_472);
  });

  it.each([
    ['a circuit-switched bearer', { bearer: { type: 1, parameters: new Uint8Array(7) } }, '30'],
    ['TCP', { transport: { protocol: 2, port: 80 } }, '30'],
    ['an address that is to be found out', { destination: 'dynamic' }, '32'],
    ['port 0', { transport: { protocol: 1, port: 0 } }, '32'],
  ] as const)('is not opened with %s', async (_what, change, result) => {
    await ask({ ...opening, ...change });
    expect(results()).toEqual([result]);
    expect(ends).toEqual([]);
  });

  it('is not opened without transport level or destination', async () => {
    const { transport: _, ...noTransport } = opening;
    const { destination: __, ...nowhere } = opening;
    await ask(noTransport, nowhere);
    expect(results()).toEqual(['30', '36']);
  });

  it.each([
    ['there is no service', BearerError.noService(), '2004'],
    ['the remote end is out of reach', BearerError.unreachable('no route'), '3a07'],
  ])('is not there when %s, and its place is free', async (_what, error, result) => {
    refusal = error;
    await ask(opening, status);
    expect(results()).toEqual([result, '00']);
    expect(card.lastResponse).toBe(answer('GET CHANNEL STATUS without channels'));
    expect(lines.join()).toContain(error.message);
  });

  it('whose opening fails by a bug is refused, and the bug is told', async () => {
    refusal = new TypeError('a bug');
    await ask(opening, status);
    expect(results()).toEqual(['20', '00']);
    expect(faults).toEqual([refusal]);
    expect(card.responses.at(-1)?.channels).toEqual([{ channel: 0, linked: false, information: 0 }]);
  });

  it('opened on demand has its link with the first data that is sent', async () => {
    await ask({ ...opening, details: details(0x40, 0) }, send([1, 2], 0));
    expect(card.responses[0]?.channels).toEqual([{ channel: 1, linked: false, information: 0 }]);
    expect(ends).toEqual([]);
    await ask(send([3]), status);
    expect(ends[0]?.got).toEqual([[1, 2, 3]]);
    expect(card.responses.at(-1)?.channels).toEqual([{ channel: 1, linked: true, information: 0 }]);
  });

  it('opened in the background tells the card when it has its link, or fails to', async () => {
    await ask(events, { ...opening, details: details(0x40, 5) });
    expect(card.responses.at(-1)).toMatchObject({ result: { general: 0 }, channels: [{ linked: false }] });
    await clock.run(0);
    expect(card.envelopes).toEqual([
      { kind: 'channel-status', status: { channel: 1, linked: true, information: 0 } },
    ]);
    refusal = BearerError.noService();
    await ask({ ...opening, details: details(0x40, 5) });
    await clock.run(0);
    expect(card.envelopes.at(-1)).toMatchObject({ status: { channel: 2, linked: false } });
  });

  it('stores what is to be sent, tells what room is left, and refuses what does not fit', async () => {
    await ask(opening, send(Array(60).fill(1), 0));
    expect(card.responses.at(-1)?.length).toBe(40);
    await ask(send(Array(41).fill(2), 0));
    expect(results().at(-1)).toBe('3a04');
    await ask(send(Array(40).fill(3)));
    expect(ends[0]?.got).toEqual([[...Array(60).fill(1), ...Array(40).fill(3)]]);
    expect(card.responses.at(-1)?.length).toBe(100);
  });

  it('gives datagrams one by one, each in as many pieces as the card takes', async () => {
    await ask(events, opening);
    ends[0]?.say(Uint8Array.from({ length: 60 }, (_, i) => i));
    ends[0]?.say(Uint8Array.of(0xaa, 0xbb));
    await clock.run(0);
    expect(card.envelopes).toEqual([
      { kind: 'data-available', status: { channel: 1, linked: true, information: 0 }, length: 60 },
    ]);
    await ask(receive(50), receive(50));
    expect(card.responses.at(-2)).toMatchObject({ result: { general: 0 }, length: 10 });
    expect(card.responses.at(-1)).toMatchObject({ result: { general: 2 }, length: 0 });
    expect([...(card.responses.at(-1)?.data ?? [])]).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59]);
    await clock.run(0);
    expect(card.envelopes.at(-1)).toMatchObject({ kind: 'data-available', length: 2 });
    await ask(receive(2), receive(2));
    expect(card.responses.at(-2)).toMatchObject({ result: { general: 0 }, data: fromHex('AABB') });
    expect(card.responses.at(-1)).toMatchObject({
      result: { general: 2 },
      data: new Uint8Array(0),
      length: 0,
    });
  });

  it('gives no more than one response carries', async () => {
    await ask({ ...opening, bufferSize: 1_000 });
    ends[0]?.say(new Uint8Array(300));
    await ask(receive(255));
    expect(card.responses.at(-1)).toMatchObject({ result: { general: 0 }, length: 63 });
    expect(card.responses.at(-1)?.data).toHaveLength(237);
    expect((card.lastResponse?.length ?? 0) / 2).toBe(255);
  });

  it('holds so much for the card and no more, and drops what is larger than its buffer', async () => {
    await ask(opening);
    ends[0]?.say(new Uint8Array(101));
    for (let i = 0; i < 1_000; i++) ends[0]?.say(new Uint8Array(100).fill(i));
    let taken = 0;
    for (;;) {
      await ask(receive(100));
      if (card.responses.at(-1)?.data?.length === 0) break;
      expect(card.responses.at(-1)?.data).toEqual(new Uint8Array(100).fill(taken));
      taken++;
    }
    expect(taken).toBe(8);
  });

  it('does not tell of data that the card has taken already', async () => {
    await ask(events, opening);
    card.envelopeAnswers.push(StatusWord.TOOLKIT_BUSY);
    ends[0]?.say(Uint8Array.of(1));
    await clock.run(0);
    await ask(receive(1));
    await clock.run(5_000);
    expect(card.envelopes).toEqual([]);
  });

  it('tells of data again when the toolkit was busy', async () => {
    await ask(events, opening);
    card.envelopeAnswers.push(StatusWord.TOOLKIT_BUSY, StatusWord.TOOLKIT_BUSY);
    ends[0]?.say(Uint8Array.of(1));
    await clock.run(0);
    expect(card.envelopes).toEqual([]);
    await clock.run(2_500);
    expect(card.envelopes).toHaveLength(1);
  });

  it('says in the log that the card does not take an envelope', async () => {
    await ask(events, opening);
    card.envelopeAnswers.push(StatusWord.TECHNICAL_PROBLEM);
    ends[0]?.say(Uint8Array.of(1));
    await clock.run(0);
    expect(lines.join()).toContain('6F00 technical problem');
  });

  it('whose link drops tells the card, keeps what came, and takes nothing more', async () => {
    await ask(events, opening);
    ends[0]?.say(Uint8Array.of(9));
    ends[0]?.drop('the modem left the network');
    await clock.run(0);
    expect(card.envelopes.at(-1)).toEqual({
      kind: 'channel-status',
      status: { channel: 1, linked: false, information: 5 },
    });
    results();
    await ask(status, send([1]), receive(1), receive(1), close(), close());
    expect(card.responseBytes.at(-6)).toBe(answer('GET CHANNEL STATUS with a link that was dropped'));
    expect(results()).toEqual(['00', '3a02', '00', '3a02', '3a02', '3a02']);
    expect(lines.join()).toContain('the modem left the network');
  });

  it('that is to reconnect gets another link with the next data', async () => {
    await ask({ ...opening, details: details(0x40, 3) });
    ends[0]?.drop('gone');
    refusal = BearerError.noService();
    await ask(send([1]));
    refusal = undefined;
    await ask(send([2]), status);
    expect(results()).toEqual(['00', '2004', '00', '00']);
    expect(ends[1]?.got).toEqual([[2]]);
    expect(card.lastResponse).toBe(answer('GET CHANNEL STATUS with a link'));
  });

  it('tells nobody of data when the card did not ask for events', async () => {
    await ask(opening);
    ends[0]?.say(Uint8Array.of(1));
    ends[0]?.drop('gone');
    await clock.run(60_000);
    expect(card.envelopes).toEqual([]);
  });
});

describe('service', () => {
  it('that is lost or found is told to a card that wants to know', async () => {
    await start();
    terminal.serviceChanged();
    await ask(events);
    terminal.serviceChanged();
    await clock.run(0);
    location = undefined;
    terminal.serviceChanged();
    await clock.run(0);
    expect(card.envelopes).toEqual([
      { kind: 'location-status', service: 0, location: cell },
      { kind: 'location-status', service: 2 },
    ]);
  });
});

describe('a timer of the card', () => {
  const manage = (qualifier: number, timer = 1, seconds?: number): ProactiveCommand => ({
    kind: 'timer-management',
    details: details(0x27, qualifier),
    timer,
    ...(seconds === undefined ? {} : { seconds }),
  });
  beforeEach(() => start());

  it('tells the card when it expires', async () => {
    await ask(manage(0, 1, 5), manage(0, 8, 60));
    await clock.run(5_000);
    expect(card.envelopes).toEqual([{ kind: 'timer-expiration', timer: 1, seconds: 5 }]);
  });

  it('can be asked for, and stopped', async () => {
    await ask(manage(0, 2, 10));
    await clock.run(4_000);
    await ask(manage(2, 2), manage(1, 2), manage(2, 2), manage(1, 2));
    expect(results()).toEqual(['00', '00', '00', '24', '24']);
    expect(card.responses.at(-4)?.seconds).toBe(6);
    await clock.run(60_000);
    expect(card.envelopes).toEqual([]);
  });

  it('that begins anew forgets what it was; one that is none is refused', async () => {
    await ask(manage(0, 1, 5), manage(0, 1, 50));
    await clock.run(49_000);
    expect(card.envelopes).toEqual([]);
    results();
    await ask(manage(0, 1), manage(0, 9, 5), manage(7, 1));
    expect(results()).toEqual(['36', '32', '30']);
  });

  it('is gone with a reset', async () => {
    await ask(manage(0, 1, 5));
    await session.reset();
    await clock.run(10_000);
    expect(card.envelopes).toEqual([]);
  });
});

describe('a card that asks for anything', () => {
  it('gets one answer to each command, and is no fault of ours', async () => {
    const changed = fc
      .record({ vector: fc.constantFrom(...commands), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) })
      .map(({ vector: { hex }, at, byte }) => {
        const bytes = fromHex(hex);
        bytes[at % bytes.length] = byte;
        return bytes;
      });
    const anything = fc.oneof(
      { weight: 3, arbitrary: changed },
      { weight: 2, arbitrary: fc.constantFrom(...commands).map(({ hex }) => fromHex(hex)) },
      { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }) },
    );
    const happening = fc.oneof(
      { weight: 3, arbitrary: anything },
      { weight: 1, arbitrary: fc.constantFrom('data', 'drop', 'wait') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 20 }), async (happenings) => {
        card = new ProactiveCard();
        session = new CardSession(card);
        clock = new FakeClock();
        ends = [];
        await start();
        let asked = 0;
        for (const each of happenings) {
          const end = ends.at(-1);
          if (each === 'data') end?.say(new Uint8Array(50));
          else if (each === 'drop') end?.drop('gone');
          else if (each === 'wait') await clock.run(40_000);
          else {
            asked++;
            await ask(each);
          }
        }
        terminal.poll();
        await clock.run(0);
        expect(card.responses).toHaveLength(asked);
        expect(card.queue).toEqual([]);
        expect(faults).toEqual([]);
        expect(ends.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(3);
        await terminal.stop();
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
