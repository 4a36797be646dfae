import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { EndpointRefusedError } from '../../../server/enrolment/endpoint-binding.ts';
import { Refusals } from '../../../server/enrolment/refusals.ts';
import type { Credential } from '../../../server/ports/credential-store.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { aKey } from '../../contract/credential-store.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

let clock: FakeClock;
let refusals: Refusals;
let events: string[];
let lines: string[];
let limited: string[];
let found: (name: string) => Promise<Credential | undefined>;

beforeEach(() => {
  clock = new FakeClock();
  events = [];
  lines = [];
  limited = [];
  found = async () => undefined;
  refusals = new Refusals({
    lookup: { find: (_account, { name }) => found(name) },
    limits: { failed: (address) => void limited.push(address) },
    events: {
      publish: (type, endpoint, _at, data) => void events.push(`${type} ${endpoint} ${data['reason']}`),
    },
    clock,
    log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
  });
});

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const failed = async (reason: 'unknown_identity' | 'wrong_key' | 'timeout', identity?: string, port = 1) => {
  refusals.handshakeFailed('server', {
    address: `192.0.2.1:${port}`,
    reason,
    ...(identity === undefined ? {} : { identity }),
  });
  await settled();
};

describe('who was not let in', () => {
  test('is told of the device where the identity is one’s, with what is known of it', async () => {
    const now = clock.wallTime();
    const known: Readonly<Record<string, Credential>> = {
      good: aKey('dev', 'good'),
      revoked: { ...aKey('dev', 'revoked'), state: 'revoked' },
      late: { ...aKey('dev', 'late'), validUntil: now },
    };
    found = async (name) => known[name];
    await failed('wrong_key', 'good');
    await failed('unknown_identity', 'revoked');
    await failed('unknown_identity', 'late');
    await failed('unknown_identity', 'nobody');
    expect(events).toEqual([
      'refused dev wrong_key',
      'refused dev revoked',
      'refused dev expired',
      'refused undefined unknown_identity',
    ]);
    expect(Object.fromEntries(refusals.counts)).toEqual({
      wrong_key: 1,
      revoked: 1,
      expired: 1,
      unknown_identity: 1,
    });
    expect(limited).toHaveLength(4);
  });

  test('again and again is counted, and told once a minute, from whichever port', async () => {
    for (let port = 1; port <= 50; port++) await failed('unknown_identity', `guess-${port}`, port);
    expect(events).toHaveLength(1);
    expect(lines).toHaveLength(1);
    expect(refusals.counts.get('unknown_identity')).toBe(50);
    expect(limited).toHaveLength(50);
    clock.advance(60_000);
    await failed('unknown_identity');
    expect(events).toHaveLength(2);
  });

  test('from many places at once fills neither the events nor the log', async () => {
    for (let device = 0; device < 1_000; device++) {
      const refusal = new EndpointRefusedError('enrolled', `dev-${device}`);
      refusals.refused('server', refusal, `198.51.100.${device % 250}:1`, undefined);
    }
    expect(events).toHaveLength(100);
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(refusals.counts.get('enrolled')).toBe(1_000);
  });

  test('because the network failed is no sign of anything', async () => {
    await failed('timeout');
    expect([events, limited]).toEqual([[], []]);
    expect(refusals.counts.get('timeout')).toBe(1);
  });

  test('is told also while the store does not answer', async () => {
    found = async () => {
      throw new StoreUnavailableError('down');
    };
    await failed('wrong_key', 'good');
    expect(events).toEqual(['refused undefined wrong_key']);
  });
});
