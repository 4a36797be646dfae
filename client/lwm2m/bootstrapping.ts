import type { Clock, Timer } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint } from '../../protocol/coap/exchange.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { ResourceTypeLookup, ResourceValue } from '../../protocol/lwm2m/value.ts';
import {
  type AccountRecords,
  type Accounts,
  type GivenAccess,
  readAccounts,
  type SecurityAccount,
  securityRecords,
} from './accounts.ts';
import { Bootstrap, type BootstrapState } from './bootstrap.ts';
import type { AccountStorage, KeptAccounts } from './kept-accounts.ts';
import type { ObjectTree } from './object-tree.ts';
import { longestTimer } from './observations.ts';
import { readTarget } from './read.ts';
import type { ServerOptions, ServerSession } from './server-session.ts';

/** Resource of the Server object. */
const lastBootstrapped = 12;

/** What a client needs to be bootstrapped. */
export interface BootstrapClientOptions {
  /** The bootstrap server, as the client is set up with it. */
  readonly account: SecurityAccount;
  readonly storage: AccountStorage;
  /** Finds the server of an account, and has what is sent there secured as the account says. */
  readonly connect: (account: SecurityAccount) => Promise<PeerAddress>;
  /** Whether a Bootstrap-Pack is asked for first; default false. */
  readonly pack?: boolean;
  /** What is the same for all servers that a bootstrap gives. */
  readonly server?: Pick<ServerOptions, 'version' | 'updateInterval' | 'maxBackOff' | 'profiles' | 'account'>;
}

export interface BootstrappingParts {
  readonly endpoint: CoapEndpoint;
  readonly clock: Clock;
  readonly name: string;
  readonly tree: ObjectTree;
  readonly lookup: ResourceTypeLookup;
  readonly random: () => number;
  readonly sessions: () => readonly ServerSession[];
  /** These are the servers from now on, with these rights. */
  readonly replace: (servers: readonly ServerOptions[], access: readonly GivenAccess[]) => void;
  readonly onState: (state: BootstrapState, detail: string) => void;
}

/**
 * The accounts of a client that is bootstrapped: when it asks for a bootstrap, and which accounts hold. New ones take the
 * place of the former, which are kept until a server of the new ones has taken the client; where none does, they hold
 * again (OMA-TS-LightweightM2M_Core §6.1.2, §6.1.6).
 */
export class Bootstrapping {
  readonly bootstrap: Bootstrap;
  readonly #options: BootstrapClientOptions;
  readonly #parts: BootstrappingParts;
  #kept: KeptAccounts;
  /** Of `#kept.current`. */
  #accounts: Accounts;
  /** Servers that the client could not register with. */
  readonly #failed = new Set<ServerSession>();
  #timeout: Timer | undefined;

  /** @throws what reading the storage throws; InconsistentAccountsError what is kept does not fit together */
  constructor(options: BootstrapClientOptions, parts: BootstrappingParts) {
    this.#options = options;
    this.#parts = parts;
    const { account, storage, server } = options;
    this.#kept = withAccount(storage.read(), account);
    this.#accounts = readAccounts(this.#kept.current);
    this.bootstrap = new Bootstrap({
      ...parts,
      version: server?.version ?? '1.1',
      pack: options.pack ?? false,
      connect: options.connect,
      account: () => this.#accounts.bootstrap,
      records: () => this.#recordsNow(),
      keep: (records) => this.#keep(records),
      apply: (accounts) => this.#apply(accounts),
      isNeeded: () => parts.sessions().every(({ registration }) => registration.location === undefined),
    });
  }

  /** The servers that the client has now. */
  get servers(): readonly ServerOptions[] {
    return this.#serversOf(this.#accounts);
  }

  get access(): readonly GivenAccess[] {
    return this.#accounts.access;
  }

  start(): void {
    if (this.#accounts.servers.length === 0)
      this.bootstrap.begin('there is no server to register with', true);
    else if (this.#kept.previous === undefined) this.#setTimeout();
  }

  /** A server asks for it: Bootstrap-Request Trigger (Server object, resource 9). */
  triggered(shortServerId: number): void {
    this.bootstrap.begin(`asked for by server ${shortServerId}`, false);
  }

  /** Registering with a server has succeeded, or counts as failed for now. */
  settled(session: ServerSession, registered: boolean): void {
    if (registered) {
      this.#failed.delete(session);
      if (this.#kept.previous !== undefined) {
        this.#write({ current: this.#kept.current, previous: undefined });
        this.#setTimeout();
      }
      return;
    }
    this.#failed.add(session);
    const sessions = this.#parts.sessions();
    if (!sessions.every((each) => this.#failed.has(each))) return;
    if (this.#kept.previous !== undefined) this.#fallBack(this.#kept.previous);
    else if (sessions.some(({ account }) => account.bootstrapOnRegistrationFailure !== false)) {
      this.bootstrap.begin('no server takes the client', true);
    }
  }

  /** As the factory made it: without servers. */
  reset(): void {
    const { account } = this.#options;
    this.#write({ current: securityRecords(account), previous: undefined });
    this.#failed.clear();
    this.#parts.replace([], []);
    this.bootstrap.begin('factory reset', true);
  }

  close(): void {
    this.bootstrap.close();
    this.#timeout?.cancel();
  }

  /** What a bootstrap begins with: accounts as servers have changed them since. */
  #recordsNow(): AccountRecords {
    const records = new Map<string, ResourceValue>();
    for (const [path, value] of this.#kept.current) if (pathIds(path)?.[0] === 0) records.set(path, value);
    for (const objectId of [1, 2]) {
      const object = this.#parts.tree.object(objectId);
      if (object === undefined) continue;
      for (const { path, value } of readTarget({ path: `/${objectId}`, object })) records.set(path, value);
    }
    return records;
  }

  /** On disk before the bootstrap server is told that it has finished. */
  #keep(records: AccountRecords): Accounts {
    const { current, previous } = this.#kept;
    const now = Math.floor(this.#parts.clock.wallTime() / 1_000);
    const given = readAccounts(records).servers.map(
      ({ instanceId }) => [`/1/${instanceId}/${lastBootstrapped}`, now] as const,
    );
    // Accounts that nobody has taken yet are nothing to fall back to.
    const before = this.#accounts;
    this.#write({ current: new Map([...records, ...given]), previous: previous ?? current });
    const accounts = this.#accounts;
    // They hold when the bootstrap server has its answer.
    this.#accounts = before;
    return accounts;
  }

  #apply(accounts: Accounts): void {
    this.#accounts = accounts;
    this.#failed.clear();
    this.#parts.replace(this.servers, accounts.access);
  }

  /** None of the new servers takes the client: it is again what it was, and asks anew where that is nothing either. */
  #fallBack(previous: AccountRecords): void {
    this.#write({ current: previous, previous: undefined });
    this.#failed.clear();
    this.#parts.onState(
      'failed',
      'no server of the new accounts takes the client: the former ones hold again',
    );
    this.#parts.replace(this.servers, this.#accounts.access);
    if (this.#accounts.servers.length === 0) {
      this.bootstrap.begin('no server of the bootstrap took the client', true);
    }
  }

  #write(kept: KeptAccounts): void {
    const accounts = readAccounts(kept.current);
    this.#options.storage.write(kept);
    this.#kept = kept;
    this.#accounts = accounts;
  }

  /** Bootstrap-Server Account Timeout (Security object, resource 12): then the account is no more. */
  #setTimeout(): void {
    this.#timeout?.cancel();
    const { bootstrap } = this.#accounts;
    if (bootstrap === undefined || bootstrap.accountTimeout === 0) return;
    const delay = Math.min(bootstrap.accountTimeout * 1_000, longestTimer);
    this.#timeout = this.#parts.clock.setTimer(delay, () => {
      const current = new Map(this.#kept.current);
      for (const path of securityRecords(bootstrap).keys()) current.delete(path);
      this.#write({ current, previous: this.#kept.previous });
      this.#parts.onState('idle', 'the time of the bootstrap account is over');
    });
  }

  #serversOf({ servers }: Accounts): ServerOptions[] {
    const { connect, server } = this.#options;
    return servers.map(({ security, instanceId, account }) => ({
      ...server,
      uri: security.uri,
      resolve: () => connect(security),
      shortServerId: security.shortServerId,
      instanceId,
      securityInstanceId: security.instanceId,
      securityMode: security.mode,
      initial: account,
    }));
  }
}

/** What was kept, with the bootstrap account that the client is set up with now; one whose time was over stays away. */
function withAccount(kept: KeptAccounts | undefined, account: SecurityAccount): KeptAccounts {
  if (kept === undefined) return { current: securityRecords(account), previous: undefined };
  const { bootstrap } = readAccounts(kept.current);
  if (bootstrap === undefined) return kept;
  const current = new Map(kept.current);
  for (const path of securityRecords(bootstrap).keys()) current.delete(path);
  for (const [path, value] of securityRecords({ ...account, instanceId: bootstrap.instanceId })) {
    current.set(path, value);
  }
  return { ...kept, current };
}
