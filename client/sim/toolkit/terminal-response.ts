import { RequestError } from '../../../protocol/errors.ts';
import { type ComprehensionTlv, encodeComprehensionTlv } from '../comprehension-tlv.ts';
import {
  type BearerDescription,
  type ChannelStatus,
  type CommandDetails,
  type DateTime,
  decodeBearerDescription,
  decodeChannelStatus,
  decodeCommandDetails,
  decodeDeviceIdentities,
  decodeResult,
  decodeShort,
  encodeBearerDescription,
  encodeBufferSize,
  encodeChannelStatus,
  encodeCommandDetails,
  encodeDeviceIdentities,
  encodeResult,
  type LocationInformation,
  onlyByte,
  type Result,
} from './data-objects.ts';
import {
  decodeDateTime,
  decodeImei,
  decodeImeisv,
  decodeLocation,
  encodeDateTime,
  encodeImei,
  encodeImeisv,
  encodeLocation,
} from './local-information.ts';
import { ToolkitObjects } from './objects.ts';
import { CommandType, Device, Tag } from './tags.ts';
import { decodeDuration, decodeTimerValue, encodeDuration, encodeTimerValue } from './times.ts';

/** What the terminal says to a proactive command, ETSI TS 102 223 §6.8. Which members there are is the command's. */
export interface TerminalResponse {
  readonly details: CommandDetails;
  readonly result: Result;
  /** POLL INTERVAL: the interval that the terminal polls in, ms. */
  readonly milliseconds?: number;
  /** TIMER MANAGEMENT. */
  readonly timer?: number;
  readonly seconds?: number;
  /** OPEN CHANNEL: its own; GET CHANNEL STATUS: of each channel. */
  readonly channels?: readonly ChannelStatus[];
  readonly bearer?: BearerDescription;
  readonly bufferSize?: number;
  /** RECEIVE DATA. */
  readonly data?: Uint8Array;
  /** RECEIVE DATA: bytes that are left; SEND DATA: bytes that there is room for; 255: 255 or more. */
  readonly length?: number;
  /** PROVIDE LOCAL INFORMATION. */
  readonly location?: LocationInformation;
  readonly imei?: string;
  readonly imeisv?: string;
  readonly measurements?: Uint8Array;
  readonly time?: DateTime;
  /** Two letters, ISO 639. */
  readonly language?: string;
  readonly accessTechnology?: number;
  /** 0 very low to 4 full; 255 not known (ETSI TS 102 223 §8.69). */
  readonly battery?: number;
  readonly others?: readonly ComprehensionTlv[];
}

/** What TERMINAL RESPONSE carries. @throws DecodeError */
export function decodeTerminalResponse(bytes: Uint8Array): TerminalResponse {
  const objects = new ToolkitObjects(bytes);
  const details = objects.need(Tag.COMMAND_DETAILS, 'command details', decodeCommandDetails);
  objects.need(Tag.DEVICE_IDENTITIES, 'device identities', decodeDeviceIdentities);
  const result = objects.need(Tag.RESULT, 'result', decodeResult);
  const channels: ChannelStatus[] = [];
  for (;;) {
    const status = objects.take(Tag.CHANNEL_STATUS, decodeChannelStatus);
    if (status === undefined) break;
    channels.push(status);
  }
  const found = {
    milliseconds: objects.take(Tag.DURATION, decodeDuration),
    timer: objects.take(Tag.TIMER_IDENTIFIER, onlyByte),
    seconds: objects.take(Tag.TIMER_VALUE, decodeTimerValue),
    channels: channels.length === 0 ? undefined : channels,
    bearer: objects.take(Tag.BEARER_DESCRIPTION, decodeBearerDescription),
    bufferSize: objects.take(Tag.BUFFER_SIZE, decodeShort),
    data: objects.take(Tag.CHANNEL_DATA, (tlv) => tlv.value),
    length: objects.take(Tag.CHANNEL_DATA_LENGTH, onlyByte),
    location: objects.take(Tag.LOCATION_INFORMATION, decodeLocation),
    imei: objects.take(Tag.IMEI, decodeImei),
    imeisv: objects.take(Tag.IMEISV, decodeImeisv),
    measurements: objects.take(Tag.NETWORK_MEASUREMENT_RESULTS, (tlv) => tlv.value),
    time: objects.take(Tag.DATE_TIME, decodeDateTime),
    language: objects.take(Tag.LANGUAGE, (tlv) => String.fromCharCode(...tlv.value)),
    accessTechnology: objects.take(Tag.ACCESS_TECHNOLOGY, onlyByte),
    battery: objects.take(Tag.BATTERY_STATE, onlyByte),
  };
  const present = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  const { others } = objects;
  return { details, result, ...present, ...(others.length > 0 && { others }) };
}

/**
 * As the terminal sends it: details echoed, devices reversed.
 * @throws RequestError what a response cannot carry, or more than one command APDU
 */
export function encodeTerminalResponse(response: TerminalResponse): Uint8Array {
  // What tells of a channel is to be understood, but where it describes the one that was opened.
  const channelRequired = response.details.type !== CommandType.OPEN_CHANNEL;
  const byte = (tag: number, value: number): Uint8Array =>
    encodeComprehensionTlv(tag, true, Uint8Array.of(value));
  const some = <T>(value: T | undefined, encode: (value: T) => Uint8Array): Uint8Array[] =>
    value === undefined ? [] : [encode(value)];
  const parts = [
    encodeCommandDetails(response.details),
    encodeDeviceIdentities(Device.TERMINAL, Device.UICC),
    encodeResult(response.result),
    ...some(response.milliseconds, encodeDuration),
    ...some(response.timer, (timer) => byte(Tag.TIMER_IDENTIFIER, timer)),
    ...some(response.seconds, encodeTimerValue),
    ...(response.channels ?? []).map((status) => encodeChannelStatus(status, channelRequired)),
    ...some(response.bearer, encodeBearerDescription),
    ...some(response.bufferSize, encodeBufferSize),
    ...some(response.data, (data) => encodeComprehensionTlv(Tag.CHANNEL_DATA, true, data)),
    ...some(response.length, (length) => byte(Tag.CHANNEL_DATA_LENGTH, length)),
    ...some(response.location, encodeLocation),
    ...some(response.imei, encodeImei),
    ...some(response.imeisv, encodeImeisv),
    ...some(response.measurements, (bytes) =>
      encodeComprehensionTlv(Tag.NETWORK_MEASUREMENT_RESULTS, true, bytes),
    ),
    ...some(response.time, encodeDateTime),
    ...some(response.language, (language) =>
      encodeComprehensionTlv(Tag.LANGUAGE, true, new Uint8Array(Buffer.from(language, 'latin1'))),
    ),
    ...some(response.accessTechnology, (technology) => byte(Tag.ACCESS_TECHNOLOGY, technology)),
    ...some(response.battery, (battery) => byte(Tag.BATTERY_STATE, battery)),
    ...(response.others ?? []).map((tlv) => encodeComprehensionTlv(tlv.tag, tlv.required, tlv.value)),
  ];
  const bytes = new Uint8Array(Buffer.concat(parts));
  if (bytes.length > 255) throw new RequestError(`a terminal response of ${bytes.length} bytes`);
  return bytes;
}
