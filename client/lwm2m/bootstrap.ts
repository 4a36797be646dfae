import type { Clock, Timer } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, IncomingRequest, IncomingResponse } from '../../protocol/coap/exchange.ts';
import { Code, isSuccess } from '../../protocol/coap/message.ts';
import { acceptOption, contentFormat, pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import {
  type AccountRecords,
  type Accounts,
  InconsistentAccountsError,
  readAccounts,
  type SecurityAccount,
} from './accounts.ts';
import { BootstrapHandler, type BootstrapOperation } from './bootstrap-handler.ts';
import type { LwM2mVersion } from './formats.ts';
import { describeAnswer, isNetworkError } from './network-error.ts';
import type { ObjectTree } from './object-tree.ts';
import { longestTimer } from './observations.ts';
import type { Answer } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { spread } from './retry-pacing.ts';
import { StagedAccounts } from './staged-accounts.ts';

/** `waiting`: the bootstrap server could not be spoken with, or broke off, and is tried again after a while. */
export type BootstrapState =
  | 'idle'
  | 'holding off'
  | 'requesting'
  | 'in progress'
  | 'finished'
  | 'waiting'
  | 'failed';

export interface BootstrapOptions {
  readonly endpoint: CoapEndpoint;
  readonly clock: Clock;
  /** Endpoint client name. */
  readonly name: string;
  readonly version: LwM2mVersion;
  readonly tree: ObjectTree;
  readonly lookup: ResourceTypeLookup;
  /** Whether all is asked for at once first (Bootstrap-Pack, 1.2). */
  readonly pack: boolean;
  /** Finds the server of an account, and has what is sent there secured as the account says. */
  readonly connect: (account: SecurityAccount) => Promise<PeerAddress>;
  /** The bootstrap account; undefined: there is none, or its time is over. */
  readonly account: () => SecurityAccount | undefined;
  /** What the client has now, as far as a bootstrap can change it. */
  readonly records: () => AccountRecords;
  /** The bootstrap is about to be finished, and these are kept before it is: the accounts as they will hold. */
  readonly keep: (records: AccountRecords) => Accounts;
  /** It has finished: these are the accounts from now on. */
  readonly apply: (accounts: Accounts) => void;
  /** Whether the client needs a bootstrap, and so tries until it has one. */
  readonly isNeeded: () => boolean;
  readonly random: () => number;
  readonly onState: (state: BootstrapState, detail: string) => void;
}

/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms: a server that says nothing for longer has broken off. */
const serverPatience = 93_000;
/** Longest wait between attempts, ms. */
const longestWait = 300_000;

/**
 * The client's side of a bootstrap (OMA-TS-LightweightM2M_Core §6.1): it asks, is given accounts by requests of the
 * server or by one pack, and checks at the end that they fit together. Until then it goes on with those that it has.
 */
export class Bootstrap {
  readonly #options: BootstrapOptions;
  #state: BootstrapState = 'idle';
  #peer: PeerAddress | undefined;
  #handler: BootstrapHandler | undefined;
  #staged: StagedAccounts | undefined;
  #timer: Timer | undefined;
  #attempts = 0;
  #paused = false;
  #wanted = false;
  #closed = false;
  #abort = new AbortController();

  constructor(options: BootstrapOptions) {
    this.#options = options;
  }

  get state(): BootstrapState {
    return this.#state;
  }

  /** Asks for a bootstrap, unless one is under way. @param holdOff whether the time of the account is waited for first */
  begin(reason: string, holdOff: boolean): void {
    if (this.#closed || this.#isBusy || (holdOff && this.#state === 'waiting')) return;
    this.#timer?.cancel();
    const account = this.#options.account();
    if (account === undefined) return;
    this.#attempts = 0;
    const delay = holdOff ? account.holdOffTime * 1_000 : 0;
    if (delay === 0) {
      this.#request(reason);
      return;
    }
    this.#enter('holding off', `${reason}; in ${account.holdOffTime} s`);
    this.#wait(delay, () => this.#request(reason));
  }

  /** Whether this request is the bootstrap server's, and one is under way. */
  serves(request: IncomingRequest): boolean {
    return this.#handler !== undefined && request.peer === this.#peer;
  }

  /** @throws OperationError it is no operation of the bootstrap interface */
  operation(request: IncomingRequest): BootstrapOperation {
    if (this.#handler === undefined) throw new OperationError(Code.UNAUTHORIZED, 'no bootstrap is under way');
    this.#await();
    return this.#handler.operation(request);
  }

  /** Says nothing until `resume`; one that is under way is broken off. */
  pause(): void {
    this.#paused = true;
    if (!this.#isBusy && this.#state !== 'waiting') return;
    this.#wanted = true;
    this.#stop();
    this.#enter('idle', 'off the network');
  }

  resume(): void {
    this.#paused = false;
    const wanted = this.#wanted;
    this.#wanted = false;
    if (wanted) this.begin('back on the network', false);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#stop();
  }

  get #isBusy(): boolean {
    return this.#state === 'holding off' || this.#state === 'requesting' || this.#state === 'in progress';
  }

  #request(reason: string): void {
    const account = this.#options.account();
    if (account === undefined || this.#closed) return;
    if (this.#paused) {
      this.#wanted = true;
      return;
    }
    this.#enter('requesting', reason);
    const { signal } = this.#abort;
    this.#ask(account, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      if (!isNetworkError(error) && !(error instanceof DecodeError)) throw error;
      this.#fail(error.message);
    });
  }

  async #ask(account: SecurityAccount, signal: AbortSignal): Promise<void> {
    const { endpoint, connect, name, pack, version } = this.#options;
    const peer = await connect(account);
    signal.throwIfAborted();
    this.#peer = peer;
    this.#open();
    if (pack && version === '1.2') {
      const response = await endpoint.request(peer, {
        code: Code.GET,
        options: [
          ...pathOptions('/bspack'),
          ...queryOptions([`ep=${name}`]),
          acceptOption(ContentFormat.SENML_CBOR),
        ],
        timeout: serverPatience,
        signal,
      });
      if (response.code === Code.CONTENT) {
        await this.#take(response);
        return;
      }
      // The server knows no packs, or has none: it is asked to write.
    }
    // A server may begin to write before its answer is here.
    const response = await endpoint.request(peer, {
      code: Code.POST,
      options: [
        ...pathOptions('/bs'),
        ...queryOptions([`ep=${name}`, ...(version === '1.0' ? [] : [`pct=${ContentFormat.SENML_CBOR}`])]),
      ],
      timeout: serverPatience,
      signal,
    });
    if (this.#handler === undefined) return;
    if (!isSuccess(response.code)) {
      this.#fail(describeAnswer(response));
      return;
    }
    this.#enter('in progress', `server ${account.uri}`);
    this.#await();
  }

  /** A Bootstrap-Pack: all accounts that the client had give way to those in it (§6.1.7.7). */
  async #take(response: IncomingResponse): Promise<void> {
    const handler = this.#handler;
    const staged = this.#staged;
    if (handler === undefined || staged === undefined) return;
    this.#enter('in progress', 'a pack');
    staged.remove('/');
    const format = contentFormat(response.options) ?? ContentFormat.SENML_CBOR;
    try {
      await handler.writeAll(decodeContent(format, '/', response.payload, this.#options.lookup));
      checkAccounts(staged);
      this.#settle(this.#options.keep(staged.records));
    } catch (error) {
      const isTheirs =
        error instanceof OperationError ||
        error instanceof InconsistentAccountsError ||
        error instanceof DecodeError;
      if (!isTheirs) throw error;
      this.#fail(`the pack cannot be taken: ${error.message}`);
    }
  }

  /** The server may write from now on. */
  #open(): void {
    const { tree, lookup, version, records } = this.#options;
    const staged = new StagedAccounts(records());
    this.#staged = staged;
    this.#handler = new BootstrapHandler({
      tree,
      lookup,
      version,
      staged,
      finish: () => this.#finish(staged),
    });
  }

  /** Bootstrap-Finish (§6.1.7.2): the accounts hold once the answer is on its way. @throws OperationError 4.06 */
  #finish(staged: StagedAccounts): Answer {
    try {
      checkAccounts(staged);
    } catch (error) {
      if (!(error instanceof InconsistentAccountsError)) throw error;
      throw new OperationError(Code.NOT_ACCEPTABLE, error.message);
    }
    const accounts = this.#options.keep(staged.records);
    return { code: Code.CHANGED, afterwards: [() => this.#settle(accounts)] };
  }

  #settle(accounts: Accounts): void {
    this.#stop();
    this.#attempts = 0;
    this.#enter('finished', serverList(accounts));
    this.#options.apply(accounts);
  }

  /** The server has to say something within its time. */
  #await(): void {
    this.#timer?.cancel();
    this.#wait(serverPatience, () => this.#fail('the bootstrap server broke off'));
  }

  /** Nothing of it holds. It is tried again where the client has no server to register with. */
  #fail(reason: string): void {
    this.#stop();
    const { isNeeded, random } = this.#options;
    if (!isNeeded()) {
      this.#enter('failed', reason);
      return;
    }
    const wait = spread(longestWait, this.#attempts++, random);
    this.#enter('waiting', `${reason}; again in ${(wait / 1_000).toFixed(1)} s`);
    this.#wait(wait, () => this.#request('tried again'));
  }

  #stop(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#handler = undefined;
    this.#staged = undefined;
  }

  #wait(milliseconds: number, then: () => void): void {
    this.#timer = this.#options.clock.setTimer(Math.min(Math.max(1, milliseconds), longestTimer), then);
  }

  #enter(state: BootstrapState, detail: string): void {
    if (state === this.#state && detail === '') return;
    this.#state = state;
    this.#options.onState(state, detail);
  }
}

/** @throws InconsistentAccountsError they do not fit together, or there is no server among them */
function checkAccounts(staged: StagedAccounts): void {
  if (readAccounts(staged.records).servers.length === 0) {
    throw new InconsistentAccountsError('there is no server to register with');
  }
}

function serverList({ servers }: Accounts): string {
  return servers.map(({ security: { uri, shortServerId } }) => `${shortServerId} at ${uri}`).join(', ');
}
