import type { DevicePage } from './api-client.ts';
import type { ApiDevice, ApiEvent } from './api-types.ts';
import { isRegistered } from './device-state.ts';
import type { DeviceState } from './devices-query.ts';

/** What the list shows: its query, and as much of the answer as was loaded. */
export interface DeviceList {
  readonly search: string;
  readonly state: DeviceState | undefined;
  /** Ordered by endpoint, as the server orders them. */
  readonly devices: readonly ApiDevice[];
  readonly total: number;
  readonly next: string | null;
}

export function firstPage(
  query: { readonly search: string; readonly state: DeviceState | undefined },
  page: DevicePage,
): DeviceList {
  return { ...query, devices: page.items, total: page.total, next: page.next };
}

/** Appends what comes after; a device that a live event has brought in meanwhile is there once. */
export function nextPage(list: DeviceList, page: DevicePage): DeviceList {
  const known = new Set(list.devices.map((device) => device.endpoint));
  return {
    ...list,
    devices: [...list.devices, ...page.items.filter((device) => !known.has(device.endpoint))],
    total: page.total,
    next: page.next,
  };
}

/** When the lifetime ends by which the device must have updated; the server waits a little longer. */
export function lifetimeEnd(registration: NonNullable<ApiDevice['registration']>): number {
  return Math.min(registration.expiresAt, registration.updatedAt + registration.lifetime * 1000);
}

/** Events that change a row, or bring one. */
export const listEventTypes = ['registered', 'updated', 'deregistered', 'expired', 'device'] as const;

/**
 * The list after an event. `unseen` says that the event is about a device that the loaded rows do
 * not have although it may belong to them: the server has to be asked for it.
 */
export function applyEvent(
  list: DeviceList,
  event: ApiEvent,
): { readonly list: DeviceList; readonly unseen: boolean } {
  const endpoint = event.endpoint;
  if (endpoint === undefined) return { list, unseen: false };
  const index = list.devices.findIndex((device) => device.endpoint === endpoint);
  const before = list.devices[index];
  if (before === undefined) {
    const brings = event.type === 'registered' || (event.type !== 'device' && list.state === 'unregistered');
    return { list, unseen: brings };
  }
  const after = changed(before, event);
  if (after === before) return { list, unseen: false };
  const devices = [...list.devices];
  // A row stays where the reader's eye has it, though it no longer fits the filter: it says its state.
  devices[index] = after;
  return { list: { ...list, devices }, unseen: false };
}

/** The device as an event leaves it; events older than what is shown change nothing. */
export function changed(device: ApiDevice, event: ApiEvent): ApiDevice {
  switch (event.type) {
    case 'registered':
    case 'updated': {
      const registration = event.data['registration'] as ApiDevice['registration'];
      if (registration === undefined) return device;
      if ((device.registration?.updatedAt ?? 0) > registration.updatedAt) return device;
      return {
        ...device,
        state: 'awake',
        lastSeen: Math.max(device.lastSeen, event.at),
        registration,
        presence: presenceAfter(device.presence, registration),
      };
    }
    case 'deregistered':
    case 'expired': {
      if ((device.registration?.registeredAt ?? 0) > event.at) return device;
      const { registration: _ended, presence: _none, ...rest } = device;
      const lastSeen = event.type === 'deregistered' ? Math.max(device.lastSeen, event.at) : device.lastSeen;
      return { ...rest, state: event.type === 'expired' ? 'lost' : 'left', lastSeen };
    }
    case 'device':
      return { ...device, ...(event.data['attributes'] as Partial<ApiDevice> | undefined) };
    default:
      return device;
  }
}

/** MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2): how long a device in queue mode listens, where nothing better is known. */
const standardWindow = 93_000;

/** It has just spoken, and listens for its window from then. */
function presenceAfter(
  before: ApiDevice['presence'],
  { queueMode, updatedAt }: NonNullable<ApiDevice['registration']>,
): NonNullable<ApiDevice['presence']> {
  const { awakeUntil: _, ...known } = before ?? { window: standardWindow, source: 'default' as const };
  const awakeUntil = updatedAt + known.window;
  return { ...known, queueMode, awake: true, ...(queueMode ? { awakeUntil } : {}) };
}

/** Puts a device that the server was asked for into its place, where that is among the loaded rows. */
export function insertDevice(list: DeviceList, device: ApiDevice): DeviceList {
  if (list.state !== undefined && isRegistered(device) !== (list.state === 'registered')) return list;
  const known = list.devices.findIndex(({ endpoint }) => endpoint === device.endpoint);
  if (known >= 0) {
    const devices = [...list.devices];
    devices[known] = device;
    return { ...list, devices };
  }
  const place = list.devices.findIndex(({ endpoint }) => endpoint > device.endpoint);
  const total = list.total + 1;
  if (place < 0 && list.next !== null) return { ...list, total };
  const devices = [...list.devices];
  devices.splice(place < 0 ? devices.length : place, 0, device);
  return { ...list, devices, total };
}
