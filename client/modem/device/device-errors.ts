/** Error codes of the Device object (/3/0/11) that this modem knows of. */
export const DeviceError = {
  NONE: 0,
  LOW_BATTERY: 1,
  LOW_SIGNAL: 4,
  OUT_OF_MEMORY: 5,
  IP_CONNECTIVITY: 7,
  PERIPHERAL: 8,
} as const;
export type DeviceError = (typeof DeviceError)[keyof typeof DeviceError];

/**
 * What is wrong, or was since the last reset: an error stays until Reset Error Code, so that a server that
 * looks seldom sees it too; what is still wrong then is told again only when it has been right meanwhile.
 */
export class DeviceErrors {
  readonly #onChange: (raised: DeviceError | undefined) => void;
  readonly #present = new Set<DeviceError>();
  readonly #told = new Set<DeviceError>();

  /** `onChange` is told which error is new; undefined: they were reset. */
  constructor(onChange: (raised: DeviceError | undefined) => void) {
    this.#onChange = onChange;
  }

  /** In the order in which they came; `0` alone: none. */
  get codes(): ReadonlyMap<number, number> {
    const codes = this.#told.size === 0 ? [DeviceError.NONE] : [...this.#told];
    return new Map(codes.map((code, index) => [index, code]));
  }

  /** Says whether something is wrong now. */
  report(error: DeviceError, wrong: boolean): void {
    if (!wrong) {
      this.#present.delete(error);
      return;
    }
    if (this.#present.has(error)) return;
    this.#present.add(error);
    if (this.#told.has(error)) return;
    this.#told.add(error);
    this.#onChange(error);
  }

  /** Reset Error Code. */
  reset(): void {
    if (this.#told.size === 0) return;
    this.#told.clear();
    this.#onChange(undefined);
  }
}
