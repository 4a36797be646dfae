import { bucketDigits, bucketOf } from '../server/ports/bucket.ts';
import type { DeviceAttributes, DeviceCounts } from '../server/ports/device-store.ts';
import type { StoredEvent } from '../server/ports/event-log.ts';
import type { LastValue } from '../server/ports/last-values.ts';
import type { Registration } from '../server/ports/registration-store.ts';
import type { StatisticsSample } from '../server/ports/statistics-store.ts';

type NewEvent = Omit<StoredEvent, 'id'>;

interface FleetDevice {
  readonly registration: Registration;
  readonly attributes: DeviceAttributes;
  readonly values: readonly LastValue[];
  /** It de-registers again. */
  readonly leaves: boolean;
  /** Of one in queue mode. */
  readonly listensUntil: number | undefined;
}

const makers = [
  ['Quectel Wireless Solutions Co., Ltd.', ['BG95-M3', 'BG77', 'BC660K-GL', 'EG915U'], 34],
  ['u-blox', ['SARA-R510S', 'SARA-R422', 'LEXI-R10'], 22],
  ['Nordic Semiconductor ASA', ['nRF9160-SICA', 'nRF9151-LACA'], 18],
  ['Sierra Wireless', ['HL7812', 'HL7900'], 12],
  ['Telit Cinterion', ['ME310G1', 'ME910C1'], 9],
  ['Simyard', ['SIM Modem'], 5],
] as const;
const firmwares = ['1.4.2', '1.5.0', '1.5.1', '2.0.0-rc3', '2.0.1'];
const carriers = [
  ['AT&T', 38],
  ['T-Mobile', 33],
  ['Verizon', 24],
  ['', 3],
] as const;
const links = [
  '/1/0',
  '/3/0',
  '/4/0',
  '/5/0',
  '/7/0',
  '/10/0',
  '/11/0',
  '/42769/0',
  '/42770/0',
  '/42770/1',
].map((target) => ({ target, attributes: {} }));

/** The device of a number: the same whenever it is asked for. `now`: ms since the epoch. */
export function deviceOf(index: number, now: number): FleetDevice {
  const random = randomOf(index + 1);
  const imei = withCheckDigit(
    `35${String(694_210_000_000 + ((index * 7919) % 100_000_007)).padStart(12, '0')}`,
  );
  const [manufacturer, models] = weighted(makers, ([, , weight]) => weight, random());
  const model = models[Math.floor(random() * models.length)] as string;
  const carrier = weighted(carriers, ([, weight]) => weight, random());
  const endpoint =
    index % 10 === 9 ? `meter-${(index * 31).toString(36)}-${imei.slice(-6)}` : `urn:imei:${imei}`;
  const queueMode = random() < 0.55;
  const lifetime = queueMode ? 86_400 : 3600;
  const fate = random();
  // Most were heard within their lifetime; some fell silent days ago.
  const silence = fate < 0.045 ? lifetime * 1000 + random() * 20 * 86_400_000 : random() * lifetime * 900;
  const heardAt = Math.floor(now - silence);
  const signal = Math.round(-68 - random() * random() * 55);
  const value = (path: string, what: string | number): LastValue => ({
    path,
    value: what,
    takenAt: heardAt * 1000,
    receivedAt: heardAt * 1000,
  });
  return {
    registration: {
      id: `${bucketDigits(bucketOf(endpoint))}f${index.toString(36)}x${imei}`,
      endpoint,
      address: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}:5683`,
      lifetime,
      version: random() < 0.7 ? '1.1' : '1.2',
      binding: 'U',
      queueMode,
      rootPath: '/',
      links,
      contentFormats: [110, 112],
      additional: {},
      registeredAt: Math.floor(heardAt - random() * 30 * 86_400_000),
      updatedAt: heardAt,
      expiresAt: heardAt + lifetime * 1000 + 5000,
      node: `node-${1 + (index % 3)}`,
    },
    attributes: {
      manufacturer,
      model,
      serialNumber: `SN${String(index * 13).padStart(9, '0')}`,
      firmwareVersion: firmwares[Math.floor(random() * random() * firmwares.length)] as string,
      imei,
      iccid: `8901${String(410_321_000_000_000 + index * 17).padStart(15, '0')}`,
      imsi: `310410${String(index * 3).padStart(9, '0')}`,
      ...(carrier === undefined ? {} : { carrier: carrier[0] }),
      ...(carrier === undefined ? {} : { signal }),
    },
    values: [
      value('/3/0/0', manufacturer),
      value('/3/0/9', Math.floor(20 + random() * 80)),
      value('/4/0/2', signal),
      value('/42770/0/2', Math.round(random() * 4000) / 100),
    ],
    leaves: fate > 0.98,
    listensUntil: queueMode ? heardAt + 20_000 + Math.floor(random() * 100) * 1000 : undefined,
  };
}

/** A minute of a fleet that is awake by day and sleeps by night. */
export function minuteOf(counts: DeviceCounts, at: number): StatisticsSample {
  const random = randomOf(Math.floor(at / 60_000));
  const day = 0.5 - 0.5 * Math.cos((((at / 3_600_000) % 24) / 24) * 2 * Math.PI);
  const shift = Math.round(counts.asleep * 0.2 * (1 - day));
  const share = 0.97 + random() * 0.01;
  const registered = Math.round(counts.registered * share);
  const awake = Math.max(0, Math.round(counts.awake * share) - shift);
  return {
    at,
    gauges: { ...counts, registered, awake, asleep: registered - awake },
    counters: {
      readings: Math.round(registered * (0.6 + 0.6 * day + 0.1 * random())),
      notifications: Math.round(registered * (0.5 + 0.5 * day)),
      'switches-ack': random() < 0.05 + day * 0.2 ? 1 : 0,
      'switches-nack': random() < 0.01 ? 1 : 0,
      'switches-other': 0,
      events: Math.round(registered * 0.3),
    },
  };
}

/** What went wrong in the last hours. */
export function troublesOf(count: number, now: number): readonly NewEvent[] {
  return Array.from({ length: 20 }, (_, index) => {
    const { registration } = deviceOf((index * 7919) % count, now);
    const at = Math.floor(now - (20 - index) * 11 * 60_000);
    const { endpoint } = registration;
    if (index % 3 === 1) {
      const command = { id: `seed${index}`, endpoint, kind: 'carrier-switch', state: 'failed' };
      const reason = 'NACK: the card refused to enable the profile (6A 82)';
      return { type: 'command', endpoint, at, trouble: true, data: { command: { ...command, reason } } };
    }
    if (index % 3 === 2) {
      const data = { path: '/4/0/2', reason: 'the device refused: 4.05 Method Not Allowed' };
      return { type: 'observation-refused', endpoint, at, trouble: true, data };
    }
    return { type: 'expired', endpoint, at, trouble: true, data: {} };
  });
}

function weighted<T>(all: readonly T[], weightOf: (one: T) => number, share: number): T {
  const sum = all.reduce((total, one) => total + weightOf(one), 0);
  let left = share * sum;
  for (const one of all) {
    left -= weightOf(one);
    if (left < 0) return one;
  }
  return all.at(-1) as T;
}

/** mulberry32: numbers from 0 to 1 that look random, and are the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** 14 digits and their check digit (3GPP TS 23.003 annex B). */
function withCheckDigit(digits: string): string {
  let sum = 0;
  for (const [index, digit] of [...digits].entries()) {
    const doubled = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
