import type { ClientCredentials } from '../protocol/dtls/types.ts';
import { UsageError } from './flag-values.ts';
import { type SecurityAccount, SecurityMode } from './lwm2m/accounts.ts';
import {
  type CredentialFlags,
  type CredentialsOf,
  readCredentials,
  securityModes,
} from './server-credentials.ts';
import { isSecure, parseServerAddress } from './server-flag.ts';

/** The bootstrap server of the command line. */
export interface BootstrapSettings {
  readonly host: string;
  readonly port: number;
  readonly uri: string;
  /** What the modem proves itself by; undefined: it comes without security. */
  readonly credentials: CredentialsOf | undefined;
  /** Whether a Bootstrap-Pack is asked for first. */
  readonly pack: boolean;
}

/** Where a bootstrap server of ours listens, where no port is given. */
const standardPorts = { coap: 5686, coaps: 5685 } as const;

/** `coap://HOST[:PORT]` or `coaps://HOST[:PORT]`. @throws UsageError */
export function parseBootstrap(text: string, flags: CredentialFlags, pack: boolean): BootstrapSettings {
  const { host, port: named, uri } = parseServerAddress('--bootstrap', text);
  const hasPort = /:\d+\/?$/.test(text);
  const port = hasPort ? named : standardPorts[isSecure(uri) ? 'coaps' : 'coap'];
  const credentials = isSecure(uri) ? readCredentials(flags, host) : undefined;
  if (isSecure(uri) && credentials === undefined) {
    throw new UsageError(
      `${uri}: what does the modem prove itself by? --identity with --key or --key-file, --private-key with ` +
        '--server-public-key, or --certificate with --private-key',
    );
  }
  return { host, port, uri: `${uri.slice(0, uri.indexOf(':'))}://${host}:${port}`, credentials, pack };
}

const none = new Uint8Array();

/** The bootstrap account of a modem. What proves more than a pre-shared key stays out of it. */
export function bootstrapAccount(
  { uri }: Pick<BootstrapSettings, 'uri'>,
  credentials: ClientCredentials | undefined,
): SecurityAccount {
  const psk = credentials?.kind === 'psk' ? credentials : undefined;
  return {
    instanceId: 0,
    uri,
    isBootstrap: true,
    mode: credentials === undefined ? SecurityMode.NO_SEC : securityModes[credentials.kind],
    publicKeyOrIdentity: psk?.identity ?? none,
    serverPublicKey: none,
    secretKey: psk?.key ?? none,
    shortServerId: 0,
    holdOffTime: 0,
    accountTimeout: 0,
  };
}
