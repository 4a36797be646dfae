import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { Code } from '../../protocol/coap/message.ts';
import type { LeshanNode } from './nodes.ts';
import type { LeshanLink } from './registrations.ts';

/** What a device answered; its own no too. */
export interface LeshanResponse {
  /** `CONTENT(205)` */
  readonly status: string;
  /** The code is one that the specification has for the operation. */
  readonly valid: boolean;
  readonly success: boolean;
  readonly failure: boolean;
  readonly content?: LeshanNode | Readonly<Record<string, LeshanNode>>;
  readonly objectLinks?: readonly LeshanLink[];
  readonly location?: string;
  readonly errormessage?: string;
}

/** What a device answers beside a code. */
export type LeshanContent = Pick<LeshanResponse, 'content' | 'objectLinks' | 'location'>;

const names: Readonly<Record<number, string>> = {
  201: 'CREATED',
  202: 'DELETED',
  204: 'CHANGED',
  205: 'CONTENT',
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
  408: 'REQUEST_ENTITY_INCOMPLETE',
  412: 'PRECONDITION_FAILED',
  413: 'REQUEST_ENTITY_TOO_LARGE',
  415: 'UNSUPPORTED_CONTENT_FORMAT',
  500: 'INTERNAL_SERVER_ERROR',
};

/** What each operation answers when it is done, and the failures that count as valid beside the usual ones. */
const operations = {
  read: { done: Code.CONTENT, failures: [406] },
  discover: { done: Code.CONTENT, failures: [] },
  write: { done: Code.CHANGED, failures: [408, 413, 415] },
  attributes: { done: Code.CHANGED, failures: [] },
  execute: { done: Code.CHANGED, failures: [] },
  create: { done: Code.CREATED, failures: [415] },
  delete: { done: Code.DELETED, failures: [] },
  readComposite: { done: Code.CONTENT, failures: [406, 415] },
  writeComposite: { done: Code.CHANGED, failures: [406] },
} as const satisfies Readonly<Record<string, { readonly done: Code; readonly failures: readonly number[] }>>;

export type LeshanOperation = keyof typeof operations;

const usualFailures: readonly number[] = [400, 401, 404, 405, 500];

/**
 * Carries an operation out, and tells what the device answered, whether yes or no.
 * @throws what `run` throws, but the device's own no
 */
export async function respond(
  operation: LeshanOperation,
  run: () => Promise<LeshanContent>,
): Promise<LeshanResponse> {
  const { done, failures } = operations[operation];
  try {
    const content = await run();
    return { status: statusOf(numberOf(done)), valid: true, success: true, failure: false, ...content };
  } catch (error) {
    if (!(error instanceof CoapResponseError)) throw error;
    const number = numberOf(error.code);
    return {
      status: statusOf(number),
      valid: [...usualFailures, ...failures].includes(number),
      success: false,
      failure: true,
      ...(error.diagnostic === '' ? {} : { errormessage: error.diagnostic }),
    };
  }
}

/** 4.04 as 404. */
function numberOf(code: Code): number {
  return (code >> 5) * 100 + (code & 0x1f);
}

function statusOf(number: number): string {
  return `${names[number] ?? 'UNKNOWN'}(${number})`;
}
