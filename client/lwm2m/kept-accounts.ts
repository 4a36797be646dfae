import type { AccountRecords } from './accounts.ts';

/** The accounts of a client beyond the process. */
export interface KeptAccounts {
  readonly current: AccountRecords;
  /** Those that it had before the newest bootstrap, until a server of the new ones has taken it. */
  readonly previous: AccountRecords | undefined;
}

/** Where accounts are kept: all of them, or none, are there when `write` returns. There are keys among them. */
export interface AccountStorage {
  /** Undefined: there are none yet. @throws an error of its own where it cannot be understood */
  read(): KeptAccounts | undefined;
  write(accounts: KeptAccounts): void;
}

/** Accounts that last as long as the process. */
export function volatileAccounts(): AccountStorage {
  let kept: KeptAccounts | undefined;
  return {
    read: () => kept,
    write: (accounts) => {
      kept = accounts;
    },
  };
}
