import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type BarGroup, barChart, lineChart } from './chart.ts';
import type { Cell } from './measure.ts';
import type { Results } from './results.ts';
import { byRate, circumstances, costs, generator, goalTable, memory, readings } from './tables.ts';

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

const rateChartTitle = (title: string): string => `CPU of one exchange by how many come at a time: ${title}`;

/** Files of the pictures of a run: the whole set has its own beside those of the short one. */
function picturesOf({ set }: Results) {
  const before = set === 'full' ? 'full-' : '';
  const kind = (title: string): string => /[a-z]+$/.exec(title.split(',')[0] ?? '')?.[0] ?? '';
  return {
    ...{ cpu: `${before}cpu.svg`, flatOut: `${before}flat-out.svg`, memory: `${before}memory.svg` },
    rates: (title: string): string => `${before}rates-${kind(title)}.svg`,
  };
}

/** Tables and pictures of one run of the short or the whole set, each in its part of the page. */
export function writeDocument(results: Results): void {
  const { cells } = results;
  const files = picturesOf(results);
  writePicture(
    files.cpu,
    barChart(
      'CPU of one exchange at the fixed rate',
      'µs',
      groupsOf(cells, ({ cpu }) => cpu.median),
    ),
  );
  writePicture(
    files.flatOut,
    barChart(
      'Exchanges a second and core, flat out',
      '/s',
      groupsOf(cells, ({ saturated }) => 1e6 / saturated.cpu),
    ),
  );
  writePicture(
    files.memory,
    barChart(
      'Heap for one idle registered device',
      'bytes',
      groupsOf(cells, ({ device }) => device),
    ),
  );
  for (const title of ratedTitles(cells)) {
    const series = cells
      .filter((cell) => cell.title === title && cell.otherRates !== undefined)
      .map((cell) => ({
        label: cell.peer,
        own: cell.peer.startsWith('Simyard'),
        points: ratePoints(cell),
      }));
    const axes = { x: 'exchanges a second, the last one flat out', y: 'µs', isLogarithmic: true };
    writePicture(files.rates(title), lineChart(rateChartTitle(title), axes, series));
  }
  writeSection(results.set === 'full' ? 'whole' : 'measured', section(results));
}

/** Works that were looked at at several rates. */
function ratedTitles(cells: readonly Cell[]): string[] {
  const rated = cells.filter(({ otherRates }) => otherRates !== undefined);
  return [...new Set(rated.map(({ title }) => title))];
}

/** Rate and CPU, from the lowest rate to flat out. */
function ratePoints({ rate, cpu, otherRates = [], saturated, done }: Cell): [number, number][] {
  const paced = [{ rate, done, cpu: cpu.median }, ...otherRates].map((point): [number, number] => [
    point.done,
    point.cpu,
  ]);
  return [...paced, [saturated.rate, saturated.cpu] as [number, number]].sort(([a], [b]) => a - b);
}

/** Paragraphs with what stands between them; nothing where the first one is empty. */
function parts(...paragraphs: readonly string[]): string[] {
  return paragraphs[0] === '' ? [] : paragraphs.flatMap((paragraph) => [paragraph, '']);
}

export function section(results: Results): string {
  const files = picturesOf(results);
  const picture = (title: string, file: string): string => `![${title}](performance/${file})`;
  return [
    ...parts(
      costs(results),
      picture('CPU of one exchange at the fixed rate', files.cpu),
      picture('Exchanges a second and core, flat out', files.flatOut),
    ),
    ...parts(readings(results)),
    ...parts(
      byRate(results),
      ...ratedTitles(results.cells).map((title) => picture(rateChartTitle(title), files.rates(title))),
    ),
    ...parts(memory(results), picture('Heap for one idle registered device', files.memory)),
    ...parts(goalTable(results), generator(results)),
    circumstances(results),
  ].join('\n');
}
