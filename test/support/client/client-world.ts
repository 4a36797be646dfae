import { Lwm2mClient, type Lwm2mClientOptions } from '../../../client/lwm2m/client.ts';
import type { LwM2mVersion } from '../../../client/lwm2m/formats.ts';
import type { ProfileIds } from '../../../client/lwm2m/profile-id.ts';
import type { ServerOptions } from '../../../client/lwm2m/server-session.ts';
import { volatileJournal } from '../../../client/modem/command-journal.ts';
import { Modem, type ModemOptions } from '../../../client/modem/modem.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import type { LinkQuality } from '../coap/lossy-link.ts';
import { World } from '../coap/world.ts';
import { ScriptedServer } from './scripted-server.ts';

export const registry = createObjectRegistry(standardObjects());
export const serverAddress = '192.0.2.1:5683';
export const clientAddress = '198.51.100.7:49152';

/** What may be told of the one server that a client of a test has. */
export interface OneServer {
  readonly version?: LwM2mVersion;
  readonly lifetime?: number;
  readonly updateInterval?: number;
  readonly maxBackOff?: number;
  readonly resolveServer?: ServerOptions['resolve'];
  readonly account?: ServerOptions['account'];
  readonly profiles?: ProfileIds;
}

/** Time, a network, a scripted server on it, and room for a client. */
export class ClientWorld extends World {
  readonly server: ScriptedServer;
  readonly states: string[] = [];
  readonly lines: string[] = [];
  /** Readings acknowledged, by path. */
  readonly delivered = new Map<string, number>();

  constructor(quality: LinkQuality = {}) {
    super(quality);
    this.server = new ScriptedServer(registry, () => this.clock.now());
    this.startServer();
  }

  /** A server process that begins: it knows nothing of before. */
  startServer(): void {
    this.server.endpoint = this.endpoint(serverAddress, { handler: this.server.handle });
  }

  /** Another server on the network. */
  anotherServer(address: string): ScriptedServer {
    const server = new ScriptedServer(registry, () => this.clock.now());
    server.endpoint = this.endpoint(address, { handler: server.handle });
    return server;
  }

  client(options: Partial<Lwm2mClientOptions> & OneServer = {}): Lwm2mClient {
    return new Lwm2mClient({ ...this.#common(options), lookup: registry, random: () => 0.5, ...options });
  }

  modem(options: Partial<ModemOptions> & OneServer = {}): Modem {
    return new Modem({
      ...this.#common(options),
      card: new VirtualCard({ serial: 42, switchLatency: 300, clock: this.clock }),
      journal: volatileJournal(),
      seed: 1,
      serial: '000000042',
      firmware: '1.2.3',
      toolkit: {},
      rates: { imu: 0, gyro: 0, temperature: 0 },
      ...options,
    });
  }

  /** Lets time pass until it is so; an error after five minutes of it. */
  async until(what: string, condition: () => boolean, milliseconds = 300_000): Promise<void> {
    if (!(await this.clock.run(milliseconds, condition))) throw new Error(`it did not come: ${what}`);
  }

  registered(count = 1): Promise<void> {
    return this.until('registered', () => this.states.filter((s) => s === 'registered').length >= count);
  }

  /** What all clients and modems of this world have in common. */
  options() {
    return this.#common({});
  }

  #common(server: OneServer) {
    const { lifetime, resolveServer, version, updateInterval, maxBackOff, account, profiles } = server;
    return {
      port: this.link.port(clientAddress),
      clock: this.clock,
      name: 'modem-1',
      servers: [
        {
          uri: `coap://${serverAddress}`,
          resolve: resolveServer ?? (async () => serverAddress),
          account: { ...account, ...(lifetime === undefined ? {} : { lifetime }) },
          ...(profiles === undefined ? {} : { profiles }),
          ...(version === undefined ? {} : { version }),
          ...(updateInterval === undefined ? {} : { updateInterval }),
          ...(maxBackOff === undefined ? {} : { maxBackOff }),
        },
      ],
      events: {
        onState: (state: string) => void this.states.push(state),
        onLog: (line: string) => void this.lines.push(line),
        onDelivered: (path: string, readings: number) => {
          this.delivered.set(path, (this.delivered.get(path) ?? 0) + readings);
        },
        onFault: (error: unknown) => void this.faults.push(error),
      },
    };
  }
}
