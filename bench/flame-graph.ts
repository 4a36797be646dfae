/** One function of a stack. */
export interface Frame {
  readonly name: string;
  /** Where it is from: `kernel`, `SQLite`, `server/lwm2m`. */
  readonly room: string;
}

/** A stack, outermost first, and how often it was seen, or for how long. */
export interface Stack {
  readonly frames: readonly Frame[];
  readonly weight: number;
}

/** Rooms that are not ours. */
export const rooms = {
  thread: 'thread',
  kernel: 'kernel',
  node: 'node, libuv, libc',
  v8: 'V8',
  /** Where nothing tells whose they are: of V8, of node, of SQLite, with the kernel's part. */
  native: 'native functions',
  garbage: 'garbage collection',
  sqlite: 'SQLite',
  packages: 'packages',
} as const;

const COLOURS: Readonly<Record<string, string>> = {
  [rooms.thread]: '#e2e8f0',
  [rooms.kernel]: '#fdba74',
  [rooms.node]: '#bbf7d0',
  [rooms.v8]: '#cbd5e1',
  [rooms.native]: '#d6d3d1',
  [rooms.garbage]: '#fca5a5',
  [rooms.sqlite]: '#d8b4fe',
  [rooms.packages]: '#fde68a',
};
/** Of our folders, from the heaviest on; those that are left share the last one. */
const OWN = ['#60a5fa', '#67e8f9', '#a5b4fc', '#7dd3fc', '#93c5fd', '#5eead4', '#bfdbfe'];

const WIDTH = 1_200;
const MARGIN = 10;
const ROW = 18;
const FONT = 11;
/** Of a sign in a monospaced font of that size. */
const SIGN = FONT * 0.602;
/** Boxes that are not as wide are left out. */
const NARROWEST = 0.8;
/** Of what calls the same, functions of one room whose boxes are not as wide share one. */
const SHARED = 12;
/** Rooms that did less themselves are summed up in the legend. */
const SMALL = 0.005;
const HEAD = 34;

interface Box {
  readonly frame: Frame;
  weight: number;
  readonly children: Map<string, Box>;
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** Stacks that begin alike share their boxes. */
function grown(stacks: readonly Stack[]): Box {
  const root: Box = { frame: { name: 'all', room: rooms.thread }, weight: 0, children: new Map() };
  for (const { frames, weight } of stacks) {
    root.weight += weight;
    let box = root;
    for (const frame of frames) {
      const key = `${frame.room}\n${frame.name}`;
      let child = box.children.get(key);
      if (child === undefined) {
        child = { frame, weight: 0, children: new Map() };
        box.children.set(key, child);
      }
      child.weight += weight;
      box = child;
    }
  }
  return root;
}

/** The widest first; of those below `shared`, functions of one room become one box. */
function gathered(children: readonly Box[], shared: number): Box[] {
  const wide = children.filter(({ weight }) => weight >= shared);
  const narrow = Map.groupBy(
    children.filter(({ weight }) => weight < shared),
    ({ frame }) => frame.room,
  );
  const together = [...narrow].map(([room, boxes]): Box => {
    const [first] = boxes;
    if (boxes.length === 1 && first !== undefined) return first;
    const weight = boxes.reduce((sum, box) => sum + box.weight, 0);
    return { frame: { name: `${boxes.length} functions`, room }, weight, children: new Map() };
  });
  return [...wide, ...together].sort((a, b) => b.weight - a.weight);
}

/** Share of the time by the room of the innermost function, the largest first. */
export function shares(stacks: readonly Stack[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  let total = 0;
  for (const { frames, weight } of stacks) {
    const room = frames.at(-1)?.room ?? rooms.thread;
    sums.set(room, (sums.get(room) ?? 0) + weight);
    total += weight;
  }
  return new Map([...sums].sort(([, a], [, b]) => b - a).map(([room, sum]) => [room, sum / total]));
}

function coloursOf(found: ReadonlyMap<string, number>): (room: string) => string {
  const own = [...found.keys()].filter((room) => COLOURS[room] === undefined);
  const colourOf = (place: number): string => OWN[place] ?? (OWN.at(-1) as string);
  return (room) => COLOURS[room] ?? colourOf(own.indexOf(room));
}

/**
 * A flame graph: what stands on a box was called by it, a box is as wide as its share of the time, and the colour says whose
 * code it is. An SVG without scripts: a box tells its name and share where the pointer rests on it.
 */
export function flameGraph(title: string, stacks: readonly Stack[]): string {
  const root = grown(stacks);
  const found = shares(stacks);
  const colour = coloursOf(found);
  const scale = (WIDTH - 2 * MARGIN) / root.weight;
  const boxes: { readonly box: Box; readonly x: number; readonly level: number }[] = [];
  const lay = (box: Box, x: number, level: number): void => {
    if (box.weight * scale < NARROWEST) return;
    boxes.push({ box, x, level });
    let at = x;
    for (const child of gathered([...box.children.values()], SHARED / scale)) {
      lay(child, at, level + 1);
      at += child.weight * scale;
    }
  };
  lay(root, MARGIN, 0);
  const legend = legendOf(found, colour);
  const top = HEAD + legend.height;
  const levels = Math.max(...boxes.map(({ level }) => level)) + 1;
  const height = top + levels * ROW + MARGIN;
  const drawn = boxes.map(({ box: { frame, weight }, x, level }) => {
    const y = top + (levels - 1 - level) * ROW;
    const width = weight * scale;
    const about = `${frame.name} (${frame.room}), ${percent(weight / root.weight)}`;
    const signs = Math.floor((width - 6) / SIGN);
    const label = signs < 3 ? '' : clipped(frame.name, signs);
    return [
      `<g><title>${escaped(about)}</title>`,
      `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${colour(frame.room)}"/>`,
      label === '' ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + 12.5}">${escaped(label)}</text>`,
      '</g>',
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT}" role="img">`,
    `<title>${escaped(title)}</title>`,
    '<style>text{fill:#0f172a}</style>',
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="22" font-family="system-ui, sans-serif" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...legend.parts,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function clipped(name: string, signs: number): string {
  return name.length <= signs ? name : `${name.slice(0, signs - 1)}…`;
}

/** What the colours mean, with what each room did itself, in as many lines as it takes. */
function legendOf(found: ReadonlyMap<string, number>, colour: (room: string) => string) {
  const parts: string[] = [];
  let [x, y] = [MARGIN, HEAD + 12];
  const named = [...found].filter(([, share]) => share >= SMALL);
  const rest = 1 - named.reduce((sum, [, share]) => sum + share, 0);
  const labels = named.map(([room, share]) => ({ room, label: `${room} ${percent(share)}` }));
  if (found.size > named.length) labels.push({ room: '', label: `others ${percent(rest)}` });
  for (const { room, label } of labels) {
    const width = 16 + label.length * SIGN + 18;
    if (x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + ROW];
    parts.push(
      `<rect x="${x.toFixed(1)}" y="${y - 10}" width="12" height="12" fill="${colour(room)}"/>`,
      `<text x="${(x + 16).toFixed(1)}" y="${y}">${escaped(label)}</text>`,
    );
    x += width;
  }
  return { parts, height: y - HEAD + 14 };
}
