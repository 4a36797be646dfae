import { DecodeError } from '../../../protocol/errors.ts';
import { decodeTlvs } from '../ber-tlv.ts';
import { type ComprehensionTlv, encodeComprehensionTlv } from '../comprehension-tlv.ts';
import {
  type BearerDescription,
  type CommandDetails,
  decodeBearerDescription,
  decodeCommandDetails,
  decodeDeviceIdentities,
  decodeFileList,
  decodeNetworkAccessName,
  decodeOtherAddress,
  decodeShort,
  decodeTextString,
  decodeTransportLevel,
  encodeBearerDescription,
  encodeBufferSize,
  encodeCommandDetails,
  encodeDeviceIdentities,
  encodeFileList,
  encodeNetworkAccessName,
  encodeOtherAddress,
  encodeTextString,
  encodeTransportLevel,
  onlyByte,
  type TextString,
  type TransportLevel,
  wrap,
} from './data-objects.ts';
import { ToolkitObjects } from './objects.ts';
import { CommandType, Device, OuterTag, Tag } from './tags.ts';
import { decodeDuration, decodeTimerValue, encodeDuration, encodeTimerValue } from './times.ts';

interface Command {
  readonly details: CommandDetails;
  /** Objects that the command is not known to have. */
  readonly others?: readonly ComprehensionTlv[];
}

/** ETSI TS 102 223 §6.6.13; `details.qualifier` is a RefreshMode. */
export interface RefreshCommand extends Command {
  readonly kind: 'refresh';
  /** Files that changed, each as its path of file ids. */
  readonly files?: readonly (readonly number[])[];
  readonly aid?: Uint8Array;
}

/** §6.6.4 MORE TIME, §6.6.15 POLLING OFF, §6.6.31 GET CHANNEL STATUS, §6.6.16 PROVIDE LOCAL INFORMATION. */
export interface PlainCommand extends Command {
  readonly kind: 'more-time' | 'polling-off' | 'get-channel-status' | 'provide-local-information';
}

/** §6.6.6. */
export interface PollIntervalCommand extends Command {
  readonly kind: 'poll-interval';
  readonly milliseconds: number;
}

/** §6.6.17; an empty list takes all events off. */
export interface SetUpEventListCommand extends Command {
  readonly kind: 'set-up-event-list';
  readonly events: readonly number[];
}

/** §6.6.21; `details.qualifier` is a TimerAction. */
export interface TimerManagementCommand extends Command {
  readonly kind: 'timer-management';
  /** 1 to 8. */
  readonly timer: number;
  /** To start with. */
  readonly seconds?: number;
}

/**
 * §6.6.27, for packet data: bits of `details.qualifier` are immediate link establishment (1), automatic
 * reconnection (2), background mode (3).
 */
export interface OpenChannelCommand extends Command {
  readonly kind: 'open-channel';
  readonly alphaIdentifier?: Uint8Array;
  readonly bearer: BearerDescription;
  /** Bytes that the card asks the terminal to hold in each direction. */
  readonly bufferSize: number;
  readonly accessPoint?: string;
  /** The terminal's own; an empty one is the dynamic address. */
  readonly localAddress?: string | 'dynamic';
  readonly login?: TextString;
  readonly password?: TextString;
  readonly transport?: TransportLevel;
  readonly destination?: string | 'dynamic';
}

/** §6.6.28. */
export interface CloseChannelCommand extends Command {
  readonly kind: 'close-channel';
  readonly channel: number;
}

/** §6.6.29. */
export interface ReceiveDataCommand extends Command {
  readonly kind: 'receive-data';
  readonly channel: number;
  readonly length: number;
}

/** §6.6.30; `details.qualifier` 0 stores, 1 sends all that is stored. */
export interface SendDataCommand extends Command {
  readonly kind: 'send-data';
  readonly channel: number;
  readonly data: Uint8Array;
}

/** A command that is none of these: the terminal has no such capability. */
export interface OtherCommand extends Command {
  readonly kind: 'other';
}

export type ProactiveCommand =
  | RefreshCommand
  | PlainCommand
  | PollIntervalCommand
  | SetUpEventListCommand
  | TimerManagementCommand
  | OpenChannelCommand
  | CloseChannelCommand
  | ReceiveDataCommand
  | SendDataCommand
  | OtherCommand;

const plainKinds: Readonly<Record<number, PlainCommand['kind']>> = {
  [CommandType.MORE_TIME]: 'more-time',
  [CommandType.POLLING_OFF]: 'polling-off',
  [CommandType.GET_CHANNEL_STATUS]: 'get-channel-status',
  [CommandType.PROVIDE_LOCAL_INFORMATION]: 'provide-local-information',
};

/** Tag, length and three bytes. */
const detailsLength = 5;

const bytesOf = (tlv: ComprehensionTlv): Uint8Array => tlv.value;
const addressOf = (tlv: ComprehensionTlv): string => decodeOtherAddress(tlv) ?? 'dynamic';

/**
 * The command details alone, which are the first object, for the answer to a command that is otherwise not
 * understood; undefined where even these are not to be had.
 */
export function detailsOf(bytes: Uint8Array): CommandDetails | undefined {
  try {
    const [outer] = decodeTlvs(bytes);
    if (outer?.tag !== OuterTag.PROACTIVE_COMMAND) return undefined;
    const objects = new ToolkitObjects(outer.value.subarray(0, detailsLength));
    return objects.take(Tag.COMMAND_DETAILS, decodeCommandDetails);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** What FETCH gave. @throws DecodeError; MissingObjectError where an object is missing */
export function decodeProactiveCommand(bytes: Uint8Array): ProactiveCommand {
  const objects = ToolkitObjects.within(OuterTag.PROACTIVE_COMMAND, bytes);
  const details = objects.need(Tag.COMMAND_DETAILS, 'command details', decodeCommandDetails);
  const devices = objects.need(Tag.DEVICE_IDENTITIES, 'device identities', decodeDeviceIdentities);
  const command = decodeBody(details, devices.destination, objects);
  return objects.others.length === 0 ? command : { ...command, others: objects.others };
}

function decodeBody(details: CommandDetails, destination: number, objects: ToolkitObjects): ProactiveCommand {
  switch (details.type) {
    case CommandType.REFRESH: {
      const files = objects.take(Tag.FILE_LIST, decodeFileList);
      const aid = objects.take(Tag.AID, bytesOf);
      return { kind: 'refresh', details, ...(files && { files }), ...(aid && { aid }) };
    }
    case CommandType.POLL_INTERVAL: {
      const milliseconds = objects.need(Tag.DURATION, 'duration', decodeDuration);
      return { kind: 'poll-interval', details, milliseconds };
    }
    case CommandType.SET_UP_EVENT_LIST: {
      const events = objects.need(Tag.EVENT_LIST, 'event list', (tlv) => [...tlv.value]);
      return { kind: 'set-up-event-list', details, events };
    }
    case CommandType.TIMER_MANAGEMENT: {
      const timer = objects.need(Tag.TIMER_IDENTIFIER, 'timer identifier', onlyByte);
      const seconds = objects.take(Tag.TIMER_VALUE, decodeTimerValue);
      return { kind: 'timer-management', details, timer, ...(seconds !== undefined && { seconds }) };
    }
    case CommandType.OPEN_CHANNEL:
      return decodeOpenChannel(details, objects);
    case CommandType.CLOSE_CHANNEL:
      return { kind: 'close-channel', details, channel: channelOf(destination) };
    case CommandType.RECEIVE_DATA: {
      const length = objects.need(Tag.CHANNEL_DATA_LENGTH, 'channel data length', onlyByte);
      return { kind: 'receive-data', details, channel: channelOf(destination), length };
    }
    case CommandType.SEND_DATA: {
      const data = objects.need(Tag.CHANNEL_DATA, 'channel data', bytesOf);
      return { kind: 'send-data', details, channel: channelOf(destination), data };
    }
    default: {
      const kind = plainKinds[details.type];
      return kind === undefined ? { kind: 'other', details } : { kind, details };
    }
  }
}

/** An address before the transport level is the terminal's, one behind it the destination's. */
function decodeOpenChannel(details: CommandDetails, objects: ToolkitObjects): OpenChannelCommand {
  const alphaIdentifier = objects.take(Tag.ALPHA_IDENTIFIER, bytesOf);
  const bearer = objects.need(Tag.BEARER_DESCRIPTION, 'bearer description', decodeBearerDescription);
  const bufferSize = objects.need(Tag.BUFFER_SIZE, 'buffer size', decodeShort);
  const accessPoint = objects.take(Tag.NETWORK_ACCESS_NAME, decodeNetworkAccessName);
  const localAddress = objects.isBefore(Tag.OTHER_ADDRESS, Tag.TRANSPORT_LEVEL)
    ? objects.take(Tag.OTHER_ADDRESS, addressOf)
    : undefined;
  const login = objects.take(Tag.TEXT_STRING, decodeTextString);
  const password = objects.take(Tag.TEXT_STRING, decodeTextString);
  const transport = objects.take(Tag.TRANSPORT_LEVEL, decodeTransportLevel);
  const destination = objects.take(Tag.OTHER_ADDRESS, addressOf);
  return {
    kind: 'open-channel',
    details,
    ...(alphaIdentifier && { alphaIdentifier }),
    bearer,
    bufferSize,
    ...(accessPoint !== undefined && { accessPoint }),
    ...(localAddress !== undefined && { localAddress }),
    ...(login && { login }),
    ...(password && { password }),
    ...(transport && { transport }),
    ...(destination !== undefined && { destination }),
  };
}

function channelOf(destination: number): number {
  const channel = destination - Device.CHANNEL;
  if (channel < 0 || channel > 7) throw new DecodeError(`device ${destination.toString(16)} is no channel`);
  return channel;
}

/** What a card lets the terminal fetch. @throws RequestError what a command cannot carry */
export function encodeProactiveCommand(command: ProactiveCommand): Uint8Array {
  const channel = 'channel' in command ? Device.CHANNEL + command.channel : Device.TERMINAL;
  return wrap(OuterTag.PROACTIVE_COMMAND, [
    encodeCommandDetails(command.details),
    encodeDeviceIdentities(Device.UICC, channel),
    ...encodeBody(command),
    ...(command.others ?? []).map((tlv) => encodeComprehensionTlv(tlv.tag, tlv.required, tlv.value)),
  ]);
}

function encodeBody(command: ProactiveCommand): Uint8Array[] {
  switch (command.kind) {
    case 'refresh':
      return [
        ...(command.files === undefined ? [] : [encodeFileList(command.files)]),
        ...(command.aid === undefined ? [] : [encodeComprehensionTlv(Tag.AID, true, command.aid)]),
      ];
    case 'poll-interval':
      return [encodeDuration(command.milliseconds)];
    case 'set-up-event-list':
      return [encodeComprehensionTlv(Tag.EVENT_LIST, true, Uint8Array.from(command.events))];
    case 'timer-management':
      return [
        encodeComprehensionTlv(Tag.TIMER_IDENTIFIER, true, Uint8Array.of(command.timer)),
        ...(command.seconds === undefined ? [] : [encodeTimerValue(command.seconds)]),
      ];
    case 'open-channel':
      return encodeOpenChannel(command);
    case 'receive-data':
      return [encodeComprehensionTlv(Tag.CHANNEL_DATA_LENGTH, true, Uint8Array.of(command.length))];
    case 'send-data':
      return [encodeComprehensionTlv(Tag.CHANNEL_DATA, true, command.data)];
    default:
      return [];
  }
}

function encodeOpenChannel(command: OpenChannelCommand): Uint8Array[] {
  const { alphaIdentifier, accessPoint, localAddress, login, password, transport, destination } = command;
  const address = (value: string): Uint8Array => encodeOtherAddress(value === 'dynamic' ? undefined : value);
  return [
    ...(alphaIdentifier === undefined
      ? []
      : [encodeComprehensionTlv(Tag.ALPHA_IDENTIFIER, false, alphaIdentifier)]),
    encodeBearerDescription(command.bearer),
    encodeBufferSize(command.bufferSize),
    ...(accessPoint === undefined ? [] : [encodeNetworkAccessName(accessPoint)]),
    ...(localAddress === undefined ? [] : [address(localAddress)]),
    ...[login, password].flatMap((text) => (text === undefined ? [] : [encodeTextString(text)])),
    ...(transport === undefined ? [] : [encodeTransportLevel(transport)]),
    ...(destination === undefined ? [] : [address(destination)]),
  ];
}
