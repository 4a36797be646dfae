import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** A program that is not an npm package, and that a suite runs. */
export interface Requirement {
  /** On the PATH, or a path from the root: what is no program is there when its file is. */
  readonly command: string;
  /** Arguments with which the program must succeed, where being there is not enough. */
  readonly probe?: readonly string[];
  /** Debian package that brings it. */
  readonly debianPackage: string;
  /** Which suites run it. */
  readonly suites: readonly Suite[];
  /** What goes untested without it. */
  readonly purpose: string;
}

export type Suite = 'test' | 'interop';

/** What a card in a PC/SC reader takes: the daemon, a virtual reader, programs that others wrote, and pcsclite's build. */
const pcscPackages = [
  ['/usr/sbin/pcscd', 'pcscd', 'cards in PC/SC readers'],
  ['/usr/lib/pcsc/drivers/serial/libifdvpcd.so', 'vsmartcard-vpcd', 'cards in PC/SC readers'],
  ['/usr/bin/scriptor', 'pcsc-tools', 'the card as another PC/SC program sees it'],
  ['/usr/lib/python3/dist-packages/smartcard/__init__.py', 'python3-pyscard', 'the card as pyscard sees it'],
  ['/usr/include/PCSC/winscard.h', 'libpcsclite-dev', 'cards in PC/SC readers'],
  ['g++', 'g++', 'cards in PC/SC readers'],
  ['make', 'make', 'cards in PC/SC readers'],
  ['python3', 'python3', 'cards in PC/SC readers'],
  ['ip', 'iproute2', 'cards in PC/SC readers'],
] as const;

export const requirements: readonly Requirement[] = [
  {
    command: 'chromium',
    debianPackage: 'chromium',
    suites: ['test'],
    purpose: 'the console in a real browser',
  },
  {
    command: 'redis-server',
    debianPackage: 'redis-server',
    suites: ['test', 'interop'],
    purpose: 'the stores on Redis, and the cluster',
  },
  {
    command: 'redis-sentinel',
    debianPackage: 'redis-sentinel',
    suites: ['test'],
    purpose: 'a fail-over by Sentinel',
  },
  {
    command: 'coap-client-notls',
    debianPackage: 'libcoap3-bin',
    suites: ['interop'],
    purpose: 'libcoap as client and server',
  },
  {
    command: 'openssl',
    debianPackage: 'openssl',
    suites: ['interop'],
    purpose: 'OpenSSL as a DTLS client and server',
  },
  {
    command: 'gnutls-serv',
    debianPackage: 'gnutls-bin',
    suites: ['interop'],
    purpose: 'GnuTLS as a DTLS client and server',
  },
  {
    command: 'tshark',
    debianPackage: 'tshark',
    suites: ['interop'],
    purpose: 'an independent reading of our packets',
  },
  {
    command: 'python3',
    probe: ['-c', 'import ensurepip, venv'],
    debianPackage: 'python3-venv',
    suites: ['interop'],
    purpose: 'aiocoap as client and server',
  },
  {
    command: 'javac',
    debianPackage: 'default-jdk-headless',
    suites: ['interop'],
    purpose: 'the Leshan client, and Scandium',
  },
  {
    command: 'prometheus',
    debianPackage: 'prometheus',
    suites: ['interop'],
    purpose: 'the metrics, the dashboards and the alert rules',
  },
  ...pcscPackages.map(([command, debianPackage, purpose]) => ({
    command,
    debianPackage,
    suites: ['interop'] as const,
    purpose,
  })),
  { command: 'mvn', debianPackage: 'maven', suites: ['interop'], purpose: 'the Leshan client, and Scandium' },
];

/** True if the program is on the PATH, or the file is there, and so a suite that needs it can run. */
export function isInstalled(command: string, path: string = process.env.PATH ?? ''): boolean {
  if (isAbsolute(command)) return existsSync(command);
  return path.split(delimiter).some((folder) => {
    if (folder === '') return false;
    const file = join(folder, command);
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function isUsable({ command, probe }: Requirement): boolean {
  if (!isInstalled(command)) return false;
  return probe === undefined || spawnSync(command, probe, { stdio: 'ignore' }).status === 0;
}

/** The requirements of a suite that this machine does not have. */
export function missingFor(suite: Suite): Requirement[] {
  return requirements.filter((requirement) => requirement.suites.includes(suite) && !isUsable(requirement));
}

/**
 * Installs with apt what the suite lacks, as root on Debian; elsewhere says what to install, and the tests that need
 * it skip by name (in CI a skipped test fails the run).
 */
export function provide(suite: Suite): void {
  const missing = missingFor(suite);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((requirement) => requirement.debianPackage))];
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version') && isInstalled('apt-get');
  if (!mayInstall) {
    for (const { command, debianPackage, purpose } of missing) {
      console.error(
        `Missing: ${command} (Debian package ${debianPackage}). Not tested without it: ${purpose}.`,
      );
    }
    return;
  }
  console.error(`Installing with apt-get: ${packages.join(', ')} …`);
  const started = Date.now();
  apt(['update', '-qq']);
  apt(['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  const still = missingFor(suite);
  if (still.length > 0) {
    throw new Error(`apt-get brought no ${still.map((requirement) => requirement.command).join(', ')}`);
  }
  console.error(`Installed in ${((Date.now() - started) / 1000).toFixed(0)} s.`);
}

function apt(args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync('apt-get', args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    throw new Error(`apt-get ${args.join(' ')} failed with exit code ${status}:\n${stdout}\n${stderr}`);
  }
}
