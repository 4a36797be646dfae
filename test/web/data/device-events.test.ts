import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../../server/events.ts';
import type { ApiEvent } from '../../../web/data/api-types.ts';
import {
  dayLabel,
  deviceEventTypes,
  eventDays,
  eventFacts,
  eventQuery,
  eventWords,
  parseEventFilter,
  typesFor,
  withEvents,
} from '../../../web/data/device-events.ts';

const noon = Date.UTC(2026, 0, 31, 12);

function event(id: number, type: string, data: ApiEvent['data'] = {}, at = noon + id): ApiEvent {
  return { id, type, endpoint: 'modem-1', at, data };
}

const registration = (address: string) => ({
  registration: { address, version: '1.1', lifetime: 300, queueMode: true, objects: [{ path: '/3/0' }] },
});

const command = (fields: object) => ({
  command: {
    id: 'c1',
    endpoint: 'modem-1',
    number: 4,
    kind: 'carrier-switch',
    parameters: { carrier: 1, name: 'T-Mobile' },
    attempts: 1,
    createdAt: noon,
    updatedAt: noon,
    expiresAt: noon,
    history: [],
    ...fields,
  },
});

describe('the words for an event', () => {
  it.each([
    [
      'registered',
      registration('a:1'),
      'Registered',
      'from a:1 · LwM2M 1.1 · for 5\u202fmin · queue mode · 1 object',
    ],
    ['registered', { ...registration('a:1'), replaced: true }, 'Registered anew', undefined],
    ['updated', registration('a:1'), 'Registration renewed', 'from a:1'],
    ['deregistered', registration('a:1'), 'Left', undefined],
    ['expired', registration('a:1'), 'Lost', 'it was not heard for its lifetime of 5\u202fmin'],
    [
      'observed',
      { path: '/3/0/9', origin: 'policy' },
      'Observed',
      '/3/0/9 Device · Battery Level · as a policy wants it',
    ],
    ['observed', { path: '/3', origin: 'api' }, 'Observed', '/3 Device · as was asked for'],
    ['observed', { paths: ['/3/0/9', '/4/0/2'] }, 'Observed', '2 paths together: /3/0/9, /4/0/2'],
    [
      'observation-ended',
      { path: '/3/0/9', reason: 'cancelled' },
      'No longer observed',
      '/3/0/9 Device · Battery Level · cancelled',
    ],
    [
      'observation-refused',
      { path: '/3/0/9', code: '4.04', reason: 'gone' },
      'Observation refused',
      '/3/0/9 Device · Battery Level · 4.04 gone',
    ],
    ['observation-drifted', { path: '/', reason: 'silent' }, 'Observation not as it should be', '/ · silent'],
    ['command', command({ state: 'queued' }), 'Switch to T-Mobile', 'queued'],
    ['command', command({ state: 'done' }), 'Switch to T-Mobile', 'done · ACK'],
    [
      'command',
      command({
        kind: 'request',
        state: 'failed',
        reason: 'it said no',
        parameters: { operation: 'write-attributes', path: '/3/0/9' },
      }),
      'Write attributes /3/0/9',
      'failed · it said no',
    ],
    ['device', { attributes: { carrier: 'AT&T', iccid: '8901' } }, 'Changed', 'Carrier AT&T, ICCID'],
    ['of-tomorrow', {}, 'of-tomorrow', ''],
  ] as const)('%s %#', (type, data, title, detail) => {
    const words = eventWords(event(1, type, data as ApiEvent['data']));
    expect(words.title).toBe(title);
    if (detail !== undefined) expect(words.detail).toBe(detail);
  });

  it('are there for each type of event that is of a device', () => {
    const ofNoDevice = ['observation-policy', 'object-model', 'bootstrap-profile', 'job', 'webhook', 'node'];
    expect([...deviceEventTypes, ...ofNoDevice].sort()).toEqual([...eventTypes].sort());
    for (const type of deviceEventTypes) expect(eventWords(event(1, type)).title).not.toBe(type);
  });

  it('bear data that an earlier version wrote, or none', () => {
    for (const type of deviceEventTypes) {
      expect(() => [eventWords(event(1, type)), eventFacts(event(1, type))]).not.toThrow();
      expect(() => eventWords(event(1, type, { registration: null, attributes: 5 }))).not.toThrow();
    }
  });
});

describe('the days', () => {
  it('are those of the reader, newest first', () => {
    const late = Date.UTC(2026, 0, 31, 23, 30);
    const events = [event(2, 'expired', {}, late), event(1, 'registered', {}, late - 3_600_000)];
    expect(eventDays(events, 'UTC').map(({ day }) => day)).toEqual(['2026-01-31']);
    expect(eventDays(events, 'Asia/Tokyo').map(({ day }) => day)).toEqual(['2026-02-01']);
    expect(eventDays(events, 'Europe/Paris').map(({ day, rows }) => [day, rows.length])).toEqual([
      ['2026-02-01', 1],
      ['2026-01-31', 1],
    ]);
  });

  it('have names', () => {
    expect(dayLabel('2026-01-31', noon, 'UTC')).toBe('Today');
    expect(dayLabel('2026-01-30', noon, 'UTC')).toBe('Yesterday');
    expect(dayLabel('2026-01-01', noon, 'UTC')).toMatch(/Thursday.* 1 January 2026/);
  });

  it('have one row for renewals in a row, and say where the device was before it moved', () => {
    const events = [
      event(6, 'updated', registration('b:2')),
      event(5, 'updated', registration('b:2')),
      event(4, 'updated', registration('a:1')),
      event(3, 'updated', registration('a:1')),
      event(2, 'command', command({ state: 'done' })),
      event(1, 'registered', registration('a:1')),
    ];
    const [day] = eventDays(events, 'UTC');
    expect(day?.rows.map((row) => [row.event.id, row.count, row.movedFrom])).toEqual([
      [6, 2, 'a:1'],
      [4, 2, undefined],
      [2, 1, undefined],
      [1, 1, undefined],
    ]);
    expect(day?.rows[0]?.since).toBe(noon + 5);
  });
});

describe('the facts of an event', () => {
  it('have identifiers apart, for one place renders them', () => {
    const facts = eventFacts(event(1, 'device', { attributes: { imsi: '310410123456789', signal: -80 } }));
    expect(facts).toEqual([
      { name: 'IMSI', value: '310410123456789', identifier: 'imsi' },
      { name: 'Signal', value: '−80\u202fdBm' },
    ]);
  });

  it('tell a registration by its members', () => {
    const facts = eventFacts(event(1, 'registered', registration('a:1')));
    expect(facts).toContainEqual({ name: 'Queue mode', value: 'yes' });
    expect(facts).toContainEqual({ name: 'Lifetime', value: '5\u202fmin' });
    expect(facts).toContainEqual({ name: 'Objects', value: '/3/0' });
  });
});

it('a filter is the same out of the address again, and nonsense is none', () => {
  const filter = { categories: ['registration', 'commands'], trouble: true } as const;
  expect(parseEventFilter(eventQuery(filter))).toEqual(filter);
  expect(typesFor(filter)).toContain('expired');
  expect(typesFor(filter)).not.toContain('observed');
  expect(parseEventFilter('about=nothing')).toEqual({ categories: [], trouble: false });
  expect(eventQuery({ categories: [], trouble: false })).toBe('');
});

it('events are newest first, each once', () => {
  const some = [event(3, 'updated'), event(1, 'updated')];
  expect(withEvents(some, [event(2, 'updated'), event(3, 'updated')]).map(({ id }) => id)).toEqual([3, 2, 1]);
});
