import { RequestError } from '../../protocol/errors.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import { NotRegisteredError } from '../errors.ts';
import type { Registration, RegistrationStore } from '../ports/registration-store.ts';
import { registeredVersions } from './device-models.ts';
import type { DeviceRequestOptions, DeviceRequests } from './device-requests.ts';
import { speaks } from './versions.ts';

/** Resources of the Server object, OMA-TS-LightweightM2M_Core-V1_2 Appendix E.2. */
const SHORT_SERVER_ID = 0;
const DISABLE = 4;
const DISABLE_TIMEOUT = 5;
const UPDATE_TRIGGER = 8;
const BOOTSTRAP_TRIGGER = 9;
const MUTE_SEND = 23;

export interface ServerObjectOptions {
  readonly requests: DeviceRequests;
  readonly registrations: RegistrationStore;
  /** By which devices know this server; where it is not said, a device with several servers has to be asked by instance. */
  readonly shortServerId: number | undefined;
}

export type ServerObjectRequest = DeviceRequestOptions & {
  /** Of the Server object; found out where absent. */
  readonly instance?: number;
};

/** Our instance of a device's Server object, and what it can be asked to do. */
export class ServerObject {
  readonly #options: ServerObjectOptions;

  constructor(options: ServerObjectOptions) {
    this.#options = options;
  }

  /** Registration Update Trigger: the device sends an Update. @throws as DeviceRequests */
  async triggerUpdate(endpoint: string, request: ServerObjectRequest): Promise<void> {
    const { instance, options } = await this.#instance(endpoint, request);
    await this.#options.requests.execute(endpoint, `${instance}/${UPDATE_TRIGGER}`, undefined, options);
  }

  /**
   * Disable: the device deregisters, and comes back after `seconds`, or after the time that it has.
   * @throws as DeviceRequests
   */
  async disable(endpoint: string, seconds: number | undefined, request: ServerObjectRequest): Promise<void> {
    const { instance, options } = await this.#instance(endpoint, request);
    const { requests } = this.#options;
    if (seconds !== undefined) {
      await requests.write(endpoint, `${instance}/${DISABLE_TIMEOUT}`, { value: seconds }, options);
    }
    await requests.execute(endpoint, `${instance}/${DISABLE}`, undefined, options);
  }

  /** Bootstrap-Request Trigger: the device asks its bootstrap server for a bootstrap. @throws as DeviceRequests */
  async triggerBootstrap(endpoint: string, request: ServerObjectRequest): Promise<void> {
    const { instance, options } = await this.#instance(endpoint, request);
    await this.#options.requests.execute(endpoint, `${instance}/${BOOTSTRAP_TRIGGER}`, undefined, options);
  }

  /** Whether the device may not Send (§6.4.6): it may not until it is told otherwise. @throws as DeviceRequests */
  async muteSend(endpoint: string, muted: boolean, request: ServerObjectRequest): Promise<void> {
    const registration = await this.#options.registrations.byEndpoint(endpoint);
    if (registration !== undefined && !hasMuteSend(registration)) {
      throw new RequestError(
        `'${endpoint}' registered with LwM2M ${registration.version}, and lists no Server object of a later one: Send came with 1.1`,
      );
    }
    const { instance, options } = await this.#instance(endpoint, request);
    await this.#options.requests.write(endpoint, `${instance}/${MUTE_SEND}`, { value: muted }, options);
  }

  /**
   * The instance that is meant: the one named, the only one that the device lists, the one with our short
   * server id, or the only one that it lets us read.
   * @throws RequestError there are several, and nothing tells which is ours
   */
  async #instance(endpoint: string, { instance, ...options }: ServerObjectRequest) {
    if (instance !== undefined) return { instance: `/1/${instance}`, options };
    const { registrations, requests, shortServerId } = this.#options;
    const registration = await registrations.byEndpoint(endpoint);
    // The same error as for every other request, from the place that makes it.
    if (registration === undefined) {
      await requests.read(endpoint, '/1', options);
      throw new NotRegisteredError(endpoint);
    }
    const listed = registration.links.flatMap(({ target }) => {
      const [object, id] = pathIds(target) ?? [];
      return object === 1 && id !== undefined ? [id] : [];
    });
    if (listed.length === 1) return { instance: `/1/${listed[0]}`, options };
    const { records } = await requests.read(endpoint, '/1', options);
    const servers = records.flatMap(({ path, value }) => {
      const [, id, resource] = pathIds(path) ?? [];
      return resource === SHORT_SERVER_ID && id !== undefined ? [{ id, server: Number(value) }] : [];
    });
    const ours = servers.length === 1 ? servers[0] : servers.find(({ server }) => server === shortServerId);
    if (ours !== undefined) return { instance: `/1/${ours.id}`, options };
    const known = servers.map(({ id, server }) => `/1/${id} is of server ${server}`).join(', ');
    throw new RequestError(
      `which instance of the Server object is this server's? ${known || 'the device shows none'}: give 'instance'`,
    );
  }
}

/** The version of the object that a device lists goes before that of LwM2M. */
function hasMuteSend(registration: Registration): boolean {
  const version = registeredVersions(registration).get(1);
  return speaks(registration, '1.1') || (version !== undefined && version !== '1.0');
}
