import { type CipherSuite, cipherSuites } from '../../protocol/dtls/crypto/cipher-suites.ts';
import { keyLayout } from '../../protocol/dtls/crypto/key-schedule.ts';
import { ContentType } from '../../protocol/dtls/messages/constants.ts';
import { KeyCache } from '../../protocol/dtls/records/key-cache.ts';
import { type DtlsRecord, readRecord } from '../../protocol/dtls/records/record.ts';
import { SecuredEpoch } from '../../protocol/dtls/records/secured-epoch.ts';
import { createSealer } from '../../server/secrets/sealer.ts';
import { encodeSessionState } from '../../server/transport/session-codec.ts';

const ROUNDS = 100_000;
const ID = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);

/** Bytes of an Update or an acknowledgement, and of a few readings. */
const SIZES = [20, 100];

/** CPU of one record, sealed and opened, by how it is protected and how long it is; with a connection id. */
export function recordCosts(): Record<string, string | number>[] {
  const suites = [...new Map(cipherSuites.map((suite) => [suite.cipher, suite])).values()];
  return suites.flatMap((suite) => SIZES.map((size) => costsOf(suite, size)));
}

function costsOf(suite: CipherSuite, size: number): Record<string, string | number> {
  const { key, iv, mac } = keyLayout(suite.cipher);
  const keys = () => ({ client: new Uint8Array(key + iv + mac), server: new Uint8Array(key + iv + mac) });
  const cache = new KeyCache(10);
  const [client, server] = (['client', 'server'] as const).map(
    (role) =>
      new SecuredEpoch(
        {
          suite: suite.id,
          keys: keys(),
          role,
          ownConnectionId: role === 'server' ? ID : undefined,
          peerConnectionId: role === 'client' ? ID : undefined,
        },
        cache,
      ),
  ) as [SecuredEpoch, SecuredEpoch];
  const content = new Uint8Array(size);
  const run = (work: () => void) => {
    for (let n = 0; n < ROUNDS / 10; n++) work();
    const cpu = process.cpuUsage();
    for (let n = 0; n < ROUNDS; n++) work();
    const { user, system } = process.cpuUsage(cpu);
    return ((user + system) / ROUNDS).toFixed(2);
  };
  const sealing = run(() => client.seal(ContentType.APPLICATION_DATA, content));
  const record = readRecord(client.seal(ContentType.APPLICATION_DATA, content), 0, ID.length) as DtlsRecord;
  const opening = run(() => server.open(record));
  const forged = { ...record, fragment: Uint8Array.from(record.fragment, (byte) => byte ^ 1) };
  const refusing = run(() => server.open(forged));
  return {
    cipher: suite.cipher,
    bytes: size,
    'sealing, µs': sealing,
    'opening, µs': opening,
    'refusing, µs': refusing,
  };
}

/** A session with PSK and a connection id, as it is stored: the state, and that sealed. */
export function storedBytes(): { readonly state: number; readonly sealed: number } {
  const keys = { client: new Uint8Array(20), server: new Uint8Array(20) };
  const state = encodeSessionState({
    peer: { kind: 'psk', name: 'urn:imei:356942100000001', endpoint: 'urn:imei:356942100000001' },
    address: '198.51.100.1:40000',
    suite: 0xc0a8,
    keys,
    peerConnectionId: new Uint8Array(0),
    returnRoutability: true,
    establishedAt: 1_790_000_000_000,
  });
  const sealed = createSealer([new Uint8Array(32)]).seal(state, 'session');
  return { state: state.length, sealed: sealed.length };
}
