import type { ApiCarrierSlot, ApiCommand } from './api-types.ts';
import { carrierLabel, clipped } from './names.ts';
import { durationText } from './time.ts';

export type CommandState = ApiCommand['state'];

/** One step of a switch as the reader sees it. */
export interface SwitchStep {
  readonly label: string;
  readonly status: 'done' | 'current' | 'ahead' | 'failed' | 'unclear';
  readonly at: number | undefined;
  readonly note: string | undefined;
}

const finalStates = new Set<CommandState>(['done', 'failed', 'cancelled', 'expired', 'unknown']);

export function isFinal(command: Pick<ApiCommand, 'state'>): boolean {
  return finalStates.has(command.state);
}

/** Queued → sent → card busy → the card's answer: where the command is, and when it came there. */
export function switchSteps(command: ApiCommand): readonly SwitchStep[] {
  const reached = new Map(command.history.map((entry) => [entry.state, entry.at]));
  if (!reached.has(command.state)) reached.set(command.state, command.updatedAt);
  const order = [
    { state: 'queued', label: 'Queued' },
    { state: 'sent', label: 'Sent' },
    { state: 'accepted', label: 'Card busy' },
  ] as const;
  const steps: SwitchStep[] = order.map(({ state, label }) => ({
    label,
    // The card's answer may overtake the device's acceptance: what lies behind it has happened too.
    status:
      command.state === state ? 'current' : reached.has(state) || command.state === 'done' ? 'done' : 'ahead',
    at: reached.get(state),
    note: undefined,
  }));
  return [...steps, lastStep(command, reached.get(command.state))];
}

/** The name of the carrier that a switch goes to, no longer than a line. */
export function switchTarget(command: ApiCommand): string {
  const { carrier, name } = command.parameters;
  if (typeof name === 'string' && name.trim() !== '') return clipped(name);
  if (typeof carrier === 'number') return carrierLabel({ id: carrier, name: '' });
  return typeof carrier === 'string' ? clipped(carrier) : 'another carrier';
}

/** `Switch to T-Mobile`, or `Disconnect`. */
export function switchTitle(command: ApiCommand): string {
  const target = switchTarget(command);
  return isDisconnect(target) ? 'Disconnect' : `Switch to ${target}`;
}

/**
 * Since when the slot is on its carrier, where that is known: the moment that the device gives is that
 * of the last switch, and after a disconnect or a refusal it is not how the card came to where it is.
 */
export function carrierSince(slot: ApiCarrierSlot, commands: readonly ApiCommand[]): number | undefined {
  const { current, lastSwitch } = slot;
  if (current === undefined || current === '' || lastSwitch === undefined || lastSwitch <= 0)
    return undefined;
  const newest = [...commands, ...(slot.command === undefined ? [] : [slot.command])]
    .filter(({ parameters }) => (parameters['slot'] ?? 0) === slot.slot)
    // What never came to the card has left it as it was.
    .filter(({ state }) => state === 'done' || state === 'failed' || state === 'unknown')
    .reduce<ApiCommand | undefined>(
      (latest, command) => (latest !== undefined && latest.number >= command.number ? latest : command),
      undefined,
    );
  return newest?.state === 'done' && newest.parameters['name'] === current ? lastSwitch : undefined;
}

/** One word for how a switch stands or ended. */
export function outcomeWord(command: ApiCommand): string {
  switch (command.state) {
    case 'done':
      return 'ACK';
    case 'failed':
      return cardRefused(command) ? 'NACK' : 'Failed';
    case 'cancelled':
      return 'Cancelled';
    case 'expired':
      return 'Expired';
    case 'unknown':
      return 'Unknown';
    default:
      return 'In progress';
  }
}

export function isDisconnect(name: string): boolean {
  return name.toLowerCase() === 'disconnect';
}

export interface SwitchOutlook {
  readonly current: string | undefined;
  /** Seconds, where they are known. */
  readonly reconnectAfter?: number | undefined;
  /** A device of the gateway: of what it does then it tells its carrier alone. */
  readonly gateway?: boolean | undefined;
}

/** What a switch will do, said before it is confirmed. */
export function switchEffect(carrier: string, options: SwitchOutlook): string {
  if (options.gateway === true) {
    return isDisconnect(carrier)
      ? 'The device leaves its carrier. Whether and when it comes back it decides by itself; no readings arrive until then.'
      : `The device is asked for ${carrier}, and answers with the carrier that it is on then. Of its card it tells nothing else.`;
  }
  if (isDisconnect(carrier)) {
    const after = durationText((options.reconnectAfter ?? 600) * 1000);
    return `The modem is unreachable until it re-attaches after ${after}. No readings arrive until then.`;
  }
  const from = options.current === undefined || options.current === '' ? '' : ` leaves ${options.current},`;
  return `The modem${from} enables the profile of ${carrier} and attaches anew. Its ICCID and IMSI change, and it is silent for some seconds.`;
}

function lastStep(command: ApiCommand, at: number | undefined): SwitchStep {
  const note = command.reason;
  switch (command.state) {
    case 'done':
      return { label: 'ACK', status: 'done', at, note };
    case 'failed':
      return { label: outcomeWord(command), status: 'failed', at, note: note ?? 'No reason was given' };
    case 'cancelled':
      return { label: 'Cancelled', status: 'failed', at, note };
    case 'expired':
      return {
        label: 'Expired',
        status: 'failed',
        at,
        note: note ?? 'The device was not heard from in time',
      };
    case 'unknown':
      return {
        label: 'Unknown',
        status: 'unclear',
        at,
        note: note ?? 'Nobody can tell whether the card switched',
      };
    default:
      return { label: 'Card’s answer', status: 'ahead', at: undefined, note: undefined };
  }
}

/** The card said no, and not the network or the device before it. */
function cardRefused(command: ApiCommand): boolean {
  const answer = command.result?.answer;
  if (typeof answer === 'string') return answer.toUpperCase() === 'NACK';
  return command.history.some((entry) => entry.state === 'accepted');
}
