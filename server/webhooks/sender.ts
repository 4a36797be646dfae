import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressPolicy } from './address-policy.ts';

/** How long a receiver may take for its answer, ms; from the look-up of its name on. */
const TIMEOUT = 15_000;
/** How long a connection is kept for the next message, ms: less than servers usually do. */
const KEEP_ALIVE = 4_000;

export interface WebhookMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a person is told: how it went. */
export type SendOutcome =
  | { readonly delivered: true; readonly status: number }
  | { readonly delivered: false; readonly status?: number; readonly reason: string };

/** Sends one message, and never throws. */
export type WebhookSender = (message: WebhookMessage, signal: AbortSignal) => Promise<SendOutcome>;

/** The address is one that webhooks may not go to; or the name has none. */
class UnreachableHostError extends Error {
  override readonly name = 'UnreachableHostError';
}

export interface SenderOptions {
  readonly policy: AddressPolicy;
  readonly userAgent: string;
  /** All addresses of a name. The system's resolver where absent. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly timeout?: number;
}

/**
 * POSTs to a receiver. Its name is looked up here, each address is held against the policy, and the connection goes
 * to one that was found good: a name cannot mean something else when it is connected to. Redirects are not
 * followed, and of the answer nothing but its status is looked at.
 */
export function createSender(options: SenderOptions): WebhookSender & { close(): void } {
  const agents = {
    'http:': new http.Agent({ keepAlive: true, timeout: KEEP_ALIVE, maxFreeSockets: 4 }),
    'https:': new https.Agent({ keepAlive: true, timeout: KEEP_ALIVE, maxFreeSockets: 4 }),
  };
  const resolve = options.resolve ?? systemAddresses;
  const { policy, userAgent, timeout = TIMEOUT } = options;

  const send: WebhookSender = async (message, ended) => {
    const late = AbortSignal.timeout(timeout);
    const signal = AbortSignal.any([late, ended]);
    try {
      const url = new URL(message.url);
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
      const address = await untilAborted(findAddress(host, policy, resolve), signal);
      const request = (): Promise<number> => {
        const headers = { ...message.headers, 'user-agent': userAgent };
        return untilAborted(post(url, address, headers, message.body, agents, signal), signal);
      };
      const status = await request().catch((error: unknown) => {
        // The receiver had closed the connection that was kept: it has read nothing of it.
        if (error instanceof StaleConnectionError) return request();
        throw error;
      });
      if (status >= 200 && status < 300) return { delivered: true, status };
      const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
      return { delivered: false, status, reason: `answered ${status}${redirect}` };
    } catch (error) {
      if (late.aborted) return { delivered: false, reason: `no answer within ${timeout} ms` };
      return { delivered: false, reason: reasonOf(error) };
    }
  };
  return Object.assign(send, {
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  });
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function findAddress(
  host: string,
  policy: AddressPolicy,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<string> {
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  const good = addresses.find((address) => policy.allows(host, address));
  if (good !== undefined) return good;
  if (addresses.length === 0) throw new UnreachableHostError(`'${host}' has no address`);
  throw new UnreachableHostError(
    `'${host}' has an address that webhooks may not go to; SIMYARD_WEBHOOK_ALLOW names those that they may`,
  );
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError';
}

/** The status of the answer. */
function post(
  url: URL,
  address: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  agents: Readonly<Record<'http:' | 'https:', http.Agent>>,
  signal: AbortSignal,
): Promise<number> {
  const family = isIP(address);
  const pinned: LookupFunction = (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  const secure = url.protocol === 'https:';
  const agent = agents[secure ? 'https:' : 'http:'];
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(
      url,
      {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        agent,
        lookup: pinned,
        signal,
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        // What it says beside is not read to its end: the connection is kept only where that was short.
        response.once('data', () => response.destroy());
        response.on('error', () => response.destroy());
        response.resume();
      },
    );
    // A receiver that changes the protocol (RFC 9110 §15.2.2), which it was not asked for: there is no other answer.
    request.once('upgrade', ({ statusCode = 101 }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(stale ? new StaleConnectionError() : error);
    });
    request.end(body);
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'the connection was not taken in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up now',
};

/** In words that hold nothing of the message. */
function reasonOf(error: unknown): string {
  if (error instanceof UnreachableHostError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return error instanceof Error ? error.name : 'not sent';
  return reasons[code] ?? `not sent: ${code}`;
}
