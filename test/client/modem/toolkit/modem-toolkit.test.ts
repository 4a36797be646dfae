import { beforeEach, describe, expect, it } from 'vitest';
import { decodeEnvelope, type Envelope } from '../../../../client/sim/toolkit/envelope.ts';
import {
  encodeProactiveCommand,
  type ProactiveCommand,
} from '../../../../client/sim/toolkit/proactive-command.ts';
import { RefreshMode } from '../../../../client/sim/toolkit/tags.ts';
import {
  decodeTerminalResponse,
  type TerminalResponse,
} from '../../../../client/sim/toolkit/terminal-response.ts';
import type { CardApplication, CardServices } from '../../../../client/sim/virtual-card/card-application.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import type { DatagramPort } from '../../../../protocol/coap/datagram-port.ts';
import { ModemWorld } from '../../../support/client/modem-world.ts';

const farAddress = '203.0.113.9:6001';
const details = (type: number, qualifier = 0) => ({ number: 1, type, qualifier });

/** An applet that asks for what a test wants, and notes what it is told. */
class Applet implements CardApplication {
  readonly aid = Uint8Array.of(0xf0, 1, 2, 3, 4);
  card!: CardServices;
  readonly responses: TerminalResponse[] = [];
  readonly envelopes: Envelope[] = [];
  polls = 0;
  profiles = 0;

  onInstall(card: CardServices): void {
    this.card = card;
  }

  onTerminalProfile(): void {
    this.profiles++;
    this.ask({ kind: 'set-up-event-list', details: details(0x05), events: [0x03, 0x09, 0x0a] });
  }

  onStatus(): void {
    this.polls++;
  }

  onEnvelope(bytes: Uint8Array): undefined {
    this.envelopes.push(decodeEnvelope(bytes));
  }

  onTerminalResponse(_command: Uint8Array, response: Uint8Array): void {
    this.responses.push(decodeTerminalResponse(response));
  }

  ask(...commands: readonly ProactiveCommand[]): void {
    for (const command of commands) this.card.queueProactive(encodeProactiveCommand(command));
  }
}

let world: ModemWorld;
let applet: Applet;
let card: VirtualCard;
let sockets: number;
let far: DatagramPort;
let farGot: { readonly text: string; readonly from: string }[];

const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

/** Has the applet ask, and gives the modem time to find out. */
async function ask(...commands: readonly ProactiveCommand[]): Promise<readonly TerminalResponse[]> {
  const before = applet.responses.length;
  applet.ask(...commands);
  await world.until('answers', () => applet.responses.length >= before + commands.length, 60_000);
  return applet.responses.slice(before);
}

const information = (qualifier: number): ProactiveCommand => ({
  kind: 'provide-local-information',
  details: details(0x26, qualifier),
});
const opening: ProactiveCommand = {
  kind: 'open-channel',
  details: details(0x40, 1),
  bearer: { type: 3, parameters: new Uint8Array(0) },
  bufferSize: 1_024,
  transport: { protocol: 1, port: 6_001 },
  destination: '203.0.113.9',
};

beforeEach(async () => {
  world = new ModemWorld();
  applet = new Applet();
  card = new VirtualCard({ serial: 42, clock: world.clock, applications: [applet] });
  sockets = 0;
  farGot = [];
  far = world.link.port(farAddress);
  far.onDatagram((data, from) => farGot.push({ text: text(data), from }));
  await world.start({
    card,
    openCardSocket: async () => world.link.port(`198.51.100.7:${50_000 + sockets++}`),
  });
});

describe('a modem, as its card sees it', () => {
  it('polls every 30 s, and no more when it is closed', async () => {
    const before = applet.polls;
    await world.clock.run(90_000);
    expect(applet.polls).toBe(before + 3);
    await world.settle(world.modemNow.close());
    const last = applet.polls;
    await world.clock.run(90_000);
    expect(applet.polls).toBe(last);
    expect(world.faults).toEqual([]);
  });

  it('tells which one it is, where, and what time it has', async () => {
    const [identity, place, technology, time, battery] = await ask(
      information(0x01),
      information(0x00),
      information(0x06),
      information(0x03),
      information(0x0a),
    );
    expect(identity?.imei).toBe('001017000000425');
    const shown = await world.values('/4/0');
    expect(place?.location).toEqual({
      mcc: '310',
      mnc: '410',
      areaCode: shown['/4/0/12'],
      cell: { id: shown['/4/0/8'], bits: 28 },
    });
    expect(technology?.accessTechnology).toBe(8);
    const at = new Date(world.clock.wallTime());
    expect(time?.time).toMatchObject({ year: at.getUTCFullYear(), month: at.getUTCMonth() + 1 });
    expect(battery?.battery).toBeLessThanOrEqual(4);
  });

  it('has the time and the zone that a server gave it', async () => {
    expect(await world.write('/3/0/14', '-03:30')).toBe('2.04');
    expect(await world.write('/3/0/13', '1709210096')).toBe('2.04');
    const [answer] = await ask(information(0x03));
    expect(answer?.time).toMatchObject({ year: 2024, month: 2, day: 29, hour: 9, zone: -210 });
  });

  it('opens a channel over its own radio, both ways', async () => {
    const [opened, sent] = await ask(opening, {
      kind: 'send-data',
      details: details(0x43, 1),
      channel: 1,
      data: bytes('from the card'),
    });
    expect(opened?.channels).toEqual([{ channel: 1, linked: true, information: 0 }]);
    expect(sent?.result.general).toBe(0);
    await world.until('the datagram', () => farGot.length > 0);
    expect(farGot).toEqual([{ text: 'from the card', from: '198.51.100.7:50000' }]);
    far.send(bytes('to the card'), farGot[0]?.from ?? '');
    await world.until('the event', () => applet.envelopes.at(-1)?.kind === 'data-available');
    expect(applet.envelopes.at(-1)).toEqual({
      kind: 'data-available',
      status: { channel: 1, linked: true, information: 0 },
      length: 11,
    });
    const [received] = await ask({ kind: 'receive-data', details: details(0x42), channel: 1, length: 11 });
    expect(text(received?.data ?? new Uint8Array(0))).toBe('to the card');
  });

  it('drops the card’s channels with the network, and looks after the card as soon as it is back', async () => {
    await ask(opening);
    expect(await world.write('/10/0/1', '1')).toBe('2.04');
    await world.until('the drop', () => applet.envelopes.length >= 2);
    expect(applet.envelopes).toEqual(
      expect.arrayContaining([
        { kind: 'channel-status', status: { channel: 1, linked: false, information: 5 } },
        { kind: 'location-status', service: 2 },
      ]),
    );
    const [refused] = await ask(opening);
    expect(refused?.result).toEqual({ general: 0x20, additional: 0x04 });
    const polls = applet.polls;
    const away = applet.envelopes.length;
    await world.until('service', () => applet.envelopes.length > away, 90_000);
    expect(applet.envelopes.at(-1)).toMatchObject({ kind: 'location-status', service: 0 });
    const found = world.clock.now();
    await world.until('a poll', () => applet.polls > polls, 5_000);
    expect(world.clock.now() - found).toBeLessThan(1_000);
    const [opened] = await ask(opening);
    expect(opened?.result.general).toBe(0);
  });

  it('reads its card anew when that has changed its profile by itself', async () => {
    const other = card.profiles.find((profile) => profile.name === 'T-Mobile');
    expect(applet.card.switchProfile(other?.iccid)).toBe(0);
    await ask({ kind: 'refresh', details: details(0x01, RefreshMode.UICC_RESET) });
    await world.until('the other carrier', () => world.modemNow.carrier.current === 'T-Mobile', 60_000);
    expect(applet.profiles).toBe(2);
    expect(await world.value('/42769/0/7')).toBe(other?.iccid);
    const [place] = await ask(information(0x00));
    expect(place?.location).toMatchObject({ mcc: '310', mnc: '260' });
  });

  it('goes on with its card through a switch of the server’s', async () => {
    await ask(opening);
    await world.execute('/42769/0/3', "0='2',1='7'");
    await world.until('Verizon', () => world.modemNow.carrier.current === 'Verizon', 60_000);
    expect(applet.profiles).toBe(2);
    const [status] = await ask({ kind: 'get-channel-status', details: details(0x44) });
    expect(status?.channels).toEqual([{ channel: 0, linked: false, information: 0 }]);
    expect(world.faults).toEqual([]);
  });

  it('takes a card up anew that has fallen silent while nobody needed it', async () => {
    await ask(opening);
    card.faults.set({ kind: 'mute', times: 1 });
    await world.until('another reset', () => applet.profiles === 2, 90_000);
    expect(world.lines.join('\n')).toContain('did not answer within 10 s');
    const polls = applet.polls;
    await world.clock.run(60_000);
    expect(applet.polls).toBeGreaterThan(polls);
    expect(world.modemNow.carrier.current).toBe('AT&T');
    expect(world.faults).toEqual([]);
  });
});
