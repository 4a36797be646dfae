import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateFileError } from '../../client/atomic-file.ts';
import { PackSender } from '../../client/lwm2m/pack-sender.ts';
import { ReadingQueue } from '../../client/lwm2m/reading-queue.ts';
import type { SealedPack } from '../../client/lwm2m/sealed-pack.ts';
import { ReadingLog, type ReadingLogOptions } from '../../client/reading-log.ts';
import { decodeReadingLog } from '../../client/reading-log-format.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { registry } from '../support/client/client-world.ts';
import { FakeClock } from '../support/coap/fake-clock.ts';

const paths = ['/42770/0/2', '/42770/1/2'] as const;
const servers = [101, 102] as const;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-readings-'));
  file = join(folder, 'readings.log');
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Flight {
  readonly server: number;
  readonly path: string;
  readonly pack: SealedPack;
  readonly done: (delivered: boolean) => void;
}

/** A modem's readings as they are in one process: queues, and a sender for each server, on one log. */
class Process {
  readonly clock = new FakeClock();
  readonly log: ReadingLog;
  readonly queues: readonly ReadingQueue[];
  readonly senders: PackSender[];
  readonly flights: Flight[] = [];
  readonly failures: Error[] = [];

  constructor(options: Partial<ReadingLogOptions> = {}, queueLimit = 100_000) {
    this.queues = paths.map(() => new ReadingQueue(queueLimit));
    this.log = new ReadingLog({
      path: file,
      clock: this.clock,
      streams: paths,
      onFailure: (error) => this.failures.push(error),
      ...options,
    });
    for (const [i, path] of paths.entries()) this.log.follow(path, this.queues[i] as ReadingQueue);
    this.senders = servers.map((shortServerId) => {
      const sender = new PackSender({
        clock: this.clock,
        packInterval: 0,
        minimumPeriod: () => 0,
        maximumPeriod: () => undefined,
        journal: { journal: this.log, shortServerId },
      });
      for (const [i, path] of paths.entries()) {
        sender.add({ path, queue: this.queues[i] as ReadingQueue, takeNow: () => ({ time: 0, value: 0 }) });
      }
      return sender;
    });
  }

  /** That server takes packs of all sensors from now on. */
  open(server: number): void {
    this.senders[server]?.sendBy((pack, done) => {
      const name = /^\/\d+\/\d+\/\d+/.exec(decodeContent(112, '/', pack.payload, registry)[0]?.path ?? '');
      this.flights.push({
        server,
        path: name?.[0] ?? '',
        pack,
        done: (delivered) => done({ kind: delivered ? 'delivered' : 'returned' }),
      });
    }, 'senml-cbor');
  }

  take(sensor: number, values: readonly number[]): void {
    for (const value of values) this.queues[sensor]?.push(1_790_000_000_000_000 + value * 1_000, value);
    this.log.flush();
    for (const sender of this.senders) sender.wake();
  }

  values({ pack }: Flight): number[] {
    return decodeContent(112, '/', pack.payload, registry).map((record) => Number(record.value));
  }
}

describe('the log of readings', () => {
  it('brings back what was not acknowledged, and a pack under way as the very same bytes', () => {
    const before = new Process();
    before.open(0);
    before.take(0, [1, 2, 3]);
    before.flights[0]?.done(true);
    before.take(0, [4, 5]);
    before.take(0, [6, 7]);
    before.take(1, [50]);
    const underWay = before.flights[1] as Flight;
    expect(before.values(underWay)).toEqual([4, 5]);

    const after = new Process();
    expect(after.senders[0]?.pending(paths[0])).toBe(4);
    after.open(0);
    expect(after.flights[0]?.pack.payload).toEqual(underWay.pack.payload);
    after.flights[0]?.done(true);
    after.flights[1]?.done(true);
    after.flights[2]?.done(true);
    expect(
      after.flights
        .slice(1)
        .map((flight) => after.values(flight))
        .sort(),
    ).toEqual([[50], [6, 7]]);
    after.log.close();
    const last = new Process();
    expect(last.queues.map((queue) => queue.length)).toEqual([0, 0]);
    last.log.close();
  });

  it('keeps what nobody has observed yet, for each server what it has not had', () => {
    const before = new Process();
    before.take(0, [1, 2]);
    const between = new Process();
    expect(between.senders.map((sender) => sender.pending(paths[0]))).toEqual([2, 2]);
    between.log.close();
    const both = new Process();
    both.senders[1]?.pause();
    both.open(1);
    both.open(0);
    both.flights[0]?.done(true);
    both.log.flush();
    const after = new Process();
    expect(after.senders.map((sender) => sender.pending(paths[0]))).toEqual([0, 2]);
    after.take(0, [3]);
    after.open(0);
    after.open(1);
    const first = after.flights.find(({ server }) => server === 0) as Flight;
    expect(after.values(first)).toEqual([3]);
    expect(after.values(after.flights.find(({ server }) => server === 1) as Flight)).toEqual([1, 2, 3]);
  });

  it('loses no reading and changes no pack, however often the process dies', () => {
    const event = fc.oneof(
      { weight: 4, arbitrary: fc.record({ sensor: fc.nat(1), count: fc.integer({ min: 1, max: 90 }) }) },
      { weight: 3, arbitrary: fc.record({ acknowledge: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ lose: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ open: fc.nat(1) }) },
      { weight: 2, arbitrary: fc.constant('kill' as const) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.boolean(), (events, small) => {
        rmSync(file, { force: true });
        const options = small ? { compactFrom: 2_000 } : {};
        let process = new Process(options);
        process.open(0);
        process.open(1);
        let next = 1;
        const taken: number[][] = [[], []];
        /** By server and sensor. */
        const had = servers.map(() => paths.map(() => new Set<number>()));
        const sealed = new Map<string, string>();
        const settle = (which: number, delivered: boolean): void => {
          const [flight] = process.flights.splice(which % Math.max(1, process.flights.length), 1);
          if (flight === undefined) return;
          const sensor = paths.indexOf(flight.path as (typeof paths)[number]);
          const key = `${flight.server} ${flight.path}`;
          const bytes = Buffer.from(flight.pack.payload).toString('hex');
          expect(sealed.get(key) ?? bytes).toBe(bytes);
          if (delivered) {
            sealed.delete(key);
            for (const value of process.values(flight)) had[flight.server]?.[sensor]?.add(value);
          } else sealed.set(key, bytes);
          flight.done(delivered);
        };
        for (const step of events) {
          if (step === 'kill') {
            for (const { server, path, pack } of process.flights) {
              sealed.set(`${server} ${path}`, Buffer.from(pack.payload).toString('hex'));
            }
            // What the acknowledgement of a moment ago changed may not be on the way to the disk yet.
            process.log.flush();
            process = new Process(options);
            process.open(0);
            process.open(1);
          } else if ('sensor' in step) {
            const values = Array.from({ length: step.count }, () => next++);
            taken[step.sensor]?.push(...values);
            process.take(step.sensor, values);
          } else if ('acknowledge' in step) settle(step.acknowledge, true);
          else if ('lose' in step) settle(step.lose, false);
          else process.open(step.open);
        }
        for (let i = 0; i < 500; i++) {
          settle(0, true);
          process.clock.advance(1_001);
          for (const sender of process.senders) sender.wake();
        }
        for (const server of had) expect(server.map((values) => [...values])).toEqual(taken);
        process.log.close();
        expect(process.failures).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('is no longer than what waits, for long', () => {
    const process = new Process({ compactFrom: 10_000 });
    process.open(0);
    for (let i = 0; i < 3_000; i++) {
      process.take(0, [i]);
      process.flights.pop()?.done(true);
    }
    expect(statSync(file).size).toBeLessThan(11_000);
    process.log.close();
  });

  it.each([
    ['nobody observes', false],
    ['the server is away', true],
  ])('is no longer than what a full queue holds, for long: %s', (_how, away) => {
    const limit = 100;
    const process = new Process({ compactFrom: 4_096 }, limit);
    if (away) process.open(0);
    for (let i = 0; i < 600; i++) process.take(0, [10 * i, 10 * i + 1, 10 * i + 2, 10 * i + 3]);
    expect(statSync(file).size).toBeLessThan(24 * 5 * limit);
    process.log.close();
    // What comes back are the newest, and the pack that was under way is as it was.
    const after = new Process({}, 1_000);
    after.open(0);
    const [again] = after.flights;
    if (away) expect(again?.pack.payload).toEqual(process.flights[0]?.pack.payload);
    after.flights.shift()?.done(true);
    const rest: number[] = away ? [] : after.values(again as Flight);
    for (let flight = after.flights.shift(); flight !== undefined; flight = after.flights.shift()) {
      rest.push(...after.values(flight));
      flight.done(true);
    }
    const taken = Array.from({ length: 2_400 }, (_, i) => 10 * Math.floor(i / 4) + (i % 4));
    expect(rest).toEqual(taken.slice(-Math.max(limit, rest.length)));
    after.log.close();
  });

  it('passes over an end that was torn at any place', () => {
    const before = new Process();
    before.open(0);
    before.take(0, [1, 2, 3]);
    before.flights[0]?.done(true);
    before.take(1, [7, 8]);
    before.log.close();
    const whole = readFileSync(file);
    const header = whole.indexOf(10) + 1;
    for (let length = header; length < whole.length; length++) {
      const kept = decodeReadingLog(file, whole.subarray(0, length));
      for (const { readings } of kept.values()) {
        for (const { value } of readings) expect([1, 2, 3, 7, 8]).toContain(value);
      }
    }
    truncateSync(file, whole.length - 5);
    appendFileSync(file, Buffer.alloc(100, 0xff));
    const after = new Process();
    expect(after.queues[0]?.length).toBe(0);
    after.take(0, [4]);
    copyFileSync(file, `${file}.copy`);
    expect(decodeReadingLog(file, readFileSync(`${file}.copy`)).get(paths[0])?.readings).toHaveLength(1);
  });

  it.each(['', 'x', 'simyard readings 1 {}\n', '{"card":1}\n'])('is not made of %j', (text) => {
    writeFileSync(file, text);
    if (text === '') expect(() => new Process()).not.toThrow();
    else expect(() => new Process()).toThrow(StateFileError);
  });

  it('says so once when it cannot be written any more, and readings go on in memory', () => {
    const own = join(folder, 'own');
    const process = new Process({ path: join(own, 'readings.log'), compactFrom: 1 });
    process.open(0);
    process.take(0, [1]);
    rmSync(own, { recursive: true });
    writeFileSync(own, 'in the way');
    process.flights[0]?.done(true);
    process.take(0, [2, 3]);
    process.flights[1]?.done(true);
    process.take(0, [4]);
    expect(process.failures.map((error) => 'syscall' in error)).toEqual([true]);
    expect(process.values(process.flights[2] as Flight)).toEqual([4]);
    process.log.close();
  });

  it('leaves out sensors that are not there any more, and has room for new ones', () => {
    const before = new Process();
    before.take(0, [1]);
    before.log.close();
    const log = new ReadingLog({
      path: file,
      clock: new FakeClock(),
      streams: ['/42770/9/2', paths[0]],
      onFailure: (error) => {
        throw error;
      },
    });
    const queue = new ReadingQueue();
    log.follow(paths[0], queue);
    expect(queue.length).toBe(1);
    log.close();
  });
});
