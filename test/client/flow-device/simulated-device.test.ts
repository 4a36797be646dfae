import { beforeEach, describe, expect, test } from 'vitest';
import {
  SimulatedDevice,
  type SimulatedDeviceOptions,
} from '../../../client/flow-device/simulated-device.ts';
import type { DatagramPort } from '../../../protocol/coap/datagram-port.ts';
import { decodePacket, encodePacket, type UpstreamPacket } from '../../../protocol/flow/packet.ts';
import { World } from '../../support/coap/world.ts';

let world: World;
let service: DatagramPort;
let heard: UpstreamPacket[];

beforeEach(() => {
  world = new World({ delay: 1 });
  service = world.link.port('service:6001');
  heard = [];
  service.onDatagram((data) => heard.push(decodePacket(data, 'upstream')));
});

const device = (options: Partial<SimulatedDeviceOptions> = {}): SimulatedDevice =>
  new SimulatedDevice({
    port: world.link.port('device:6002'),
    server: 'service:6001',
    clock: world.clock,
    sensors: [],
    carrier: 0,
    carriers: [0, 2],
    switchTime: 500,
    ...options,
  });
const ask = (carrier: number) =>
  service.send(encodePacket({ kind: 'carrier-switch-perform', carrier }), 'device:6002');

describe('a simulated device', () => {
  test('says that it is there, and streams what its sensors read at their rates', async () => {
    device({
      sensors: [
        { deviceId: 1, rate: 10 },
        { deviceId: 3, rate: 1 },
        { deviceId: 2, rate: 0 },
      ],
    }).start();
    await world.clock.run(10_050);
    expect(heard[0]).toEqual({ kind: 'iot-status', status: 0 });
    const ids = heard.flatMap((packet) => (packet.kind === 'iot-data' ? [packet.deviceId] : []));
    expect(ids.filter((id) => id === 1)).toHaveLength(100);
    expect(ids.filter((id) => id === 3)).toHaveLength(10);
    expect(ids).not.toContain(2);
  });

  test('stamps readings by its own clock, which may stand in another zone', async () => {
    device({ zoneOffset: 120 }).send(1, -16);
    await world.clock.run(5);
    const [packet] = heard;
    if (packet?.kind !== 'iot-data') throw new Error('no reading');
    const { year = 0, month = 0, day, hour, minute, second, microsecond } = packet.takenAt;
    const said = Date.UTC(year, month - 1, day, hour, minute, second, microsecond / 1000);
    expect(said - world.clock.wallTime()).toBe(7_200_000 - 5);
  });

  test('switches after its time, and answers with the carrier that it is on', async () => {
    const one = device();
    ask(2);
    await world.clock.run(400);
    expect(heard).toEqual([]);
    await world.clock.run(200);
    expect(heard).toEqual([{ kind: 'carrier-switch-ack', status: 0, carrier: 2 }]);
    ask(1);
    await world.clock.run(600);
    expect(heard[1]).toEqual({ kind: 'carrier-switch-ack', status: 1, carrier: 2 });
    ask(15);
    await world.clock.run(600);
    expect(heard[2]).toEqual({ kind: 'carrier-switch-ack', status: 0, carrier: 15 });
    expect(one.carrier).toBe(15);
    expect(one.requests).toEqual([2, 1, 15]);
  });

  test('answers nothing while it is mute, and passes over what it does not understand', async () => {
    const one = device();
    one.mute = true;
    ask(2);
    service.send(Uint8Array.of(0x11, 0x00), 'device:6002');
    await world.clock.run(5_000);
    expect(heard).toEqual([]);
    expect(one.carrier).toBe(0);
    expect(one.requests).toEqual([2]);
  });

  test('keeps the port open by its status, until it is closed', async () => {
    const one = device({ statusInterval: 20_000 });
    one.start();
    await world.clock.run(60_500);
    expect(heard).toHaveLength(4);
    one.close();
    ask(2);
    await world.clock.run(60_000);
    expect(heard).toHaveLength(4);
    expect(world.clock.pending).toBe(0);
  });
});
