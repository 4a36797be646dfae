import { accessControlObject } from '../../objects/access-control.ts';
import type { ObjectDefinition, ResourceDefinition } from '../../objects/define-object.ts';
import { securityObject } from '../../objects/security.ts';
import { serverObject } from '../../objects/server.ts';
import type { IncomingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { accept, contentFormat, uriPath } from '../../protocol/coap/options.ts';
import { decodeContent, isTreeFormat, supportedContentFormats } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import { isAtOrBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { linksAnswer } from './discover.ts';
import { encodeRecords, type LwM2mVersion } from './formats.ts';
import type { ObjectTree } from './object-tree.ts';
import { type Answer, content } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { accountObjects, type StagedAccounts } from './staged-accounts.ts';
import { notFound } from './target.ts';
import { checkAgainst, valuesByResource, WritePlan } from './write-plan.ts';

export interface BootstrapHandlerOptions {
  readonly tree: ObjectTree;
  readonly lookup: ResourceTypeLookup;
  /** The highest version that the client speaks. */
  readonly version: LwM2mVersion;
  readonly staged: StagedAccounts;
  /** Bootstrap-Finish. @throws OperationError 4.06 the accounts do not fit together */
  readonly finish: () => Answer;
}

const definitions: ReadonlyMap<number, ObjectDefinition> = new Map<number, ObjectDefinition>([
  [0, securityObject],
  [1, serverObject],
  [2, accessControlObject],
]);
const deviceObject = 3;
const securityId = 0;

/** An operation by its name and path, ready to be carried out. */
export interface BootstrapOperation {
  readonly name: string;
  readonly path: string;
  readonly carryOut: () => Answer | Promise<Answer>;
}

/**
 * What the bootstrap server may ask of a client while a bootstrap is under way (OMA-TS-LightweightM2M_Core §6.1.7): each
 * handler throws OperationError, or DecodeError where the payload cannot be read.
 */
export class BootstrapHandler {
  readonly #options: BootstrapHandlerOptions;

  constructor(options: BootstrapHandlerOptions) {
    this.#options = options;
  }

  /** Which operation a request is (OMA-TS-LightweightM2M_Transport §6.4, table 6.4.-2). @throws OperationError */
  operation(request: IncomingRequest): BootstrapOperation {
    const segments = uriPath(request.options).filter((segment) => segment !== '');
    const path = `/${segments.join('/')}`;
    if (path === '/bs') {
      if (request.code !== Code.POST) throw new OperationError(Code.METHOD_NOT_ALLOWED, 'only POST');
      return { name: 'Bootstrap-Finish', path, carryOut: () => this.#options.finish() };
    }
    if (path !== '/' && pathIds(path) === undefined) throw notFound(path);
    switch (request.code) {
      case Code.GET:
        if (accept(request.options) === ContentFormat.LINK_FORMAT) {
          return { name: 'Bootstrap-Discover', path, carryOut: () => this.#discover(path) };
        }
        return { name: 'Bootstrap-Read', path, carryOut: () => this.#read(path, request) };
      case Code.PUT:
        return { name: 'Bootstrap-Write', path, carryOut: () => this.#write(path, request) };
      case Code.DELETE:
        return { name: 'Bootstrap-Delete', path, carryOut: () => this.#delete(path) };
      default:
        throw new OperationError(Code.METHOD_NOT_ALLOWED, 'no operation of the bootstrap interface');
    }
  }

  /** §6.1.7.3: objects and instances, and whose those of Security and Server are. */
  #discover(path: string): Answer {
    const { tree, version, staged } = this.#options;
    const ids = pathIds(path) ?? [];
    if (ids.length > 1) throw new OperationError(Code.BAD_REQUEST, 'the root or an object is discovered');
    const [wanted] = ids;
    const links: Link[] = [{ target: '/', attributes: { lwm2m: version } }];
    const objectIds = new Set([...accountObjects, ...tree.objects().map(({ definition }) => definition.id)]);
    for (const id of [...objectIds].sort((a, b) => a - b)) {
      if (wanted !== undefined && id !== wanted) continue;
      const definition = definitions.get(id) ?? tree.object(id)?.definition;
      const attributes =
        definition === undefined || definition.version === '1.0' ? {} : { ver: definition.version };
      links.push({ target: `/${id}`, attributes });
      if (!accountObjects.has(id)) {
        const instances = tree.object(id)?.instances.values() ?? [];
        links.push(...[...instances].map((each) => ({ target: each.path, attributes: {} })));
        continue;
      }
      for (const instanceId of staged.instances(id)) links.push(this.#accountLink(id, instanceId));
    }
    if (wanted !== undefined && !objectIds.has(wanted)) throw notFound(path);
    return linksAnswer(links);
  }

  #accountLink(objectId: number, instanceId: number): Link {
    const { staged } = this.#options;
    const target = `/${objectId}/${instanceId}`;
    if (objectId === securityId) {
      if (staged.isBootstrap(instanceId)) return { target, attributes: {} };
      const ssid = staged.value(`${target}/10`);
      const uri = staged.value(`${target}/0`);
      return {
        target,
        attributes: {
          ...(ssid === undefined ? {} : { ssid: String(ssid) }),
          ...(typeof uri === 'string' ? { uri } : {}),
        },
      };
    }
    const ssid = objectId === 1 ? staged.value(`${target}/0`) : undefined;
    return { target, attributes: ssid === undefined ? {} : { ssid: String(ssid) } };
  }

  /** §6.1.7.4: Server and Access Control alone; what is in Security is read by nobody. */
  #read(path: string, request: IncomingRequest): Answer {
    const { staged, lookup, version } = this.#options;
    const [objectId] = pathIds(path) ?? [];
    if (objectId === securityId) throw new OperationError(Code.UNAUTHORIZED, 'keys are not read');
    if (objectId !== 1 && objectId !== 2) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'the Server and Access Control objects can be read');
    }
    const records = staged.below(path);
    if (records.length === 0) throw notFound(path);
    const format =
      accept(request.options) ?? (version === '1.0' ? ContentFormat.TLV : ContentFormat.SENML_CBOR);
    if (!supportedContentFormats.includes(format)) {
      throw new OperationError(Code.NOT_ACCEPTABLE, `content format ${format} is not supported`);
    }
    return content(format, encodeRecords(format, path, records, lookup, '/'));
  }

  /** §6.1.7.5: whatever the object says of who may write it. */
  async #write(path: string, request: IncomingRequest): Promise<Answer> {
    const { lookup, tree } = this.#options;
    const ids = pathIds(path) ?? [];
    const [objectId] = ids;
    if (objectId === undefined) throw new OperationError(Code.METHOD_NOT_ALLOWED, 'the root is not written');
    const format = contentFormat(request.options) ?? ContentFormat.TEXT;
    const fits = supportedContentFormats.includes(format) && (ids.length > 2 || isTreeFormat(format));
    if (!fits) {
      throw new OperationError(Code.UNSUPPORTED_CONTENT_FORMAT, `content format ${format} is not supported`);
    }
    const records = decodeContent(format, path, request.payload, lookup);
    if (records.length === 0) throw new OperationError(Code.BAD_REQUEST, 'nothing to write');
    const stray = records.find((record) => !isAtOrBelow(record.path, path));
    if (stray !== undefined) throw new OperationError(Code.BAD_REQUEST, `${stray.path} is not below ${path}`);
    await this.writeAll(records);
    tree.changed(records.map((record) => record.path));
    return { code: Code.CHANGED };
  }

  /** What a Bootstrap-Write or a Bootstrap-Pack holds. @throws OperationError */
  async writeAll(records: readonly LwM2mRecord[]): Promise<void> {
    const { staged, tree } = this.#options;
    const accounts = records.filter(({ path }) => accountObjects.has((pathIds(path) ?? [])[0] ?? -1));
    const known = accounts.filter((record) => checkAccountValue(record));
    const others = Map.groupBy(
      records.filter((record) => !accounts.includes(record)),
      ({ path }) => (pathIds(path) ?? []).slice(0, 2).join('/'),
    );
    for (const [instance, values] of others) await writeInstance(tree, `/${instance}`, values);
    if (!staged.write(known)) {
      throw new OperationError(Code.BAD_REQUEST, 'so many values cannot be kept');
    }
  }

  /** §6.1.7.6: of the root everything but the bootstrap account and the Device object. */
  async #delete(path: string): Promise<Answer> {
    const { staged, tree } = this.#options;
    const [objectId, instanceId, ...below] = pathIds(path) ?? [];
    if (below.length > 0)
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'objects and instances are deleted');
    if (objectId === deviceObject) throw new OperationError(Code.BAD_REQUEST, 'the Device object stays');
    if (objectId === securityId && instanceId !== undefined && staged.isBootstrap(instanceId)) {
      throw new OperationError(Code.BAD_REQUEST, 'the account of the bootstrap server stays');
    }
    if (objectId === undefined || accountObjects.has(objectId)) staged.remove(path);
    if (objectId !== undefined && !accountObjects.has(objectId)) {
      const object = tree.object(objectId);
      if (object === undefined) throw notFound(path);
      if (instanceId !== undefined && !object.instances.has(instanceId)) throw notFound(path);
      if (object.lifecycle.delete === undefined) {
        throw new OperationError(Code.METHOD_NOT_ALLOWED, `${path} cannot be deleted`);
      }
    }
    for (const { definition, lifecycle, instances } of tree.objects()) {
      const release = lifecycle.delete;
      if (accountObjects.has(definition.id) || release === undefined) continue;
      if (objectId !== undefined && definition.id !== objectId) continue;
      for (const instance of [...instances.values()]) {
        if (instanceId !== undefined && instance.id !== instanceId) continue;
        try {
          await release(instance);
        } catch (error) {
          // "/" takes what can be taken: what the device cannot do without stays, as the Device object does.
          if (objectId === undefined && error instanceof OperationError) continue;
          throw error;
        }
        tree.remove(definition.id, instance.id);
      }
    }
    return { code: Code.DELETED };
  }
}

/** False for a resource that is not known: it is passed over, as in every Write (§6.3.3). @throws OperationError */
function checkAccountValue({ path, value }: LwM2mRecord): boolean {
  const [objectId = -1, , resourceId, resourceInstance] = pathIds(path) ?? [];
  const resources: readonly ResourceDefinition[] = Object.values(definitions.get(objectId)?.resources ?? {});
  const definition = resources.find(({ id }) => id === resourceId);
  if (definition === undefined) return false;
  if ((definition.multiple === true) !== (resourceInstance !== undefined)) {
    throw new OperationError(
      Code.BAD_REQUEST,
      `${path} is ${definition.multiple === true ? 'a' : 'no'} multiple resource`,
    );
  }
  checkAgainst(definition, value);
  return true;
}

/** An instance of an object that is in the tree, which is made where it can be. @throws OperationError */
async function writeInstance(tree: ObjectTree, path: string, records: readonly LwM2mRecord[]): Promise<void> {
  const [objectId = -1, instanceId = -1] = pathIds(path) ?? [];
  const object = tree.object(objectId);
  if (object === undefined) throw notFound(path);
  const instance = object.instances.get(instanceId);
  if (instance === undefined) {
    if (object.lifecycle.create === undefined) throw notFound(path);
    tree.add((await object.lifecycle.create(instanceId, records)) as never);
    return;
  }
  const plan = new WritePlan(tree);
  for (const [id, values] of valuesByResource(instance, records)) {
    if (instance.resources.has(id)) plan.write(instance, id, values, 'replace');
  }
  await plan.carryOut();
}
