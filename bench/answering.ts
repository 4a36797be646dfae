/** What a process of the bench tells while it works on an answer: that it is alive, and how far it is. */
export interface Progress<Told = unknown> {
  readonly progress: Told;
}

/** In place of an answer: why there is none, in one line. */
export interface Failure {
  readonly failure: string;
}

export function isProgress(message: unknown): message is Progress {
  return typeof message === 'object' && message !== null && 'progress' in message;
}

export function isFailure(message: unknown): message is Failure {
  return typeof message === 'object' && message !== null && 'failure' in message;
}

/** ms */
const EVERY = 1_000;

/**
 * Answers each message of the process that started this one, but for those that `perform` resolves with undefined, and ends
 * with that process. What cannot be done is answered with the
 * reason; a defect of this process ends it loudly.
 * @param told how far it is, each second while it works
 */
export function answering<Command>(
  perform: (command: Command) => Promise<unknown>,
  told: () => unknown = () => undefined,
): void {
  process.on('message', (command: Command) => {
    const timer = setInterval(() => process.send?.({ progress: told() ?? null }), EVERY);
    perform(command)
      .then(
        (answer) => answer === undefined || process.send?.(answer),
        (error: unknown) => {
          if (isReason(error)) {
            process.send?.({ failure: error.message } satisfies Failure);
            return;
          }
          console.error(error);
          process.exit(1);
        },
      )
      .finally(() => clearInterval(timer));
  });
  process.on('disconnect', () => process.exit(0));
}

function isReason(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof TypeError || error instanceof ReferenceError);
}
