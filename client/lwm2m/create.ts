import { Code } from '../../protocol/coap/message.ts';
import { contentFormat, locationPathOptions } from '../../protocol/coap/options.ts';
import { isTreeFormat } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { MAX_PATH_ID, pathIds } from '../../protocol/lwm2m/path.ts';
import { TlvKind } from '../../protocol/lwm2m/tlv-decode.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ClientObject, ObjectInstance } from './object-tree.ts';
import { type Answer, type OperationContext, requestRecords } from './operation.ts';
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
  const id = records.id ?? freeId(object);
  if (object.instances.has(id)) throw isThere(target.path, id);
  if (object.definition.multiple !== true && id !== 0) {
    throw new OperationError(Code.BAD_REQUEST, `the only instance of ${target.path} has the id 0`);
  }
  const made = await make(
    id,
    records.values.map(({ below, value }) => ({ path: `${target.path}/${id}/${below}`, value })),
  );
  // While the object was busy another request may have had the same idea.
  const fault = object.instances.has(id) ? isThere(target.path, id) : missingResource(made);
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

interface InitialValues {
  /** Undefined: the client chooses. */
  readonly id: number | undefined;
  /** Without object and instance in their paths: `2`, `7/1`. */
  readonly values: readonly { readonly below: string; readonly value: LwM2mRecord['value'] }[];
}

/**
 * What the payload gives that is the server's to give: values of read-only and of unknown resources are passed over.
 * @throws OperationError, DecodeError
 */
function initialValues(context: OperationContext, object: ClientObject, path: string): InitialValues {
  const { request } = context;
  const format = contentFormat(request.options);
  if (request.payload.length === 0 && format === undefined) return { id: undefined, values: [] };
  if (format !== undefined && !isTreeFormat(format)) {
    throw new OperationError(Code.UNSUPPORTED_CONTENT_FORMAT, `content format ${format} names no resources`);
  }
  const records = requestRecords(context, path);
  const ids = new Set(records.map((record) => pathIds(record.path)?.[1]));
  if (ids.size > 1) throw new OperationError(Code.BAD_REQUEST, 'one instance at a time');
  const definitions = new Map(
    Object.values(object.definition.resources).map((definition) => [definition.id, definition]),
  );
  const values = records.flatMap((record) => {
    const [, , resourceId, resourceInstance] = pathIds(record.path) ?? [];
    const definition = definitions.get(resourceId ?? -1);
    if (definition === undefined || !definition.operations.includes('W')) return [];
    if ((definition.multiple === true) !== (resourceInstance !== undefined)) {
      const kind = definition.multiple === true ? 'a' : 'no';
      throw new OperationError(Code.BAD_REQUEST, `${record.path} is ${kind} multiple resource`);
    }
    checkAgainst(definition, record.value);
    const below = resourceInstance === undefined ? `${resourceId}` : `${resourceId}/${resourceInstance}`;
    return [{ below, value: record.value }];
  });
  const [id] = namesInstance(format, request.payload, path) ? ids : [];
  return { id, values };
}

/** Whether a payload says which instance it is of: TLV may leave it out, and then the client chooses. */
function namesInstance(format: number | undefined, payload: Uint8Array, path: string): boolean {
  if (pathIds(path)?.length !== 1) return true;
  const [first] = payload;
  return format !== ContentFormat.TLV || (first !== undefined && first >> 6 === TlvKind.OBJECT_INSTANCE);
}

function freeId(object: ClientObject): number {
  let id = 0;
  while (object.instances.has(id) && id < MAX_PATH_ID) id++;
  return id;
}

function isThere(path: string, id: number): OperationError {
  return new OperationError(Code.BAD_REQUEST, `${path}/${id} is there already`);
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
