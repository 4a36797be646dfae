import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CustomObjectIds, defaultCustomObjectIds } from '../objects/custom-ids.ts';
import { RequestError } from '../protocol/errors.ts';
import { canonicalPath } from '../protocol/lwm2m/path.ts';
import { type AppletSettings, appletHelp, appletOptions, parseApplet } from './applet-flags.ts';
import { type BootstrapSettings, parseBootstrap } from './bootstrap-flag.ts';
import {
  type CardPatience,
  cardOptions,
  parseCard,
  parseCardFaults,
  parseCardPatience,
} from './card-flags.ts';
import { number, oneOf, UsageError } from './flag-values.ts';
import type { LwM2mVersion } from './lwm2m/formats.ts';
import { givenProfiles, hashedProfile, type ProfileIds } from './lwm2m/profile-id.ts';
import { type SwitchStep, switchSteps } from './modem/carrier-snapshot.ts';
import { type FirmwareFault, firmwareFaults } from './modem/firmware/states.ts';
import { sensorModels } from './modem/signals.ts';
import type { CredentialFlags } from './server-credentials.ts';
import { isSecure, parseRights, parseServer, type ServerSettings } from './server-flag.ts';
import type { CardAddress } from './sim/card-address.ts';
import { faultKinds } from './sim/virtual-card/card-faults.ts';
import { cardProfiles } from './sim/virtual-card/card-profiles.ts';
import type { GivenFaults } from './sim/virtual-card/fault-text.ts';

export { UsageError };

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What all modems of a process have in common. */
export interface ModemSettings extends CardPatience, AppletSettings {
  /** The first owns the modem. */
  readonly servers: readonly ServerSettings[];
  /** Where servers come from; then there are none in `servers`. */
  readonly bootstrap: BootstrapSettings | undefined;
  /** The highest to speak with servers of which nothing else is said. */
  readonly version: LwM2mVersion;
  readonly updateInterval: number | undefined;
  /** Rights of the servers beside the first, as the bits of an ACL. */
  readonly sharedRights: number;
  readonly profiles: ProfileIds | undefined;
  readonly queueMode: boolean;
  /** Milliseconds. */
  readonly awakeTime: number;
  /** Milliseconds between changes of the modem's UDP port; undefined: none. */
  readonly rebindEvery: number | undefined;
  /** Whether notifications are kept while a server is away. */
  readonly notificationStoring: boolean;
  /** Where the objects are, `/` or as in `/lwm2m`. */
  readonly rootPath: string;
  readonly report: 'observe' | 'send';
  /** Paths that are sent once the modem is registered. */
  readonly sendAtStart: readonly string[];
  /** Whether readings that wait outlive the process. */
  readonly storeReadings: boolean;
  readonly rates: Readonly<Record<string, number>>;
  readonly packs: boolean;
  readonly packInterval: number;
  readonly queueLimit: number;
  /** Index of the profile that a new card has enabled. */
  readonly carrier: number;
  readonly switchLatency: number;
  readonly attachTime: number;
  /** Undefined: as the modem has it. */
  readonly reconnectAfter: number | undefined;
  readonly customObjects: CustomObjectIds;
  readonly cardFaults: GivenFaults;
  /** Whether APDUs are printed. */
  readonly traceApdu: boolean;
  readonly crashAt: SwitchStep | undefined;
  readonly firmwareFault: FirmwareFault | undefined;
}

export interface CommandLine {
  readonly modem: ModemSettings;
  readonly logLevel: LogLevel;
  readonly mode:
    | {
        readonly kind: 'single';
        readonly endpoint: string;
        /** Undefined: nothing is kept. */
        readonly state: string | undefined;
        /** A virtual one without a file is kept beside the rest of the state. */
        readonly card: CardAddress;
      }
    | {
        readonly kind: 'fleet';
        readonly count: number;
        readonly prefix: string;
        /** Registrations per second. */
        readonly ramp: number;
        /** Folder of the modems' own folders; undefined: nothing is kept. */
        readonly state: string | undefined;
      };
}

const lwm2mVersions = ['1.0', '1.1', '1.2'] as const;
const carriers = cardProfiles(0).map((profile) => profile.name);
const kinds = sensorModels.map((model) => model.kind);

export const help = `A simulated SIM modem that a LwM2M server manages: a card with ${carriers.length} carriers, and sensors.

Usage: npm run modem -- [options]           one modem
       npm run fleet -- --count N [options]  many modems in one process

Server
  --server URI[,KEY=VALUE...]  coap://HOST[:PORT] or coaps://HOST[:PORT]  (coap://127.0.0.1:5683)
                          several times: a modem with several servers, whose first owns its objects.
                          id=N short server id (101, 102, ...), instance=N of its objects 0 and 1 (0, 1, ...),
                          lifetime=S, version=V, priority=N order of registration, delay=S before it;
                          identity=TEXT, key=HEX, key-file=FILE of that server, as below
  --bootstrap URI         coap://HOST[:PORT] or coaps://HOST[:PORT] (5686, 5685): the bootstrap server that gives the
                          modem its servers, in the place of --server; kept with the state
  --bootstrap-pack        with --version 1.2, ask for all of them in one pack first
  --lifetime SECONDS      of the registration; 0: without end  (as a server wrote it, 300 before)
  --update-interval S     update at least this often: keeps a NAT's port open  (by the lifetime)
  --version V             of LwM2M: 1.0, 1.1 or 1.2; lower where the server declines  (1.1)
  --share RIGHTS          what servers beside the first may do with its objects: none (nor create any),
                          or letters of rwed (read, write, execute, delete)  (r)
  --profile ID[,ID...]    with 1.2, register with profile ids instead of the objects: hash, or ids that the
                          server knows (oma:NAME, v:NAME)
  --queue-mode            sleep when there is nothing to say; what is sent to the modem then is lost
  --awake-time S          in queue mode: time awake after the last message  (93)
  --report observe|send   readings go to who observes them; with send, by Send where nobody does  (observe)
  --send PATH             send what is at PATH once registered; several times: several paths
  --no-storing            drop notifications that fall due while a server is away; it may change it
  --root-path PATH        where the modem has its objects, as in /lwm2m  (/)
  --rebind-every S        take a new UDP port so often, as carrier-grade NAT does

Security, for servers and bootstrap servers with coaps://
  --identity TEXT         PSK identity; {name} is the endpoint name, {n} the number in a fleet  ({name})
  --key HEX               pre-shared key, 1 to 64 bytes; {n} is the number in a fleet, as eight digits
  --key-file FILE         file with such a key: arguments can be seen by who lists processes
  --private-key FILE      PEM, on P-256: alone for a raw public key, with --certificate for X.509
  --server-public-key FILE    PEM: the raw public key that the server has to have
  --certificate FILE      PEM: the modem's certificate, and those of its issuers
  --server-ca FILE        PEM: who has to have issued the server's certificate
  --server-certificate FILE   PEM: the certificate that the server has to have

Modem
  --endpoint NAME         endpoint client name           (modem-1)
  --state FOLDER          where card, settings and what waits are kept; :memory: keeps nothing
                                                         (DATA/NAME)
  --data FOLDER           DATA, the folder of such folders  (./data/modem)

Card
  --card virtual[:FILE]   the card in this process, kept in FILE  (virtual, kept with the state)
  --card pcsc[:READER]    the card in a PC/SC reader: its name or a part of it  (the only one with a card);
                          docs/guides/real-card.md
${appletHelp}
  --trace-apdu            print what goes to the card and what it answers, decoded
  --carrier NAME          of a new card: ${carriers.join(', ')}  (${carriers[0]})
  --switch-latency MS     time that the card works on a switch  (300)
  --card-timeout S        time in which the card has to answer a command, 1 to 120  (10)
  --attach-time MS        time without network after a switch, 0 to 500  (200)
  --network-timeout S     time in which a new carrier has to have a network, or the card goes back to the one
                          before: 1 to 3600  (60)
  --reconnect-after S     time off the network after a Disconnect; the server may change it  (600)

Sensors
  --rate KIND=HZ,...      samples per second, 0 to 1000, of ${kinds.join(', ')}
                          (${sensorModels.map((model) => `${model.kind}=${model.rate}`).join(',')}; in a fleet 1 each)
  --pack-interval MS      how long a reading waits for others to share its pack  (250; in a fleet 1000)
  --no-packs              one value per notification
  --keep N                readings that each sensor keeps while a server is away  (65536)
  --store-readings yes|no     keep readings that wait in the state folder too, so that a modem that dies
                          sends them when it comes back  (yes with a state folder; in a fleet no)

Objects, where the server has them under other ids than the test ids of OMA
  --carrier-object ID     Carrier                        (${defaultCustomObjectIds.carrier})
  --sensor-object ID      IoT Sensor                     (${defaultCustomObjectIds.iotSensor})

Fleet
  --fleet                 many modems, each with a socket of its own; keeps nothing unless --state is given
  --count N               how many                       (10)
  --prefix TEXT           endpoint names are TEXT and a number  (fleet-)
  --ramp N                registrations begun per second  (50)

Output
  --log-level LEVEL       ${logLevels.join(', ')}        (info)
  --quiet                 as --log-level warn
  --help                  this text

Fault injection, for tests
  --card-fault FAULT          what goes wrong with a virtual card: ${Object.keys(faultKinds).slice(0, 5).join(', ')},
                              ${Object.keys(faultKinds).slice(5).join(', ')};
                              details as in mute:on=switch,times=1; several times: several faults
  --no-network CARRIER        that carrier has no network here; several times: several carriers
  --firmware-fault FAULT      a firmware update ends badly, or is deferred:
                              ${firmwareFaults.join(', ')}
  --crash-at STEP             kills the process (SIGKILL) at a step of a carrier switch:
                              ${switchSteps.slice(0, 4).join(', ')},
                              ${switchSteps.slice(4).join(', ')}

SIGINT and SIGTERM deregister and end; a second one ends at once.`;

const options = {
  server: { type: 'string', multiple: true },
  lifetime: { type: 'string' },
  'update-interval': { type: 'string' },
  version: { type: 'string', default: '1.1' },
  share: { type: 'string', default: 'r' },
  profile: { type: 'string' },
  'queue-mode': { type: 'boolean', default: false },
  'awake-time': { type: 'string', default: '93' },
  report: { type: 'string', default: 'observe' },
  send: { type: 'string', multiple: true },
  'no-storing': { type: 'boolean', default: false },
  'root-path': { type: 'string', default: '/' },
  'rebind-every': { type: 'string' },
  'store-readings': { type: 'string' },
  bootstrap: { type: 'string' },
  'bootstrap-pack': { type: 'boolean', default: false },
  identity: { type: 'string' },
  key: { type: 'string' },
  'key-file': { type: 'string' },
  'private-key': { type: 'string' },
  'server-public-key': { type: 'string' },
  certificate: { type: 'string' },
  'server-ca': { type: 'string' },
  'server-certificate': { type: 'string' },
  endpoint: { type: 'string', default: 'modem-1' },
  state: { type: 'string' },
  data: { type: 'string', default: join('data', 'modem') },
  ...cardOptions,
  ...appletOptions,
  carrier: { type: 'string', default: carriers[0] as string },
  'switch-latency': { type: 'string', default: '300' },
  'attach-time': { type: 'string', default: '200' },
  'reconnect-after': { type: 'string' },
  'carrier-object': { type: 'string', default: String(defaultCustomObjectIds.carrier) },
  'sensor-object': { type: 'string', default: String(defaultCustomObjectIds.iotSensor) },
  rate: { type: 'string', default: '' },
  'pack-interval': { type: 'string' },
  'no-packs': { type: 'boolean', default: false },
  keep: { type: 'string', default: '65536' },
  fleet: { type: 'boolean', default: false },
  count: { type: 'string', default: '10' },
  prefix: { type: 'string', default: 'fleet-' },
  ramp: { type: 'string', default: '50' },
  'log-level': { type: 'string', default: 'info' },
  quiet: { type: 'boolean', default: false },
  'crash-at': { type: 'string' },
  'firmware-fault': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/**
 * Reads the command line; `help` where that was asked for.
 * @throws UsageError
 */
export function parseCommandLine(args: readonly string[]): CommandLine | 'help' {
  const { values, given } = readFlags(args);
  if (values.help) return 'help';
  const { fleet } = values;
  const version = oneOf('--version', values.version, lwm2mVersions);
  const credentials: CredentialFlags = {
    identity: values.identity,
    key: values.key,
    keyFile: values['key-file'],
    privateKey: values['private-key'],
    serverPublicKey: values['server-public-key'],
    certificate: values.certificate,
    serverCa: values['server-ca'],
    serverCertificate: values['server-certificate'],
  };
  const { bootstrap } = values;
  if (bootstrap !== undefined) {
    refuse(
      given,
      ['server', 'lifetime'],
      'is what the bootstrap server gives: leave it out with --bootstrap',
    );
  }
  if (values['bootstrap-pack'] && (bootstrap === undefined || version !== '1.2')) {
    throw new UsageError('--bootstrap-pack is of LwM2M 1.2: it needs --bootstrap and --version 1.2');
  }
  const modem: ModemSettings = {
    servers:
      bootstrap === undefined
        ? parseServers(values.server ?? ['coap://127.0.0.1:5683'], {
            lifetime:
              values.lifetime === undefined ? undefined : number('--lifetime', values.lifetime, 0, 2 ** 31),
            version,
            credentials,
          })
        : [],
    bootstrap:
      bootstrap === undefined ? undefined : parseBootstrap(bootstrap, credentials, values['bootstrap-pack']),
    version,
    sharedRights: parseRights('--share', values.share),
    profiles: values.profile === undefined ? undefined : parseProfiles(values.profile),
    queueMode: values['queue-mode'],
    awakeTime: number('--awake-time', values['awake-time'], 1, 86_400) * 1_000,
    rebindEvery:
      values['rebind-every'] === undefined
        ? undefined
        : number('--rebind-every', values['rebind-every'], 1, 86_400) * 1_000,
    rootPath: parseRootPath(values['root-path']),
    notificationStoring: !values['no-storing'],
    report: oneOf('--report', values.report, ['observe', 'send']),
    sendAtStart: (values.send ?? []).map(parsePath),
    storeReadings: storesReadings(values['store-readings'], fleet, values.state),
    updateInterval:
      values['update-interval'] === undefined
        ? undefined
        : number('--update-interval', values['update-interval'], 1, 2 ** 31),
    rates: parseRates(values.rate, fleet),
    packs: !values['no-packs'],
    packInterval: number(
      '--pack-interval',
      values['pack-interval'] ?? (fleet ? '1000' : '250'),
      0,
      3_600_000,
    ),
    queueLimit: number('--keep', values.keep, 1, 100_000_000),
    carrier: parseCarrier(values.carrier),
    ...parseApplet(values),
    switchLatency: number('--switch-latency', values['switch-latency'], 0, 60_000),
    ...parseCardPatience(values),
    attachTime: number('--attach-time', values['attach-time'], 0, 500),
    reconnectAfter:
      values['reconnect-after'] === undefined
        ? undefined
        : number('--reconnect-after', values['reconnect-after'], 0, 2 ** 31 - 1),
    customObjects: parseObjectIds(values['carrier-object'], values['sensor-object']),
    cardFaults: parseCardFaults(values['card-fault']),
    traceApdu: values['trace-apdu'],
    crashAt:
      values['crash-at'] === undefined ? undefined : oneOf('--crash-at', values['crash-at'], switchSteps),
    firmwareFault:
      values['firmware-fault'] === undefined
        ? undefined
        : oneOf('--firmware-fault', values['firmware-fault'], firmwareFaults),
  };
  checkTogether(given, modem);
  const logLevel = values.quiet ? 'warn' : oneOf('--log-level', values['log-level'], logLevels);
  if (values.state === '') throw new UsageError('--state is a folder, or :memory:');
  const state = values.state === ':memory:' ? undefined : values.state;
  const card = parseCard(values.card, given);
  if (fleet) {
    refuse(given, ['endpoint', 'card', 'data', 'send'], 'is for one modem, not for a fleet');
    const count = number('--count', values.count, 1, 100_000);
    const prefix = checkName('--prefix', values.prefix);
    return {
      modem,
      logLevel,
      mode: { kind: 'fleet', count, prefix, ramp: number('--ramp', values.ramp, 1, 100_000), state },
    };
  }
  refuse(given, ['count', 'prefix', 'ramp'], 'is for a fleet: it needs --fleet');
  const endpoint = checkName('--endpoint', values.endpoint);
  const folder = values.state === undefined ? join(values.data, folderName(endpoint)) : state;
  return { modem, logLevel, mode: { kind: 'single', endpoint, state: folder, card } };
}

/** An endpoint name as the name of a folder: what file systems dislike is written as %XX. */
export function folderName(endpoint: string): string {
  const name = encodeURIComponent(endpoint).replaceAll('*', '%2A');
  return name === '.' || name === '..' ? name.replaceAll('.', '%2E') : name;
}

function readFlags(args: readonly string[]) {
  try {
    const { values, tokens } = parseArgs({ args: [...args], options, tokens: true });
    const given = new Set(tokens.filter((token) => token.kind === 'option').map((token) => token.name));
    return { values, given };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(error.message.split(/\.\s/)[0] ?? error.message);
  }
}

function refuse(given: ReadonlySet<string>, names: readonly string[], why: string): void {
  for (const name of names) if (given.has(name)) throw new UsageError(`--${name} ${why}`);
}

/** Of what a modem proves itself by. */
const credentialFlags = [
  'identity',
  'key',
  'key-file',
  'private-key',
  'server-public-key',
  'certificate',
  'server-ca',
  'server-certificate',
] as const;

/** What would be passed over in silence is told instead. */
function checkTogether(given: ReadonlySet<string>, modem: ModemSettings): void {
  const { servers, bootstrap, report, sendAtStart } = modem;
  const versions = bootstrap === undefined ? servers.map(({ version }) => version) : [modem.version];
  if (given.has('profile') && !versions.includes('1.2')) {
    throw new UsageError('--profile is of LwM2M 1.2: it needs --version 1.2');
  }
  if ((report === 'send' || sendAtStart.length > 0) && versions.every((version) => version === '1.0')) {
    throw new UsageError(`--${report === 'send' ? 'report send' : 'send'}: LwM2M 1.0 has no Send`);
  }
  if (given.has('share') && servers.length === 1) {
    throw new UsageError('--share is for several servers: it needs another --server');
  }
  const credentials = credentialFlags.find((name) => given.has(name));
  const uris = [...servers, ...(bootstrap === undefined ? [] : [bootstrap])].map(({ uri }) => uri);
  if (credentials !== undefined && !uris.some(isSecure)) {
    throw new UsageError(
      `--${credentials} is for DTLS: it needs a --server, or a --bootstrap, with coaps://`,
    );
  }
  if (given.has('quiet') && given.has('log-level')) {
    throw new UsageError('--quiet and --log-level say the same thing: one of them is enough');
  }
}

function parseServers(
  texts: readonly string[],
  {
    credentials,
    ...defaults
  }: Pick<ServerSettings, 'lifetime' | 'version'> & { readonly credentials: CredentialFlags },
): ServerSettings[] {
  const servers = texts.map((text, index) => parseServer(text, index, defaults, credentials));
  for (const [key, what] of [
    ['uri', ''],
    ['shortServerId', 'short server id '],
    ['instanceId', 'instance '],
  ] as const) {
    const all = servers.map((server) => server[key]);
    const twice = all.find((value, index) => all.indexOf(value) !== index);
    if (twice !== undefined) throw new UsageError(`--server: two servers have ${what}${twice}`);
  }
  return servers;
}

function parseProfiles(text: string): ProfileIds {
  if (text === 'hash') return hashedProfile;
  try {
    return givenProfiles(text.split(','));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`--profile is hash, or ids such as oma:NAME or v:NAME, not ${text}`);
  }
}

function parseRootPath(text: string): string {
  if (text !== '/' && !/^(\/[A-Za-z][A-Za-z0-9._~-]{0,63}){1,4}$/.test(text)) {
    throw new UsageError(`--root-path is / or as in /lwm2m, not ${text}`);
  }
  return text;
}

function parsePath(text: string): string {
  try {
    return canonicalPath(text);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new UsageError(`--send is a path such as /3/0/9, not ${text}`);
  }
}

/** A fleet writes nothing unless it is asked to, and nobody can where there is no folder. */
function storesReadings(text: string | undefined, fleet: boolean, state: string | undefined): boolean {
  const possible = state !== ':memory:' && !(fleet && state === undefined);
  const wanted =
    text === undefined ? !fleet && possible : oneOf('--store-readings', text, ['yes', 'no']) === 'yes';
  if (wanted && !possible) throw new UsageError('--store-readings needs a state folder: --state');
  return wanted;
}

function parseRates(text: string, fleet: boolean): Record<string, number> {
  const rates: Record<string, number> = {};
  for (const { kind, rate } of sensorModels) rates[kind] = fleet ? 1 : rate;
  for (const part of text === '' ? [] : text.split(',')) {
    const [kind = '', value = '', ...rest] = part.split('=');
    if (rest.length > 0 || !kinds.includes(kind)) {
      throw new UsageError(`--rate is KIND=HZ with ${kinds.join(', ')}, not ${part}`);
    }
    const rate = Number(value);
    if (value.trim() === '' || !(rate === 0 || (rate >= 0.001 && rate <= 1_000))) {
      throw new UsageError(`--rate ${part}: 0, or 0.001 to 1000 samples per second`);
    }
    rates[kind] = rate;
  }
  return rates;
}

function parseObjectIds(carrier: string, iotSensor: string): CustomObjectIds {
  const ids = {
    carrier: number('--carrier-object', carrier, 1_024, 65_534),
    iotSensor: number('--sensor-object', iotSensor, 1_024, 65_534),
  };
  if (ids.carrier === ids.iotSensor)
    throw new UsageError('--carrier-object and --sensor-object are the same');
  return ids;
}

function parseCarrier(name: string): number {
  const index = carriers.findIndex((carrier) => carrier.toLowerCase() === name.toLowerCase());
  if (index < 0) throw new UsageError(`--carrier is one of ${carriers.join(', ')}, not ${name}`);
  return index;
}

function checkName(flag: string, name: string): string {
  // "ep=" and the name share one Uri-Query option of 255 bytes (RFC 7252 §5.10).
  const length = new TextEncoder().encode(name).length;
  if (length < 1 || length > 240) throw new UsageError(`${flag} has 1 to 240 bytes`);
  return name;
}
