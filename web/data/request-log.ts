import type { ApiCommand, ApiLink, ApiProblem, ApiReadResult } from './api-types.ts';
import { formatName } from './content-formats.ts';
import type { DeviceOperation } from './device-operations.ts';
import { helpFor } from './request-help.ts';

/** One request that a reader made, from the moment it goes out. Times in ms since the epoch. */
export interface LoggedRequest {
  readonly id: number;
  readonly operation: DeviceOperation;
  readonly held: boolean;
  readonly startedAt: number;
  readonly state: 'running' | 'done' | 'held' | 'failed' | 'given-up';
  readonly endedAt?: number;
  /** What the API answered. */
  readonly answer?: unknown;
  readonly problem?: ApiProblem;
  /** Where it waits for the device. */
  readonly command?: ApiCommand;
}

/** What has become of a request, in the fewest words: `2.05 Content · SenML CBOR`, `4.05 The device does not …`. */
export function outcomeText({ operation, state, problem, command, answer }: LoggedRequest): string {
  switch (state) {
    case 'running':
      return 'in progress…';
    case 'held':
      return command?.state === 'queued' ? 'held until the device is heard' : `${command?.state ?? 'held'}…`;
    case 'given-up':
      return 'not waited for any longer';
    case 'failed': {
      const code = problem?.coapCode ?? command?.result?.['coapCode'];
      const said = problem?.title ?? command?.state ?? 'failed';
      return [code, said].filter((part) => part !== undefined && part !== '').join(' ');
    }
    case 'done': {
      const format = (answer as Partial<ApiReadResult> | null | undefined)?.contentFormat;
      return format === undefined ? operation.success : `${operation.success} · ${formatName(format)}`;
    }
  }
}

/** Why it is so, and what helps; undefined where there is nothing to say. */
export function outcomeDetail({ state, problem, command }: LoggedRequest): string | undefined {
  if (state === 'held') {
    return (
      problem?.detail ??
      'It goes out when the device is next heard, also after a restart of the server, within a day.'
    );
  }
  if (state === 'given-up') return 'The device may have got it all the same.';
  if (state !== 'failed') return undefined;
  const told = problem?.detail ?? command?.reason;
  const help = problem === undefined ? undefined : helpFor(problem);
  const parts = [told, help].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? undefined : parts.join(' — ');
}

/** What an answer holds: values, links, or the place of a new instance. */
export interface AnswerParts {
  readonly values: ApiReadResult['items'];
  readonly links: readonly ApiLink[];
  readonly created: string | undefined;
}

export function answerParts(answer: unknown): AnswerParts {
  const nothing: AnswerParts = { values: [], links: [], created: undefined };
  if (typeof answer !== 'object' || answer === null) return nothing;
  const { items, path } = answer as { readonly items?: unknown; readonly path?: unknown };
  if (!Array.isArray(items)) return typeof path === 'string' ? { ...nothing, created: path } : nothing;
  const all = items as (ApiReadResult['items'][number] | ApiLink)[];
  return {
    values: all.flatMap((item) => ('value' in item ? [item] : [])),
    links: all.flatMap((item) => ('value' in item ? [] : [item])),
    created: undefined,
  };
}
