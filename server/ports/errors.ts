/** The store cannot answer now: down, closing, or its disk is full. What was asked has not happened, or will be asked again. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}
