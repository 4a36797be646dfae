import type { ObjectRegistry } from '../../objects/registry.ts';
import { systemClock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { DeviceRequestOptions } from '../lwm2m/device-requests.ts';
import { contentFormatId } from './caller.ts';
import type { ApiDependencies } from './dependencies.ts';
import { deviceModel } from './device-model.ts';
import {
  compositeChanges,
  compositePathList,
  executeArguments,
  newInstanceRecords,
  objectPath,
  writeContent,
} from './object-content.ts';
import { presentCompositeResult, presentLink, presentReadResult } from './presenters.ts';
import type { ApiExecuteBody, ApiHeldRequestBody, ApiValue } from './schemas.ts';

type Needs = Pick<ApiDependencies, 'stores' | 'requests' | 'registry' | 'lookupFor' | 'clock'>;
type Result = Readonly<Record<string, unknown>>;
type Operation = ApiHeldRequestBody['operation'];
type Member = keyof ApiHeldRequestBody;

/** What each operation takes beside `format`: what it needs, and what else it may have. */
const members: Readonly<
  Record<Operation, { readonly needs: readonly Member[]; readonly may?: readonly Member[] }>
> = {
  read: { needs: ['path'] },
  write: { needs: ['path'], may: ['value', 'values', 'mode'] },
  execute: { needs: ['path'], may: ['args', 'arguments'] },
  create: { needs: ['path', 'values'] },
  delete: { needs: ['path'] },
  discover: { needs: ['path'], may: ['depth'] },
  'write-attributes': { needs: ['path', 'attributes'] },
  observe: { needs: ['path'], may: ['attributes'] },
  cancel: { needs: ['path'], may: ['active'] },
  'read-composite': { needs: ['paths'] },
  'write-composite': { needs: ['values'] },
  'observe-composite': { needs: ['paths'], may: ['attributes'] },
  'cancel-composite': { needs: ['paths'], may: ['active'] },
};

/**
 * Refuses at once what could never be carried out.
 * @throws RequestError a member that the operation needs is missing, one has no meaning, a path or value that
 *   is none
 */
export async function checkHeldRequest(
  deps: Needs,
  endpoint: string,
  body: ApiHeldRequestBody,
): Promise<void> {
  checkRequest(body, await deviceModel(deps, endpoint));
}

/** As `checkHeldRequest`, by object definitions that somebody else has. */
export function checkRequest(body: ApiHeldRequestBody, model: ObjectRegistry): void {
  const { operation, timeToLive: _, ...given } = body;
  const { needs, may = [] } = members[operation];
  for (const member of needs) {
    if (body[member] === undefined) throw new RequestError(`'${operation}' needs '${member}'`);
  }
  for (const member of Object.keys(given) as Member[]) {
    if (member === 'format' || needs.includes(member) || may.includes(member)) continue;
    throw new RequestError(`'${member}' has no meaning for '${operation}'`);
  }
  if (operation === 'write' && (body.value === undefined) === (body.values === undefined)) {
    throw new RequestError("'write' needs either 'value' or 'values'");
  }
  if (body.args !== undefined && body.arguments !== undefined) {
    throw new RequestError("'execute' takes either 'args' or 'arguments'");
  }
  if (body.format !== undefined) contentFormatId(body.format);
  if (body.paths !== undefined) compositePathList(body.paths.join(','));
  if (operation === 'write-composite') compositeChanges(body.values ?? {}, model);
  if (body.path === undefined) return;
  const path = objectPath(body.path);
  const { length } = path.ids;
  if (operation === 'write') {
    if (length < 2)
      throw new RequestError('only an instance, a resource or a resource instance can be written');
    writeContent(path, writeBody(body), model);
  }
  if (operation === 'execute' && length !== 3) throw new RequestError('only a resource can be executed');
  if (operation === 'create') {
    if (length > 2) throw new RequestError('an instance is made below an object');
    newInstanceRecords(path, plainValues(body), model, []);
  }
  if (operation === 'delete' && length !== 2 && length !== 4) {
    throw new RequestError('only an instance or a resource instance can be deleted');
  }
}

/** Carries a held request out; the result is what the route of that operation would have answered. Throws as DeviceRequests. */
export async function performHeldRequest(
  deps: Needs,
  endpoint: string,
  body: ApiHeldRequestBody,
  given: DeviceRequestOptions,
): Promise<Result> {
  const { requests, clock = systemClock } = deps;
  const options =
    body.format === undefined ? given : { ...given, contentFormat: contentFormatId(body.format) };
  const attributes = body.attributes === undefined ? {} : { attributes: noNulls(body.attributes) };
  const active = body.active === undefined ? {} : { active: body.active };
  const path = objectPath(body.path ?? '0');
  const paths = compositePathList((body.paths ?? ['/']).join(','));
  const model = await deviceModel(deps, endpoint);
  const now = (): number => clock.wallTime();
  switch (body.operation) {
    case 'read':
      return presentReadResult(await requests.read(endpoint, path.canonical, options), model, now());
    case 'write':
      await requests.write(endpoint, path.canonical, writeContent(path, writeBody(body), model), {
        ...options,
        ...(body.mode === undefined ? {} : { mode: body.mode }),
      });
      return {};
    case 'execute':
      await requests.execute(endpoint, path.canonical, executeArguments(executeBody(body)), options);
      return {};
    case 'create': {
      const device = await deps.stores.devices.get(endpoint);
      const links = device?.registration?.links ?? [];
      const records = newInstanceRecords(path, plainValues(body), model, links);
      return { path: await requests.create(endpoint, path.canonical, records, options) };
    }
    case 'delete':
      await requests.delete(endpoint, path.canonical, options);
      return {};
    case 'discover': {
      const depth = body.depth === undefined ? {} : { depth: body.depth };
      const links = await requests.discover(endpoint, path.canonical, { ...options, ...depth });
      return { items: links.map((link) => presentLink(link, model)) };
    }
    case 'write-attributes':
      await requests.writeAttributes(endpoint, path.canonical, body.attributes ?? {}, options);
      return {};
    case 'observe':
      return presentReadResult(
        await requests.observe(endpoint, path.canonical, { ...options, ...attributes }),
        model,
        now(),
      );
    case 'cancel':
      return { ended: await requests.cancelObservation(endpoint, path.canonical, { ...options, ...active }) };
    case 'read-composite':
      return presentCompositeResult(await requests.readComposite(endpoint, paths, options), model, now());
    case 'write-composite':
      await requests.writeComposite(endpoint, compositeChanges(body.values ?? {}, model), options);
      return {};
    case 'observe-composite':
      return presentCompositeResult(
        await requests.observeComposite(endpoint, paths, { ...options, ...attributes }),
        model,
        now(),
      );
    case 'cancel-composite':
      return { ended: await requests.cancelComposite(endpoint, paths, { ...options, ...active }) };
  }
}

function writeBody(body: ApiHeldRequestBody): { value: ApiValue } | { values: Record<string, ApiValue> } {
  return body.value === undefined ? { values: plainValues(body) } : { value: body.value };
}

function executeBody({ args, arguments: list }: ApiHeldRequestBody): ApiExecuteBody | null {
  if (args !== undefined) return { args };
  return list === undefined ? null : { arguments: list };
}

/** @throws RequestError null, which only a composite write knows */
function plainValues({ operation, values = {} }: ApiHeldRequestBody): Record<string, ApiValue> {
  const plain: Record<string, ApiValue> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === null) throw new RequestError(`'${key}': '${operation}' takes no null`);
    plain[key] = value;
  }
  return plain;
}

function noNulls<T extends object>(attributes: T): { [K in keyof T]: Exclude<T[K], null> } {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) throw new RequestError(`'${name}': an observation removes no attributes`);
  }
  return attributes as { [K in keyof T]: Exclude<T[K], null> };
}
