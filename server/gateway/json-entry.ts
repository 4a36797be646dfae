import { RequestError } from '../../protocol/errors.ts';

/** An object of a configuration file, whose members are read one by one; what is wrong is told by its name. */
export class JsonEntry {
  readonly name: string;
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws RequestError it is no object, or has members that nobody knows */
  constructor(name: string, value: unknown, known: readonly string[]) {
    this.name = name;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new RequestError(`${name} is no object`);
    }
    this.#members = value as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(value).find((member) => !known.includes(member));
    if (unknown !== undefined) throw this.wrong(`'${unknown}' is none of ${known.join(', ')}`);
  }

  text(name: string): string | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '' || value.length > 255) {
      throw this.wrong(`${name} is a text of 1 to 255 characters`);
    }
    return value;
  }

  number(name: string, min: number, max: number): number | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw this.wrong(`${name} is a number from ${min} to ${max}`);
    }
    return value;
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.wrong(`${name} is a list`);
    return value;
  }

  members(name: string): readonly (readonly [string, unknown])[] | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.wrong(`${name} is an object`);
    }
    return Object.entries(value);
  }

  wrong(why: string): RequestError {
    return new RequestError(`${this.name}: ${why}`);
  }

  /** What `read` throws for the caller's fault, with the name of this entry before it. */
  try<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof RequestError) throw this.wrong(error.message);
      throw error;
    }
  }
}
