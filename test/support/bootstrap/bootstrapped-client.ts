import { type SecurityAccount, SecurityMode } from '../../../client/lwm2m/accounts.ts';
import type { BootstrapClientOptions } from '../../../client/lwm2m/bootstrapping.ts';
import { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { type AccountStorage, volatileAccounts } from '../../../client/lwm2m/kept-accounts.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { systemClock } from '../../../protocol/clock.ts';
import { createUdpPort } from '../../../protocol/coap/udp-port.ts';
import { createDtlsClientPort } from '../../../protocol/dtls/client-port.ts';
import { until } from '../until.ts';

const registry = createObjectRegistry(standardObjects());
const none = new Uint8Array();

export interface PreSharedKey {
  readonly identity: string;
  readonly key: Uint8Array;
}

/** Our client, bootstrapped over a socket of its own, with DTLS where the account says so, in real time. */
export class BootstrappedClient {
  readonly client: Lwm2mClient;
  readonly storage: AccountStorage;
  readonly faults: unknown[] = [];
  /** `finished: 101 at coaps://…`. */
  readonly states: string[] = [];
  /** `Bootstrap-Write /0/1`, as they came. */
  readonly operations: string[] = [];
  /** Servers that a handshake was completed with. */
  readonly handshakes: string[];

  private constructor(
    name: string,
    uri: string,
    psk: PreSharedKey | undefined,
    storage: AccountStorage,
    more: Partial<BootstrapClientOptions>,
    port: ReturnType<typeof createDtlsClientPort>,
    handshakes: string[],
  ) {
    this.storage = storage;
    this.handshakes = handshakes;
    const account: SecurityAccount = {
      instanceId: 0,
      uri,
      isBootstrap: true,
      mode: psk === undefined ? SecurityMode.NO_SEC : SecurityMode.PRE_SHARED_KEY,
      publicKeyOrIdentity: psk === undefined ? none : new TextEncoder().encode(psk.identity),
      serverPublicKey: none,
      secretKey: psk?.key ?? none,
      shortServerId: 0,
      holdOffTime: 0,
      accountTimeout: 0,
    };
    this.client = new Lwm2mClient({
      port,
      clock: systemClock,
      name,
      servers: [],
      bootstrap: {
        account,
        storage,
        connect: async ({ uri: of, mode, publicKeyOrIdentity: identity, secretKey: key }) => {
          const address = of.replace(/^coaps?:\/\//, '');
          if (mode === SecurityMode.PRE_SHARED_KEY) port.secure(address, { kind: 'psk', identity, key });
          return address;
        },
        ...more,
      },
      lookup: registry,
      events: {
        onFault: (error) => this.faults.push(error),
        onBootstrap: (state, detail) => void this.states.push(`${state}: ${detail}`),
        onOperation: (operation, path) => void this.operations.push(`${operation} ${path}`),
      },
    });
  }

  static async open(
    name: string,
    uri: string,
    options: {
      readonly psk?: PreSharedKey;
      readonly storage?: AccountStorage;
      readonly bootstrap?: Partial<BootstrapClientOptions>;
    } = {},
  ): Promise<BootstrappedClient> {
    const handshakes: string[] = [];
    const port = createDtlsClientPort({
      port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
      clock: systemClock,
      events: { onEstablished: (peer) => void handshakes.push(peer) },
    });
    const { psk, storage = volatileAccounts(), bootstrap = {} } = options;
    const made = new BootstrappedClient(name, uri, psk, storage, bootstrap, port, handshakes);
    made.client.start();
    return made;
  }

  async registered(): Promise<void> {
    await until(
      'the client is registered',
      () => this.client.sessions[0]?.registration.location !== undefined,
    );
  }

  async finished(count = 1): Promise<void> {
    await until(
      `bootstrap ${count} has finished`,
      () => this.states.filter((state) => state.startsWith('finished')).length >= count,
    );
  }

  /** @throws Error a fault of the client */
  async close(): Promise<void> {
    await this.client.close({ deregister: false });
    if (this.faults.length > 0) throw new Error('the client met a fault', { cause: this.faults[0] });
  }
}
