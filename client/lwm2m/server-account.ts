/** What the client knows of one of its servers: the Server object (id 1), version 1.2. Undefined: not set. */
export interface ServerAccount {
  /** Seconds; 0: without end. */
  lifetime: number;
  defaultMinimumPeriod: number;
  /** 0: none. */
  defaultMaximumPeriod: number;
  /** Seconds. */
  disableTimeout: number;
  /** Whether notifications that fall due while the server is disabled or away are kept for it. */
  notificationStoring: boolean;
  /** Whether the client sleeps when it has nothing to say, and the server holds its requests meanwhile. */
  queueMode: boolean;
  /** Whether the client sends by itself only what the server observes. */
  muteSend: boolean;
  /** 0: non-confirmable, 1: confirmable. */
  defaultNotificationMode: number | undefined;
  readonly registrationPriorityOrder: number | undefined;
  /** Seconds. */
  initialRegistrationDelayTimer: number | undefined;
  readonly registrationFailureBlock: boolean | undefined;
  /** Whether the client is to ask for a bootstrap where it cannot register here; where not set, it is. */
  readonly bootstrapOnRegistrationFailure: boolean | undefined;
  communicationRetryCount: number | undefined;
  /** Seconds. */
  communicationRetryTimer: number | undefined;
  /** Seconds. */
  communicationSequenceDelayTimer: number | undefined;
  communicationSequenceRetryCount: number | undefined;
  /** When a bootstrap server wrote it, seconds since the epoch. */
  readonly lastBootstrapped: number | undefined;
  /** Versions that the server says it speaks: `1.1`, `1.2.1`. */
  supportedServerVersions: readonly string[] | undefined;
  /** Number of the hash in the registry of RFC 6920 §9.4. */
  profileIdHashAlgorithm: number | undefined;
}

/** Of the client's first server, where it is not told another; the others follow. */
export const firstShortServerId = 101;
/** Seconds. */
export const defaultLifetime = 300;
const defaultDisableTimeout = 86_400;

/** What is not told is as the specification has it, or not set. */
export function newAccount(settings: Partial<ServerAccount> = {}): ServerAccount {
  return {
    lifetime: defaultLifetime,
    defaultMinimumPeriod: 0,
    defaultMaximumPeriod: 0,
    disableTimeout: defaultDisableTimeout,
    notificationStoring: true,
    queueMode: false,
    muteSend: false,
    defaultNotificationMode: undefined,
    registrationPriorityOrder: undefined,
    initialRegistrationDelayTimer: undefined,
    registrationFailureBlock: undefined,
    bootstrapOnRegistrationFailure: undefined,
    communicationRetryCount: undefined,
    communicationRetryTimer: undefined,
    communicationSequenceDelayTimer: undefined,
    communicationSequenceRetryCount: undefined,
    lastBootstrapped: undefined,
    supportedServerVersions: undefined,
    profileIdHashAlgorithm: undefined,
    ...settings,
  };
}

/** Members of an account that a server can write, and what they are. */
const writable = {
  lifetime: 'number',
  defaultMinimumPeriod: 'number',
  defaultMaximumPeriod: 'number',
  disableTimeout: 'number',
  notificationStoring: 'boolean',
  queueMode: 'boolean',
  muteSend: 'boolean',
  defaultNotificationMode: 'number',
  initialRegistrationDelayTimer: 'number',
  communicationRetryCount: 'number',
  communicationRetryTimer: 'number',
  communicationSequenceDelayTimer: 'number',
  communicationSequenceRetryCount: 'number',
  supportedServerVersions: 'strings',
  profileIdHashAlgorithm: 'number',
} as const satisfies Partial<Record<keyof ServerAccount, 'number' | 'boolean' | 'strings'>>;

export type WritableName = keyof typeof writable;

/** What was kept of an account; undefined: it is no such thing. */
export function parseAccount(value: unknown): Partial<ServerAccount> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  for (const [name, member] of Object.entries(value)) {
    if (!Object.hasOwn(writable, name)) return undefined;
    const kind = writable[name as WritableName];
    const fits =
      kind === 'strings'
        ? Array.isArray(member) && member.every((each) => typeof each === 'string')
        : typeof member === kind;
    if (!fits) return undefined;
  }
  return value as Partial<ServerAccount>;
}
