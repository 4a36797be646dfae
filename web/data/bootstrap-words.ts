/** An event in words, as device-events.ts has them. */
interface EventWords {
  readonly title: string;
  readonly detail: string;
  readonly tone: 'good' | 'bad' | 'waiting' | 'plain' | 'quiet';
}

/** What the steps of a bootstrap are called, as one would say it. */
const operations: Readonly<Record<string, string>> = {
  request: 'Asked for a bootstrap',
  pack: 'Bootstrap pack',
  discover: 'Discover',
  read: 'Read',
  credential: 'Key made',
  delete: 'Delete',
  write: 'Write',
  finish: 'Finish',
};

/** A step by its name and its place: `Write /0/1`. */
export function stepTitle(step: { readonly operation: string; readonly path?: string | undefined }): string {
  const name = operations[step.operation] ?? step.operation;
  return step.path === undefined || step.operation === 'request' ? name : `${name} ${step.path}`;
}

/** An event of a bootstrap in words. */
export function bootstrapEventWords(data: Readonly<Record<string, unknown>>): EventWords {
  const { change, profile, reason, step } = data;
  switch (change) {
    case 'started':
      return {
        title: 'Bootstrap began',
        detail: typeof profile === 'string' ? `profile ${profile}` : '',
        tone: 'waiting',
      };
    case 'step':
      return { title: `Bootstrap: ${stepTitle(stepOf(step))}`, detail: outcomeText(step), tone: 'quiet' };
    case 'finished':
      return {
        title: 'Bootstrapped',
        detail: typeof profile === 'string' ? `profile ${profile}` : '',
        tone: 'good',
      };
    case 'failed':
      return { title: 'Bootstrap failed', detail: typeof reason === 'string' ? reason : '', tone: 'bad' };
    case 'replaced':
      return { title: 'Bootstrap broken off', detail: 'the device began anew', tone: 'plain' };
    default:
      return { title: 'Bootstrap', detail: '', tone: 'plain' };
  }
}

function stepOf(step: unknown): { readonly operation: string; readonly path?: string | undefined } {
  const { operation, path } = membersOf(step);
  return {
    operation: typeof operation === 'string' ? operation : 'step',
    ...(typeof path === 'string' ? { path } : {}),
  };
}

function outcomeText(step: unknown): string {
  const { code, detail } = membersOf(step);
  return [code, detail].filter((each) => typeof each === 'string').join(' · ');
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
