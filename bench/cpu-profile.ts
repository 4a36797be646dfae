/** What a `.cpuprofile` of V8 says, as text and as stacks: times in share of what the thread was busy. */
import { type Frame, rooms as foreign, type Stack } from './flame-graph.ts';
import { scriptFrameOf } from './perf-stacks.ts';

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Node that ran, by sample. */
  readonly samples: readonly number[];
  /** µs since the sample before, by sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** The thread waits, or V8 has not begun. */
const idle = new Set(['(idle)', '(root)']);

/** µs that each node ran itself. */
function selfTimes({ samples, timeDeltas }: CpuProfile): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  samples.forEach((id, index) => {
    // A sample's node ran until the next one.
    const ran = timeDeltas[index + 1] ?? 0;
    times.set(id, (times.get(id) ?? 0) + ran);
  });
  return times;
}

function busyTime(profile: CpuProfile, times: ReadonlyMap<number, number>): number {
  let busy = 0;
  for (const { id, callFrame } of profile.nodes)
    if (!idle.has(callFrame.functionName)) busy += times.get(id) ?? 0;
  return busy;
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^file:\/\//, '').replace(`${process.cwd()}/`, '');
  return `${functionName || '(anonymous)'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`;
}

/** Where a function is from: a folder of ours, a package, node, or V8. */
function roomOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return `node:${url.slice(5).split('/').slice(0, 2).join('/')}`;
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (packaged !== undefined) return `package ${packaged}`;
  const path = url.replace(/^file:\/\//, '').replace(`${process.cwd()}/`, '');
  return path.split('/').slice(0, 2).join('/');
}

function table(times: ReadonlyMap<string, number>, busy: number, top: number): string {
  return [...times]
    .filter(([, time]) => time > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, top)
    .map(([name, time]) => `${((time / busy) * 100).toFixed(1).padStart(6)} %  ${name}`)
    .join('\n');
}

function sums(profile: CpuProfile, keyOf: (node: ProfileNode) => string): ReadonlyMap<string, number> {
  const times = selfTimes(profile);
  const found = new Map<string, number>();
  for (const node of profile.nodes) {
    if (idle.has(node.callFrame.functionName)) continue;
    const key = keyOf(node);
    found.set(key, (found.get(key) ?? 0) + (times.get(node.id) ?? 0));
  }
  return found;
}

/** Self time by room. */
export function rooms(profile: CpuProfile, top = 25): string {
  const busy = busyTime(profile, selfTimes(profile));
  return `busy ${(busy / 1e6).toFixed(2)} s\n${table(sums(profile, roomOf), busy, top)}`;
}

/** Self time by function. */
export function heaviest(profile: CpuProfile, top: number): string {
  const busy = busyTime(profile, selfTimes(profile));
  return table(sums(profile, nameOf), busy, top);
}

/** Time by function, with all it calls; what calls itself counts once. */
export function inclusive(profile: CpuProfile, top: number): string {
  const times = selfTimes(profile);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const found = new Map<string, number>();
  const open = new Set<string>();
  const visit = (node: ProfileNode): number => {
    const name = nameOf(node);
    const isOutermost = !open.has(name);
    if (isOutermost) open.add(name);
    let total = times.get(node.id) ?? 0;
    for (const child of node.children ?? []) total += visit(nodes.get(child) as ProfileNode);
    if (isOutermost) {
      open.delete(name);
      if (!idle.has(node.callFrame.functionName)) found.set(name, (found.get(name) ?? 0) + total);
    }
    return total;
  };
  const [root] = profile.nodes;
  if (root !== undefined) visit(root);
  return table(found, busyTime(profile, times), top);
}

/** As stacks for a flame graph; V8 knows nothing of the kernel and of SQLite, and counts them to what called them. */
export function stacksOf(profile: CpuProfile, thread: string): Stack[] {
  const times = selfTimes(profile);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const found: Stack[] = [];
  const visit = (node: ProfileNode, above: readonly Frame[]): void => {
    if (node.callFrame.functionName === '(idle)') return;
    const frames = node.callFrame.functionName === '(root)' ? above : [...above, frameOf(node)];
    const weight = times.get(node.id) ?? 0;
    if (weight > 0) found.push({ frames, weight });
    for (const child of node.children ?? []) visit(nodes.get(child) as ProfileNode, frames);
  };
  const [root] = profile.nodes;
  if (root !== undefined) visit(root, [{ name: thread, room: foreign.thread }]);
  return found;
}

function frameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): Frame {
  if (url === '') {
    const room =
      functionName === '(garbage collector)'
        ? foreign.garbage
        : functionName === '(program)'
          ? foreign.node
          : foreign.native;
    return { name: functionName || '(not named)', room };
  }
  const path = url.replace(/^file:\/\//, '').replace(`${process.cwd()}/`, '');
  return scriptFrameOf(functionName, `${path}:${lineNumber + 1}`);
}
