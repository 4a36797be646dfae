import { randomBytes } from 'node:crypto';
import { bucketDigits, bucketOf } from '../server/ports/bucket.ts';
import type { Command, CommandState, NewCommand } from '../server/ports/command-queue.ts';

/** What never changes of a command, but for its number. */
type Fixed = Pick<Command, 'endpoint' | 'kind' | 'parameters' | 'createdAt' | 'expiresAt' | 'job'>;

/** A new id: it names the bucket of the device. */
export function newCommandId(endpoint: string): string {
  const random = BigInt(`0x${randomBytes(12).toString('hex')}`).toString(36);
  return `c${bucketDigits(bucketOf(endpoint))}${random}`;
}

/** The bucket that an id names; undefined where it is none of ours. */
export function bucketOfCommand(id: string): number | undefined {
  return /^c[0-9a-f]{2}[0-9a-z]+$/.test(id) ? Number.parseInt(id.slice(1, 3), 16) : undefined;
}

export function encodeFixed({ endpoint, kind, parameters, createdAt, expiresAt, job }: NewCommand): string {
  const fixed: Fixed = {
    endpoint,
    kind,
    parameters,
    createdAt,
    expiresAt,
    ...(job !== undefined && { job }),
  };
  return JSON.stringify(fixed);
}

/** From a record's lines, as `scripts/command-enqueue.lua` has them: JSON has no line breaks. */
export function decodeCommand(id: string, record: string): Command {
  const [fixed = '', number, state, attempts, updatedAt, reason = '', result = '', ...history] =
    record.split('\n');
  const { endpoint, kind, parameters, createdAt, expiresAt, job } = JSON.parse(fixed) as Fixed;
  return {
    id,
    endpoint,
    number: Number(number),
    kind,
    parameters,
    state: state as CommandState,
    ...(reason !== '' && { reason: JSON.parse(reason) as string }),
    ...(result !== '' && { result: JSON.parse(result) as Record<string, unknown> }),
    attempts: Number(attempts),
    createdAt,
    updatedAt: Number(updatedAt),
    expiresAt,
    ...(job !== undefined && { job }),
    history: history.map((step) => JSON.parse(step) as Command['history'][number]),
  };
}
