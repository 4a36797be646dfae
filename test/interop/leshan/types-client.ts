import { Lwm2mClient, type Lwm2mClientOptions } from '../../../client/lwm2m/client.ts';
import { instance, ObjectInstance, type ResourceHandler } from '../../../client/lwm2m/object-tree.ts';
import type { ServerOptions } from '../../../client/lwm2m/server-session.ts';
import type { ObjectDefinition, ResourceDefinition } from '../../../objects/define-object.ts';
import { deviceObject } from '../../../objects/device.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { systemClock } from '../../../protocol/clock.ts';
import { createUdpPort } from '../../../protocol/coap/udp-port.ts';
import type { LwM2mRecord, ResourceValue } from '../../../protocol/lwm2m/value.ts';
import { allTypesObject, recordsOf } from './all-types.ts';

/** What happened at our client, as the peer's reports have it. */
export interface Happening {
  readonly event: 'written' | 'executed' | 'created' | 'deleted';
  readonly path: string;
  readonly detail?: unknown;
}

/** Our client engine with a Device and with instances of an object that has every type. */
export class TypesClient {
  readonly client: Lwm2mClient;
  readonly happened: Happening[] = [];
  readonly faults: unknown[] = [];
  readonly states: string[] = [];
  readonly #kept = new Map<string, ResourceValue | ReadonlyMap<number, ResourceValue>>();

  static async start(
    serverUri: string,
    endpoint: string,
    values: Readonly<Record<number, unknown>>,
    server: Partial<ServerOptions> = {},
    options: Partial<Lwm2mClientOptions> = {},
  ): Promise<TypesClient> {
    const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
    return new TypesClient(port, serverUri, endpoint, values, server, options);
  }

  private constructor(
    port: Lwm2mClientOptions['port'],
    serverUri: string,
    endpoint: string,
    values: Readonly<Record<number, unknown>>,
    server: Partial<ServerOptions>,
    options: Partial<Lwm2mClientOptions>,
  ) {
    const address = new URL(serverUri).host;
    this.client = new Lwm2mClient({
      port,
      clock: systemClock,
      name: endpoint,
      servers: [
        {
          uri: serverUri,
          resolve: async () => address,
          ...server,
          account: { lifetime: 60, ...server.account },
        },
      ],
      lookup: createObjectRegistry([...standardObjects(), allTypesObject]),
      events: {
        onFault: (error) => this.faults.push(error),
        onState: (state) => this.states.push(state),
      },
      ...options,
    });
    const { tree } = this.client;
    let timezone = 'Europe/Berlin';
    tree.add(
      instance(deviceObject, 0, {
        manufacturer: { read: () => 'Simyard' },
        reboot: { execute: (args) => this.#tell('executed', '/3/0/4', [...args]) },
        timezone: {
          read: () => timezone,
          write: (value) => {
            timezone = value as string;
            this.#tell('written', '/3/0/15', value);
          },
        },
      }),
    );
    tree.addObject(allTypesObject, {
      create: (id, records) => {
        this.#tell('created', `/${allTypesObject.id}/${id}`);
        return this.#instance(id, records);
      },
      delete: ({ path }) => this.#tell('deleted', path),
    });
    tree.add(this.#instance(0, recordsOf(0, values)));
    this.client.start();
  }

  /** Changes a value, as the device itself would. */
  set(path: string, value: ResourceValue | ReadonlyMap<number, ResourceValue>): void {
    this.#kept.set(path, value);
    this.client.tree.changed([path]);
  }

  #instance(id: number, records: readonly LwM2mRecord[]): ObjectInstance {
    for (const { path, value } of records) {
      const [, , , resource, of] = path.split('/');
      const key = `/${allTypesObject.id}/${id}/${resource}`;
      if (of === undefined) this.#kept.set(key, value);
      else {
        const others = this.#kept.get(key);
        this.#kept.set(key, new Map([...(others instanceof Map ? others : []), [Number(of), value]]));
      }
    }
    const definition: ObjectDefinition = allTypesObject;
    const handlers = Object.entries<ResourceDefinition>(definition.resources).map(
      ([name, resource]): [string, ResourceHandler] => {
        const path = `/${allTypesObject.id}/${id}/${resource.id}`;
        const handler: ResourceHandler = {
          read: () => this.#kept.get(path),
          write: (value) => {
            this.#kept.set(path, value);
            this.#tell('written', path, value);
          },
          execute: (args) => this.#tell('executed', path, [...args]),
        };
        return [name, handler];
      },
    );
    return new ObjectInstance(definition, id, Object.fromEntries(handlers));
  }

  #tell(event: Happening['event'], path: string, detail?: unknown): void {
    this.happened.push({ event, path, ...(detail === undefined ? {} : { detail }) });
  }

  async close(): Promise<void> {
    await this.client.close();
    if (this.faults.length > 0) throw new AggregateError(this.faults, 'the client had faults');
  }
}
