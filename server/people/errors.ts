/** The name and the password do not fit, or the user may not log in: which of it, nobody is told. */
export class LoginRefusedError extends Error {
  override readonly name = 'LoginRefusedError';
}

/** It went wrong too often: for a while nothing is tried. */
export class LoginPausedError extends Error {
  override readonly name = 'LoginPausedError';
  /** ms */
  readonly wait: number;

  constructor(wait: number) {
    super(`too many log-ins failed: try again in ${Math.ceil(wait / 1000)} s`);
    this.wait = wait;
  }
}
