import type { ApiClient } from './api-client.ts';
import type { ApiCommand, ApiEvent, ApiEventPage } from './api-types.ts';
import { bootstrapEventWords } from './bootstrap-words.ts';
import { credentialEventWords, refusalEventWords } from './credential-words.ts';
import type { IdentifierKind } from './identifiers.ts';
import { pathName } from './last-values.ts';
import { clipped } from './names.ts';
import { counted } from './numbers.ts';
import { outcomeWord, switchTitle } from './switch-progress.ts';
import { durationText } from './time.ts';

/** What the events of a device are about. */
export const eventCategories = [
  'registration',
  'security',
  'bootstrap',
  'observations',
  'commands',
  'inventory',
] as const;
export type EventCategory = (typeof eventCategories)[number];

export const categoryLabels: Readonly<Record<EventCategory, string>> = {
  registration: 'Registration',
  security: 'Security',
  bootstrap: 'Bootstrap',
  observations: 'Observations',
  commands: 'Commands',
  inventory: 'Inventory',
};

const typesOf: Readonly<Record<EventCategory, readonly string[]>> = {
  registration: ['registered', 'updated', 'deregistered', 'expired'],
  security: ['credential', 'refused'],
  bootstrap: ['bootstrap'],
  observations: ['observed', 'observation-ended', 'observation-refused', 'observation-drifted'],
  commands: ['command'],
  inventory: ['device'],
};

/** All that is told of a device. */
export const deviceEventTypes: readonly string[] = eventCategories.flatMap((category) => typesOf[category]);

/** What is shown of the events. */
export interface EventFilter {
  /** None: all. */
  readonly categories: readonly EventCategory[];
  readonly trouble: boolean;
}

export function parseEventFilter(query: string): EventFilter {
  const parameters = new URLSearchParams(query);
  const named = (parameters.get('about') ?? '').split(',');
  return {
    categories: eventCategories.filter((category) => named.includes(category)),
    trouble: parameters.has('trouble'),
  };
}

export function eventQuery({ categories, trouble }: EventFilter): string {
  const parameters = new URLSearchParams();
  if (categories.length > 0) parameters.set('about', categories.join(','));
  if (trouble) parameters.set('trouble', '1');
  return parameters.toString();
}

/** The event types that a filter leaves. */
export function typesFor({ categories }: EventFilter): readonly string[] {
  return categories.length === 0 ? deviceEventTypes : categories.flatMap((category) => typesOf[category]);
}

export function fetchDeviceEvents(
  api: ApiClient,
  endpoint: string,
  filter: EventFilter,
  page: { readonly limit: number; readonly before?: number },
  signal?: AbortSignal,
): Promise<ApiEventPage> {
  const { limit, before } = page;
  return api.get(
    '/api/event-log',
    {
      endpoint,
      types: typesFor(filter).join(','),
      limit,
      before,
      trouble: filter.trouble ? 'true' : undefined,
    },
    signal,
  );
}

/** With others, newest first, each once. */
export function withEvents(events: readonly ApiEvent[], more: readonly ApiEvent[]): readonly ApiEvent[] {
  const byId = new Map([...events, ...more].map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => b.id - a.id);
}

export type EventTone = 'good' | 'bad' | 'waiting' | 'plain' | 'quiet';

/** An event in words. */
export interface EventWords {
  readonly title: string;
  readonly detail: string;
  readonly tone: EventTone;
}

/** What happened, as one would say it. */
export function eventWords({ type, data }: ApiEvent): EventWords {
  switch (type) {
    case 'registered': {
      const title = data['replaced'] === true ? 'Registered anew' : 'Registered';
      return { title, detail: registrationText(data), tone: 'good' };
    }
    case 'updated':
      return { title: 'Registration renewed', detail: addressText(data), tone: 'quiet' };
    case 'deregistered':
      return { title: 'Left', detail: 'it ended its registration', tone: 'plain' };
    case 'expired': {
      const lifetime = registrationOf(data)['lifetime'];
      const whole = typeof lifetime === 'number' ? ` of ${durationText(lifetime * 1000)}` : '';
      return { title: 'Lost', detail: `it was not heard for its lifetime${whole}`, tone: 'bad' };
    }
    case 'observed':
      return { title: 'Observed', detail: `${placeText(data)}${originText(data)}`, tone: 'plain' };
    case 'observation-ended':
      return { title: 'No longer observed', detail: withReason(placeText(data), data), tone: 'plain' };
    case 'observation-refused':
      return { title: 'Observation refused', detail: withReason(placeText(data), data), tone: 'bad' };
    case 'observation-drifted':
      return {
        title: 'Observation not as it should be',
        detail: withReason(placeText(data), data),
        tone: 'waiting',
      };
    case 'command':
      return commandWords(data['command'] as ApiCommand | undefined);
    case 'credential':
      return credentialEventWords(data);
    case 'refused':
      return refusalEventWords(data);
    case 'bootstrap':
      return bootstrapEventWords(data);
    case 'device': {
      if (data['removed'] === true) return { title: 'Removed', detail: '', tone: 'plain' };
      const changes = Object.entries(attributesOf(data)).map(([name, value]) =>
        identifiers.has(name) ? attributeName(name) : `${attributeName(name)} ${attributeText(name, value)}`,
      );
      return { title: 'Changed', detail: changes.join(', '), tone: isSignalAlone(data) ? 'quiet' : 'plain' };
    }
    default:
      return { title: type, detail: '', tone: 'plain' };
  }
}

/** What tells of nothing but that the device is there, by its kind: several in a row are one row. */
function routineOf({ type, data }: ApiEvent): string | undefined {
  if (type === 'updated') return `updated ${addressOf(data)}`;
  return type === 'device' && isSignalAlone(data) ? 'signal' : undefined;
}

function isSignalAlone(data: ApiEvent['data']): boolean {
  return Object.keys(attributesOf(data)).join() === 'signal';
}

/** One row of the list: an event, or several of a kind in a row, such as renewals from the same address. */
export interface EventRow {
  /** The newest. */
  readonly event: ApiEvent;
  /** How many it stands for. */
  readonly count: number;
  /** When the oldest of them was. */
  readonly since: number;
  /** The device was at this address before, where it has moved. */
  readonly movedFrom: string | undefined;
}

/** The events of a day, newest first. */
export interface EventDay {
  /** `2026-01-31`, in the reader's time zone. */
  readonly day: string;
  readonly rows: readonly EventRow[];
}

/** @param events newest first */
export function eventDays(events: readonly ApiEvent[], timeZone?: string): readonly EventDay[] {
  const days: { day: string; rows: EventRow[] }[] = [];
  events.forEach((event, index) => {
    const day = dayOf(event.at, timeZone);
    let current = days.at(-1);
    if (current?.day !== day) {
      current = { day, rows: [] };
      days.push(current);
    }
    const movedFrom = event.type === 'updated' ? formerAddress(event, events.slice(index + 1)) : undefined;
    const last = current.rows.at(-1);
    const kind = routineOf(event);
    const joins =
      kind !== undefined &&
      last?.movedFrom === undefined &&
      last !== undefined &&
      routineOf(last.event) === kind;
    if (joins) {
      current.rows[current.rows.length - 1] = { ...last, count: last.count + 1, since: event.at, movedFrom };
    } else current.rows.push({ event, count: 1, since: event.at, movedFrom });
  });
  return days;
}

/** Undefined where it is the same, or not known. */
function formerAddress(event: ApiEvent, older: readonly ApiEvent[]): string | undefined {
  const before = older.find(({ type }) => type === 'updated' || type === 'registered');
  const former = before === undefined ? undefined : addressOf(before.data);
  return former !== undefined && former !== addressOf(event.data) ? former : undefined;
}

const dayFormats = new Map<string, Intl.DateTimeFormat>();

function dayOf(at: number, timeZone: string | undefined): string {
  let format = dayFormats.get(timeZone ?? '');
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      ...(timeZone !== undefined && { timeZone }),
    });
    dayFormats.set(timeZone ?? '', format);
  }
  return format.format(at);
}

/** `Today`, `Yesterday`, `Saturday, 31 January 2026`. */
export function dayLabel(day: string, now: number, timeZone?: string): string {
  if (day === dayOf(now, timeZone)) return 'Today';
  if (day === dayOf(now - 86_400_000, timeZone)) return 'Yesterday';
  const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' });
  return format.format(Date.parse(`${day}T00:00:00Z`));
}

/** What there is to know of an event beyond its words. */
export interface EventFact {
  readonly name: string;
  readonly value: string;
  /** It is shown by sy-identifier. */
  readonly identifier?: IdentifierKind;
}

export function eventFacts({ type, data }: ApiEvent): readonly EventFact[] {
  if (type === 'command') return commandFacts(data['command'] as ApiCommand | undefined);
  if (type === 'device') {
    return Object.entries(attributesOf(data)).map(([name, value]) => ({
      name: attributeName(name),
      value: attributeText(name, value),
      ...(identifiers.has(name) ? { identifier: name as IdentifierKind } : {}),
    }));
  }
  const { registration, ...rest } = data;
  if (registration === undefined) return plainFacts(rest);
  const { objects, profiles, ...members } = registrationOf(data);
  const listed = Array.isArray(objects) ? objects : [];
  return [
    ...plainFacts(members),
    ...plainFacts(rest),
    ...(Array.isArray(profiles) ? [{ name: 'Profiles', value: profiles.join(', ') }] : []),
    ...(listed.length === 0
      ? []
      : [{ name: 'Objects', value: listed.map((link: { path?: unknown }) => String(link.path)).join(' ') }]),
  ];
}

const identifiers = new Set(['iccid', 'imsi', 'imei']);

function plainFacts(members: Readonly<Record<string, unknown>>): EventFact[] {
  return Object.entries(members).map(([name, value]) => ({
    name: memberName(name),
    value: textOf(name, value),
  }));
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'number' && /At$/.test(name)) return new Date(value).toISOString();
  if (name === 'lifetime' && typeof value === 'number') return durationText(value * 1000);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `queueMode` as `Queue mode`. */
function memberName(name: string): string {
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function attributeText(name: string, value: unknown): string {
  if (name === 'tenant' && value === null) return 'none: the operator’s own';
  return name === 'signal' && typeof value === 'number'
    ? `${String(value).replace('-', '−')}\u202fdBm`
    : String(value);
}

const attributeNames: Readonly<Record<string, string>> = {
  iccid: 'ICCID',
  imsi: 'IMSI',
  imei: 'IMEI',
  firmwareVersion: 'Firmware',
};

function attributeName(name: string): string {
  return attributeNames[name] ?? memberName(name);
}

function attributesOf(data: ApiEvent['data']): Readonly<Record<string, unknown>> {
  return recordOf(data['attributes']);
}

function registrationOf(data: ApiEvent['data']): Readonly<Record<string, unknown>> {
  return recordOf(data['registration']);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function addressOf(data: ApiEvent['data']): string | undefined {
  const { address } = registrationOf(data);
  return typeof address === 'string' ? address : undefined;
}

function addressText(data: ApiEvent['data']): string {
  const address = addressOf(data);
  return address === undefined ? '' : `from ${address}`;
}

function registrationText(data: ApiEvent['data']): string {
  const { version, lifetime, queueMode, objects } = registrationOf(data);
  return [
    addressText(data),
    version === undefined ? '' : `LwM2M ${version}`,
    typeof lifetime === 'number' ? `for ${durationText(lifetime * 1000)}` : '',
    queueMode === true ? 'queue mode' : '',
    Array.isArray(objects) ? counted(objects.length, 'object') : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** The places that an observation is of, by name. */
function placeText(data: ApiEvent['data']): string {
  const { path, paths } = data;
  const all = typeof path === 'string' ? [path] : Array.isArray(paths) ? paths.map(String) : [];
  const [first] = all;
  if (first === undefined) return '';
  if (all.length > 1) return `${counted(all.length, 'path')} together: ${clipped(all.join(', '), 80)}`;
  const levels = first.split('/').filter(Boolean).length;
  if (levels === 0) return first;
  const { object, resource } = pathName(first);
  return `${first} ${levels < 3 ? object : `${object} · ${resource}`}`;
}

function originText({ origin }: ApiEvent['data']): string {
  return origin === 'policy' ? ' · as a policy wants it' : origin === 'api' ? ' · as was asked for' : '';
}

function withReason(text: string, { reason, code }: ApiEvent['data']): string {
  const why = [code, reason].filter((part) => typeof part === 'string' && part !== '').join(' ');
  return why === '' ? text : `${text} · ${why}`;
}

const stateTones: Readonly<Record<ApiCommand['state'], EventTone>> = {
  queued: 'waiting',
  sent: 'waiting',
  accepted: 'waiting',
  done: 'good',
  failed: 'bad',
  cancelled: 'plain',
  expired: 'bad',
  unknown: 'bad',
};

const stateWords: Readonly<Record<ApiCommand['state'], string>> = {
  queued: 'queued',
  sent: 'sent to the device',
  accepted: 'the device works on it',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
  expired: 'expired before it was sent',
  unknown: 'nobody can tell how it ended',
};

function commandWords(command: ApiCommand | undefined): EventWords {
  if (command === undefined) return { title: 'Command', detail: '', tone: 'plain' };
  const { kind, state, reason } = command;
  const isSwitch = kind === 'carrier-switch';
  const word =
    isSwitch && (state === 'done' || state === 'failed')
      ? `${stateWords[state]} · ${outcomeWord(command)}`
      : stateWords[state];
  return {
    title: isSwitch ? switchTitle(command) : requestTitle(command),
    detail: reason === undefined || reason === '' ? word : `${word} · ${reason}`,
    tone: stateTones[state],
  };
}

/** `Read /3/0/9`. */
function requestTitle({ kind, parameters }: ApiCommand): string {
  const { operation, path, paths } = parameters;
  if (kind !== 'request' || typeof operation !== 'string') return memberName(kind);
  const where = typeof path === 'string' ? path : Array.isArray(paths) ? paths.join(', ') : '';
  return clipped(`${memberName(operation.replaceAll('-', ' '))} ${where}`.trim(), 80);
}

function commandFacts(command: ApiCommand | undefined): readonly EventFact[] {
  if (command === undefined) return [];
  const { id, number, attempts, job, parameters, result } = command;
  return [
    { name: 'Command', value: id },
    { name: 'Number', value: String(number) },
    { name: 'Attempts', value: String(attempts) },
    ...(job === undefined ? [] : [{ name: 'Job', value: job }]),
    ...plainFacts(parameters),
    ...(result === undefined ? [] : [{ name: 'Result', value: JSON.stringify(result) }]),
  ];
}
