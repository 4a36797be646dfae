/**
 * What DTLS costs a server, ours beside Scandium's: handshakes and CoAP exchanges a second, CPU of each, bytes of a session
 * in memory and in the store. `node bench/dtls.ts --help` lists the flags.
 */

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { cipherSuiteOf } from '../protocol/dtls/crypto/cipher-suites.ts';
import type { ClientCredentials } from '../protocol/dtls/types.ts';
import { buildLeshanPeers, hasLeshan, startDtlsPeer } from '../test/interop/leshan/leshan-peers.ts';
import { flagsOrExit, given, parseFlags, whole } from './flags.ts';
import { exchange, handshakes } from './load/dtls-devices.ts';
import { BenchProcess } from './process.ts';
import { recordCosts, storedBytes } from './targets/dtls-micro.ts';
import type { DtlsTargetReady, DtlsTargetReport } from './targets/dtls-server.ts';

const usage = `Handshakes, exchanges and bytes of sessions of our DTLS server, and of Scandium where Maven and a JDK are there.

  --handshakes N   in a run, after as many to warm up   (1000)
  --exchanges N    POST of 100 bytes and its answer     (20000)
  --without-scandium`;

const flags = flagsOrExit(usage, (args) =>
  parseFlags(args, {
    handshakes: whole(1_000, { to: 1_000_000 }),
    exchanges: whole(20_000, { to: 100_000_000 }),
    'without-scandium': given,
  }),
);
const { handshakes: count, exchanges } = flags;

const IDENTITY = 'device-1';
const KEY = '000102030405060708090a0b0c0d0e0f';
/** PSK, PSK with ECDHE, and certificates: one suite of each. */
const suites = [0xc0a8, 0xd003, 0xc0ae];

/** User and system time of a process and all its threads, µs. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // Clock ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<unknown>;
}

const rows: Record<string, string | number>[] = [];

async function measure(target: Target, suite: number, credentials: ClientCredentials): Promise<void> {
  const server = `127.0.0.1:${target.port}`;
  await handshakes(server, credentials, suite, count);
  const timed = async (work: () => Promise<void>, divisor: number) => {
    const [cpu, begun] = [cpuOf(target.pid), performance.now()];
    await work();
    const seconds = (performance.now() - begun) / 1_000;
    return { rate: Math.round(divisor / seconds), cpu: Math.round((cpuOf(target.pid) - cpu) / divisor) };
  };
  const shaken = await timed(() => handshakes(server, credentials, suite, count), count);
  await exchange(server, credentials, suite, exchanges);
  const spoken = await timed(() => exchange(server, credentials, suite, exchanges), exchanges);
  rows.push({
    server: target.name,
    suite: cipherSuiteOf(suite)?.name ?? '',
    'handshakes/s': shaken.rate,
    'CPU of one, µs': shaken.cpu,
    'exchanges/s': spoken.rate,
    'CPU of an exchange, µs': spoken.cpu,
  });
}

const process1 = new BenchProcess('targets/dtls-server.ts');
const ready = await process1.next<DtlsTargetReady>();
const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));
const psk: ClientCredentials = { kind: 'psk', identity: Buffer.from(IDENTITY), key: Buffer.from(KEY, 'hex') };
const x509: ClientCredentials = {
  kind: 'x509',
  own: {
    privateKey: createPrivateKey({
      key: Buffer.from(ready.privateKey, 'base64'),
      format: 'der',
      type: 'pkcs8',
    }),
    certificateChain: [bytes(ready.certificate)],
  },
  trusted: [bytes(ready.authority)],
};
const credentialsOf = (suite: number) => (suite === 0xc0ae ? x509 : psk);

console.log(`load before: ${loadavg()[0]?.toFixed(2)}`);
const ours: Target = { name: 'Simyard', port: ready.port, pid: process1.pid, stop: () => process1.stop() };
const before = await process1.ask<DtlsTargetReport>('report');
for (const suite of suites) await measure(ours, suite, credentialsOf(suite));
const after = await process1.ask<DtlsTargetReport>('report');
await ours.stop();

if (hasLeshan && !flags['without-scandium']) {
  await buildLeshanPeers();
  for (const suite of suites) {
    const security =
      suite === 0xc0ae
        ? { privateKey: ready.serverPrivateKey, chain: [ready.serverCertificate], trusted: [ready.authority] }
        : { identity: IDENTITY, key: KEY };
    const java = startDtlsPeer({
      role: 'server',
      connectionId: 6,
      suites: [cipherSuiteOf(suite)?.name],
      ...security,
    });
    const { port } = await java.until(({ event }) => event === 'ready');
    const scandium: Target = {
      name: 'Scandium',
      port: port as number,
      pid: java.pid,
      stop: () => java.stop('SIGKILL'),
    };
    await measure(scandium, suite, credentialsOf(suite));
    await scandium.stop();
  }
}

console.table(rows);
console.log(`load after: ${loadavg()[0]?.toFixed(2)}`);
const sessions = after.sessions - before.sessions;
console.log(
  `one session in memory, with keys in use: ${Math.round((after.heap - before.heap) / sessions)} B (${sessions} sessions)`,
);
console.log(`one session in the store: ${JSON.stringify(storedBytes())} B`);
console.table(recordCosts());
