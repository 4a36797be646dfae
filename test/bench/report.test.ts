import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { barChart, lineChart } from '../../bench/chart.ts';
import { section } from '../../bench/document.ts';
import { goals } from '../../bench/goals.ts';
import { parseLoadFlags, usage } from '../../bench/load/flags.ts';
import { spreadOf } from '../../bench/measure.ts';
import type { Results } from '../../bench/results.ts';
import { byRate, circumstances, costs, readings } from '../../bench/tables.ts';
import { titles } from '../../bench/titles.ts';
import { cellOf } from './cells.ts';

const echo = cellOf('datagram in and out', 'raw UDP echo', 6, { work: 'echo' });

describe('the promises', () => {
  test('are held against both sides of the same run, kept or missed', () => {
    const found = goals([
      echo,
      cellOf('registration', 'Leshan, in memory', 90),
      cellOf('registration', 'Simyard, in memory', 30),
      cellOf('update', 'Leshan, in memory', 40, { device: 6_000 }),
      cellOf('update', 'Simyard, in memory', 30, { device: 2_000 }),
      cellOf('confirmable notification, 1 reading', 'Simyard, on disk', 16),
    ]);
    const of = (start: string) => found.filter(({ promise }) => promise.startsWith(start));
    expect(of('registration: ').map(({ measured, kept }) => [measured, kept])).toEqual([
      ['3.00 times', true],
      ['3.00 times', true],
    ]);
    expect(of('update: ').every(({ kept }) => !kept)).toBe(true);
    expect(of('an idle registered device')).toMatchObject([{ measured: '0.33 times', kept: true }]);
    expect(of('confirmable notification, decoded and durable')).toMatchObject([
      { measured: '2.67 times', kept: false },
      { measured: '2.67 times', kept: false },
    ]);
  });

  test('of packs are held against readings a second and core', () => {
    const packs = cellOf(titles.notification(50), 'Simyard, on disk', 125, { work: 'notify', readings: 50 });
    expect(goals([packs])).toEqual([
      {
        promise: 'packs of 50 readings, durable: ≥ 300 000 readings per second and core',
        measured: '400,000',
        kept: true,
      },
    ]);
  });

  test('of which one side is missing are not told', () => {
    expect(goals([echo, cellOf('registration', 'Simyard, in memory', 30)])).toEqual([]);
  });
});

const results: Results = {
  version: 1,
  ...{ when: '2026-01-01T00:00:00.000Z', runs: 3, seconds: 5, minutes: 4 },
  set: 'short',
  machine: { cpu: 'C', cores: 2, memoryGib: 8, kernel: '6', node: 'v24', loadBefore: 0, loadAfter: 1 },
  cells: [
    echo,
    cellOf('update', 'slow', 30, { done: 2_000, failed: 3, fallenOut: 2 }),
    cellOf('update', 'starved', 60, { load: { cpu: 200, core: 0.95 } }),
  ],
  missing: [{ peer: 'Leshan, in memory', reason: 'mvn is not installed' }],
};

describe('the tables', () => {
  test('show each server as a multiple of the floor, and what was wrong with a run', () => {
    const [, , , slow = '', starved = ''] = costs(results).split('\n');
    expect(slow).toContain('| 30.0 (30.0–30.0) | 5.0 |');
    expect(slow).toContain('3 failed; 2 devices fell out; did not keep up: 2,000/s');
    expect(starved).toContain('starved by the load generator');
  });

  test('tell readings a second and core of packs of any size, and nothing where there are none', () => {
    expect(readings(results)).toBe('');
    const packs = cellOf(titles.notification(10), 'x', 40, { work: 'notify', readings: 10 });
    expect(readings({ ...results, cells: [packs] })).toContain('| x | 250,000 | 250,000 |');
  });

  test('show what an exchange costs at several rates, the fixed one among them', () => {
    expect(byRate(results)).toBe('');
    const otherRates = [{ rate: 500, done: 500, cpu: 90 }];
    const [head, , line] = byRate({ ...results, cells: [cellOf('update', 'x', 40, { otherRates })] }).split(
      '\n',
    );
    expect(head).toContain('| at 500/s | at 4,000/s | flat out |');
    expect(line).toBe('| update | x | 90.0 | 40.0 | 40.0 |');
  });

  test('name who could not run, with the reason', () => {
    expect(circumstances(results)).toContain('**Leshan, in memory could not run: mvn is not installed.**');
  });

  test('tell the middle of several runs', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 });
  });
});

describe('the page', () => {
  const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');

  test.each([
    'measured',
    'whole',
    'burst',
    'switch',
    'soak',
    'restart',
    'restart-redis',
    'flames',
    'streams',
  ])('has a place for %s', (name) => {
    expect(page.match(new RegExp(`<!-- ${name} -->[^]*?<!-- /${name} -->`, 'g'))).toHaveLength(1);
  });

  test('has pictures of the short set and of the whole beside each other', () => {
    const otherRates = [{ rate: 500, done: 500, cpu: 90 }];
    const notification = cellOf(titles.notification(1), 'x', 40, { otherRates });
    const pictures = (set: 'short' | 'full') =>
      section({ ...results, set, cells: [echo, notification] })
        .match(/performance\/[a-z-]+\.svg/g)
        ?.sort();
    expect(pictures('short')).toEqual(
      ['cpu', 'flat-out', 'memory', 'rates-notification'].map((name) => `performance/${name}.svg`),
    );
    expect(pictures('full')).toEqual(
      ['cpu', 'flat-out', 'memory', 'rates-notification'].map((name) => `performance/full-${name}.svg`),
    );
  });
});

describe('the pictures', () => {
  test('show what they are given, and nothing that a reader of XML stumbles over', () => {
    const svg = barChart('a <b> & "c"', 'µs', [
      { title: 't', bars: [{ label: 'x & y', value: 2, own: true }] },
    ]);
    expect(svg).not.toMatch(/&(?!#\d+;)/);
    expect(svg).toContain('2.0 µs');
    const lines = lineChart('memory', { x: 'min', y: 'MiB' }, [
      {
        label: 'heap',
        own: true,
        points: [
          [0, 1],
          [10, 2],
        ],
      },
    ]);
    expect(lines.match(/<polyline points="[\d., ]+"/g)).toHaveLength(1);
    expect(`${svg}${lines}`).not.toContain('NaN');
  });

  test('of rates have steps of equal ratios, and tell lines of others apart', () => {
    const points = (cpu: number) => [500, 5_000, 50_000].map((rate) => [rate, cpu] as const);
    const svg = lineChart('rates', { x: '/s', y: 'µs', isLogarithmic: true }, [
      { label: 'ours', own: true, points: points(10) },
      { label: 'one', own: false, points: points(20) },
      { label: 'other', own: false, points: points(30) },
    ]);
    const xs = /<polyline points="([\d.]+),[\d.]+ ([\d.]+),[\d.]+ ([\d.]+),/.exec(svg)?.slice(1).map(Number);
    const [first = 0, middle = 0, last = 0] = xs ?? [];
    expect(middle - first).toBeCloseTo(last - middle, 0);
    expect(svg).toContain('>10,000<');
    expect(
      new Set(svg.match(/<polyline[^>]*stroke-dasharray="[^"]*"/g)?.map((line) => line.split('stroke="')[1])),
    ).toHaveProperty('size', 3);
  });
});

describe('the flags of the load generator', () => {
  test('have defaults that load the server of this project', () => {
    const flags = parseLoadFlags([]);
    expect(flags?.fleet).toMatchObject({ host: '127.0.0.1', port: 5683, devices: 1_000, mix: { update: 1 } });
  });

  test('register all at one instant where they are told so', () => {
    expect(parseLoadFlags(['--register-rate', 'all'])?.registerRate).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ['--server', 'localhost:5683'],
    ['--server', '127.0.0.1:0'],
    ['--rate', '0'],
    ['--rate', 'x'],
    ['--devices', '1.5'],
    ['--loss', '1.1'],
    ['--psk-key', '00'],
    ['--work', 'nothing'],
    ['--processes', '2000'],
    ['--no-such-flag', '1'],
  ])('%s %s is refused in one line', (flag, value) => {
    expect(() => parseLoadFlags([flag, value])).toThrow(/^[^\n]+$/);
  });

  test('ask for help, which tells of them', () => {
    expect(parseLoadFlags(['--help'])).toBeUndefined();
    for (const flag of ['--psk-identity', '--register-rate', '--ack-timeout', '--window', '--json'])
      expect(usage).toContain(flag);
  });
});
