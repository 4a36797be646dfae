import { Code } from '../../protocol/coap/message.ts';
import { contentFormat, locationPathOptions } from '../../protocol/coap/options.ts';
import { decodeCreate, isTreeFormat } from '../../protocol/lwm2m/content.ts';
import { MAX_PATH_ID, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ClientObject, ObjectInstance } from './object-tree.ts';
import type { Answer, OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { isReadable, type Target } from './target.ts';
import { checkAgainst } from './write-plan.ts';

/**
 * Create, OMA-TS-LightweightM2M_Core §6.3.6: one instance, with the id that the payload names or one that is free.
 * @throws OperationError 4.00, 4.01, 4.05, 4.15 and what the object says; DecodeError
 */
export async function create(context: OperationContext, target: Target): Promise<Answer> {
  const { object } = target;
  const { server, tree, rootPath } = context;
  const make = object.lifecycle.create;
  if (make === undefined) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `no instance of ${target.path} can be created`);
  }
  server.authorize('create', target);
  const records = initialValues(context, object, target.path);
  const id = records[0] === undefined ? freeId(object) : instanceOf(records[0]);
  if (!isFree(object, id)) {
    throw new OperationError(Code.BAD_REQUEST, `${target.path}/${id} is there already`);
  }
  if (object.definition.multiple !== true && id !== 0) {
    throw new OperationError(Code.BAD_REQUEST, `the only instance of ${target.path} has the id 0`);
  }
  const made = await whileReserved(object, id, () => make(id, givenValues(object, records)));
  const fault = missingResource(made);
  if (fault !== undefined) {
    await object.lifecycle.delete?.(made);
    throw fault;
  }
  server.created(made);
  tree.add(made, { quietly: true });
  const location = `${rootPath === '/' ? '' : rootPath}${made.path}`;
  return {
    code: Code.CREATED,
    options: locationPathOptions(location),
    // After the answer: observers are told, and the registration follows.
    afterwards: [() => tree.announce(made)],
  };
}

/** What the payload says; all of one instance. @throws OperationError 4.00, 4.15; DecodeError */
function initialValues(context: OperationContext, object: ClientObject, path: string): LwM2mRecord[] {
  const { request, lookup, rootPath } = context;
  const format = contentFormat(request.options);
  // Without a payload the instance has what the client gives it (§6.3.6).
  if (format === undefined && request.payload.length === 0) return [];
  if (format === undefined || !isTreeFormat(format)) {
    throw new OperationError(
      Code.UNSUPPORTED_CONTENT_FORMAT,
      `content format ${format ?? 'none'} names no resources`,
    );
  }
  const records = decodeCreate(format, path, freeId(object), request.payload, lookup, rootPath);
  if (new Set(records.map(instanceOf)).size > 1) {
    throw new OperationError(Code.BAD_REQUEST, 'one instance at a time');
  }
  return records;
}

function instanceOf({ path }: LwM2mRecord): number {
  return pathIds(path)?.[1] ?? 0;
}

/**
 * The values that are the server's to give: those of read-only and of unknown resources are passed over (§6.3.6).
 * @throws OperationError 4.00
 */
function givenValues(object: ClientObject, records: readonly LwM2mRecord[]): LwM2mRecord[] {
  const definitions = new Map(
    Object.values(object.definition.resources).map((definition) => [definition.id, definition]),
  );
  const seen = new Set<string>();
  return records.filter(({ path, value }) => {
    const [, , resourceId = -1, resourceInstance] = pathIds(path) ?? [];
    const definition = definitions.get(resourceId);
    if (definition === undefined || !definition.operations.includes('W')) return false;
    if ((definition.multiple === true) !== (resourceInstance !== undefined)) {
      const kind = definition.multiple === true ? 'a' : 'no';
      throw new OperationError(Code.BAD_REQUEST, `${path} is ${kind} multiple resource`);
    }
    if (seen.has(path)) throw new OperationError(Code.BAD_REQUEST, `${path} is named twice`);
    seen.add(path);
    checkAgainst(definition, value);
    return true;
  });
}

function freeId(object: ClientObject): number {
  let id = 0;
  while (!isFree(object, id) && id < MAX_PATH_ID) id++;
  return id;
}

/** Ids of instances that their object is busy making: a second request for one of them comes too late. */
const inMaking = new WeakMap<ClientObject, Set<number>>();

function isFree(object: ClientObject, id: number): boolean {
  return !object.instances.has(id) && inMaking.get(object)?.has(id) !== true;
}

async function whileReserved<Made>(
  object: ClientObject,
  id: number,
  work: () => Made | Promise<Made>,
): Promise<Made> {
  const ids = inMaking.get(object) ?? new Set();
  inMaking.set(object, ids.add(id));
  try {
    return await work();
  } finally {
    ids.delete(id);
  }
}

/** Every mandatory resource must be there, and have a value where it can be read. */
function missingResource(made: ObjectInstance): OperationError | undefined {
  for (const definition of Object.values(made.definition.resources)) {
    if (definition.mandatory !== true) continue;
    const resource = made.resources.get(definition.id);
    const there =
      resource !== undefined && (!isReadable(resource) || resource.handler.read?.() !== undefined);
    if (!there) return new OperationError(Code.BAD_REQUEST, `${definition.title} is missing`);
  }
  return undefined;
}
