import { type ComprehensionTlv, encodeComprehensionTlv } from '../comprehension-tlv.ts';
import {
  type ChannelStatus,
  decodeChannelStatus,
  decodeDeviceIdentities,
  encodeChannelStatus,
  encodeDeviceIdentities,
  type LocationInformation,
  onlyByte,
  wrap,
} from './data-objects.ts';
import { decodeLocation, encodeLocation } from './local-information.ts';
import { ToolkitObjects } from './objects.ts';
import { Device, EventType, OuterTag, Tag } from './tags.ts';
import { decodeTimerValue, encodeTimerValue } from './times.ts';

interface Told {
  /** Objects that the envelope is not known to have. */
  readonly others?: readonly ComprehensionTlv[];
}

/** What the terminal tells the card of its own accord, by ENVELOPE. */
export type Envelope = Told &
  (
    | {
        /** ETSI TS 102 223 §7.5.10: data came into a channel's empty buffer. */
        readonly kind: 'data-available';
        readonly status: ChannelStatus;
        /** Bytes to be received; 255: 255 or more. */
        readonly length: number;
      }
    | {
        /** §7.5.11: a link was dropped, or is there at last. */
        readonly kind: 'channel-status';
        readonly status: ChannelStatus;
      }
    | {
        /** §7.5.4: 0 normal service, 1 limited, 2 none; a location with the first alone. */
        readonly kind: 'location-status';
        readonly service: number;
        readonly location?: LocationInformation;
      }
    | {
        /** §7.4.1: seconds that the timer ran. */
        readonly kind: 'timer-expiration';
        readonly timer: number;
        readonly seconds: number;
      }
    | { readonly kind: 'other-event'; readonly event: number }
  );

/** What ENVELOPE carries. @throws DecodeError */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const outer = bytes[0] === OuterTag.TIMER_EXPIRATION ? OuterTag.TIMER_EXPIRATION : OuterTag.EVENT_DOWNLOAD;
  const objects = ToolkitObjects.within(outer, bytes);
  const envelope = outer === OuterTag.EVENT_DOWNLOAD ? decodeEvent(objects) : decodeExpiration(objects);
  return objects.others.length === 0 ? envelope : { ...envelope, others: objects.others };
}

function decodeExpiration(objects: ToolkitObjects): Envelope {
  objects.need(Tag.DEVICE_IDENTITIES, 'device identities', decodeDeviceIdentities);
  return {
    kind: 'timer-expiration',
    timer: objects.need(Tag.TIMER_IDENTIFIER, 'timer identifier', onlyByte),
    seconds: objects.need(Tag.TIMER_VALUE, 'timer value', decodeTimerValue),
  };
}

function decodeEvent(objects: ToolkitObjects): Envelope {
  const event = objects.need(Tag.EVENT_LIST, 'event list', onlyByte);
  objects.need(Tag.DEVICE_IDENTITIES, 'device identities', decodeDeviceIdentities);
  const status = (): ChannelStatus => objects.need(Tag.CHANNEL_STATUS, 'channel status', decodeChannelStatus);
  switch (event) {
    case EventType.DATA_AVAILABLE:
      return {
        kind: 'data-available',
        status: status(),
        length: objects.need(Tag.CHANNEL_DATA_LENGTH, 'channel data length', onlyByte),
      };
    case EventType.CHANNEL_STATUS:
      return { kind: 'channel-status', status: status() };
    case EventType.LOCATION_STATUS: {
      const service = objects.need(Tag.LOCATION_STATUS, 'location status', onlyByte);
      const location = objects.take(Tag.LOCATION_INFORMATION, decodeLocation);
      return { kind: 'location-status', service, ...(location && { location }) };
    }
    default:
      return { kind: 'other-event', event };
  }
}

/** What the terminal puts into ENVELOPE. @throws RequestError what an envelope cannot carry */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const others = (envelope.others ?? []).map((tlv) =>
    encodeComprehensionTlv(tlv.tag, tlv.required, tlv.value),
  );
  const devices = encodeDeviceIdentities(Device.TERMINAL, Device.UICC);
  if (envelope.kind === 'timer-expiration') {
    const timer = encodeComprehensionTlv(Tag.TIMER_IDENTIFIER, true, Uint8Array.of(envelope.timer));
    return wrap(OuterTag.TIMER_EXPIRATION, [devices, timer, encodeTimerValue(envelope.seconds), ...others]);
  }
  const event = encodeComprehensionTlv(Tag.EVENT_LIST, true, Uint8Array.of(eventOf(envelope)));
  return wrap(OuterTag.EVENT_DOWNLOAD, [event, devices, ...encodeBody(envelope), ...others]);
}

function eventOf(envelope: Envelope): number {
  switch (envelope.kind) {
    case 'data-available':
      return EventType.DATA_AVAILABLE;
    case 'channel-status':
      return EventType.CHANNEL_STATUS;
    case 'location-status':
      return EventType.LOCATION_STATUS;
    default:
      return 'event' in envelope ? envelope.event : 0;
  }
}

function encodeBody(envelope: Envelope): Uint8Array[] {
  switch (envelope.kind) {
    case 'data-available':
      return [
        encodeChannelStatus(envelope.status, true),
        encodeComprehensionTlv(Tag.CHANNEL_DATA_LENGTH, true, Uint8Array.of(envelope.length)),
      ];
    case 'channel-status':
      return [encodeChannelStatus(envelope.status, true)];
    case 'location-status':
      return [
        encodeComprehensionTlv(Tag.LOCATION_STATUS, true, Uint8Array.of(envelope.service)),
        ...(envelope.location === undefined ? [] : [encodeLocation(envelope.location)]),
      ];
    default:
      return [];
  }
}
