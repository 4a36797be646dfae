import { DecodeError } from '../../../protocol/errors.ts';
import { IotStatus, SwitchStatus } from '../../../protocol/flow/names.ts';
import { decodePacket, encodePacket, packetLength } from '../../../protocol/flow/packet.ts';
import {
  type AppletRecord,
  AppletSwitch,
  type AppletSwitchOptions,
  type OrderOrigin,
  type SwitchReport,
} from './applet-switch.ts';

/** What the applet wants of the terminal next, one thing at a time. */
export type AppletRequest =
  /** To be told of data and of the channel's fate, ETSI TS 102 223 §6.4.16. */
  | { readonly kind: 'set-up-event-list' }
  /** To be polled otherwise, ETSI TS 102 223 §6.4.6. */
  | { readonly kind: 'poll-interval'; readonly milliseconds: number }
  | { readonly kind: 'open-channel' }
  /** One whose link was dropped: the terminal keeps its number until then. */
  | { readonly kind: 'close-channel'; readonly channel: number }
  | { readonly kind: 'receive-data'; readonly channel: number }
  | {
      readonly kind: 'send-data';
      readonly channel: number;
      readonly packet: Uint8Array;
      readonly what: 'farewell' | 'report' | 'status' | 'reading';
    }
  /** The card is another: the terminal is to reset it and read it anew, ETSI TS 102 223 §6.4.7. */
  | { readonly kind: 'refresh' };

/** How the terminal answered. */
export type AppletResult =
  | {
      readonly kind: 'ok';
      readonly channel?: number;
      readonly data?: Uint8Array;
      readonly remaining?: number;
    }
  /** No network, or it is busy. */
  | { readonly kind: 'no-network' }
  /** There is no such channel (any more). */
  | { readonly kind: 'no-channel' }
  | { readonly kind: 'refused' };

export interface AppletFlowOptions extends AppletSwitchOptions {
  /** Whether there is a gateway to talk to. */
  readonly hasGateway: boolean;
}

/** Readings that wait in the card's memory. */
const readingLimit = 16;
/** Longest datagram of a reading: one SEND DATA has to hold it. */
export const longestReading = 200;
/** After so many attempts without network on a new carrier, one for each STATUS poll, the applet goes back. */
const trialAttempts = 5;
/** How often it is polled, ms; and while it waits for the network of a new carrier: whoever ordered it waits too. */
const usualPolls = 30_000;
const trialPolls = 5_000;
/** An attempt to open the channel comes after at most so many polls. */
const longestBackoff = 16;

/**
 * The applet's mind: which proactive command it wants next, given all that happened to it. It knows no APDU and no
 * TLV; time is what the terminal's STATUS polls are. What becomes of switches is `AppletSwitch`'s.
 */
export class AppletFlow {
  readonly #hasGateway: boolean;
  readonly #switch: AppletSwitch;
  /** The terminal has said that it can do what a channel needs. */
  #online = false;
  #events: 'unasked' | 'told' | 'refused' = 'unasked';
  /** The terminal took the REFRESH: until its reset there is nothing more to say. */
  #awaitsReset = false;
  #outstanding: AppletRequest | undefined;
  #channel: number | undefined;
  #stale: number | undefined;
  #dataWaits = false;
  /** Something is to be said, that the gateway knows the address and NATs keep it: on which carrier it is, or `0100`. */
  #statusDue: 'carrier' | 'alive' | undefined;
  #spokeSincePoll = false;
  /** A report or status that the terminal did not take waits for the next poll. */
  #sendHeld = false;
  #openFailures = 0;
  #pollsUntilOpen = 0;
  #pollInterval = usualPolls;
  #readings: Uint8Array[] = [];

  constructor(options: AppletFlowOptions) {
    this.#hasGateway = options.hasGateway;
    this.#switch = new AppletSwitch(options);
  }

  get record(): AppletRecord {
    return this.#switch.record;
  }

  get isOnline(): boolean {
    return this.#channel !== undefined;
  }

  /** Power or reset: all but the record is gone; a switch that was pending is settled by what the card is now. */
  powerUp(): void {
    this.#online = false;
    this.#events = 'unasked';
    this.#awaitsReset = false;
    this.#outstanding = undefined;
    this.#readings = [];
    this.#openFailures = 0;
    this.#pollsUntilOpen = 0;
    this.#pollInterval = usualPolls;
    this.#stale = undefined;
    this.#closed();
    this.#switch.settle();
  }

  /** The terminal told what it can; `channels`: whether it can have a UDP channel for the card. */
  terminalReady(channels: boolean): void {
    this.#online = channels && this.#hasGateway;
  }

  /** STATUS: the only clock there is. */
  poll(): void {
    this.#sendHeld = false;
    if (this.#pollsUntilOpen > 0) this.#pollsUntilOpen--;
    if (!this.#spokeSincePoll) this.#statusDue ??= 'alive';
    this.#spokeSincePoll = false;
    // Who is not told of data asks for it.
    if (this.#events === 'refused' && this.#channel !== undefined) this.#dataWaits = true;
  }

  /** The terminal has found a network: what could not be had or sent is tried again. */
  networkFound(): void {
    this.#sendHeld = false;
    this.#pollsUntilOpen = 0;
  }

  dataAvailable(channel: number): void {
    if (channel === this.#channel) this.#dataWaits = true;
  }

  channelDropped(channel: number): void {
    if (channel !== this.#channel) return;
    this.#stale = channel;
    this.#closed();
    if (this.#outstanding?.kind !== 'send-data') this.#switch.depart();
  }

  /** What is wanted next; undefined while something is outstanding, or where nothing is. */
  next(): AppletRequest | undefined {
    if (this.#outstanding !== undefined || this.#awaitsReset) return undefined;
    const { pending, report, trial } = this.record;
    const channel = this.#channel;
    if (pending !== undefined) {
      if (pending.stage === 'switched') return { kind: 'refresh' };
      if (channel === undefined) return undefined;
      const told = { status: SwitchStatus.ACK, carrier: pending.target };
      return { kind: 'send-data', channel, packet: ackPacket(told), what: 'farewell' };
    }
    if (!this.#online || !this.#switch.isConnected) return undefined;
    if (this.#events === 'unasked') return { kind: 'set-up-event-list' };
    if (this.#stale !== undefined) return { kind: 'close-channel', channel: this.#stale };
    const milliseconds = trial !== undefined && this.#openFailures > 0 ? trialPolls : usualPolls;
    if (milliseconds !== this.#pollInterval) return { kind: 'poll-interval', milliseconds };
    if (channel === undefined) return this.#pollsUntilOpen > 0 ? undefined : { kind: 'open-channel' };
    if (this.#dataWaits) return { kind: 'receive-data', channel };
    if (!this.#sendHeld) {
      if (report !== undefined) {
        return { kind: 'send-data', channel, packet: ackPacket(report), what: 'report' };
      }
      if (this.#statusDue !== undefined) {
        const packet = this.#statusDue === 'alive' ? alivePacket : ackPacket(this.#switch.whereabouts);
        return { kind: 'send-data', channel, packet, what: 'status' };
      }
    }
    const packet = this.#readings[0];
    return packet === undefined ? undefined : { kind: 'send-data', channel, packet, what: 'reading' };
  }

  /** The request is on its way to the terminal. */
  begin(request: AppletRequest): void {
    this.#outstanding = request;
  }

  /** The terminal's answer to what is outstanding. */
  answered(result: AppletResult): void {
    const request = this.#outstanding;
    this.#outstanding = undefined;
    switch (request?.kind) {
      case 'set-up-event-list':
        this.#events = result.kind === 'ok' ? 'told' : 'refused';
        return;
      case 'poll-interval':
        this.#pollInterval = request.milliseconds;
        return;
      case 'open-channel':
        this.#opened(result);
        return;
      case 'close-channel':
        this.#stale = undefined;
        return;
      case 'receive-data':
        this.#received(result);
        return;
      case 'send-data':
        this.#sent(request, result);
        return;
      case 'refresh':
        // Where it was taken, the reset settles it. A terminal that will not hear of it keeps the carrier that it knows.
        if (result.kind === 'ok') this.#awaitsReset = true;
        else this.#switch.goBack();
        return;
      default:
        return;
    }
  }

  /**
   * An order to switch. Undefined: it was begun, and the record tells how it ended once the card was reset.
   * Else it ended at once.
   */
  order(target: number, origin: OrderOrigin): SwitchReport | undefined {
    return this.#switch.order(target, origin, this.isOnline);
  }

  /** A reading for the network, a packet of the flow protocol. False: there is no way or no room for it. */
  reading(packet: Uint8Array): boolean {
    if (this.#channel === undefined || this.#readings.length >= readingLimit) return false;
    this.#readings.push(packet);
    return true;
  }

  #opened(result: AppletResult): void {
    if (result.kind === 'ok' && result.channel !== undefined) {
      this.#channel = result.channel;
      this.#statusDue = 'carrier';
      this.#sendHeld = false;
      this.#openFailures = 0;
      this.#switch.proven();
      return;
    }
    this.#openFailures++;
    if (this.record.trial === undefined) {
      this.#pollsUntilOpen = Math.min(2 ** (this.#openFailures - 1), longestBackoff);
      return;
    }
    this.#pollsUntilOpen = 1;
    if (result.kind === 'no-network' && this.#openFailures >= trialAttempts) this.#switch.fallBack();
  }

  #received(result: AppletResult): void {
    if (result.kind === 'no-channel') this.#lost();
    this.#dataWaits = false;
    if (result.kind !== 'ok' || result.data === undefined) return;
    this.#dataWaits = result.data.length > 0 && (result.remaining ?? 0) > 0;
    for (let rest = result.data; rest.length > 0; ) {
      let target: number;
      try {
        const length = packetLength(rest, 'downstream');
        target = decodePacket(rest.subarray(0, length), 'downstream').carrier;
        rest = rest.subarray(length);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        // Nothing that this applet understands, from whoever sent it.
        return;
      }
      // While a switch is under way a further order is not heard: its report would be taken for the other's.
      if (this.record.pending === undefined) this.order(target, 'network');
    }
  }

  #sent(request: Extract<AppletRequest, { kind: 'send-data' }>, result: AppletResult): void {
    const ok = result.kind === 'ok';
    if (result.kind === 'no-channel') this.#lost();
    if (ok) this.#spokeSincePoll = true;
    // With or without its farewell the card goes off.
    if (request.what === 'farewell' || this.#channel === undefined) this.#switch.depart();
    if (request.what === 'farewell') return;
    if (request.what === 'reading') {
      if (result.kind !== 'no-channel') this.#readings.shift();
    } else if (!ok) this.#sendHeld = true;
    else {
      // Whatever was said, the gateway has the address now.
      this.#statusDue = undefined;
      if (request.what === 'report') this.#switch.reported();
    }
  }

  /** What the terminal says is no channel is opened anew, but not again and again at once. */
  #lost(): void {
    this.#stale = this.#channel;
    this.#closed();
    this.#pollsUntilOpen = 1;
  }

  #closed(): void {
    this.#channel = undefined;
    this.#dataWaits = false;
    this.#statusDue = undefined;
    this.#spokeSincePoll = false;
    this.#sendHeld = false;
  }
}

const alivePacket = encodePacket({ kind: 'iot-status', status: IotStatus.NOMINAL });

function ackPacket(report: SwitchReport): Uint8Array {
  return encodePacket({ kind: 'carrier-switch-ack', ...report });
}
