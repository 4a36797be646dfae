import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { IncomingRequest, OutgoingResponse } from '../../protocol/coap/exchange.ts';
import { Code, OptionNumber } from '../../protocol/coap/message.ts';
import { contentFormat, uintOption, uriPath } from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import { isSpeakersOwn, type Registration, type RegistrationStore } from '../ports/registration-store.ts';
import { warnRepeated } from '../repeated-log.ts';
import type { Report, TelemetryIngest } from '../telemetry/ingest.ts';
import type { DeviceReach } from './device-reach.ts';

/** What a device waits before it sends again while the store is down. Seconds. */
const RETRY_AFTER = 30;

/** Sends of which it is not known yet whose they are: what is beyond is told to come back. */
const MAX_UNKNOWN = 32_768;

const sendFormats: readonly number[] = [
  ContentFormat.SENML_CBOR,
  ContentFormat.SENML_JSON,
  ContentFormat.LWM2M_CBOR,
];

const text = new TextEncoder();

export interface SendInterfaceOptions {
  readonly registrations: RegistrationStore;
  readonly ingest: TelemetryIngest;
  readonly lookupFor: (registration: Registration) => ResourceTypeLookup;
  readonly reach: DeviceReach;
  readonly clock: Clock;
  readonly log: Logger;
  /** A device was heard in another session than before. */
  readonly onMoved: (registration: Registration, to: PeerAddress) => void;
  /** A registered device was heard. */
  readonly onHeard: (registrationId: string, endpoint: string) => void;
}

/** The device is not answered as it hoped: code and diagnostic. */
class Refusal extends Error {
  readonly code: Code;
  constructor(code: Code, diagnostic: string) {
    super(diagnostic);
    this.code = code;
  }
}

/**
 * Send, OMA-TS-LightweightM2M_Core §6.4.6: POST /dp with values that nobody asked for. Its values go the way of notifications:
 * 2.04 says that they are durable.
 */
export class SendInterface {
  readonly #options: SendInterfaceOptions;
  readonly #tellOutage: (error: Error) => void;
  /** Sends of which it is not known yet whose they are. */
  #unknown = 0;

  constructor(options: SendInterfaceOptions) {
    this.#options = options;
    const { log, clock } = options;
    this.#tellOutage = warnRepeated(log, clock, 'the store does not answer; devices are told to come back');
  }

  handle(request: IncomingRequest): void {
    if (this.#unknown >= MAX_UNKNOWN) {
      this.#options.ingest.statistics.refused++;
      request.respond(storeDown());
      return;
    }
    this.#take(request).catch((error: unknown) => request.respond(this.#refusal(request, error)));
  }

  async #take(request: IncomingRequest): Promise<void> {
    const { ingest, reach, onHeard } = this.#options;
    if (uriPath(request.options).length > 1) throw new Refusal(Code.NOT_FOUND, 'there is nothing below /dp');
    if (request.code !== Code.POST) throw new Refusal(Code.METHOD_NOT_ALLOWED, '/dp takes POST');
    ingest.statistics.sends++;
    const registration = await this.#known(request);
    reach.heard(registration.id);
    onHeard(registration.id, registration.endpoint);
    const records = this.#records(registration, request);
    const { endpoint, id } = registration;
    const token = Buffer.from(request.token).toString('hex');
    const report: Report = {
      kind: 'send',
      source: { endpoint, path: '/' },
      lookup: this.#options.lookupFor(registration),
      records,
      payload: request.payload,
      fresh: true,
      message: `send\0${id}\0${token}\0${request.messageId}`,
    };
    ingest.keep(report, (outcome) =>
      request.respond(outcome === 'kept' ? { code: Code.CHANGED } : storeDown()),
    );
  }

  async #known(request: IncomingRequest): Promise<Registration> {
    this.#unknown++;
    try {
      return await this.#sender(request);
    } finally {
      this.#unknown--;
    }
  }

  /**
   * Whose values they are: by a secure session its device's, wherever that one was heard last; without one the device's
   * that was heard last at the address, which must not have spoken by a session.
   */
  async #sender({ peer, identity }: IncomingRequest): Promise<Registration> {
    const { registrations, onMoved } = this.#options;
    const named = identity?.endpoint;
    const registration = await (named === undefined
      ? registrations.byAddress(peer)
      : registrations.byEndpoint(named));
    if (registration === undefined || !isSpeakersOwn(registration, identity ?? null)) {
      throw new Refusal(Code.NOT_FOUND, 'no device is registered at this address');
    }
    // A new session, as after a restart of the device: what is for it goes there.
    if (named !== undefined && registration.address !== peer) onMoved(registration, peer);
    return registration;
  }

  #records(registration: Registration, { options, payload }: IncomingRequest): readonly LwM2mRecord[] {
    const { endpoint, rootPath, links } = registration;
    const format = contentFormat(options);
    if (format === undefined || !sendFormats.includes(format)) {
      const given = format === undefined ? 'no Content-Format' : `Content-Format ${format}`;
      throw new Refusal(Code.BAD_REQUEST, `${given}: a Send is in one of ${sendFormats.join(', ')}`);
    }
    let records: readonly LwM2mRecord[];
    try {
      records = decodeContent(format, '/', payload, this.#options.lookupFor(registration), rootPath);
    } catch (error) {
      if (error instanceof DecodeError)
        this.#options.ingest.undecodable({ endpoint, path: '/' }, error, payload);
      throw error;
    }
    if (records.length === 0) throw new Refusal(Code.BAD_REQUEST, 'there is no value in it');
    const registered = new Set(links.map(({ target }) => pathIds(target)?.[0]));
    const foreign = records.find(({ path }) => !registered.has(pathIds(path)?.[0]));
    if (foreign !== undefined) {
      throw new Refusal(Code.NOT_FOUND, `${foreign.path} is of an object that was not registered`);
    }
    return records;
  }

  #refusal(request: IncomingRequest, error: unknown): OutgoingResponse {
    const { log } = this.#options;
    if (error instanceof Refusal || error instanceof DecodeError) {
      log.debug({ peer: request.peer, reason: error.message }, 'a Send was refused');
      const code = error instanceof Refusal ? error.code : Code.BAD_REQUEST;
      return { code, payload: text.encode(error.message) };
    }
    if (error instanceof StoreUnavailableError) {
      this.#tellOutage(error);
      return storeDown();
    }
    log.error({ error, peer: request.peer }, 'a Send met a bug');
    return { code: Code.INTERNAL_SERVER_ERROR };
  }
}

function storeDown(): OutgoingResponse {
  return { code: Code.SERVICE_UNAVAILABLE, options: [uintOption(OptionNumber.MAX_AGE, RETRY_AFTER)] };
}
