import { ConflictError } from '../errors.ts';

/** The identity is another credential's in this account, or the device has a credential already. */
export class CredentialTakenError extends ConflictError {}

/** The device has no such credential. */
export class UnknownCredentialError extends Error {
  override readonly name = 'UnknownCredentialError';

  constructor(endpoint: string) {
    super(`'${endpoint}' has no such credential`);
  }
}
