import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/root.ts';

const page = readFileSync(join(root, 'docs/conformance.md'), 'utf8');

interface Case {
  readonly id: string;
  readonly judges: string;
  readonly status: string;
}

const cases: readonly Case[] = page
  .split('\n')
  .filter((line) => /^\| (1\.2-)?\d+ \|/.test(line))
  .map((line) => {
    const [id = '', , judges = '', ...status] = line.slice(2, -2).split(' | ');
    return { id, judges, status: status.join(' | ') };
  });

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));

/** Every case of the Enabler Test Specification (INT 1.1, 1.2, 1.2.1) that has a number of its own. */
const all = [
  ...range(0, 10),
  ...['1.2-11', '1.2-12', '1.2-19'],
  ...range(101, 109),
  ...['1.2-110', '1.2-111'],
  ...range(201, 205),
  ...['210', '211', '212', '215'],
  ...range(220, 237),
  ...['241', '256', '257', '260', '261', '1.2-264', '1.2-266', '270', '271', '280', '281', '290'],
  ...range(301, 311),
  ...['1.2-312', '1.2-313'],
  ...range(401, 406),
  ...['551', '555', '556', '560', '565', '566'],
  ...['651', '652', '655', '656', '657', '660', '661', '670', '680', '685'],
  ...['701', '710'],
  ...['751', '755', '756', '760', ...range(770, 780)],
  ...['801', '810', '901', '905', '910', '950', '951'],
  ...range(1200, 1204),
  ...['1250', '1350', '1630', '1635', '1900', '1901', '2000', '2001'],
];

/** What is not built yet; all else has to pass. */
const others = new Set(['2', '3', '10', '1.2-11', '1.2-19', '106', ...range(404, 406)]);

describe('the page of conformance', () => {
  it('has every case once, in order', () => {
    expect(cases.map(({ id }) => id)).toEqual(all);
  });

  it.each(cases.filter(({ status }) => status.startsWith('passed')))(
    'names a test that is there: $id',
    ({ status }) => {
      const [, file = '', name = ''] =
        /^passed: \[[^\]]+\]\(\.\.\/(test\/[^)]+)\) `([^`]+)`$/.exec(status) ?? [];
      expect(file, status).not.toBe('');
      expect(existsSync(join(root, file)), file).toBe(true);
      const source = readFileSync(join(root, file), 'utf8');
      // As a test's title, in quotes: a word in a comment is no test.
      expect(
        [`'${name}'`, `"${name}"`, `\`${name}\``].some((title) => source.includes(title)),
        name,
      ).toBe(true);
      expect(file).toMatch(/\.test\.ts$/);
    },
  );

  it('says of each case what it judges, and why it is not passed', () => {
    for (const { id, judges, status } of cases) {
      expect(['server', 'client', 'both'], id).toContain(judges);
      expect(status, id).toMatch(/^(passed: \[|not applicable: .{10,}|not yet: .{5,})/);
    }
  });

  it('leaves nothing for later but what belongs to other transports, certificates, smart cards, EST and OSCORE', () => {
    for (const { id, status } of cases) expect(status.startsWith('not yet'), id).toBe(others.has(id));
  });

  it('counts right', () => {
    const count = (status: string): number => cases.filter((each) => each.status.startsWith(status)).length;
    expect(page).toContain(
      `${count('passed')} passed, ${count('not applicable')} not applicable, ${count('not yet')} not yet.`,
    );
  });
});

describe('the page of tolerance', () => {
  const rows = readFileSync(join(root, 'docs/tolerance.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| the standard'));

  it('has a test in every row, which is there', () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const [, file = '', name = ''] = /\| \[[^\]]+\]\(\.\.\/(test\/[^)]+)\) `([^`]+)` \|$/.exec(row) ?? [];
      expect(file, row).not.toBe('');
      const source = readFileSync(join(root, file), 'utf8');
      expect(
        [`'${name}'`, `"${name}"`, `\`${name}\``].some((title) => source.includes(title)),
        name,
      ).toBe(true);
    }
  });
});
