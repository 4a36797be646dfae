import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type BarGroup, barChart } from './chart.ts';
import type { Cell } from './measure.ts';
import type { Results } from './results.ts';
import { circumstances, costs, generator, goalTable, memory } from './tables.ts';

const page = new URL('../docs/performance.md', import.meta.url);
const pictures = new URL('../docs/performance/', import.meta.url);

/** What stands between the marks of `name` in docs/performance.md becomes `text`. */
export function writeSection(name: string, text: string): void {
  const whole = readFileSync(page, 'utf8');
  const marked = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!marked.test(whole)) throw new Error(`docs/performance.md has no place for ${name}`);
  writeFileSync(
    page,
    whole.replace(marked, (_all, begin: string, end: string) => `${begin}\n${text}\n${end}`),
  );
}

export function writePicture(name: string, svg: string): void {
  mkdirSync(pictures, { recursive: true });
  writeFileSync(new URL(name, pictures), svg);
}

function groupsOf(cells: readonly Cell[], value: (cell: Cell) => number | undefined): BarGroup[] {
  const titles = [...new Set(cells.map(({ title }) => title))];
  return titles.flatMap((title) => {
    const bars = cells
      .filter((cell) => cell.title === title)
      .flatMap((cell) => {
        const figure = value(cell);
        return figure === undefined
          ? []
          : [{ label: cell.peer, value: figure, own: cell.peer.startsWith('Simyard') }];
      });
    return bars.length === 0 ? [] : [{ title, bars }];
  });
}

/** Tables and pictures of one run. */
export function writeDocument(results: Results): void {
  const { cells } = results;
  writePicture(
    'cpu.svg',
    barChart(
      'CPU of one exchange at the fixed rate',
      'µs',
      groupsOf(cells, ({ cpu }) => cpu.median),
    ),
  );
  writePicture(
    'flat-out.svg',
    barChart(
      'Exchanges a second and core, flat out',
      '/s',
      groupsOf(cells, ({ saturated }) => 1e6 / saturated.cpu),
    ),
  );
  writePicture(
    'memory.svg',
    barChart(
      'Heap for one idle registered device',
      'bytes',
      groupsOf(cells, ({ device }) => device),
    ),
  );
  writeSection('measured', section(results));
}

export function section(results: Results): string {
  return [
    costs(results),
    '',
    '![CPU of one exchange at the fixed rate](performance/cpu.svg)',
    '',
    '![Exchanges a second and core, flat out](performance/flat-out.svg)',
    '',
    memory(results),
    '',
    '![Heap for one idle registered device](performance/memory.svg)',
    '',
    goalTable(results),
    '',
    generator(results),
    '',
    circumstances(results),
  ].join('\n');
}
