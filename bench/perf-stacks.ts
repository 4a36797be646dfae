/** What Linux `perf script` prints of a Node process, as stacks with names that people know. */
import { type Frame, rooms, type Stack } from './flame-graph.ts';

/** Of the event loop, outside of everything that it calls. */
const outermost = /^(_start|__libc_start|start_thread|clone3?|node::Start|uv_run|uv__thread_start)/;
/** Between what calls and what is called, and of no interest itself. */
const glue =
  /^(entry_SYSCALL|do_syscall_64|x64_sys_call|asm_|ret_from_fork|node::(Internal|AsyncWrap::)?MakeCallback|node::InternalCallbackScope|node::SpinEventLoop|node::NodeMainInstance|node::worker::Worker::Run)/;
const collecting =
  /^v8::internal::(\S*(Scaveng|MarkCompact|Sweep|Marking|Evacuat|GCTracer|GarbageCollect|Heap::Collect)|Heap::)/;

/** Where the project is: what is before its folders in the names of functions. */
export interface Places {
  /** An absolute path, without a slash at its end. */
  readonly root: string;
}

/** `JS:*'#write file:///…/server/telemetry/projection.ts:210:15`: how V8 names what it has compiled. */
function scriptFrame(symbol: string, { root }: Places): Frame | undefined {
  const named = /^JS:[*^+~']*(.*?) ?((?:file:\/\/|node:|\/)\S*):\d+$/.exec(symbol);
  if (named === null) return undefined;
  const [, name = '', place = ''] = named;
  const path = place.replace(/^file:\/\//, '').replace(`${root}/`, '');
  return scriptFrameOf(name, path);
}

/** @param path with a line: `server/telemetry/projection.ts:210`, `node:dgram:1099` */
export function scriptFrameOf(name: string, path: string): Frame {
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  const room = path.startsWith('node:')
    ? rooms.node
    : packaged !== undefined
      ? rooms.packages
      : path.startsWith('/')
        ? rooms.node
        : folderOf(path);
  const short = packaged === undefined ? path : path.replace(/^.*node_modules\//, '');
  return { name: `${name || '(anonymous)'} ${short.replace(/^\//, '')}`, room };
}

/** Two levels of our folders: `server/lwm2m`; `server` for a file right in it. */
function folderOf(path: string): string {
  const [first = '', ...others] = path.split('/');
  return others.length < 2 ? first : `${first}/${others[0]}`;
}

/** @param caller the room of what called it: SQLite's and the collector's own functions have names of all kinds */
function frameOf(symbol: string, object: string, caller: string, places: Places): Frame {
  const script = scriptFrame(symbol, places);
  if (script !== undefined) return script;
  const name = symbol.replace(/^__(?:x64|arm64)_sys_/, 'system call ').replaceAll(`${places.root}/`, '');
  if (object.startsWith('[kernel') || object.startsWith('[guest.kernel')) return { name, room: rooms.kernel };
  if (collecting.test(symbol)) return { name, room: rooms.garbage };
  if (symbol.startsWith('sqlite3')) return { name, room: rooms.sqlite };
  if (/^(v8|cppgc|heap)::|^Builtins_|^(Builtin|JS|RegExp|Stub|BytecodeHandler)[:.]/.test(symbol))
    return {
      name: symbol.startsWith('RegExp') ? 'a regular expression' : name,
      room: caller === rooms.garbage ? caller : rooms.v8,
    };
  if (/^(node::|uv_)/.test(symbol)) return { name, room: rooms.node };
  const isOfCaller = caller === rooms.sqlite || caller === rooms.garbage || caller === rooms.kernel;
  const room = isOfCaller ? caller : object.includes('perf-') ? rooms.v8 : rooms.node;
  return { name: symbol === '[unknown]' ? '(not named)' : name, room };
}

const own = (room: string): boolean => !(Object.values(rooms) as string[]).includes(room);

/**
 * Without what only leads from one call to the next: of several functions of the kernel, of SQLite and so on in a row the
 * outermost and the innermost stay, and V8 only where it does something itself.
 */
function told(frames: readonly Frame[]): Frame[] {
  const kept: Frame[] = [];
  for (let from = 0; from < frames.length; ) {
    const first = frames[from] as Frame;
    let to = from + 1;
    while (!own(first.room) && frames[to]?.room === first.room) to++;
    const isInnermost = to === frames.length;
    const last = frames[to - 1] as Frame;
    if (first.room !== rooms.v8 || isInnermost) kept.push(first);
    if (last.name !== first.name && (first.room !== rooms.v8 || isInnermost)) kept.push(last);
    from = to;
  }
  return kept;
}

/** @param text of `perf script -F comm,tid,ip,sym,dso` */
export function perfStacks(text: string, places: Places): Stack[] {
  const stacks = new Map<string, { readonly frames: Frame[]; weight: number }>();
  for (const sample of text.split('\n\n')) {
    const [head = '', ...lines] = sample.split('\n').filter((line) => line.trim() !== '');
    const thread = /^(.+?)\s+\d+\s*$/.exec(head)?.[1]?.trim();
    if (thread === undefined) continue;
    const frames: Frame[] = [];
    for (const line of lines.reverse()) {
      const [, symbol, object] = /^\s*[\da-f]+ (.*) \((.*?)\)$/.exec(line) ?? [];
      if (symbol === undefined || object === undefined) continue;
      if (outermost.test(symbol) || glue.test(symbol)) continue;
      frames.push(frameOf(symbol, object, frames.at(-1)?.room ?? '', places));
    }
    const whole = [{ name: threadName(thread), room: rooms.thread }, ...told(frames)];
    const key = whole.map(({ name, room }) => `${room}\t${name}`).join('\n');
    const known = stacks.get(key);
    if (known === undefined) stacks.set(key, { frames: whole, weight: 1 });
    else known.weight++;
  }
  return [...stacks.values()];
}

function threadName(thread: string): string {
  if (thread === 'MainThread' || thread === 'node') return 'main thread';
  if (thread === 'V8Worker') return "V8's helper threads";
  if (thread === 'libuv-worker') return "libuv's threads";
  return `${thread} thread`;
}

/**
 * V8 names each piece of code when it makes it, and tells nobody when the place is given to another one: of those that
 * overlap, the last one was there while it was sampled.
 * @param text of /tmp/perf-PID.map: start, size, name; hexadecimal
 */
export function newestCode(text: string): string {
  const pieces: { readonly start: number; readonly end: number; readonly line: string }[] = [];
  for (const line of text.split('\n')) {
    const [start = '', size = ''] = line.split(' ', 2);
    const at = Number.parseInt(start, 16);
    const length = Number.parseInt(size, 16);
    if (Number.isNaN(at) || Number.isNaN(length) || length === 0) continue;
    pieces.push({ start: at, end: at + length, line });
  }
  // From the newest on: what is taken already hides what was there before.
  const taken: { start: number; end: number }[] = [];
  const kept: string[] = [];
  const isFree = (start: number, end: number): boolean => {
    let [low, high] = [0, taken.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((taken[middle]?.end ?? 0) <= start) low = middle + 1;
      else high = middle;
    }
    if ((taken[low]?.start ?? Number.POSITIVE_INFINITY) < end) return false;
    taken.splice(low, 0, { start, end });
    return true;
  };
  for (const { start, end, line } of pieces.reverse()) if (isFree(start, end)) kept.push(line);
  return `${kept.reverse().join('\n')}\n`;
}
