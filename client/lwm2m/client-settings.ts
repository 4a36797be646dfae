import type { ServerAccount } from './server-account.ts';

/** Keeps what servers wrote beyond the process, by section. Values are JSON. */
export interface ClientSettings {
  /** Undefined: never written. @throws an error of its own where `parse` does not know what is there */
  read<T>(section: string, parse: (value: unknown) => T | undefined): T | undefined;
  /** Replaces a section; kept when it returns. */
  write(section: string, value: unknown): void;
  /** Has `work` done when all is forgotten. */
  onClear(work: () => void): void;
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
