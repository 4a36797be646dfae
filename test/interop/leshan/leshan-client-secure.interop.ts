import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pem } from '../../support/dtls/make-certificate.ts';
import { UdpMiddlebox } from '../../support/udp-middlebox.ts';
import { freePort } from '../coap/fixture.ts';
import { deviceIdentity, IDENTITY, KEY, type KeyFiles, keyFiles, serverIdentity } from '../dtls/fixture.ts';
import type { JsonLinesProcess } from '../support/json-lines-process.ts';
import { ServerProcess } from '../support/server-process.ts';
import { buildLeshanPeers, hasLeshan, type LeshanClientSecurity, startLeshanClient } from './leshan-peers.ts';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const privateKey = base64(deviceIdentity.privateKey.export({ type: 'pkcs8', format: 'der' }));
const [serverCertificate] = serverIdentity.certificateChain as [Uint8Array];
const [certificate] = deviceIdentity.certificateChain as [Uint8Array];

const kinds: readonly (readonly [endpoint: string, enrolment: object, security: LeshanClientSecurity])[] = [
  ['leshan-psk', { type: 'psk', identity: IDENTITY, key: KEY }, { identity: IDENTITY, key: KEY }],
  [
    'leshan-rpk',
    { type: 'rpk', publicKey: base64(deviceIdentity.pair.spki) },
    {
      privateKey,
      publicKey: base64(deviceIdentity.pair.spki),
      serverPublicKey: base64(serverIdentity.pair.spki),
    },
  ],
  [
    'device-1',
    { type: 'x509', certificate: pem('CERTIFICATE', certificate) },
    { privateKey, certificate: base64(certificate), serverCertificate: base64(serverCertificate) },
  ],
];

describe.skipIf(!hasLeshan)('a client on the Leshan library, over DTLS with connection ids', () => {
  let server: ServerProcess;
  let files: KeyFiles;
  let nat: UdpMiddlebox;

  beforeAll(async () => {
    await buildLeshanPeers();
    files = await keyFiles('server');
    const coapsPort = await freePort();
    server = await ServerProcess.start([
      ...['--coaps-port', String(coapsPort), '--server-key', files.key],
      ...['--server-certificate', files.certificate, '--device-ca', files.authority],
    ]);
    nat = await UdpMiddlebox.open([`127.0.0.1:${coapsPort}`]);
  });
  afterAll(async () => {
    await nat?.close();
    await files?.remove();
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });

  /** The sum of a counter of the port for devices, over its other labels. */
  async function count(name: string): Promise<number> {
    const text = await (await fetch(server.url('/metrics'))).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && line.includes('port="server"'))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  test.each(kinds)(
    '%s registers, is read, and goes on over one session when its address changes',
    async (endpoint, enrolment, security) => {
      const { status, body } = await server.call('POST', '/api/credentials', { endpoint, ...enrolment });
      expect(status, JSON.stringify(body)).toBe(201);
      const client: JsonLinesProcess = startLeshanClient({
        ...security,
        server: nat.address,
        endpoint,
        lifetime: 60,
        sensorObject: 42770,
        sensors: 1,
      });
      try {
        await client.until(({ event }) => event === 'registered');
        const read = () => server.call('GET', `/api/devices/${endpoint}/objects/3/0/0`);
        expect(await read()).toMatchObject({ status: 200 });
        const [handshakes, moves] = [
          await count('simyard_dtls_handshakes_total'),
          await count('simyard_dtls_moves_total'),
        ];
        for (let move = 0; move < 3; move++) {
          nat.rebind();
          client.order('update');
          await client.until(({ event }) => event === 'updated');
          expect(await read()).toMatchObject({ status: 200 });
        }
        expect(await count('simyard_dtls_handshakes_total')).toBe(handshakes);
        expect(await count('simyard_dtls_moves_total')).toBe(moves + 3);
        const { body: shown } = await server.call('GET', `/api/devices/${endpoint}`);
        expect(shown).toMatchObject({ state: 'awake' });
      } finally {
        await client.stop('SIGKILL');
      }
    },
  );

  test('another device’s key does not register that endpoint', async () => {
    const client = startLeshanClient({
      identity: IDENTITY,
      key: KEY,
      server: nat.address,
      endpoint: 'device-1',
      lifetime: 60,
      sensorObject: 42770,
      sensors: 1,
    });
    try {
      await client.until(({ event }) => event === 'registrationFailed');
    } finally {
      await client.stop('SIGKILL');
    }
  });
});
