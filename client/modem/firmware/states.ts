/** State of the Firmware Update object (/5/0/3). */
export const FirmwareState = { IDLE: 0, DOWNLOADING: 1, DOWNLOADED: 2, UPDATING: 3 } as const;
export type FirmwareState = (typeof FirmwareState)[keyof typeof FirmwareState];

/** Update Result of the Firmware Update object (/5/0/5). */
export const UpdateResult = {
  INITIAL: 0,
  UPDATED: 1,
  NOT_ENOUGH_STORAGE: 2,
  OUT_OF_MEMORY: 3,
  CONNECTION_LOST: 4,
  INTEGRITY_FAILURE: 5,
  UNSUPPORTED_PACKAGE: 6,
  INVALID_URI: 7,
  UPDATE_FAILED: 8,
  UNSUPPORTED_PROTOCOL: 9,
  CANCELLED: 10,
  DEFERRED: 11,
} as const;
export type UpdateResult = (typeof UpdateResult)[keyof typeof UpdateResult];

/** Severity of the Firmware Update object (/5/0/11). */
export const Severity = { CRITICAL: 0, MANDATORY: 1, OPTIONAL: 2 } as const;

/** What goes wrong when a test asks for it. */
export const firmwareFaults = ['no-storage', 'no-ram', 'connection', 'integrity', 'install', 'busy'] as const;
export type FirmwareFault = (typeof firmwareFaults)[number];
