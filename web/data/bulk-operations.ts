import type { ApiJob, ApiJobBody, ApiValue } from './api-types.ts';
import { formatCount } from './numbers.ts';
import { tenantFault } from './tenants.ts';

type Operation = ApiJobBody['operation'];

export const bulkKinds = ['carrier-switch', 'read', 'write', 'execute', 'tenant', 'forget'] as const;
export type BulkKind = (typeof bulkKinds)[number];

export const bulkVerbs: Readonly<Record<BulkKind, string>> = {
  'carrier-switch': 'Switch carrier',
  read: 'Read',
  write: 'Write',
  execute: 'Execute',
  tenant: 'Give to tenant',
  forget: 'Forget',
};

/** What a form of an operation has in it. */
export interface BulkForm {
  readonly kind: BulkKind;
  readonly carrier: string;
  readonly path: string;
  readonly value: string;
  readonly args: string;
  /** Empty: the operator's own. */
  readonly tenant: string;
}

export type BulkInput =
  | { readonly operation: Operation; readonly fault?: undefined }
  | { readonly fault: string; readonly operation?: undefined };

const anyPath = /^\/\d{1,5}(\/\d{1,5}){0,3}$/;
const resourcePath = /^\/\d{1,5}\/\d{1,5}\/\d{1,5}(\/\d{1,5})?$/;

/** The operation that a form means, or what is wrong with it. */
export function bulkOperation({ kind, carrier, path, value, args, tenant }: BulkForm): BulkInput {
  if (kind === 'forget') return { operation: { kind } };
  if (kind === 'tenant') {
    const name = tenant.trim();
    const fault = tenantFault(name);
    return fault === undefined ? { operation: { kind, tenant: name === '' ? null : name } } : { fault };
  }
  if (kind === 'carrier-switch') {
    const name = carrier.trim();
    return name === '' ? { fault: 'Which carrier?' } : { operation: { kind, carrier: name } };
  }
  const place = path.trim();
  if (kind === 'read') {
    if (!anyPath.test(place)) return { fault: 'A path, such as /3/0/9' };
    return { operation: { kind: 'request', request: { operation: 'read', path: place } } };
  }
  if (!resourcePath.test(place)) return { fault: 'The path of a resource, such as /3/0/14' };
  if (kind === 'execute') {
    const request = { operation: 'execute' as const, path: place };
    return {
      operation: {
        kind: 'request',
        request: args.trim() === '' ? request : { ...request, args: args.trim() },
      },
    };
  }
  if (value === '') return { fault: 'Which value?' };
  return {
    operation: { kind: 'request', request: { operation: 'write', path: place, value: typedValue(value) } },
  };
}

/** What it does, in a sentence. `count`: devices. */
export function bulkEffect(form: BulkForm, count: number): string {
  const devices = count === 1 ? 'one device' : `${formatCount(count)} devices`;
  const place = form.path.trim() || 'a path';
  switch (form.kind) {
    case 'carrier-switch':
      return `${devices} ${count === 1 ? 'leaves its' : 'leave their'} network and ${count === 1 ? 'comes' : 'come'} back on ${form.carrier.trim() || 'another carrier'}. Devices that sleep do it when they wake.`;
    case 'read':
      return `${place} is asked of ${devices}; the answers are with the job, and the newest values are kept.`;
    case 'write':
      return `${place} is set on ${devices}. Devices that sleep get it when they wake.`;
    case 'execute':
      return `${place} is executed on ${devices}.`;
    case 'tenant': {
      const whose = form.tenant.trim();
      const to = whose === '' ? 'the operator alone' : `tenant ${whose}`;
      return `${devices}, with all that is known of ${count === 1 ? 'it' : 'them'}, ${count === 1 ? 'is' : 'are'} for ${to} to see from then on.`;
    }
    case 'forget':
      return `${devices} and all their readings are removed. Those that are registered stay, and count as failed.`;
  }
}

/** A number or a boolean where it is written as one; in quotes, or otherwise, a text. */
function typedValue(text: string): ApiValue {
  if (/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  const quoted = /^"(.*)"$/s.exec(text);
  return quoted?.[1] ?? text;
}

const endedStates: ReadonlySet<ApiJob['state']> = new Set(['done', 'cancelled', 'stopped']);

export function isEnded(job: ApiJob): boolean {
  return endedStates.has(job.state);
}

/** How many devices it is done with, one way or the other. */
export function finishedCount({ counts }: ApiJob): number {
  return counts.done + counts.failed + counts.cancelled + counts.expired + counts.unknown;
}

/** `12 done, 1 failed, 3 waiting`: what there is of anything. */
export function countsText({ counts }: ApiJob): string {
  const waiting = counts.waiting + counts.queued;
  const underWay = counts.sent + counts.accepted;
  const parts: readonly (readonly [number, string])[] = [
    [counts.done, 'done'],
    [counts.failed, 'failed'],
    [counts.unknown, 'unknown'],
    [counts.expired, 'expired'],
    [counts.cancelled, 'cancelled'],
    [underWay, 'under way'],
    [waiting, 'waiting'],
  ];
  const there = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  return there.length === 0 ? 'nothing yet' : there.join(', ');
}
