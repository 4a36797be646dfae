import type { BootstrapProfile } from '../ports/bootstrap-store.ts';

/** Id of the profile that the server brings along; people can change it, and restore it. */
export const defaultProfileId = 'default';
/** Short server id of this server, where it is not set. */
const defaultShortServerId = 101;
/** Seconds. */
const lifetime = 300;

/**
 * What a device gets that no other profile is for: an account at this very server, with a key of its own where the
 * server speaks DTLS. All that it had of servers goes.
 */
export function defaultProfile(shortServerId: number | undefined, isSecure: boolean): BootstrapProfile {
  return {
    id: defaultProfileId,
    name: 'This server',
    enabled: true,
    devices: {},
    priority: 0,
    readFirst: false,
    remove: ['/0', '/1', '/2'],
    servers: [
      {
        shortServerId: shortServerId ?? defaultShortServerId,
        security: isSecure ? 'psk' : 'nosec',
        lifetime,
        binding: 'U',
        notificationStoring: true,
      },
    ],
    objects: [],
    access: [],
    retries: 1,
    createdAt: 0,
    updatedAt: 0,
  };
}
