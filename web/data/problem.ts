import type { ApiProblem } from './api-types.ts';

/** What went wrong with a request to the API, in the words of its problem details (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem, options?: ErrorOptions) {
    super(problem.detail ?? problem.title, options);
    this.problem = problem;
  }

  /** HTTP status; 0 where no answer came. */
  get status(): number {
    return this.problem.status;
  }
}

/** No answer at all: the server is down, or the network between. */
export function unreachable(cause: unknown): ProblemError {
  return new ProblemError(
    {
      type: 'about:blank',
      title: 'The server does not answer',
      status: 0,
      code: 'unreachable',
      detail: 'The console could not reach the server. It may be restarting, or the network may be down.',
    },
    { cause },
  );
}

/** Reads the problem out of an answer that is not a success; whatever its body is, a problem comes back. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const text = await response.text();
  const fallback: ApiProblem = {
    type: 'about:blank',
    title: response.statusText || `The server answered ${response.status}`,
    status: response.status,
    code: 'http',
  };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON (a proxy's page, say): the status line is all that can be told.
    return new ProblemError(fallback);
  }
  if (typeof body !== 'object' || body === null) return new ProblemError(fallback);
  const { title, detail, code, type, coapCode } = body as Partial<Record<keyof ApiProblem, unknown>>;
  return new ProblemError({
    type: typeof type === 'string' ? type : fallback.type,
    title: typeof title === 'string' ? title : fallback.title,
    status: response.status,
    code: typeof code === 'string' ? code : fallback.code,
    ...(typeof detail === 'string' && { detail }),
    ...(typeof coapCode === 'string' && { coapCode }),
  });
}

/** The problem to show for anything that a task may reject with; a bug of ours keeps its own words. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ProblemError) return error.problem;
  return {
    type: 'about:blank',
    title: 'The console has a fault',
    status: 0,
    code: 'console',
    detail: error instanceof Error ? error.message : String(error),
  };
}

/** A piece of the console's own code that was to be loaded is not to be had. */
export function codeMissing(cause: unknown): ProblemError {
  return new ProblemError(
    {
      type: 'about:blank',
      title: 'This part of the console could not be loaded',
      status: 0,
      code: 'console',
      detail: 'The server may be down, or the console was updated since this page was opened.',
    },
    { cause },
  );
}
