import type { ApiDevice, ApiEvent } from './api-types.ts';

/** When the lifetime ends by which the device must have updated; the server waits a little longer. */
export function lifetimeEnd(registration: NonNullable<ApiDevice['registration']>): number {
  return Math.min(registration.expiresAt, registration.updatedAt + registration.lifetime * 1000);
}

/** Events that change a row, or bring one. */
export const listEventTypes = ['registered', 'updated', 'deregistered', 'expired', 'device'] as const;

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
        lastSeen: Math.max(device.lastSeen ?? 0, event.at),
        registration,
        presence: presenceAfter(device.presence, registration),
      };
    }
    case 'deregistered':
    case 'expired': {
      if ((device.registration?.registeredAt ?? 0) > event.at) return device;
      const { registration: _ended, presence: _none, ...rest } = device;
      if (event.type === 'expired') return { ...rest, state: 'lost' };
      return { ...rest, state: 'left', lastSeen: Math.max(device.lastSeen ?? 0, event.at) };
    }
    case 'device': {
      const attributes = (event.data['attributes'] ?? {}) as Record<string, unknown>;
      const { tenant, ...rest } = { ...device, ...attributes } as ApiDevice & {
        readonly tenant?: string | null;
      };
      // Null: it is nobody's any more.
      return tenant === undefined || tenant === null ? rest : { ...rest, tenant };
    }
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
