import { toHex } from '../hex.ts';
import type { ChannelStatus, Result } from './data-objects.ts';
import type { Envelope } from './envelope.ts';
import type { OpenChannelCommand, ProactiveCommand } from './proactive-command.ts';
import { CommandType, EventType, LocalInformationKind, RefreshMode, TimerAction } from './tags.ts';
import type { TerminalResponse } from './terminal-response.ts';

type Names = Readonly<Record<number, string>>;

const acronyms = ['UICC', 'IMEI', 'IMEISV'];

/** Names of a table of constants, by their values: `DATA_AVAILABLE` is `data available`. */
function namesOf(table: Readonly<Record<string, number>>): Names {
  return Object.fromEntries(
    Object.entries(table).map(([name, value]) => [
      value,
      name
        .split('_')
        .map((word) => (acronyms.includes(word) ? word : word.toLowerCase()))
        .join(' '),
    ]),
  );
}

const refreshModes = namesOf(RefreshMode);
const informationKinds = namesOf(LocalInformationKind);
const events = namesOf(EventType);
const timerActions = namesOf(TimerAction);
const commandTypes: Names = Object.fromEntries(
  Object.entries(CommandType).map(([name, value]) => [value, name.replaceAll('_', ' ')]),
);

/** General results, ETSI TS 102 223 §8.12. */
const generalResults: Names = {
  0: 'performed',
  1: 'performed with partial comprehension',
  2: 'performed with missing information',
  3: 'performed, additional files read',
  7: 'performed with modification',
  32: 'terminal unable to do it now',
  33: 'network unable to do it now',
  36: 'contradicts the state of the timer',
  48: "beyond the terminal's capabilities",
  49: 'command type not understood',
  50: 'command data not understood',
  51: 'command number not known',
  54: 'required values are missing',
  58: 'bearer-independent protocol error',
};

/** Causes of a bearer-independent protocol error, §8.12.11. */
const bipCauses: Names = {
  0: 'no specific cause',
  1: 'no channel available',
  2: 'channel closed',
  3: 'channel identifier not valid',
  4: 'buffer size not available',
  5: 'security error',
  6: 'transport level not available',
  7: 'remote device not reachable',
};

const byteName = (names: Names, value: number): string =>
  names[value] ?? value.toString(16).toUpperCase().padStart(2, '0');

/** `OPEN CHANNEL: UDP 192.0.2.1 port 6001, buffer 1400, at once`: what a person reads of a proactive command. */
export function describeProactiveCommand(command: ProactiveCommand): string {
  const { qualifier, type } = command.details;
  const name = commandTypes[type] ?? `command of type ${type.toString(16).toUpperCase().padStart(2, '0')}`;
  switch (command.kind) {
    case 'refresh': {
      const files = (command.files ?? []).map((path) => path.map(fileId).join('/'));
      return [`${name}: ${byteName(refreshModes, qualifier)}`, ...files].join(', ');
    }
    case 'provide-local-information':
      return `${name}: ${byteName(informationKinds, qualifier)}`;
    case 'poll-interval':
      return `${name}: ${command.milliseconds / 1_000} s`;
    case 'set-up-event-list':
      return `${name}: ${command.events.map((event) => byteName(events, event)).join(', ') || 'none'}`;
    case 'timer-management': {
      const seconds = command.seconds === undefined ? '' : `, ${command.seconds} s`;
      return `${name}: timer ${command.timer}, ${byteName(timerActions, qualifier)}${seconds}`;
    }
    case 'open-channel':
      return `${name}: ${describeOpening(command)}`;
    case 'close-channel':
      return `${name}: channel ${command.channel}`;
    case 'receive-data':
      return `${name}: channel ${command.channel}, ${command.length} bytes at most`;
    case 'send-data': {
      const when = (qualifier & 1) === 0 ? 'stored' : 'at once';
      return `${name}: channel ${command.channel}, ${command.data.length} bytes ${when}: ${toHex(command.data)}`;
    }
    default:
      return name;
  }
}

function describeOpening(command: OpenChannelCommand): string {
  const { transport, destination, bufferSize, accessPoint, details } = command;
  const protocol = { 1: 'UDP', 2: 'TCP' }[transport?.protocol ?? 0] ?? 'unknown transport';
  const parts = [
    `${protocol} ${destination ?? 'nowhere'} port ${transport?.port ?? 'none'}`,
    `buffer ${bufferSize}`,
  ];
  if (accessPoint !== undefined) parts.push(`APN ${accessPoint}`);
  parts.push((details.qualifier & 0x01) === 0 ? 'on demand' : 'at once');
  if ((details.qualifier & 0x02) !== 0) parts.push('reconnecting');
  if ((details.qualifier & 0x04) !== 0) parts.push('in the background');
  return parts.join(', ');
}

/** `OPEN CHANNEL: performed, channel 1 linked, buffer 1400`: what a person reads of a terminal response. */
export function describeTerminalResponse(response: TerminalResponse): string {
  const { details, result, data, length } = response;
  const name = commandTypes[details.type] ?? `type ${details.type.toString(16).toUpperCase()}`;
  const parts = [`${name}: ${describeResult(result)}`];
  for (const status of response.channels ?? []) parts.push(describeStatus(status));
  if (response.bufferSize !== undefined) parts.push(`buffer ${response.bufferSize}`);
  if (data !== undefined) parts.push(`${data.length} bytes: ${toHex(data)}`);
  if (length !== undefined) {
    const bytes = length === 255 ? '255 bytes or more' : `${length} bytes`;
    parts.push(details.type === CommandType.SEND_DATA ? `room for ${bytes}` : `${bytes} left`);
  }
  if (response.milliseconds !== undefined) parts.push(`${response.milliseconds / 1_000} s`);
  if (response.timer !== undefined) parts.push(`timer ${response.timer}`);
  if (response.seconds !== undefined) parts.push(`${response.seconds} s`);
  return [...parts, ...describeInformation(response)].join(', ');
}

function describeInformation(response: TerminalResponse): string[] {
  const parts: string[] = [];
  const { location, time } = response;
  if (location !== undefined) {
    const { mcc, mnc, areaCode, cell } = location;
    parts.push(`network ${mcc} ${mnc}, area ${areaCode}, cell ${cell.id}`);
  }
  if (response.imei !== undefined) parts.push(`IMEI ${response.imei}`);
  if (response.imeisv !== undefined) parts.push(`IMEISV ${response.imeisv}`);
  if (time !== undefined) {
    const two = (value: number): string => String(value).padStart(2, '0');
    const zone = time.zone === undefined ? '' : ` ${time.zone < 0 ? '−' : '+'}${Math.abs(time.zone)} min`;
    const clock = `${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
    parts.push(`${time.year}-${two(time.month)}-${two(time.day)} ${clock}${zone}`);
  }
  if (response.language !== undefined) parts.push(`language ${response.language}`);
  if (response.accessTechnology !== undefined) parts.push(`access technology ${response.accessTechnology}`);
  if (response.battery !== undefined) parts.push(`battery ${response.battery}`);
  return parts;
}

function describeResult({ general, additional }: Result): string {
  const text = byteName(generalResults, general);
  if (additional === undefined) return text;
  if (general === 0x3a) return `${text}, ${byteName(bipCauses, additional)}`;
  if (general === 0x20 && additional === 0x04) return `${text}, no service`;
  return `${text} (${additional.toString(16).toUpperCase().padStart(2, '0')})`;
}

function describeStatus({ channel, linked, information }: ChannelStatus): string {
  if (channel === 0) return 'no channel';
  if (linked) return `channel ${channel} linked`;
  return `channel ${channel} ${information === 0x05 ? 'dropped' : 'not linked'}`;
}

/** `data available: channel 1 linked, 255 bytes or more`: what a person reads of an envelope. */
export function describeEnvelope(envelope: Envelope): string {
  switch (envelope.kind) {
    case 'data-available': {
      const bytes = envelope.length === 255 ? '255 bytes or more' : `${envelope.length} bytes`;
      return `data available: ${describeStatus(envelope.status)}, ${bytes}`;
    }
    case 'channel-status':
      return `channel status: ${describeStatus(envelope.status)}`;
    case 'location-status': {
      const service =
        ['normal service', 'limited service', 'no service'][envelope.service] ?? 'unknown service';
      const cell = envelope.location === undefined ? '' : `, cell ${envelope.location.cell.id}`;
      return `location status: ${service}${cell}`;
    }
    case 'timer-expiration':
      return `timer expiration: timer ${envelope.timer}, ${envelope.seconds} s`;
    case 'other-event':
      return `event ${envelope.event.toString(16).toUpperCase().padStart(2, '0')}`;
  }
}

function fileId(id: number): string {
  return id.toString(16).toUpperCase().padStart(4, '0');
}
