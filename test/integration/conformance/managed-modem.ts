import type { ServerAccount } from '../../../client/lwm2m/server-account.ts';
import type { ServerOptions } from '../../../client/lwm2m/server-session.ts';
import { volatileJournal } from '../../../client/modem/command-journal.ts';
import { Modem, type ModemOptions } from '../../../client/modem/modem.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { decodeMessage, encodeMessage } from '../../../protocol/coap/codec.ts';
import { type CoapMessage, Code, formatCode, MessageType } from '../../../protocol/coap/message.ts';
import {
  accept,
  contentFormat,
  observe as observeOf,
  uriPath,
  uriQuery,
} from '../../../protocol/coap/options.ts';
import { type Draft, draft } from '../../support/coap/raw-peer.ts';
import { ServerWorld } from '../../support/server-world.ts';

export const serverAddress = 'server:5683';
export const modemAddress = 'modem:49152';
export const endpoint = 'modem-1';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One message on the wire, as a test reads it. */
export interface Wire {
  /** From whom: the server or the device. */
  readonly from: 'server' | 'device';
  readonly message: CoapMessage;
  /** `GET`, `2.05`, `RST`, `ACK`: the method, the code, or the type of an empty message. */
  readonly what: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly accept: number | undefined;
  readonly contentFormat: number | undefined;
  readonly observe: number | undefined;
}

export interface Setting extends Partial<Omit<ModemOptions, 'servers'>> {
  readonly account?: Partial<ServerAccount>;
  readonly server?: Partial<ServerOptions>;
  /** Its servers beside this one. */
  readonly others?: readonly ServerOptions[];
  /** Default: none of the sensors takes samples. */
  readonly rates?: Readonly<Record<string, number>>;
}

const methods = ['', 'GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'];
const emptyTypes: Readonly<Record<number, string>> = {
  [MessageType.CON]: 'ping',
  [MessageType.ACK]: 'ACK',
  [MessageType.RST]: 'RST',
};

/** The whole server and our modem, on a simulated network and in simulated time; the server is asked by REST. */
export class ManagedModem {
  readonly world: ServerWorld;
  readonly modem: Modem;
  readonly faults: unknown[] = [];
  readonly states: string[] = [];

  /** Opens both, and waits until the modem is registered and what the policy observes is set up. */
  static async open(setting: Setting = {}): Promise<ManagedModem> {
    const managed = await ManagedModem.unstarted(setting);
    await managed.start();
    return managed;
  }

  static async unstarted(setting: Setting = {}): Promise<ManagedModem> {
    const world = await ServerWorld.open();
    world.link.recording = true;
    return new ManagedModem(world, setting);
  }

  private constructor(world: ServerWorld, setting: Setting) {
    this.world = world;
    const { account, server, others, ...options } = setting;
    this.modem = new Modem({
      port: world.link.port(modemAddress),
      clock: world.clock,
      name: endpoint,
      servers: [
        {
          uri: `coap://${serverAddress}`,
          resolve: async () => serverAddress,
          ...server,
          account: { ...account },
        },
        ...(others ?? []),
      ],
      card: new VirtualCard({ serial: 42, switchLatency: 300, clock: world.clock }),
      journal: volatileJournal(),
      seed: 1,
      serial: '000000042',
      firmware: '1.2.3',
      rates: { imu: 0, gyro: 0, temperature: 0 },
      ...options,
      events: {
        onFault: (error) => this.faults.push(error),
        onState: (state) => this.states.push(state),
      },
    });
  }

  async start(): Promise<void> {
    await this.world.wait(this.modem.start());
    await this.registered();
    await this.quiet();
  }

  async registered(): Promise<void> {
    await this.world.until('registered', async () => (await this.device()).registration !== undefined);
  }

  /** Lets what is under way come to its end: but for notifications, nothing on the wire for two seconds. */
  async quiet(): Promise<void> {
    for (;;) {
      const begin = this.mark();
      await this.world.pass(2_000);
      const isNotification = ({ from, observe, message }: Wire): boolean =>
        (from === 'device' && observe !== undefined) || message.code === Code.EMPTY;
      if (this.since(begin).every(isNotification)) return;
    }
  }

  /** The device as the server shows it. */
  async device(): Promise<{ readonly state?: string; readonly registration?: Record<string, unknown> }> {
    const { body } = await this.call('GET', '');
    return body as { state?: string; registration?: Record<string, unknown> };
  }

  /** A call of REST about this device: `/objects/3/0`. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const url = `${this.world.server.httpAddress}/api/devices/${endpoint}${path}`;
    const answer = await this.world.wait(
      fetch(url, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }).then(async (response) => ({ status: response.status, text: await response.text() })),
    );
    return { status: answer.status, body: answer.text === '' ? undefined : JSON.parse(answer.text) };
  }

  /** The same, with what went over the wire meanwhile. */
  async watch(method: string, path: string, body?: unknown): Promise<Answer & { readonly wire: Wire[] }> {
    const begin = this.mark();
    const answer = await this.call(method, path, body);
    return { ...answer, wire: this.since(begin) };
  }

  /** Values by path of a Read. @throws Error with the problem where it is none */
  async values(path: string, query = ''): Promise<Record<string, unknown>> {
    const { status, body } = await this.call('GET', `/objects${path}${query}`);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return itemValues(body);
  }

  /** A place in the record of the wire. */
  mark(): number {
    return this.world.link.log.length;
  }

  /** What went over the wire from that place on. */
  since(mark: number): Wire[] {
    return this.world.link.log.slice(mark).map(({ data, from }) => {
      const message = decodeMessage(data);
      const { code, type, options } = message;
      return {
        from: from === serverAddress ? 'server' : 'device',
        message,
        what: code === Code.EMPTY ? (emptyTypes[type] ?? '?') : (methods[code] ?? formatCode(code)),
        path: `/${uriPath(options).join('/')}`,
        query: uriQuery(options),
        accept: accept(options),
        contentFormat: contentFormat(options),
        observe: observeOf(options),
      };
    });
  }

  /** Sends the modem a message as its server would, word for word; what it answers is on the wire. */
  async asServer(fields: Draft): Promise<Wire[]> {
    const begin = this.mark();
    this.world.link.carry(encodeMessage(draft(fields)), serverAddress, modemAddress);
    await this.world.pass(100);
    return this.since(begin);
  }

  /** Codes with which the device answered, in order; notifications are among them. */
  answers(wire: readonly Wire[]): string[] {
    return wire.filter(({ from, what }) => from === 'device' && /^\d/.test(what)).map(({ what }) => what);
  }

  async events(): Promise<string[]> {
    return this.world.eventTypes(endpoint);
  }

  async close(): Promise<void> {
    await this.world.wait(this.modem.close());
    await this.world.close();
    if (this.faults.length > 0) throw new AggregateError(this.faults, 'the modem had faults');
  }
}

/** Values of an answer by path. */
export function itemValues(body: unknown): Record<string, unknown> {
  const { items } = body as { items: { path: string; value: unknown }[] };
  return Object.fromEntries(items.map(({ path, value }) => [path, value]));
}
