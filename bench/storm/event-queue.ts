export interface QueuedEvent {
  time: number;
  device: number;
  kind: number;
  attempt: number;
}

/** A binary heap of events by time, in typed arrays that grow: millions of them without an object each. */
export class EventQueue {
  #times: Float64Array;
  #devices: Uint32Array;
  /** Kind in the lowest bit, attempt above it. */
  #marks: Uint32Array;
  #size = 0;
  /** Given out again and again. */
  readonly #next: QueuedEvent = { time: 0, device: 0, kind: 0, attempt: 0 };

  constructor(capacity: number) {
    const room = Math.max(16, capacity * 2);
    this.#times = new Float64Array(room);
    this.#devices = new Uint32Array(room);
    this.#marks = new Uint32Array(room);
  }

  get size(): number {
    return this.#size;
  }

  add(time: number, device: number, kind: number, attempt: number): void {
    if (this.#size === this.#times.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= time) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#set(at, time, device, attempt * 2 + kind);
  }

  /** The earliest; it holds until the next call. @throws Error there is none */
  next(): Readonly<QueuedEvent> {
    if (this.#size === 0) throw new Error('no event is left');
    const next = this.#next;
    const mark = this.#marks[0] as number;
    next.time = this.#times[0] as number;
    next.device = this.#devices[0] as number;
    next.kind = mark & 1;
    next.attempt = mark >>> 1;
    const last = --this.#size;
    if (last > 0)
      this.#sink(this.#times[last] as number, this.#devices[last] as number, this.#marks[last] as number);
    return next;
  }

  #sink(time: number, device: number, mark: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && (this.#times[right] as number) < (this.#times[child] as number))
        child = right;
      if ((this.#times[child] as number) >= time) break;
      this.#copy(child, at);
      at = child;
    }
    this.#set(at, time, device, mark);
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#times[from] as number, this.#devices[from] as number, this.#marks[from] as number);
  }

  #set(at: number, time: number, device: number, mark: number): void {
    this.#times[at] = time;
    this.#devices[at] = device;
    this.#marks[at] = mark;
  }

  #grow(): void {
    const room = this.#times.length * 2;
    const times = new Float64Array(room);
    const devices = new Uint32Array(room);
    const marks = new Uint32Array(room);
    times.set(this.#times);
    devices.set(this.#devices);
    marks.set(this.#marks);
    this.#times = times;
    this.#devices = devices;
    this.#marks = marks;
  }
}
