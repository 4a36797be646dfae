import { Code } from '../../protocol/coap/message.ts';
import { uriQuery } from '../../protocol/coap/options.ts';
import {
  type AttributeChanges,
  decodeAttributeQueries,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { isNumeric } from './notification-rules.ts';
import type { Answer, OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { isReadable, notFound, type Target } from './target.ts';

/** Write-Attributes, OMA-TS-LightweightM2M_Core §6.3.4, on all levels. @throws OperationError, DecodeError */
export function writeAttributes({ server, request }: OperationContext, target: Target): Answer {
  const query = uriQuery(request.options);
  if (query.length === 0) throw new OperationError(Code.BAD_REQUEST, 'neither a value nor attributes');
  // They are of what may be read (§8.1.1).
  server.authorize('read', target);
  const changes = decodeAttributeQueries(query);
  checkApplicable(target, changes);
  server.attributes.write(target.path, changes);
  return {
    code: Code.CHANGED,
    afterwards: [
      () => server.attributes.announce(),
      () => server.observations.reschedule(),
      () => server.packs?.wake(),
    ],
  };
}

/**
 * Which node may carry what (§5.1.2): gt, lt and st numeric resources, edge boolean ones, everything only what
 * can be read.
 * @throws OperationError 4.00, 4.04, 4.05
 */
export function checkApplicable(
  { path, resource, resourceInstance }: Target,
  changes: AttributeChanges,
): void {
  if (resource !== undefined && !isReadable(resource)) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `${resource.definition.title} cannot be read`);
  }
  if (resource !== undefined && resourceInstance !== undefined) {
    const instances = resource.handler.read?.();
    if (!(instances instanceof Map) || !instances.has(resourceInstance)) throw notFound(path);
  }
  const type = resource?.definition.type;
  for (const name of ['gt', 'lt', 'st'] as const) {
    if (changes[name] !== undefined && (type === undefined || !isNumeric(type))) {
      throw new OperationError(Code.BAD_REQUEST, `${name} is for numeric resources, which ${path} is not`);
    }
  }
  if (changes.edge !== undefined && type !== 'boolean') {
    throw new OperationError(Code.BAD_REQUEST, `edge is for boolean resources, which ${path} is not`);
  }
}
