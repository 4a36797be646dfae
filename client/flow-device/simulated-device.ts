import type { Clock, Timer } from '../../protocol/clock.ts';
import type { DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { type IotStatus, iotDeviceKinds, SwitchStatus } from '../../protocol/flow/names.ts';
import { decodePacket, encodePacket } from '../../protocol/flow/packet.ts';
import { encodeReadingData } from '../../protocol/flow/reading-data.ts';
import type { WallClockTime } from '../../protocol/temporenc.ts';

/** A sensor behind the device. */
export interface SimulatedSensor {
  /** 1 imu, 2 gyro, 3 temp; others are of a kind that nobody knows. */
  readonly deviceId: number;
  /** Readings a second; 0: none. */
  readonly rate: number;
}

export interface SimulatedDeviceOptions {
  /** One socket for both directions. */
  readonly port: DatagramPort;
  /** Where the service listens. */
  readonly server: PeerAddress;
  readonly clock: Clock;
  readonly sensors: readonly SimulatedSensor[];
  /** The carrier that it is on at first, by the protocol's number. */
  readonly carrier: number;
  /** Carriers that the card has; what is asked for beside them, and Disconnect, it refuses. */
  readonly carriers: readonly number[];
  /** ms from a request to its answer. */
  readonly switchTime: number;
  /** Minutes that its clock is ahead of UTC; what it sends says nothing of that. */
  readonly zoneOffset?: number;
  /** ms between two IoT statuses, which keep a NAT's port open; 0: only the first. */
  readonly statusInterval?: number;
  readonly onLog?: (line: string) => void;
}

/** What the protocol's numbers of carriers go up to; the last one is Disconnect. */
const DISCONNECT = 15;

/**
 * A device that speaks system A's binary protocol and nothing else: it streams readings of its sensors, and a request
 * for a carrier is answered with the carrier that it is on then. A request for the carrier that it is on already is
 * acknowledged at once.
 */
export class SimulatedDevice {
  readonly #options: SimulatedDeviceOptions;
  readonly #timers = new Set<Timer>();
  /** Requests that came, in their order. */
  readonly requests: number[] = [];
  #carrier: number;
  #status: (typeof IotStatus)[keyof typeof IotStatus] = 0;
  /** It takes requests in, and answers none. */
  mute = false;
  #closed = false;

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options;
    this.#carrier = options.carrier;
    options.port.onDatagram((data) => this.#take(data));
    options.port.onError((error) => options.onLog?.(`a datagram was not delivered: ${error.message}`));
  }

  /** The carrier that it is on now. */
  get carrier(): number {
    return this.#carrier;
  }

  /** Says that it is there, and begins to stream. */
  start(): void {
    this.status = 0;
    for (const sensor of this.#options.sensors) if (sensor.rate > 0) this.#stream(sensor);
    const { statusInterval = 0 } = this.#options;
    if (statusInterval > 0)
      this.#every(statusInterval, () => this.#send({ kind: 'iot-status', status: this.#status }));
  }

  /** Says how it is. */
  set status(status: (typeof IotStatus)[keyof typeof IotStatus]) {
    this.#status = status;
    this.#send({ kind: 'iot-status', status });
  }

  /** Sends one reading, taken now. */
  send(deviceId: number, value: number): void {
    const takenAt = this.#wallClock();
    this.#send({ kind: 'iot-data', deviceId, takenAt, data: encodeReadingData(value) });
  }

  /** Answers a request for this carrier, as if it had come just now. */
  answer(asked: number): void {
    const offered = asked === DISCONNECT || this.#options.carriers.includes(asked);
    if (offered) this.#carrier = asked;
    const status = offered ? SwitchStatus.ACK : SwitchStatus.NACK;
    this.#options.onLog?.(`${offered ? 'ACK' : 'NACK'}, on carrier ${this.#carrier}`);
    this.#send({ kind: 'carrier-switch-ack', status, carrier: this.#carrier });
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #stream({ deviceId, rate }: SimulatedSensor): void {
    this.#every(1000 / rate, () => {
      const seconds = this.#options.clock.wallTime() / 1000;
      this.send(deviceId, Math.round(450 + 50 * Math.sin((seconds / 30) * 2 * Math.PI + deviceId)));
    });
  }

  #take(data: Uint8Array): void {
    const { switchTime, onLog } = this.#options;
    let carrier: number;
    try {
      carrier = decodePacket(data, 'downstream').carrier;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      onLog?.(`not understood: ${error.message}`);
      return;
    }
    this.requests.push(carrier);
    onLog?.(`asked for carrier ${carrier}`);
    if (this.mute) return;
    this.#after(switchTime, () => this.answer(carrier));
  }

  #send(packet: Parameters<typeof encodePacket>[0]): void {
    if (!this.#closed) this.#options.port.send(encodePacket(packet), this.#options.server);
  }

  #after(delay: number, act: () => void): void {
    if (this.#closed) return;
    const timer = this.#options.clock.setTimer(delay, () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
  }

  #every(period: number, act: () => void): void {
    this.#after(period, () => {
      act();
      this.#every(period, act);
    });
  }

  #wallClock(): WallClockTime {
    const { clock, zoneOffset = 0 } = this.#options;
    const wall = clock.wallTime() + zoneOffset * 60_000;
    const date = new Date(Math.floor(wall));
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      microsecond: date.getUTCMilliseconds() * 1000 + Math.floor((wall % 1) * 1000),
    };
  }
}

/** Ids by the names that the protocol's devices have: imu, gyro, temp. */
export const sensorIds: ReadonlyMap<string, number> = new Map(
  [...iotDeviceKinds].map(([id, kind]) => [kind, id]),
);
