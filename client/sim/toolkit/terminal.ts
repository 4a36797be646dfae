import type { Clock, Timer } from '../../../protocol/clock.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { describeStatusWord, Ins, isOk } from '../apdu.ts';
import type { CardSession } from '../card-session.ts';
import { CardAbsentError, CardStatusError, CardTransportError } from '../card-transport.ts';
import type { BearerChannel, ChannelOptions } from './bearer-channel.ts';
import { type Answer, BearerIndependentProtocol } from './bearer-independent-protocol.ts';
import type { Envelope } from './envelope.ts';
import { EnvelopeQueue } from './envelope-queue.ts';
import { MissingObjectError } from './objects.ts';
import {
  decodeProactiveCommand,
  detailsOf,
  type ProactiveCommand,
  type RefreshCommand,
} from './proactive-command.ts';
import { type LocalInformation, provideLocalInformation } from './provide-local-information.ts';
import { EventType, GeneralResult, RefreshMode } from './tags.ts';
import { encodeTerminalProfile, Facility } from './terminal-profile.ts';
import { encodeTerminalResponse, type TerminalResponse } from './terminal-response.ts';
import type { ToolkitChannel } from './toolkit-channel.ts';
import { ToolkitTimers } from './toolkit-timers.ts';

export interface TerminalOptions {
  readonly session: CardSession;
  readonly clock: Clock;
  /** Opens the link of a channel that the card asks for. @throws BearerError */
  readonly openChannel: (options: ChannelOptions) => Promise<BearerChannel>;
  readonly localInformation: LocalInformation;
  /**
   * The card asks for its files to be read again: those in `files` (paths of file ids), or all. Awaited before the
   * card is told that it is done; with UICC_RESET it is called after the reset.
   */
  readonly onRefresh: (mode: RefreshMode, files: RefreshCommand['files']) => Promise<void> | void;
  /**
   * What the card asked for could not be brought to its end: a command or an answer was lost, or not understood, and
   * the card may wait for ever. It has to be reset, and read anew; said with each poll until it was.
   */
  readonly onBroken?: () => void;
  /** For people. */
  readonly onLog: (message: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
  /** Milliseconds between two STATUS, until the card asks for another interval. Default 30 s (ETSI TS 102 221 §14.5.1). */
  readonly pollInterval?: number;
  /** Channels that the card may have at once, 1 to 7. Default 3. */
  readonly maxChannels?: number;
  /** Bytes of a channel's buffer in each direction, at most. Default 1472: a UDP datagram of one Ethernet frame. */
  readonly maxBuffer?: number;
}

const proactiveClass = 0x80;
/** What a card may ask the poll interval to be, ms. */
const pollBounds = { least: 500, most: 3_600_000 } as const;
const supportedEvents: readonly number[] = [
  EventType.DATA_AVAILABLE,
  EventType.CHANNEL_STATUS,
  EventType.LOCATION_STATUS,
];
const refreshModes: readonly number[] = Object.values(RefreshMode);
const unsupported: readonly Facility[] = ['TCP_CLIENT', 'NETWORK_MEASUREMENT_RESULTS'];
const answer = (general: number): Answer => ({ result: { general } });

/**
 * The terminal's side of the card application toolkit (ETSI TS 102 223) for one card: TERMINAL PROFILE after
 * each reset, the STATUS poll, proactive commands fetched, done and answered, and what happens told by ENVELOPE.
 */
export class Terminal {
  readonly #options: TerminalOptions;
  readonly #bearers: BearerIndependentProtocol;
  readonly #timers: ToolkitTimers;
  readonly #maxChannels: number;
  readonly #events = new Set<number>();
  readonly #envelopes: EnvelopeQueue;
  #pollInterval: number;
  #poll: Timer | undefined;
  #started = false;
  #hasToolkit = false;
  /** A proactive session did not come to its end. */
  #broken = false;
  #trouble = '';

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#maxChannels = Math.min(Math.max(options.maxChannels ?? 3, 1), 7);
    this.#pollInterval = options.pollInterval ?? 30_000;
    this.#bearers = new BearerIndependentProtocol({
      openChannel: options.openChannel,
      maxChannels: this.#maxChannels,
      maxBuffer: options.maxBuffer ?? 1_472,
      onData: (channel) => this.#tellData(channel),
      onStatus: (channel) => this.#tellStatus(channel),
      onLog: options.onLog,
      onFault: options.onFault,
    });
    this.#envelopes = new EnvelopeQueue({
      session: options.session,
      clock: options.clock,
      later: (work) => this.#later(work),
      onLog: options.onLog,
    });
    this.#timers = new ToolkitTimers(options.clock, (timer, seconds) =>
      this.#tell(`timer ${timer}`, () => ({ kind: 'timer-expiration', timer, seconds })),
    );
  }

  /** Whether the card took the terminal profile. */
  get hasToolkit(): boolean {
    return this.#hasToolkit;
  }

  /**
   * Serves the session from now on. A card that is powered up already is told the profile at once, any other when it
   * is. Idempotent. @throws CardTransportError, DecodeError
   */
  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { session } = this.#options;
    session.onProactive = async (length) => {
      try {
        await this.serve(length);
      } catch (error) {
        this.#broken = true;
        throw error;
      }
    };
    session.onReset = () => this.#begin();
    if (session.generation > 0) await session.exclusive(() => this.#begin());
  }

  /** Closes the card's channels and lets go of the session. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    const { session } = this.#options;
    session.onProactive = undefined;
    session.onReset = undefined;
    await this.#forget();
  }

  /**
   * Fetches the one proactive command that the card announced with that many bytes, does it, and answers it.
   * @throws CardTransportError, DecodeError; CardStatusError the card takes FETCH or TERMINAL RESPONSE not
   */
  async serve(length: number): Promise<void> {
    const { session, onFault } = this.#options;
    const fetched = await session.expectOk('fetch', {
      cla: proactiveClass,
      ins: Ins.FETCH,
      p1: 0,
      p2: 0,
      le: length,
    });
    let command: ProactiveCommand | undefined;
    let response: TerminalResponse;
    try {
      command = decodeProactiveCommand(fetched.data);
      response = { details: command.details, ...(await this.#execute(command)) };
    } catch (error) {
      const details = detailsOf(fetched.data);
      if (!isCardTrouble(error)) onFault(error);
      response =
        details === undefined
          ? { details: { number: 0, type: 0, qualifier: 0 }, ...answer(GeneralResult.VALUES_MISSING) }
          : { details, ...answer(generalResultOf(error)) };
    }
    await session.expectOk('take the terminal response', {
      cla: proactiveClass,
      ins: Ins.TERMINAL_RESPONSE,
      p1: 0,
      p2: 0,
      data: encodeTerminalResponse(response),
    });
    if (command?.kind === 'refresh' && command.details.qualifier === RefreshMode.UICC_RESET) {
      await session.reset();
      await this.#options.onRefresh(RefreshMode.UICC_RESET, command.files);
    }
  }

  /** Sends STATUS soon, and not only when it is time: the card may have something to ask for. */
  poll(): void {
    if (!this.#started || !this.#hasToolkit) return;
    if (this.#broken) this.#options.onBroken?.();
    else this.#later(() => this.#sendStatus());
    this.#schedulePoll();
  }

  /** Tells the card that the terminal found service, or lost it, if the card wants to know. */
  serviceChanged(): void {
    if (!this.#events.has(EventType.LOCATION_STATUS)) return;
    this.#tell('location', () => {
      const location = this.#options.localInformation.location();
      return location === undefined
        ? { kind: 'location-status', service: 2 }
        : { kind: 'location-status', service: 0, location };
    });
  }

  async #execute(command: ProactiveCommand): Promise<Answer> {
    if ((command.others ?? []).some((tlv) => tlv.required) && command.kind !== 'other') {
      return answer(GeneralResult.DATA_NOT_UNDERSTOOD);
    }
    switch (command.kind) {
      case 'refresh':
        return this.#refresh(command);
      case 'more-time':
        return answer(GeneralResult.OK);
      case 'poll-interval':
        return this.#setPollInterval(command.milliseconds);
      case 'polling-off':
        this.#pollInterval = 0;
        this.#schedulePoll();
        return answer(GeneralResult.OK);
      case 'set-up-event-list':
        return this.#setUpEventList(command.events);
      case 'timer-management':
        return this.#timers.manage(command);
      case 'provide-local-information':
        return provideLocalInformation(command.details.qualifier, this.#options.localInformation);
      case 'open-channel':
        return this.#bearers.open(command);
      case 'close-channel':
        return this.#bearers.close(command);
      case 'receive-data':
        return this.#bearers.receive(command);
      case 'send-data':
        return this.#bearers.send(command);
      case 'get-channel-status':
        return this.#bearers.status();
      case 'other':
        return answer(GeneralResult.BEYOND_CAPABILITIES);
    }
  }

  /** ETSI TS 102 223 §6.4.7: a reset comes after the answer, anything else before it. */
  async #refresh(command: RefreshCommand): Promise<Answer> {
    const mode = command.details.qualifier;
    if (!refreshModes.includes(mode)) return answer(GeneralResult.BEYOND_CAPABILITIES);
    if (mode !== RefreshMode.UICC_RESET) await this.#options.onRefresh(mode as RefreshMode, command.files);
    return answer(GeneralResult.OK);
  }

  #setPollInterval(wanted: number): Answer {
    const milliseconds = Math.min(Math.max(wanted, pollBounds.least), pollBounds.most);
    this.#pollInterval = milliseconds;
    this.#schedulePoll();
    return { ...answer(GeneralResult.OK), milliseconds };
  }

  /** All of the events, or the list stays as it was (ETSI TS 102 223 §6.4.16). */
  #setUpEventList(events: readonly number[]): Answer {
    if (!events.every((event) => supportedEvents.includes(event))) {
      return answer(GeneralResult.BEYOND_CAPABILITIES);
    }
    this.#events.clear();
    for (const event of events) this.#events.add(event);
    return answer(GeneralResult.OK);
  }

  /** The card was powered up: it knows nothing, and is told what the terminal can do. */
  async #begin(): Promise<void> {
    const { session, onLog } = this.#options;
    await this.#forget();
    this.#pollInterval = this.#options.pollInterval ?? 30_000;
    const facilities = (Object.keys(Facility) as Facility[]).filter((name) => !unsupported.includes(name));
    const { sw } = await session.send({
      cla: proactiveClass,
      ins: Ins.TERMINAL_PROFILE,
      p1: 0,
      p2: 0,
      data: encodeTerminalProfile({ facilities: new Set(facilities), channels: this.#maxChannels }),
    });
    this.#hasToolkit = isOk(sw);
    if (this.#hasToolkit) this.#schedulePoll();
    else onLog(`the card has no application toolkit: ${describeStatusWord(sw)}`);
  }

  async #forget(): Promise<void> {
    this.#hasToolkit = false;
    this.#broken = false;
    this.#events.clear();
    this.#envelopes.clear();
    this.#timers.clear();
    this.#poll?.cancel();
    await this.#bearers.closeAll();
  }

  #schedulePoll(): void {
    this.#poll?.cancel();
    if (!this.#started || this.#pollInterval === 0) return;
    this.#poll = this.#options.clock.setTimer(this.#pollInterval, () => this.poll());
  }

  async #sendStatus(): Promise<void> {
    if (!this.#started) return;
    const { sw } = await this.#options.session.send({
      cla: proactiveClass,
      ins: Ins.STATUS,
      p1: 0x00,
      p2: 0x0c,
    });
    this.#notice(isOk(sw) ? '' : `the card does not take STATUS: ${describeStatusWord(sw)}`);
    await this.#envelopes.send();
  }

  #tellData(channel: ToolkitChannel): void {
    if (!this.#events.has(EventType.DATA_AVAILABLE)) return;
    this.#tell(`data ${channel.id}`, () =>
      channel.available === 0
        ? undefined
        : { kind: 'data-available', status: channel.status, length: Math.min(channel.available, 255) },
    );
  }

  #tellStatus(channel: ToolkitChannel): void {
    if (!this.#events.has(EventType.CHANNEL_STATUS)) return;
    this.#tell(`status ${channel.id}`, () => ({ kind: 'channel-status', status: channel.status }));
  }

  #tell(about: string, envelope: () => Envelope | undefined): void {
    if (this.#started) this.#envelopes.add(about, envelope);
  }

  /** Work of a timer or a socket: nobody waits for it, and a card that is away is no fault. */
  #later(work: () => Promise<void>): void {
    this.#options.session.later(work).catch((error: unknown) => {
      if (!isCardTrouble(error)) {
        this.#options.onFault(error);
        return;
      }
      this.#notice(error.message);
      // A card that is out is told of by its slot.
      if (error instanceof CardAbsentError) return;
      this.#broken = true;
      this.#options.onBroken?.();
    });
  }

  /** Trouble that lasts is told once. */
  #notice(trouble: string): void {
    if (trouble !== '' && trouble !== this.#trouble)
      this.#options.onLog(`card application toolkit: ${trouble}`);
    this.#trouble = trouble;
  }
}

/** The card's or the reader's doing, and not ours. */
function isCardTrouble(error: unknown): error is Error {
  return (
    error instanceof CardTransportError || error instanceof CardStatusError || error instanceof DecodeError
  );
}

function generalResultOf(error: unknown): number {
  if (error instanceof MissingObjectError) return GeneralResult.VALUES_MISSING;
  return error instanceof DecodeError ? GeneralResult.DATA_NOT_UNDERSTOOD : GeneralResult.TERMINAL_BUSY;
}
