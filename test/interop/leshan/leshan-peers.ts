import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { newestChange } from '../../../scripts/build-console.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { root } from '../../../scripts/root.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { JsonLinesProcess } from '../support/json-lines-process.ts';

const peers = join(root, 'test/interop/leshan/peers');
/** On an older Leshan, the newest whose bootstrap server is on Maven Central. */
const bootstrapPeer = join(root, 'test/interop/leshan/bootstrap-peer');

/** True where the peers can be built. */
export const hasLeshan: boolean = isInstalled('mvn') && isInstalled('javac');

/** Builds our small client and server on the Leshan libraries; Maven fetches these the first time. */
export function buildLeshanPeers(): Promise<void> {
  return build(peers, 'LeshanReference');
}

/** Builds our small bootstrap server on the Leshan library. */
export function buildLeshanBootstrapPeer(): Promise<void> {
  return build(bootstrapPeer, 'LeshanTestBootstrapServer');
}

async function build(folder: string, newest: string): Promise<void> {
  const built = join(folder, 'target/classes/simyard/interop', `${newest}.class`);
  const sources = Math.max(newestChange(join(folder, 'src')), newestChange(join(folder, 'pom.xml')));
  if (existsSync(built) && newestChange(built) > sources) return;
  const { code, output } = await runToEnd('mvn', [
    '--batch-mode',
    '--quiet',
    '--file',
    join(folder, 'pom.xml'),
    'clean',
    'process-classes',
  ]);
  if (code !== 0) throw new Error(`Maven does not build the Leshan peers:\n${output}`);
}

/** Keys of a client, all but PSK's base64 of DER; with any of them it speaks DTLS, and takes part in connection ids. */
export type LeshanClientSecurity =
  | { readonly identity: string; readonly key: string }
  | { readonly privateKey: string; readonly publicKey: string; readonly serverPublicKey: string }
  | { readonly privateKey: string; readonly certificate: string; readonly serverCertificate: string };

export interface LeshanClientSettings {
  /** `host:port` */
  readonly server: string;
  readonly endpoint: string;
  /** s */
  readonly lifetime: number;
  readonly sensorObject: number;
  /** How many instances of it there are. */
  readonly sensors: number;
  readonly queueMode?: boolean;
  readonly version?: '1.0' | '1.1';
  /** The definition file of an object of which there is one instance, and others can be created. */
  readonly types?: string;
  /** What that instance holds, by resource. */
  readonly values?: Readonly<Record<number, unknown>>;
}

/** Starts the client; it registers at once. */
export function startLeshanClient(
  settings: LeshanClientSettings | (LeshanClientSettings & LeshanClientSecurity),
): JsonLinesProcess {
  const isSecured = 'privateKey' in settings || 'identity' in settings;
  const server = `${isSecured ? 'coaps' : 'coap'}://${settings.server}`;
  return java('LeshanTestClient', [JSON.stringify({ ...settings, server })]);
}

/**
 * Starts the server, with object definitions beside OMA's own; its event `ready` tells its `uri`. A client in queue
 * mode is held to sleep `awake` ms after it was heard.
 */
export function startLeshanServer(objectFiles: readonly string[], awake = 93_000): JsonLinesProcess {
  return java('LeshanTestServer', [String(awake), ...objectFiles]);
}

/**
 * Starts a server with the interface of Leshan's demo, on the library; its event `ready` tells `uri` (CoAP) and `http`.
 * `awake` as of startLeshanServer.
 */
export function startLeshanReference(objectFiles: readonly string[], awake = 93_000): JsonLinesProcess {
  return java('LeshanReference', [String(awake), ...objectFiles]);
}

/** What the bootstrap server on the Leshan library gives its one device. */
export interface LeshanBootstrapSettings {
  readonly endpoint: string;
  /** `coap://host:port`, `coaps://host:port` */
  readonly server: string;
  readonly shortServerId: number;
  /** s */
  readonly lifetime: number;
  /** PSK of that server; keys are hex. */
  readonly serverIdentity?: string;
  readonly serverKey?: string;
  /** PSK of the bootstrap server itself. */
  readonly identity?: string;
  readonly key?: string;
}

/** Starts a bootstrap server; its event `ready` tells `coap` and `coaps`. */
export function startLeshanBootstrapServer(settings: LeshanBootstrapSettings): JsonLinesProcess {
  return java('LeshanTestBootstrapServer', [JSON.stringify(settings)], bootstrapPeer);
}

/** Starts a client that knows nothing but its bootstrap server, `coap://host:port` or `coaps://host:port`. */
export function startLeshanBootstrapClient(settings: {
  readonly server: string;
  readonly endpoint: string;
  readonly identity?: string;
  readonly key?: string;
}): JsonLinesProcess {
  const objects = { sensorObject: 42_770, sensors: 1, bootstrap: true };
  return java('LeshanTestClient', [JSON.stringify({ ...settings, ...objects })]);
}

/** Starts a CoAP endpoint over Scandium; its event `ready` tells its `port`. */
export function startDtlsPeer(settings: object): JsonLinesProcess {
  return java('DtlsPeer', [JSON.stringify(settings)]);
}

function java(name: string, args: readonly string[], folder = peers): JsonLinesProcess {
  const target = join(folder, 'target');
  return new JsonLinesProcess('java', [
    '-XX:+UseSerialGC',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-cp',
    `${join(target, 'classes')}:${join(target, 'dependency')}/*`,
    `simyard.interop.${name}`,
    ...args,
  ]);
}
