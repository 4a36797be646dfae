import { beforeEach, describe, expect, it } from 'vitest';
import { PowerSaving, PowerSavingMode } from '../../../client/modem/cellular/power-saving.ts';
import { KeptSettings, volatileSettings } from '../../../client/modem/kept-settings.ts';
import { Radio } from '../../../client/modem/radio.ts';
import type { DatagramHandler, DatagramPort } from '../../../protocol/coap/datagram-port.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const peer = '192.0.2.1:5683';
let clock: FakeClock;
let deliver: DatagramHandler;
let sent: number;
let heard: { at: number; data: number[] }[];
let saving: PowerSaving;
let radio: Radio;

beforeEach(() => {
  clock = new FakeClock();
  sent = 0;
  heard = [];
  saving = new PowerSaving(new KeptSettings(volatileSettings()));
  const port: DatagramPort = {
    local: '198.51.100.1:1',
    send: () => sent++,
    onDatagram(handler) {
      deliver = handler;
    },
    onError: () => {},
    close: async () => {},
  };
  radio = new Radio(port, clock, (now, lastActive) => saving.hears(now, lastActive));
  radio.onDatagram((data) => heard.push({ at: clock.now(), data: [...data] }));
});

const arrive = (...data: number[]) => deliver(Uint8Array.from(data), peer, undefined);

describe('a radio', () => {
  it('that is off neither sends nor hears, and counts nothing', () => {
    radio.turn('off');
    radio.send(new Uint8Array(10), peer);
    arrive(1);
    expect([sent, heard, radio.traffic.packetsOut, radio.traffic.bytesIn]).toEqual([0, [], 0, 0]);
    radio.turn('on');
    radio.send(new Uint8Array(10), peer);
    expect(sent).toBe(1);
  });

  it('counts packets with the headers of IP and UDP, and knows the largest', () => {
    radio.send(new Uint8Array(100), peer);
    radio.send(new Uint8Array(100), '[2001:db8::1]:5683');
    arrive(1, 2);
    expect(radio.traffic).toEqual({ packetsOut: 2, bytesOut: 276, packetsIn: 1, bytesIn: 30 });
    expect(radio.largest).toBe(148);
    radio.forgetLargest();
    arrive(1);
    expect(radio.largest).toBe(29);
  });

  it('in power saving mode is deaf after its active timer, until it speaks', () => {
    saving.set({ activeModes: PowerSavingMode.PSM, activeTimer: 20 });
    radio.send(new Uint8Array(1), peer);
    clock.advance(29_999);
    arrive(1);
    expect(heard).toHaveLength(1);
    clock.advance(30_000);
    arrive(2);
    clock.advance(1_000_000);
    expect(heard).toHaveLength(1);
    radio.send(new Uint8Array(1), peer);
    arrive(3);
    expect(heard.map(({ data }) => data)).toEqual([[1], [3]]);
  });

  it('with eDRX hears at the paging occasions of its cycle, in order, what came meanwhile', () => {
    // Window 1: 2.56 s; cycle 1: 10.24 s.
    saving.set({ activeModes: PowerSavingMode.EDRX, edrx: { wbS1: 0x11 } });
    const idle = 10_000;
    clock.advance(idle + 1_000);
    arrive(1);
    expect(heard).toHaveLength(1);
    clock.advance(idle + 3_000);
    const buffer = Uint8Array.of(2);
    deliver(buffer, peer, undefined);
    buffer[0] = 99;
    arrive(3);
    clock.advance(20_000);
    const occasion = idle + 1_000 + idle + 10_240;
    expect(heard.slice(1)).toEqual([
      { at: occasion, data: [2] },
      { at: occasion, data: [3] },
    ]);
  });

  it('with eDRX keeps sixteen datagrams at most, and none when it is switched off', () => {
    saving.set({ activeModes: PowerSavingMode.EDRX, edrx: { wbS1: 0x0f } });
    clock.advance(20_000);
    for (let i = 0; i < 100; i++) arrive(i);
    expect(clock.pending).toBe(16);
    radio.turn('off');
    clock.advance(20_000_000);
    expect(heard).toEqual([]);
    radio.turn('on');
    arrive(7);
    expect(heard).toHaveLength(1);
  });

  it('with both hears seldom until the active timer ends, and then not at all', () => {
    saving.set({
      activeModes: PowerSavingMode.PSM | PowerSavingMode.EDRX,
      activeTimer: 30,
      edrx: { wbS1: 0x01 },
    });
    clock.advance(10_000 + 5_000);
    arrive(1);
    clock.advance(6_000);
    expect(heard).toHaveLength(1);
    clock.advance(100_000);
    arrive(2);
    clock.advance(100_000);
    expect(heard).toHaveLength(1);
  });
});
