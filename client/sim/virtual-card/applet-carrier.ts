import { DecodeError } from '../../../protocol/errors.ts';
import { FlowCarrier } from '../../../protocol/flow/names.ts';
import { decodePacket } from '../../../protocol/flow/packet.ts';
import { type CommandApdu, StatusWord } from '../apdu.ts';
import {
  AppletData,
  AppletIns,
  AppletPut,
  carrierAppletAid,
  encodeAppletCarriers,
  encodeAppletState,
  encodeOutcome,
} from '../applet/applet-apdu.ts';
import { ProfileResult } from '../euicc.ts';
import { decodeEnvelope } from '../toolkit/envelope.ts';
import { encodeProactiveCommand, type ProactiveCommand } from '../toolkit/proactive-command.ts';
import {
  BearerType,
  BipCause,
  BusyCause,
  CommandType,
  EventType,
  GeneralResult,
  RefreshMode,
  TransportProtocol,
} from '../toolkit/tags.ts';
import { decodeTerminalProfile, type Facility } from '../toolkit/terminal-profile.ts';
import { decodeTerminalResponse, type TerminalResponse } from '../toolkit/terminal-response.ts';
import { AppletFlow, type AppletRequest, type AppletResult, longestReading } from './applet-flow.ts';
import { type AppletGateway, formatAppletMemory, parseAppletMemory } from './applet-memory.ts';
import type { ApplicationAnswer, CardApplication, CardServices } from './card-application.ts';
import type { CardProfile } from './card-profiles.ts';

/** A channel needs these, ETSI TS 102 223 §5.2. */
const channelFacilities: readonly Facility[] = ['OPEN_CHANNEL', 'SEND_DATA', 'RECEIVE_DATA', 'UDP_CLIENT'];
/** Location status, ETSI TS 102 223 §8.27. */
const normalService = 0;
/** The terminal is asked to hold so much in each direction, bytes. */
const bufferSize = 1024;
/** What one RECEIVE DATA may bring: the terminal response with it has to fit one APDU. */
const receiveLength = 0xeb;

export interface CarrierAppletOptions {
  /** Where its channel leads, in the place of what the card remembers; null: nowhere. */
  readonly gateway?: AppletGateway | null;
}

/**
 * The carrier applet: it has a UDP channel to its gateway by the bearer-independent protocol (ETSI TS 102 223
 * §6.4.27 to §6.4.31), takes orders to switch from there, and from the terminal by APDUs of its own, enables the
 * profile that was asked for, has the terminal reset the card, and acknowledges. Readings that the terminal gives it
 * go up through the same channel. What it wants next is `AppletFlow`'s; here are its bytes.
 */
export class CarrierApplet implements CardApplication {
  readonly aid = carrierAppletAid;
  readonly #options: CarrierAppletOptions;
  #card!: CardServices;
  #flow!: AppletFlow;
  #gateway: AppletGateway | undefined;

  constructor(options: CarrierAppletOptions = {}) {
    this.#options = options;
  }

  onInstall(card: CardServices): void {
    this.#card = card;
    const kept = parseAppletMemory(card.read());
    const { gateway } = this.#options;
    this.#gateway = gateway === undefined ? kept.gateway : (gateway ?? undefined);
    this.#flow = new AppletFlow({
      carriers: {
        current: () => card.enabledProfile?.carrier ?? FlowCarrier.DISCONNECT,
        has: (carrier) => this.#profileOf(carrier) !== undefined,
        switchTo: (carrier) => card.switchProfile(this.#profileOf(carrier)?.iccid) === ProfileResult.OK,
      },
      hasGateway: this.#gateway !== undefined,
      record: kept.record,
      keep: (record) => card.write(formatAppletMemory({ gateway: this.#gateway, record })),
    });
    if (gateway !== undefined) {
      card.write(formatAppletMemory({ gateway: this.#gateway, record: kept.record }));
    }
  }

  onReset(): void {
    this.#flow.powerUp();
  }

  onTerminalProfile(profile: Uint8Array): void {
    const { facilities, channels } = decodeTerminalProfile(profile);
    this.#flow.terminalReady(channels > 0 && channelFacilities.every((name) => facilities.has(name)));
    this.#act();
  }

  onStatus(): void {
    this.#flow.poll();
    this.#act();
  }

  onEnvelope(bytes: Uint8Array): undefined {
    const envelope = decodeEnvelope(bytes);
    switch (envelope.kind) {
      case 'data-available':
        this.#flow.dataAvailable(envelope.status.channel);
        break;
      case 'channel-status':
        if (!envelope.status.linked) this.#flow.channelDropped(envelope.status.channel);
        break;
      case 'location-status':
        if (envelope.service === normalService) this.#flow.networkFound();
        break;
    }
    this.#act();
  }

  onTerminalResponse(_command: Uint8Array, bytes: Uint8Array): void {
    this.#flow.answered(readResponse(bytes));
    this.#act();
  }

  process(command: CommandApdu): ApplicationAnswer {
    const what = (command.p1 << 8) | command.p2;
    if (command.ins === AppletIns.GET_DATA) return this.#getData(what);
    if (command.ins === AppletIns.PUT_DATA) return this.#putData(what, command.data ?? new Uint8Array(0));
    return status(StatusWord.INS_NOT_SUPPORTED);
  }

  #getData(what: number): ApplicationAnswer {
    if (what === AppletData.STATE) {
      const { pending, outcome } = this.#flow.record;
      const carrier = this.#card.enabledProfile?.carrier ?? FlowCarrier.DISCONNECT;
      const { isOnline: online } = this.#flow;
      return ok(encodeAppletState({ carrier, switching: pending !== undefined, online, outcome }));
    }
    if (what === AppletData.CARRIERS) {
      return ok(
        encodeAppletCarriers(
          this.#card.profiles.map((profile) => ({
            id: profile.carrier,
            name: profile.nickname || profile.name,
            iccid: profile.iccid,
          })),
        ),
      );
    }
    return status(StatusWord.REFERENCED_DATA_NOT_FOUND);
  }

  #putData(what: number, bytes: Uint8Array): ApplicationAnswer {
    if (what === AppletPut.PERFORM) {
      const report = this.#flow.order(decodePacket(bytes, 'downstream').carrier, 'terminal');
      this.#act();
      return report === undefined ? status(StatusWord.OK) : ok(encodeOutcome(report));
    }
    if (what === AppletPut.READING) {
      if (decodePacket(bytes, 'upstream').kind !== 'iot-data' || bytes.length > longestReading) {
        return status(StatusWord.INCORRECT_DATA);
      }
      if (!this.#flow.isOnline) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
      if (!this.#flow.reading(bytes)) return status(StatusWord.NOT_ENOUGH_MEMORY);
      this.#act();
      return status(StatusWord.OK);
    }
    return status(StatusWord.REFERENCED_DATA_NOT_FOUND);
  }

  #profileOf(carrier: number): CardProfile | undefined {
    return this.#card.profiles.find((profile) => profile.carrier === carrier);
  }

  /** What the flow wants next is on its way. */
  #act(): void {
    const request = this.#flow.next();
    if (request === undefined) return;
    this.#flow.begin(request);
    this.#card.queueProactive(encodeProactiveCommand(this.#commandFor(request)));
  }

  #commandFor(request: AppletRequest): ProactiveCommand {
    switch (request.kind) {
      case 'set-up-event-list':
        return {
          kind: 'set-up-event-list',
          details: details(CommandType.SET_UP_EVENT_LIST, 0),
          events: [EventType.LOCATION_STATUS, EventType.DATA_AVAILABLE, EventType.CHANNEL_STATUS],
        };
      case 'poll-interval':
        return {
          kind: 'poll-interval',
          details: details(CommandType.POLL_INTERVAL, 0),
          milliseconds: request.milliseconds,
        };
      case 'open-channel': {
        const { address, port } = this.#gateway as AppletGateway;
        return {
          kind: 'open-channel',
          // Immediate link establishment, so that the answer tells whether there is one.
          details: details(CommandType.OPEN_CHANNEL, 0x01),
          bearer: { type: BearerType.DEFAULT, parameters: new Uint8Array(0) },
          bufferSize,
          transport: { protocol: TransportProtocol.UDP_CLIENT, port },
          destination: address,
        };
      }
      case 'close-channel':
        return {
          kind: 'close-channel',
          details: details(CommandType.CLOSE_CHANNEL, 0),
          channel: request.channel,
        };
      case 'receive-data':
        return {
          kind: 'receive-data',
          details: details(CommandType.RECEIVE_DATA, 0),
          channel: request.channel,
          length: receiveLength,
        };
      case 'send-data':
        return {
          kind: 'send-data',
          details: details(CommandType.SEND_DATA, 0x01),
          channel: request.channel,
          data: request.packet,
        };
      case 'refresh':
        return { kind: 'refresh', details: details(CommandType.REFRESH, RefreshMode.UICC_RESET) };
    }
  }
}

function details(type: number, qualifier: number): ProactiveCommand['details'] {
  return { number: 1, type, qualifier };
}

/** What the flow needs to know of a terminal response; one that is none is a refusal. */
function readResponse(bytes: Uint8Array): AppletResult {
  let response: TerminalResponse;
  try {
    response = decodeTerminalResponse(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return { kind: 'refused' };
    throw error;
  }
  const { general, additional } = response.result;
  if (general < 0x10) {
    const channel = response.channels?.find(({ linked }) => linked)?.channel;
    return {
      kind: 'ok',
      ...(channel === undefined ? {} : { channel }),
      ...(response.data === undefined ? {} : { data: response.data }),
      ...(response.length === undefined ? {} : { remaining: response.length }),
    };
  }
  if (general === GeneralResult.NETWORK_BUSY) return { kind: 'no-network' };
  if (general === GeneralResult.TERMINAL_BUSY && additional === BusyCause.NO_SERVICE) {
    return { kind: 'no-network' };
  }
  const gone: readonly (number | undefined)[] = [
    BipCause.NO_CHANNEL,
    BipCause.CHANNEL_CLOSED,
    BipCause.INVALID_CHANNEL,
  ];
  if (general === GeneralResult.BIP_ERROR && gone.includes(additional)) return { kind: 'no-channel' };
  return { kind: 'refused' };
}

function ok(data: Uint8Array): ApplicationAnswer {
  return { data, sw: StatusWord.OK, announce: true };
}

function status(sw: number): ApplicationAnswer {
  return { data: new Uint8Array(0), sw };
}
