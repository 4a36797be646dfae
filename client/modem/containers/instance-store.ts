import { Code } from '../../../protocol/coap/message.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import type { KeptSettings } from '../kept-settings.ts';

export interface InstanceStoreOptions<Value> {
  readonly settings: KeptSettings;
  /** In the settings. */
  readonly section: string;
  /** Before a server has written any. */
  readonly asMade: ReadonlyMap<number, Value>;
  /** Instances, and the size of them all, that a server may make the modem keep. */
  readonly most: number;
  readonly mostSize: number;
  readonly sizeOf: (value: Value) => number;
  readonly toJson: (value: Value) => unknown;
  readonly fromJson: (value: unknown) => Value | undefined;
}

/** Instances that a server makes, writes and takes away: bounded, and kept without power. */
export class InstanceStore<Value> {
  readonly #options: InstanceStoreOptions<Value>;
  #values: ReadonlyMap<number, Value>;

  /** @throws StateFileError */
  constructor(options: InstanceStoreOptions<Value>) {
    this.#options = options;
    const { settings, section, asMade } = options;
    this.#values = settings.read(section, (json) => this.#parse(json)) ?? asMade;
    settings.onClear(() => {
      this.#values = asMade;
    });
  }

  get ids(): readonly number[] {
    return [...this.#values.keys()];
  }

  get(id: number): Value | undefined {
    return this.#values.get(id);
  }

  /** On disk when it returns. @throws OperationError 4.00 there is no room for it */
  set(id: number, value: Value): void {
    const { most, mostSize, sizeOf } = this.#options;
    const next = new Map(this.#values).set(id, value);
    if (next.size > most) throw new OperationError(Code.BAD_REQUEST, `there are ${most} instances already`);
    let size = 0;
    for (const each of next.values()) size += sizeOf(each);
    if (size > mostSize)
      throw new OperationError(Code.BAD_REQUEST, `all together have at most ${mostSize} bytes`);
    this.#write(next);
  }

  delete(id: number): void {
    const next = new Map(this.#values);
    next.delete(id);
    this.#write(next);
  }

  #write(next: ReadonlyMap<number, Value>): void {
    const { settings, section, toJson } = this.#options;
    settings.write(
      section,
      [...next].map(([id, value]) => [id, toJson(value)]),
    );
    this.#values = next;
  }

  #parse(json: unknown): ReadonlyMap<number, Value> | undefined {
    const { fromJson } = this.#options;
    return parsePairs(json, fromJson);
  }
}

/** Pairs of a number and a value as JSON has them; undefined: they are none. */
export function parsePairs<Value>(
  json: unknown,
  parse: (value: unknown) => Value | undefined,
): ReadonlyMap<number, Value> | undefined {
  if (!Array.isArray(json)) return undefined;
  const values = new Map<number, Value>();
  for (const pair of json as readonly unknown[]) {
    const [id, value] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    const parsed = parse(value);
    if (typeof id !== 'number' || parsed === undefined) return undefined;
    values.set(id, parsed);
  }
  return values;
}
