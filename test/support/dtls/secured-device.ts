import { systemClock } from '../../../protocol/clock.ts';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import { createUdpPort } from '../../../protocol/coap/udp-port.ts';
import { createDtlsClientPort } from '../../../protocol/dtls/client-port.ts';
import type { DtlsClientPort } from '../../../protocol/dtls/types.ts';
import type { CredentialStore } from '../../../server/ports/credential-store.ts';
import { Secret } from '../../../server/ports/secret.ts';
import { ScriptedDevice } from '../server-world.ts';

/** A device that speaks DTLS with a pre-shared key, on a socket of its own and in real time. */
export class SecuredDevice extends ScriptedDevice {
  readonly port: DtlsClientPort;
  /** Handshakes that it has completed. */
  readonly handshakes: number[];
  /** Sessions that the server has ended by an alert. */
  readonly closed: number[];

  private constructor(name: string, server: string, port: DtlsClientPort, seen: [number[], number[]]) {
    super(
      {
        endpoint: (_address, options) => createCoapEndpoint({ ...options, port }),
        wait: (promise) => promise,
      },
      port.local,
      name,
      server,
    );
    this.port = port;
    [this.handshakes, this.closed] = seen;
  }

  /** @param server `host:port` */
  static async open(name: string, server: string): Promise<SecuredDevice> {
    const handshakes: number[] = [];
    const closed: number[] = [];
    const port = createDtlsClientPort({
      port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
      clock: systemClock,
      events: {
        onEstablished: () => void handshakes.push(Date.now()),
        onClosed: () => void closed.push(Date.now()),
      },
    });
    const { identity, key } = pskOf(name);
    port.secure(server, { kind: 'psk', identity, key });
    return new SecuredDevice(name, server, port, [handshakes, closed]);
  }
}

/** The pre-shared key of a device, as the tests give it. */
export function pskOf(name: string): { readonly identity: Buffer; readonly key: Buffer } {
  return { identity: Buffer.from(`identity of ${name}`), key: Buffer.from(`key of ${name}`.padEnd(16, '.')) };
}

/** Enrols a device with its pre-shared key. */
export async function enrol(credentials: CredentialStore, name: string): Promise<void> {
  const { identity, key } = pskOf(name);
  const now = Date.now();
  await credentials.put({
    account: 'server',
    endpoint: name,
    identity: { kind: 'psk', name: identity.toString() },
    key: new Secret(key),
    state: 'active',
    createdAt: now,
    changedAt: now,
  });
}
