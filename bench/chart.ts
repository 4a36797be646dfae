/** One bar of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Ours are told from others by colour. */
  readonly own: boolean;
}

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LABEL = 190;
const ROW = 22;
const HEAD = 30;
const COLOURS = { own: '#2563eb', other: '#94a3b8', text: '#334155', back: '#ffffff' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Horizontal bars by groups, each group with a scale of its own: SVG that needs nothing else. */
export function barChart(title: string, unit: string, groups: readonly BarGroup[]): string {
  const parts: string[] = [];
  let y = 34;
  const text = (x: number, at: number, content: string, more = ''): void => {
    parts.push(`<text x="${x}" y="${at}" ${more}>${escaped(content)}</text>`);
  };
  text(12, 22, title, 'font-size="15" font-weight="600"');
  for (const group of groups) {
    text(12, y + 18, group.title, 'font-weight="600"');
    y += HEAD;
    const longest = Math.max(...group.bars.map(({ value }) => value));
    for (const { label, value, own } of group.bars) {
      const width = Math.max(1, ((WIDTH - LABEL - 120) * value) / longest);
      text(LABEL - 8, y + 14, label, 'text-anchor="end"');
      parts.push(
        `<rect x="${LABEL}" y="${y + 2}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="2" fill="${own ? COLOURS.own : COLOURS.other}"/>`,
      );
      text(
        LABEL + Math.round(width) + 6,
        y + 14,
        `${value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1)} ${unit}`,
      );
      y += ROW;
    }
    y += 8;
  }
  return svg(title, WIDTH, y + 6, parts);
}

export interface Series {
  readonly label: string;
  readonly own: boolean;
  /** x and y. */
  readonly points: readonly (readonly [number, number])[];
}

/** What stands at the axes of a chart of lines. */
export interface Axes {
  readonly x: string;
  readonly y: string;
  /** Equal steps of x are equal ratios; else x begins at zero, as y always does. */
  readonly isLogarithmic?: boolean;
}

/** How lines of others are told from each other. */
const DASHES = ['none', '6 4', '2 3'];

/** Lines over one axis. */
export function lineChart(title: string, axes: Axes, series: readonly Series[]): string {
  const height = 280;
  const [left, right, top, bottom] = [64, 24, 40, 44];
  const all = series.flatMap(({ points }) => points);
  const xs = all.map(([x]) => x);
  const scale = axes.isLogarithmic === true ? logarithmic(xs) : linear(xs);
  const most = { y: Math.max(1e-9, ...all.map(([, y]) => y)) * 1.1 };
  const at = ([x, y]: readonly [number, number]): string =>
    `${(left + (WIDTH - left - right) * scale.share(x)).toFixed(1)},${(height - bottom - ((height - top - bottom) * y) / most.y).toFixed(1)}`;
  const parts = [
    `<text x="12" y="22" font-size="15" font-weight="600">${escaped(title)}</text>`,
    `<path d="M${left},${top}V${height - bottom}H${WIDTH - right}" fill="none" stroke="${COLOURS.text}"/>`,
  ];
  for (let step = 0; step <= 4; step++) {
    const y = (most.y * step) / 4;
    const [, lineY] = at([scale.marks[0] ?? 0, y]).split(',');
    parts.push(`<text x="${left - 6}" y="${Number(lineY) + 4}" text-anchor="end">${rounded(y)}</text>`);
  }
  for (const x of scale.marks) {
    const [lineX] = at([x, 0]).split(',');
    parts.push(`<text x="${lineX}" y="${height - bottom + 16}" text-anchor="middle">${rounded(x)}</text>`);
  }
  parts.push(
    `<text x="${WIDTH - right}" y="${height - 10}" text-anchor="end">${escaped(axes.x)}</text>`,
    `<text x="${left}" y="${top - 6}">${escaped(axes.y)}</text>`,
  );
  const seen = { own: 0, other: 0 };
  series.forEach(({ label, own, points }, index) => {
    const whose = own ? 'own' : 'other';
    const dash = DASHES[seen[whose]++ % DASHES.length];
    const stroke = `fill="none" stroke="${COLOURS[whose]}" stroke-width="1.8" stroke-dasharray="${dash}"`;
    const y = top + 14 + 16 * index;
    parts.push(
      `<polyline points="${points.map(at).join(' ')}" ${stroke}/>`,
      `<path d="M${WIDTH - right - 34},${y - 4}h30" ${stroke}/>`,
      `<text x="${WIDTH - right - 40}" y="${y}" text-anchor="end">${escaped(label)}</text>`,
    );
  });
  return svg(title, WIDTH, height, parts);
}

/** Where a value is on an axis, 0 to 1, and the values that are named at it. */
interface Scale {
  readonly share: (value: number) => number;
  readonly marks: readonly number[];
}

function linear(values: readonly number[]): Scale {
  const most = Math.max(1e-9, ...values);
  return { share: (value) => value / most, marks: [0, 1, 2, 3, 4].map((step) => (most * step) / 4) };
}

/** @param values above 0 */
function logarithmic(values: readonly number[]): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const range = Math.log(most / least) || 1;
  const marks: number[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(least)); decade <= most; decade *= 10) {
    marks.push(...[1, 2, 5].map((step) => step * decade).filter((x) => x >= least && x <= most));
  }
  return { share: (value) => Math.log(value / least) / range, marks };
}

function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(2)));
}

function svg(title: string, width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>text{fill:${COLOURS.text}}</style>`,
    `<rect width="${width}" height="${height}" fill="${COLOURS.back}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
