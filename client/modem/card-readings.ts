import type { Clock, Timer } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { encodePacket } from '../../protocol/flow/packet.ts';
import { encodeReadingData } from '../../protocol/flow/reading-data.ts';
import type { WallClockTime } from '../../protocol/temporenc.ts';
import { longestTimer } from '../lwm2m/observations.ts';
import type { ReadingUplink } from '../sim/applet/reading-uplink.ts';
import { CardStatusError, CardTransportError } from '../sim/card-transport.ts';
import type { Sensor } from './sensor.ts';

/** The protocol's readings are integers: thousandths of the sensor's unit, as its Raw Value. */
const scale = 1_000;

export interface CardReadingsOptions {
  readonly sensors: readonly Sensor[];
  readonly card: ReadingUplink;
  readonly clock: Clock;
  /** Readings of each sensor per second. */
  readonly rate: number;
  /** For people. */
  readonly log: (message: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Gives the newest reading of each sensor to the card, which sends it up by itself. What the card does not take is not
 * kept: readings go to the LwM2M server too, and lossless.
 */
export class CardReadings {
  readonly #options: CardReadingsOptions;
  /** Times of the readings given last, by sensor, µs. */
  readonly #given = new Map<Sensor, number>();
  #timer: Timer | undefined;
  #closed = false;
  #taken = 0;
  #missed = 0;
  #trouble = '';

  constructor(options: CardReadingsOptions) {
    this.#options = options;
  }

  /** Readings that the card took. */
  get taken(): number {
    return this.#taken;
  }

  /** Readings that it did not take. */
  get missed(): number {
    return this.#missed;
  }

  start(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const { clock, rate, onFault } = this.#options;
    this.#timer = clock.setTimer(Math.min(longestTimer, 1_000 / rate), () => {
      this.#giveAll()
        .then(() => this.start())
        .catch(onFault);
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #giveAll(): Promise<void> {
    const packets: Uint8Array[] = [];
    for (const sensor of this.#options.sensors) {
      if (sensor.period === 0) continue;
      const { time, value } = sensor.latest;
      if (this.#given.get(sensor) === time) continue;
      this.#given.set(sensor, time);
      packets.push(readingPacket(sensor.model.deviceId, time, value));
    }
    if (packets.length === 0) return;
    const taken = await this.#give(packets);
    this.#taken += taken;
    this.#missed += packets.length - taken;
  }

  async #give(packets: readonly Uint8Array[]): Promise<number> {
    try {
      const taken = await this.#options.card.sendReadings(packets);
      this.#trouble = '';
      return taken;
    } catch (error) {
      const known =
        error instanceof CardTransportError ||
        error instanceof CardStatusError ||
        error instanceof DecodeError;
      if (!known) throw error;
      // A card that is out, or mute, is told of once, and asked again.
      if (error.message !== this.#trouble)
        this.#options.log(`no readings through the card: ${error.message}`);
      this.#trouble = error.message;
      return 0;
    }
  }
}

/** `time` in µs since the epoch; UTC on the wire. */
export function readingPacket(deviceId: number, time: number, value: number): Uint8Array {
  const raw = Math.round(value * scale);
  const data = encodeReadingData(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, raw)));
  return encodePacket({ kind: 'iot-data', deviceId, takenAt: utcTime(time), data });
}

function utcTime(microseconds: number): WallClockTime {
  const at = new Date(Math.floor(microseconds / 1_000));
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    microsecond: Math.floor(microseconds % 1_000_000),
  };
}
