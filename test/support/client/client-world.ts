import { Lwm2mClient, type Lwm2mClientOptions } from '../../../client/lwm2m/client.ts';
import { volatileJournal } from '../../../client/modem/command-journal.ts';
import { Modem, type ModemOptions } from '../../../client/modem/modem.ts';
import { VirtualCard } from '../../../client/sim/virtual-card.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import type { LinkQuality } from '../coap/lossy-link.ts';
import { World } from '../coap/world.ts';
import { ScriptedServer } from './scripted-server.ts';

export const registry = createObjectRegistry(standardObjects());
export const serverAddress = '192.0.2.1:5683';
export const clientAddress = '198.51.100.7:49152';

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

  client(options: Partial<Lwm2mClientOptions> = {}): Lwm2mClient {
    return new Lwm2mClient({ ...this.#common(), lookup: registry, random: () => 0.5, ...options });
  }

  modem(options: Partial<ModemOptions> = {}): Modem {
    return new Modem({
      ...this.#common(),
      card: new VirtualCard({ serial: 42, switchLatency: 300, clock: this.clock }),
      journal: volatileJournal(),
      seed: 1,
      serial: '000000042',
      firmware: '1.2.3',
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

  #common() {
    return {
      port: this.link.port(clientAddress),
      clock: this.clock,
      name: 'modem-1',
      serverUri: `coap://${serverAddress}`,
      resolveServer: async () => serverAddress,
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
