const initialCapacity = 64;

/** Readings in the order in which they were taken, of which the oldest are taken away. Times in µs since the epoch. */
export interface Readings {
  readonly length: number;
  /** Time of the oldest, µs. */
  readonly oldest: number | undefined;
  /** The reading at a place, 0 the oldest; only below `length`. */
  time(index: number): number;
  value(index: number): number;
  /** Takes the oldest away. */
  remove(count: number): void;
}

/**
 * Readings of one sensor that wait to be sent: a ring that grows up to its bound and then drops the
 * oldest, counting them. Each server reads them at its own place; what all that are attached have read
 * is gone. While none is attached everything is kept. Times are µs since the epoch, which doubles hold exactly.
 */
export class ReadingQueue {
  readonly limit: number;
  /** Hears of every reading that comes. */
  onPush: ((time: number, value: number) => void) | undefined;
  #times: Float64Array;
  #values: Float64Array;
  #first = 0;
  #length = 0;
  /** How many were ever put in before the oldest. */
  #position = 0;
  #dropped = 0;
  readonly #readers: QueueReader[] = [];

  constructor(limit = 65_536) {
    this.limit = limit;
    const capacity = Math.min(initialCapacity, limit);
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** How many were lost because the queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Place of the oldest among all readings that ever came. */
  get position(): number {
    return this.#position;
  }

  push(time: number, value: number): void {
    this.onPush?.(time, value);
    if (this.#length === this.#times.length) this.#makeRoom();
    const at = (this.#first + this.#length) % this.#times.length;
    this.#times[at] = time;
    this.#values[at] = value;
    this.#length++;
  }

  /** The reading at a place, 0 the oldest; only below `length`. */
  time(index: number): number {
    return this.#times[(this.#first + index) % this.#times.length] as number;
  }

  value(index: number): number {
    return this.#values[(this.#first + index) % this.#values.length] as number;
  }

  /** One more place to read at, from the oldest on; it holds nothing back until it is attached. */
  reader(): QueueReader {
    const reader: QueueReader = new QueueReader(
      this,
      () => this.#release(),
      () => this.#readers.splice(this.#readers.indexOf(reader), 1),
    );
    this.#readers.push(reader);
    return reader;
  }

  /** Lets go of what every attached reader has behind it. */
  #release(): void {
    let reached = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) if (reader.attached) reached = Math.min(reached, reader.position);
    if (reached !== Number.POSITIVE_INFINITY) this.#remove(reached - this.#position);
  }

  #remove(count: number): void {
    this.#first = (this.#first + count) % this.#times.length;
    this.#length -= count;
    this.#position += count;
  }

  #makeRoom(): void {
    const capacity = this.#times.length;
    if (capacity === this.limit) {
      this.#remove(1);
      this.#dropped++;
      return;
    }
    const times = new Float64Array(Math.min(capacity * 2, this.limit));
    const values = new Float64Array(times.length);
    for (let i = 0; i < this.#length; i++) {
      times[i] = this.time(i);
      values[i] = this.value(i);
    }
    this.#times = times;
    this.#values = values;
    this.#first = 0;
  }
}

/** One server's place in a queue. */
export class QueueReader implements Readings {
  readonly #queue: ReadingQueue;
  readonly #onMoved: () => void;
  readonly #onClosed: () => void;
  #position: number;
  #attached = false;

  constructor(queue: ReadingQueue, onMoved: () => void, onClosed: () => void) {
    this.#queue = queue;
    this.#onMoved = onMoved;
    this.#onClosed = onClosed;
    this.#position = queue.position;
  }

  /** Whether the queue keeps what this reader has still to read. */
  get attached(): boolean {
    return this.#attached;
  }

  /** Begins with the oldest that is still there; what there was before is not for it. */
  attach(): void {
    this.#position = this.position;
    this.#attached = true;
  }

  /** Goes to another place, within what there is. */
  moveTo(position: number): void {
    this.#position = Math.min(position, this.#queue.position + this.#queue.length);
  }

  /** Holds nothing back any more. */
  detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.#onMoved();
  }

  /** Called once: the queue has one reader less. */
  close(): void {
    this.detach();
    this.#onClosed();
  }

  /** Place of its oldest among all readings that ever came. */
  get position(): number {
    return Math.max(this.#position, this.#queue.position);
  }

  get length(): number {
    return this.#queue.position + this.#queue.length - this.position;
  }

  get oldest(): number | undefined {
    return this.length === 0 ? undefined : this.time(0);
  }

  time(index: number): number {
    return this.#queue.time(this.position - this.#queue.position + index);
  }

  value(index: number): number {
    return this.#queue.value(this.position - this.#queue.position + index);
  }

  remove(count: number): void {
    this.#position = this.position + Math.min(count, this.length);
    if (this.#attached) this.#onMoved();
  }
}
