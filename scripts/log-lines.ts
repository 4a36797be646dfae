const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** What every line of pino carries, and a person at a terminal has no use for. */
const noise = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'part']);

/**
 * A line of structured log as a person reads it: time of day, level where it is not info, part, message, and what
 * else it says as `key=value`. Any other line stays as it is.
 */
export function readable(line: string): string {
  const entry = parse(line);
  if (entry === undefined) return line;
  const { level, time, msg, part } = entry;
  const parts: string[] = [];
  if (typeof time === 'number') parts.push(new Date(time).toISOString().slice(11, 19));
  else if (typeof time === 'string') parts.push(time.slice(11, 19));
  const label = typeof level === 'number' ? (levels[level] ?? String(level)) : level;
  if (typeof label === 'string' && label !== 'info') parts.push(label.toUpperCase());
  if (typeof part === 'string') parts.push(`${part}:`);
  if (typeof msg === 'string') parts.push(msg);
  for (const [key, value] of Object.entries(entry)) if (!noise.has(key)) parts.push(`${key}=${show(value)}`);
  return parts.join(' ');
}

/**
 * Cuts a stream into lines, and gives each to `onLine` without its end; call the result's `end` for an unfinished last
 * line. A line longer than 64 KiB is cut, so that a program gone wild does not fill our memory.
 */
export function lineCutter(onLine: (line: string) => void): { push(text: string): void; end(): void } {
  const longest = 65_536;
  let rest = '';
  return {
    push(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
      while (rest.length > longest) {
        onLine(rest.slice(0, longest));
        rest = rest.slice(longest);
      }
    },
    end() {
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Not every line that begins with a brace is JSON: such a line is shown as it is.
    return undefined;
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return /[\s"]/.test(value) ? JSON.stringify(value) : value;
  if (typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string') {
    return value.stack;
  }
  return JSON.stringify(value);
}
