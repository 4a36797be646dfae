import { describe, expect, test } from 'vitest';
import { barChart, lineChart } from '../../bench/chart.ts';
import { goals } from '../../bench/goals.ts';
import { parseLoadFlags, usage } from '../../bench/load/flags.ts';
import { type Cell, spreadOf } from '../../bench/measure.ts';
import type { Results } from '../../bench/results.ts';
import { circumstances, costs } from '../../bench/tables.ts';

const latency = { count: 10, mean: 1, p50: 1, p95: 2, p99: 3, max: 4 };

function cell(title: string, peer: string, cpu: number, change: Partial<Cell> = {}): Cell {
  return {
    ...{ title, peer, work: 'register', readings: 1, devices: 1_000, rate: 4_000, done: 4_000, latency },
    cpu: { median: cpu, least: cpu, most: cpu },
    saturated: { rate: 10_000, cpu, load: 5 },
    ...{ retransmissions: 0, failed: 0, skipped: 0, peakMemory: 2 ** 27, heap: 2 ** 26, machineLoad: 0.1 },
    load: { cpu: 5, core: 0.1 },
    ...change,
  };
}

const echo = cell('datagram in and out', 'raw UDP echo', 6, { work: 'echo' });

describe('the promises', () => {
  test('are held against both sides of the same run, kept or missed', () => {
    const found = goals([
      echo,
      cell('registration', 'Leshan, in memory', 90),
      cell('registration', 'Simyard, in memory', 30),
      cell('update', 'Leshan, in memory', 40, { device: 6_000 }),
      cell('update', 'Simyard, in memory', 30, { device: 2_000 }),
      cell('confirmable notification, 1 reading', 'Simyard, on disk', 16),
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

  test('of which one side is missing are not told', () => {
    expect(goals([echo, cell('registration', 'Simyard, in memory', 30)])).toEqual([]);
  });
});

describe('the tables', () => {
  const results: Results = {
    version: 1,
    ...{ when: '2026-01-01T00:00:00.000Z', runs: 3, seconds: 5 },
    set: 'short',
    machine: { cpu: 'C', cores: 2, memoryGib: 8, kernel: '6', node: 'v24', loadBefore: 0, loadAfter: 1 },
    cells: [
      echo,
      cell('update', 'slow', 30, { done: 2_000, failed: 3 }),
      cell('update', 'starved', 60, { load: { cpu: 200, core: 0.95 } }),
    ],
    missing: [{ peer: 'Leshan, in memory', reason: 'mvn is not installed' }],
  };

  test('show each server as a multiple of the floor, and what was wrong with a run', () => {
    const [, , , slow = '', starved = ''] = costs(results).split('\n');
    expect(slow).toContain('| 30.0 (30.0–30.0) | 5.0 |');
    expect(slow).toContain('3 failed; did not keep up: 2,000/s');
    expect(starved).toContain('starved by the load generator');
  });

  test('name who could not run, with the reason', () => {
    expect(circumstances(results)).toContain('**Leshan, in memory could not run: mvn is not installed.**');
  });

  test('tell the middle of several runs', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 });
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
