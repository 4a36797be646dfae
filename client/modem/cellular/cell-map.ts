import { mix, mixed, noiseOver } from '../hash-noise.ts';
import type { Point } from '../location/track.ts';

/** How an operator has built its LTE network in a town. */
export interface Operator {
  readonly name: string;
  /** MCC and MNC, six digits. */
  readonly plmn: string;
  /** Between sites, m. */
  readonly spacing: number;
  /** LTE bands, of which each site has one, and the frequency of its downlink, MHz (3GPP TS 36.101 table 5.7.3-1). */
  readonly bands: readonly (readonly [band: number, frequency: number])[];
  /** Access points that it serves; the first where the modem names none. */
  readonly apns: readonly string[];
}

export const operators: readonly Operator[] = [
  {
    name: 'AT&T',
    plmn: '310410',
    spacing: 1_150,
    bands: [
      [2, 1_960],
      [12, 737],
      [30, 2_355],
    ],
    apns: ['m2m.com.attz', 'broadband', 'nxtgenphone'],
  },
  {
    name: 'T-Mobile',
    plmn: '310260',
    spacing: 900,
    bands: [
      [66, 2_155],
      [2, 1_960],
      [71, 634],
    ],
    apns: ['iot.tmowholesale', 'fast.t-mobile.com', 'internet'],
  },
  {
    name: 'Verizon',
    plmn: '311480',
    spacing: 1_500,
    bands: [
      [13, 751],
      [4, 2_132],
    ],
    apns: ['vzwinternet', 'so01.vzwstatic', 'ims'],
  },
];

/** What is measured of one cell. */
export interface Cell {
  /** E-UTRAN cell identity: eNodeB, 20 bits, and sector, 8 bits. */
  readonly id: number;
  readonly areaCode: number;
  readonly band: number;
  /** RSRP, dBm. */
  readonly power: number;
}

/** Of a macro cell, per resource element, antenna and cable counted in; behind the vehicle's walls, dBm. */
const radiatedPower = 19;
const shadowing = 6;
/** How far apart shadows are independent, m. */
const shadowDistance = 60;
const sectors = 3;

/** The cells of an operator near a point of a town, each with the power that it is received with. */
export function cellsNear(operator: Operator, town: number, point: Point, time: number): Cell[] {
  const { spacing, bands } = operator;
  const map = mix(Number(operator.plmn), town, 53);
  const row = Math.round(point.y / (spacing * (Math.sqrt(3) / 2)));
  const column = Math.round(point.x / spacing - row / 2);
  const cells: Cell[] = [];
  for (const [i, j] of neighbourhood) {
    const q = column + i;
    const r = row + j;
    const site = mix(map, q, r);
    const x = spacing * (q + r / 2 + 0.36 * (mixed(site, 1) - 0.5));
    const y = spacing * ((Math.sqrt(3) / 2) * r + 0.36 * (mixed(site, 2) - 0.5));
    const [band, frequency] = bands[site % bands.length] as readonly [number, number];
    const distance = Math.max(35, Math.hypot(point.x - x, point.y - y));
    // 3GPP TR 36.942 §4.5.2 at 2 GHz, urban; below it waves reach farther.
    const loss = 128.1 + 37.6 * Math.log10(distance / 1_000) + 21 * Math.log10(frequency / 2_000);
    const shadow = shadowing * noiseOver(site, point.x / shadowDistance, point.y / shadowDistance);
    const bearing = (Math.atan2(point.x - x, point.y - y) * 180) / Math.PI;
    const turned = 120 * mixed(site, 3);
    for (let sector = 0; sector < sectors; sector++) {
      const off = Math.abs(((bearing - turned - sector * 120 + 540) % 360) - 180);
      const pattern = Math.min(20, 12 * (off / 70) ** 2);
      const fading = 1.2 * (mixed(site ^ sector, Math.floor(time / 5), 59) - 0.5) * 2;
      cells.push({
        id: (site & 0xfffff) * 256 + sector + 1,
        areaCode: mix(map, Math.floor(q / 4), Math.floor(r / 4)) % 65_534,
        band,
        power: radiatedPower - loss - pattern + shadow + fading,
      });
    }
  }
  return cells;
}

/** A site of the hexagonal grid and the six about it. */
const neighbourhood = [
  [0, 0],
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, -1],
  [-1, 1],
] as const;
