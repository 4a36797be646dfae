import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { DecodeError } from '../../../protocol/errors.ts';
import { UnreadableLog } from '../../../server/telemetry/unreadable-log.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

it('tells of each device once a minute, with how many more there were', () => {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const clock = new FakeClock();
  const log = new UnreadableLog(pino({ base: null }, sink), clock);
  const tell = (endpoint: string): void =>
    log.tell({ endpoint, path: '/3/0/9' }, new DecodeError('no CBOR'), new Uint8Array([0xff, 1]));
  for (let i = 0; i < 1_000; i++) tell('a');
  tell('b');
  clock.advance(60_000);
  tell('a');
  tell('b');
  expect(lines.map(({ endpoint, moreSinceLastLine }) => [endpoint, moreSinceLastLine])).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['a', 999],
    ['b', undefined],
  ]);
  expect(lines[0]).toMatchObject({ path: '/3/0/9', reason: 'no CBOR', start: 'ff01' });
});
