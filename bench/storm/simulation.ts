import { EventQueue } from './event-queue.ts';

/** A fleet that loses its server, and what comes when it is back. Times in seconds, costs in µs. */
export interface Storm {
  readonly devices: number;
  /** Between the Updates of a device. */
  readonly updateInterval: number;
  /** The server is away so long, from 0 on. */
  readonly outage: number;
  /**
   * All devices are switched on anew within `within` from the moment of the server's return, and register;
   * otherwise they had a registration, and go on by themselves.
   */
  readonly powerCut?: { readonly within: number };
  /** The server comes back without what it knew: an Update gets 4.04, and the device registers. */
  readonly forgetful?: boolean;
  readonly server: ServerCosts;
  /** Longest pause of a device between attempts. */
  readonly maxBackOff?: number;
  readonly random: () => number;
}

/** One process that works off what is in the buffer of its socket, in order. */
export interface ServerCosts {
  /** µs of the process for each. */
  readonly register: number;
  readonly update: number;
  /** Of a datagram that it has seen already. */
  readonly duplicate: number;
  /** Datagrams that wait in the socket's buffer; what comes on top is lost. */
  readonly buffer: number;
  /** From the end of the work to the answer at the device: store and network. Seconds. */
  readonly latency: number;
}

export interface StormResult {
  /** Seconds after the server's return at which each device was back, in order. */
  readonly back: Float64Array;
  readonly datagrams: number;
  /** Of them: the buffer was full. */
  readonly dropped: number;
  /** Repetitions that the server saw. */
  readonly duplicates: number;
  /** Registers that were begun. */
  readonly registers: number;
}

// RFC 7252 §4.8: ACK_TIMEOUT, ACK_RANDOM_FACTOR, MAX_RETRANSMIT.
const ackTimeout = 2;
const ackSpread = 0.5;
const maxRetransmit = 4;
/** As client/lwm2m/registration.ts and retry-pacing.ts have it. */
const attemptTimeout = 15;
const firstBackOff = 2;
const defaultMaxBackOff = 60;

const Kind = {
  /** The next transmission of what is under way, or its end. */
  TIMER: 0,
  ANSWER: 1,
} as const;

const Phase = { UPDATING: 0, REGISTERING: 1, WAITING: 2, BACK: 3 } as const;

/** Plays it through, datagram by datagram. */
export function simulateStorm(storm: Storm): StormResult {
  return new Simulation(storm).run();
}

class Simulation {
  readonly #storm: Storm;
  readonly #events: EventQueue;
  readonly #phase: Uint8Array;
  /** Transmissions of the message that is under way. */
  readonly #sent: Uint8Array;
  /** Tells attempts of a device apart: an answer to one that was given up is none. */
  readonly #attempt: Uint16Array;
  readonly #failures: Uint8Array;
  readonly #timeout: Float32Array;
  readonly #began: Float64Array;
  /** The attempt that the server has in work or has answered; 0: none. */
  readonly #known: Uint16Array;
  readonly #backAt: Float64Array;
  #freeAt = 0;
  #back = 0;
  #datagrams = 0;
  #dropped = 0;
  #duplicates = 0;
  #registers = 0;

  constructor(storm: Storm) {
    const { devices } = storm;
    this.#storm = storm;
    this.#events = new EventQueue(devices);
    this.#phase = new Uint8Array(devices);
    this.#sent = new Uint8Array(devices);
    this.#attempt = new Uint16Array(devices).fill(1);
    this.#failures = new Uint8Array(devices);
    this.#timeout = new Float32Array(devices);
    this.#began = new Float64Array(devices);
    this.#known = new Uint16Array(devices);
    this.#backAt = new Float64Array(devices);
  }

  run(): StormResult {
    const { devices, outage, updateInterval, powerCut, random } = this.#storm;
    for (let device = 0; device < devices; device++) {
      this.#phase[device] = powerCut === undefined ? Phase.UPDATING : Phase.REGISTERING;
      const start = powerCut === undefined ? random() * updateInterval : outage + random() * powerCut.within;
      this.#begin(device, start);
    }
    while (this.#back < devices) {
      const { time, device, kind, attempt } = this.#events.next();
      if (attempt !== this.#attempt[device] || this.#phase[device] === Phase.BACK) continue;
      if (kind === Kind.ANSWER) this.#answered(device, time);
      else this.#timer(device, time);
    }
    const back = this.#backAt.map((time) => Math.max(0, time - outage)).sort();
    return {
      back,
      datagrams: this.#datagrams,
      dropped: this.#dropped,
      duplicates: this.#duplicates,
      registers: this.#registers,
    };
  }

  /** A new message at that time. */
  #begin(device: number, time: number): void {
    this.#sent[device] = 0;
    this.#timeout[device] = ackTimeout * (1 + ackSpread * this.#storm.random());
    this.#began[device] = time;
    this.#events.add(time, device, Kind.TIMER, this.#attempt[device] as number);
  }

  #timer(device: number, time: number): void {
    if (this.#phase[device] === Phase.WAITING) {
      this.#phase[device] = Phase.REGISTERING;
      this.#begin(device, time);
      return;
    }
    const registering = this.#phase[device] === Phase.REGISTERING;
    const sent = this.#sent[device] as number;
    const givenUp =
      sent > maxRetransmit || (registering && time - (this.#began[device] as number) >= attemptTimeout);
    if (givenUp) {
      this.#attempt[device] = (this.#attempt[device] as number) + 1;
      if (registering) this.#wait(device, time);
      else {
        // No answer to an Update: the server may have lost the device, which registers at once.
        this.#phase[device] = Phase.REGISTERING;
        this.#begin(device, time);
      }
      return;
    }
    if (registering && sent === 0) this.#registers++;
    this.#sent[device] = sent + 1;
    this.#transmit(device, time);
    let next = time + (this.#timeout[device] as number) * 2 ** sent;
    if (registering) next = Math.min(next, (this.#began[device] as number) + attemptTimeout);
    this.#events.add(next, device, Kind.TIMER, this.#attempt[device] as number);
  }

  /** Half to half as much again of a pause that doubles. */
  #wait(device: number, time: number): void {
    const { maxBackOff = defaultMaxBackOff, random } = this.#storm;
    const failures = this.#failures[device] as number;
    this.#failures[device] = Math.min(30, failures + 1);
    this.#phase[device] = Phase.WAITING;
    const pause = Math.min(maxBackOff, firstBackOff * 2 ** failures) * (0.5 + random());
    this.#events.add(time + pause, device, Kind.TIMER, this.#attempt[device] as number);
  }

  #transmit(device: number, time: number): void {
    const { outage, server } = this.#storm;
    this.#datagrams++;
    if (time < outage) return;
    const attempt = this.#attempt[device] as number;
    const seen = this.#known[device] === attempt;
    const registering = this.#phase[device] === Phase.REGISTERING;
    const cost = seen ? server.duplicate : registering ? server.register : server.update;
    const waiting = Math.max(0, this.#freeAt - time) * 1e6;
    if (waiting > server.buffer * server.register) {
      this.#dropped++;
      return;
    }
    this.#freeAt = Math.max(this.#freeAt, time) + cost / 1e6;
    if (seen) {
      this.#duplicates++;
      return;
    }
    this.#known[device] = attempt;
    this.#events.add(this.#freeAt + server.latency, device, Kind.ANSWER, attempt);
  }

  #answered(device: number, time: number): void {
    this.#attempt[device] = (this.#attempt[device] as number) + 1;
    if (this.#phase[device] === Phase.UPDATING && this.#storm.forgetful === true) {
      this.#phase[device] = Phase.REGISTERING;
      this.#begin(device, time);
      return;
    }
    this.#phase[device] = Phase.BACK;
    this.#backAt[device] = time;
    this.#back++;
  }
}
