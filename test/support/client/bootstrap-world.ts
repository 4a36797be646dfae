import { type SecurityAccount, SecurityMode } from '../../../client/lwm2m/accounts.ts';
import type { BootstrapClientOptions } from '../../../client/lwm2m/bootstrapping.ts';
import type { Lwm2mClient, Lwm2mClientOptions } from '../../../client/lwm2m/client.ts';
import { type AccountStorage, volatileAccounts } from '../../../client/lwm2m/kept-accounts.ts';
import type {
  CoapEndpoint,
  IncomingRequest,
  IncomingResponse,
  OutgoingResponse,
} from '../../../protocol/coap/exchange.ts';
import { type CoapOption, Code } from '../../../protocol/coap/message.ts';
import {
  acceptOption,
  contentFormatOption,
  pathOptions,
  uriPath,
  uriQuery,
} from '../../../protocol/coap/options.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { ClientWorld, type OneServer, registry, serverAddress } from './client-world.ts';
import { describe } from './scripted-server.ts';

export const bootstrapAddress = '192.0.2.2:5683';

const none = new Uint8Array();

export const bootstrapAccount: SecurityAccount = {
  instanceId: 0,
  uri: `coap://${bootstrapAddress}`,
  isBootstrap: true,
  mode: SecurityMode.NO_SEC,
  publicKeyOrIdentity: none,
  serverPublicKey: none,
  secretKey: none,
  shortServerId: 0,
  holdOffTime: 0,
  accountTimeout: 0,
};

/** A client, a server, and a bootstrap server that a test speaks for. */
export class BootstrapWorld extends ClientWorld {
  readonly bootstrap: CoapEndpoint;
  /** `POST /bs?ep=modem-1&pct=112`, as they came. */
  readonly asked: string[] = [];
  readonly bootstrapStates: string[] = [];
  /** What the client's next requests get; none: 2.04 to a Bootstrap-Request, 4.04 to all else. */
  readonly answers: (OutgoingResponse | 'silence')[] = [];
  storage: AccountStorage = volatileAccounts();
  #client = '';

  constructor() {
    super();
    this.bootstrap = this.endpoint(bootstrapAddress, { handler: (request) => this.#handle(request) });
  }

  bootstrapped(
    options: Partial<Lwm2mClientOptions> & OneServer = {},
    bootstrap: Partial<BootstrapClientOptions> = {},
  ): Lwm2mClient {
    const { events } = this.options();
    return this.client({
      servers: [],
      bootstrap: {
        account: bootstrapAccount,
        storage: this.storage,
        connect: async ({ uri }) => uri.replace(/^coaps?:\/\//, ''),
        ...bootstrap,
      },
      events: {
        ...events,
        onBootstrap: (state, detail) => void this.bootstrapStates.push(`${state}: ${detail}`),
      },
      ...options,
    });
  }

  /** Resolves when the client has asked for a bootstrap so often. */
  requested(count = 1): Promise<void> {
    return this.until(`bootstrap request ${count}`, () => this.asked.length >= count);
  }

  /** Code and diagnostic. */
  async put(path: string, records: readonly LwM2mRecord[], format: number = ContentFormat.SENML_CBOR) {
    return describe(
      await this.ask(Code.PUT, path, {
        options: [contentFormatOption(format)],
        payload: encodeContent(format, path, records, registry),
      }),
    );
  }

  async delete(path: string): Promise<string> {
    return describe(await this.ask(Code.DELETE, path));
  }

  async discover(path = '/'): Promise<string> {
    const response = await this.ask(Code.GET, path, { options: [acceptOption(ContentFormat.LINK_FORMAT)] });
    return new TextDecoder().decode(response.payload);
  }

  async finish(): Promise<string> {
    return describe(await this.ask(Code.POST, '/bs'));
  }

  /** Gives the client an account at this server, and finishes. */
  async give(address = serverAddress, shortServerId = 101): Promise<string> {
    await this.delete('/0');
    await this.delete('/1');
    await this.put('/0/1', security(1, address, shortServerId));
    await this.put('/1/0', server(0, shortServerId));
    return this.finish();
  }

  ask(
    code: Code,
    path: string,
    more: { readonly options?: readonly CoapOption[]; readonly payload?: Uint8Array } = {},
  ): Promise<IncomingResponse> {
    return this.settle(
      this.bootstrap.request(this.#client, {
        code,
        options: [...pathOptions(path), ...(more.options ?? [])],
        ...(more.payload === undefined ? {} : { payload: more.payload }),
      }),
    );
  }

  #handle(request: IncomingRequest): void {
    this.#client = request.peer;
    const path = `/${uriPath(request.options).join('/')}`;
    const method = request.code === Code.POST ? 'POST' : 'GET';
    this.asked.push(`${method} ${path}?${uriQuery(request.options).join('&')}`);
    const answer = this.answers.shift();
    if (answer === 'silence') return;
    request.respond(answer ?? { code: path === '/bs' ? Code.CHANGED : Code.NOT_FOUND });
  }
}

/** An instance of the Security object, without security. */
export function security(instanceId: number, address: string, shortServerId: number): LwM2mRecord[] {
  const path = `/0/${instanceId}`;
  return [
    { path: `${path}/0`, value: `coap://${address}` },
    { path: `${path}/1`, value: false },
    { path: `${path}/2`, value: 3 },
    { path: `${path}/10`, value: shortServerId },
  ];
}

/** An instance of the Server object. */
export function server(instanceId: number, shortServerId: number, lifetime = 120): LwM2mRecord[] {
  const path = `/1/${instanceId}`;
  return [
    { path: `${path}/0`, value: shortServerId },
    { path: `${path}/1`, value: lifetime },
    { path: `${path}/6`, value: true },
    { path: `${path}/7`, value: 'U' },
  ];
}
