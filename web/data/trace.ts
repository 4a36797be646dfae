import type { ApiClient } from './api-client.ts';
import type { ApiTraceAnswer, ApiTraceMessage } from './api-types.ts';
import { valueText } from './last-values.ts';
import { clipped } from './names.ts';
import { counted } from './numbers.ts';

export function fetchTrace(
  api: ApiClient,
  endpoint: string,
  query: { readonly limit: number; readonly after?: number },
  signal?: AbortSignal,
): Promise<ApiTraceAnswer> {
  return api.get(`${traceUrl(endpoint)}`, { ...query }, signal);
}

/** Where the trace is to be had as a file. */
export function traceFileUrl(endpoint: string, kind: 'pcapng' | 'text'): string {
  return `${traceUrl(endpoint)}/${kind}`;
}

function traceUrl(endpoint: string): string {
  return `/api/devices/${encodeURIComponent(endpoint)}/trace`;
}

/** Messages that a page holds at the most. */
export const mostMessages = 2000;

/** With others, which may be there already, in the order of their ids; the oldest go where there are too many. */
export function withMessages(
  messages: readonly ApiTraceMessage[],
  more: readonly ApiTraceMessage[],
): readonly ApiTraceMessage[] {
  if (more.length === 0) return messages;
  const last = messages.at(-1)?.id ?? -1;
  const follows = more.every(({ id }, at) => id > (more[at - 1]?.id ?? last));
  if (follows) return [...messages, ...more].slice(-mostMessages);
  const byId = new Map([...messages, ...more].map((message) => [message.id, message]));
  return [...byId.values()].sort((a, b) => a.id - b.id).slice(-mostMessages);
}

/** Something went wrong with it, or was needed twice. */
export function isTrouble({ malformed, type, code, retransmission, duplicate }: ApiTraceMessage): boolean {
  return (
    malformed !== undefined ||
    type === 'RST' ||
    isErrorCode(code) ||
    retransmission !== undefined ||
    duplicate === true
  );
}

/** 4.xx and 5.xx. */
export function isErrorCode(code: string | undefined): boolean {
  return code !== undefined && /^[45]\./.test(code);
}

/**
 * By message the exchange that it is part of: the id of the request, or of the notification, that began it. Request,
 * response, acknowledgements and repetitions have the same.
 */
export function exchangesOf(messages: readonly ApiTraceMessage[]): ReadonlyMap<number, number> {
  const exchanges = new Map<number, number>();
  /** By direction and message id, the first CON or NON with it: replies have the id of what they reply to. */
  const firsts = new Map<string, number>();
  for (const { id, answers, direction, type, messageId, retransmission, duplicate } of messages) {
    const key = `${direction} ${messageId}`;
    const repeats = retransmission !== undefined || duplicate === true;
    const origin = answers ?? (repeats ? firsts.get(key) : undefined);
    exchanges.set(id, origin === undefined ? id : (exchanges.get(origin) ?? origin));
    if (!repeats && (type === 'CON' || type === 'NON')) firsts.set(key, id);
  }
  return exchanges;
}

/** What is shown of the messages. */
export interface TraceFilter {
  /** A part of anything that the row shows, of a value, or of the hex. */
  readonly text: string;
  readonly direction: 'in' | 'out' | undefined;
  readonly types: readonly MessageType[];
  readonly trouble: boolean;
}

export const messageTypes = ['CON', 'NON', 'ACK', 'RST'] as const;
export type MessageType = (typeof messageTypes)[number];

export const everything: TraceFilter = { text: '', direction: undefined, types: [], trouble: false };

/** What a filter leaves; each word of the text has to be somewhere. */
export function filterMessages(
  messages: readonly ApiTraceMessage[],
  { text, direction, types, trouble }: TraceFilter,
): readonly ApiTraceMessage[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0 && direction === undefined && types.length === 0 && !trouble) return messages;
  return messages.filter((message) => {
    if (direction !== undefined && message.direction !== direction) return false;
    if (types.length > 0 && (message.type === undefined || !types.includes(message.type))) return false;
    if (trouble && !isTrouble(message)) return false;
    if (words.length === 0) return true;
    const searched = searchText(message);
    return words.every((word) => searched.includes(word));
  });
}

const searchTexts = new WeakMap<ApiTraceMessage, string>();

function searchText(message: ApiTraceMessage): string {
  const known = searchTexts.get(message);
  if (known !== undefined) return known;
  const { type, code, name, token, messageId, path, peer, malformed, options, payload, hex } = message;
  const { detail } = summaryOf(message);
  const parts = [type, code, name, token, messageId, path, detail, peer, malformed, hex];
  const carried = [
    ...options.map(({ name: option, value }) => `${option}: ${value}`),
    payload?.text,
    payload?.problem,
    ...(payload?.values ?? []).map((item) => `${item.path} ${item.name ?? ''} ${item.value}`),
    ...(payload?.links ?? []).map((link) => `${link.path} ${link.name ?? ''}`),
    ...(payload?.paths ?? []),
  ];
  const text = [...parts, ...carried].join('\n').toLowerCase();
  searchTexts.set(message, text);
  return text;
}

/** The filter, and the message that is open, in the address. */
export interface TraceView {
  readonly filter: TraceFilter;
  readonly message: number | undefined;
}

export function parseTraceView(query: string): TraceView {
  const parameters = new URLSearchParams(query);
  const direction = parameters.get('direction');
  const types = (parameters.get('type') ?? '').split(',');
  const message = Number(parameters.get('message'));
  return {
    filter: {
      text: parameters.get('q') ?? '',
      direction: direction === 'in' || direction === 'out' ? direction : undefined,
      types: messageTypes.filter((type) => types.includes(type)),
      trouble: parameters.has('trouble'),
    },
    message: Number.isSafeInteger(message) && message > 0 ? message : undefined,
  };
}

export function traceQuery({ filter, message }: TraceView): string {
  const parameters = new URLSearchParams();
  if (filter.text !== '') parameters.set('q', filter.text);
  if (filter.direction !== undefined) parameters.set('direction', filter.direction);
  if (filter.types.length > 0) parameters.set('type', filter.types.join(','));
  if (filter.trouble) parameters.set('trouble', '1');
  if (message !== undefined) parameters.set('message', String(message));
  return parameters.toString();
}

/** A message in a line: where it goes, and what it says. */
export function summaryOf(message: ApiTraceMessage): { readonly path: string; readonly detail: string } {
  const { malformed, path = '', options, payload, code, size } = message;
  if (malformed !== undefined) return { path: '', detail: `${malformed} · ${counted(size, 'byte')}` };
  const all = (name: string) => options.filter((option) => option.name === name).map(({ value }) => value);
  const isRequest = code?.startsWith('0.') === true;
  const details: string[] = [];
  const query = all('Uri-Query');
  if (query.length > 0) details.push(query.join(' · '));
  const location = all('Location-Path');
  if (location.length > 0) details.push(`at /${location.join('/')}`);
  const [observe] = all('Observe');
  if (observe !== undefined) details.push(observeText(observe, isRequest, message.type));
  const [block] = [...all('Block1'), ...all('Block2')];
  if (block !== undefined && payload?.fragment !== undefined) {
    details.push(`block ${payload.fragment.number}${payload.fragment.more ? '' : ', the last'}`);
  }
  if (payload !== undefined) details.push(payloadText(payload));
  return { path, detail: details.filter((detail) => detail !== '').join(' · ') };
}

function observeText(observe: string, isRequest: boolean, type: ApiTraceMessage['type']): string {
  if (!isRequest) return type === 'ACK' ? 'observed' : 'notification';
  return observe.startsWith('0') ? 'observe' : 'stop observing';
}

function payloadText(payload: NonNullable<ApiTraceMessage['payload']>): string {
  const { length, values, removed, links, paths, text, fragment, problem } = payload;
  if (fragment !== undefined) return counted(length, 'byte');
  if (problem !== undefined) return `unreadable: ${problem}`;
  const [value] = values ?? [];
  if (values !== undefined && value !== undefined && values.length === 1) {
    return clipped(valueText(value.path, value.value, value.units), 80);
  }
  if (values !== undefined && values.length > 0) return counted(values.length, 'value');
  if (removed !== undefined && removed.length > 0) return `removes ${removed.join(', ')}`;
  if (links !== undefined) return counted(links.length, 'link');
  if (paths !== undefined) return clipped(paths.join(', '), 120);
  return text === undefined ? counted(length, 'byte') : `“${clipped(text, 80)}”`;
}

/** One line of a hex dump: sixteen bytes. */
export interface HexLine {
  /** `0010` */
  readonly offset: string;
  readonly bytes: readonly { readonly hex: string; readonly character: string; readonly payload: boolean }[];
}

/** @param payloadLength bytes at the end of the whole datagram, of which `hex` may be the beginning */
export function hexLines(hex: string, size: number, payloadLength: number): readonly HexLine[] {
  const start = size - payloadLength;
  const lines: HexLine[] = [];
  for (let at = 0; at < hex.length / 2; at += 16) {
    const pairs = hex.slice(2 * at, 2 * at + 32).match(/../g) ?? [];
    lines.push({
      offset: at.toString(16).padStart(4, '0'),
      bytes: pairs.map((pair, index) => {
        const code = Number.parseInt(pair, 16);
        return {
          hex: pair,
          character: code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '·',
          payload: payloadLength > 0 && at + index >= start,
        };
      }),
    });
  }
  return lines;
}

/** `3.2 ms`, `1.25 s`. */
export function elapsedText(milliseconds: number): string {
  if (milliseconds < 1) return `${milliseconds.toFixed(2)}\u202fms`;
  if (milliseconds < 10) return `${milliseconds.toFixed(1)}\u202fms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)}\u202fms`;
  const seconds = milliseconds / 1000;
  return `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)}\u202fs`;
}
