import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import packageJson from '../package.json' with { type: 'json' };
import { systemClock } from '../protocol/clock.ts';
import type { PeerAddress } from '../protocol/coap/datagram-port.ts';
import { createUdpPort, parsePeer, resolvePeer } from '../protocol/coap/udp-port.ts';
import { AtomicFile } from './atomic-file.ts';
import type { ModemSettings } from './command-line.ts';
import type { SwitchStep } from './modem/carrier-control.ts';
import { fileJournal, volatileJournal } from './modem/command-journal.ts';
import { Modem, type ModemEvents } from './modem/modem.ts';
import { fileCardMemory, volatileCardMemory } from './sim/card-memory.ts';
import { VirtualCard } from './sim/virtual-card.ts';
import { StateLock } from './state-lock.ts';

export interface ModemIdentity {
  readonly name: string;
  /** Of a new card, and of the modem itself. */
  readonly serial: number;
  /** Folder of the journal, and of the card unless it has a file of its own; undefined: nothing is kept. */
  readonly state: string | undefined;
  readonly cardFile: string | undefined;
  /** Bytes that the system holds for the modem's socket. */
  readonly receiveBufferSize: number;
}

/**
 * Finds the server: its IPv4 address where it has one, for a server that is bound to 127.0.0.1 is
 * `localhost` to most people, and to many systems that is ::1.
 * @throws the resolver's error
 */
export async function resolveServer(server: ModemSettings['server']): Promise<PeerAddress> {
  try {
    return await resolvePeer(server.host, server.port, 4);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && error.syscall === 'getaddrinfo')) throw error;
    return resolvePeer(server.host, server.port, 6);
  }
}

/** Between attempts to resolve the server's name, ms. */
const resolveAgain = 3_000;

/** As `resolveServer`, again and again: a modem may be started before the network that knows the name. */
export async function awaitServer(
  server: ModemSettings['server'],
  onFailure: (reason: string) => void,
): Promise<PeerAddress> {
  for (;;) {
    try {
      return await resolveServer(server);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error && error.syscall === 'getaddrinfo')) throw error;
      onFailure(error.message);
    }
    await sleep(resolveAgain);
  }
}

/**
 * Puts a modem together, with its socket open, its card in, and its state folder held until it is closed.
 * Not started.
 * @throws StateFileError the folder is another process's; the system's errors
 */
export async function buildModem(
  identity: ModemIdentity,
  settings: ModemSettings,
  server: PeerAddress,
  events: ModemEvents,
): Promise<Modem> {
  const { state, name } = identity;
  const lock = state === undefined ? undefined : new StateLock(state, name);
  try {
    return await assemble(identity, settings, server, events, () => lock?.release());
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function assemble(
  identity: ModemIdentity,
  settings: ModemSettings,
  server: PeerAddress,
  events: ModemEvents,
  release: () => void,
): Promise<Modem> {
  const { state } = identity;
  const cardFile = identity.cardFile ?? (state === undefined ? undefined : join(state, 'card.json'));
  const card = new VirtualCard({
    serial: identity.serial,
    memory: cardFile === undefined ? volatileCardMemory() : fileCardMemory(new AtomicFile(cardFile)),
    initialProfile: settings.carrier,
    switchLatency: settings.switchLatency,
  });
  if (settings.cardFault !== undefined) card.faults.refuse = settings.cardFault;
  const port = await createUdpPort({
    host: localHostFor(server),
    port: 0,
    receiveBufferSize: identity.receiveBufferSize,
  });
  return new Modem({
    port,
    card,
    journal:
      state === undefined ? volatileJournal() : fileJournal(new AtomicFile(join(state, 'journal.json'))),
    clock: systemClock,
    name: identity.name,
    serverUri: settings.server.uri,
    resolveServer: () => resolveServer(settings.server),
    version: settings.version,
    lifetime: settings.lifetime,
    packs: settings.packs,
    packInterval: settings.packInterval,
    rates: settings.rates,
    queueLimit: settings.queueLimit,
    attachTime: settings.attachTime,
    customObjects: settings.customObjects,
    seed: identity.serial,
    serial: String(identity.serial).padStart(9, '0'),
    firmware: packageJson.version,
    events,
    release,
    ...(settings.updateInterval === undefined ? {} : { updateInterval: settings.updateInterval }),
    ...(settings.reconnectAfter === undefined ? {} : { reconnectAfter: settings.reconnectAfter }),
    ...(settings.crashAt === undefined ? {} : { reach: crashAt(settings.crashAt) }),
  });
}

/** The address to bind to, so that the server is reached and nobody else can reach a modem of this machine's own. */
function localHostFor(server: PeerAddress): string {
  const { host } = parsePeer(server);
  if (isIPv6(host)) return host === '::1' ? '::1' : '::';
  return host.startsWith('127.') ? '127.0.0.1' : '0.0.0.0';
}

/** Steps before which something was sent that should be out on the network when the process dies. */
const afterSending: ReadonlySet<SwitchStep> = new Set(['answered', 'after-notify']);
const flushTime = 50;

/** Fault injection: at that step the process dies as by a power cut, and nothing of it goes on. */
function crashAt(step: SwitchStep): (reached: SwitchStep) => Promise<void> {
  return async (reached) => {
    if (reached !== step) return;
    const die = (): void => {
      process.kill(process.pid, 'SIGKILL');
    };
    if (afterSending.has(step)) setTimeout(die, flushTime);
    else die();
    await new Promise<never>(() => {});
  };
}
