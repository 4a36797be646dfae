import type { ApiTraceMessage, ApiTracePayload } from './schemas.ts';

/** A trace as a person reads it, or sends it to another: a line for each message, and below it what it carries. */
export function traceText(endpoint: string, since: number, items: readonly ApiTraceMessage[]): string {
  const head = `# CoAP messages of ${endpoint}, kept since ${iso(since)}. < from the device, > to it\n`;
  return head + items.map(messageText).join('');
}

function messageText(message: ApiTraceMessage): string {
  const { at, direction, peer, size, malformed, type, code, name, messageId, token, hex } = message;
  const lead = `${iso(at)} ${direction === 'in' ? '<' : '>'} ${peer}`;
  if (malformed !== undefined) return `${lead} malformed: ${malformed} (${size} bytes)\n    ${hex}\n`;
  const parts = [
    `${lead} ${type} ${code} ${name} mid=${messageId}`,
    ...(token === '' ? [] : [`token=${token}`]),
    ...(message.path === undefined ? [] : [message.path]),
    `(${size} bytes)`,
    ...(message.retransmission === undefined ? [] : [`retransmission ${message.retransmission}`]),
    ...(message.duplicate === true ? ['duplicate'] : []),
    ...(message.elapsed === undefined ? [] : [`after ${message.elapsed} ms`]),
  ];
  const options = message.options.map((option) => `    ${option.name}: ${option.value}\n`);
  const payload = message.payload === undefined ? [] : payloadLines(message.payload, hex);
  return `${parts.join(' ')}\n${options.join('')}${payload.map((line) => `    ${line}\n`).join('')}`;
}

function payloadLines(payload: ApiTracePayload, hex: string): string[] {
  const { length, values = [], removed = [], links, paths, text, fragment, problem } = payload;
  const lines = [
    `payload: ${length} bytes${fragment === undefined ? '' : `, block ${fragment.number} of a body`}`,
    ...(problem === undefined ? [] : [`cannot be read: ${problem}`]),
    ...values.map(({ path, value, name, units, takenAt }) => {
      const what = name === undefined ? '' : ` (${name})`;
      const unit = units === undefined ? '' : ` ${units}`;
      return `${path}${what} = ${value}${unit}${takenAt === undefined ? '' : ` at ${iso(takenAt)}`}`;
    }),
    ...removed.map((path) => `${path} is removed`),
    ...(links ?? []).map((link) => `<${link.path}>${attributesText(link.attributes)}`),
    ...(paths ?? []),
  ];
  if (values.length > 0 || links !== undefined || paths !== undefined || removed.length > 0) return lines;
  if (text !== undefined) return [...lines, ...text.split(/\r?\n/).map(printable)];
  return [...lines, hex.slice(-2 * length)];
}

function attributesText(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => (value === '' ? `;${name}` : `;${name}="${value}"`))
    .join('');
}

/** A device's text must not move the cursor of who reads it in a terminal. */
function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** To the microsecond, in UTC. */
function iso(at: number): string {
  const micros = Math.round((at - Math.floor(at)) * 1000);
  return new Date(Math.floor(at)).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}
