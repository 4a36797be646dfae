import { Code } from '../../protocol/coap/message.ts';
import { uriQuery } from '../../protocol/coap/options.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import { compositeAnswerFormat, compositePaths } from './composite.ts';
import { carriesTime, encodeRecords } from './formats.ts';
import { compositeAttributes } from './observation-conditions.ts';
import { observeValues, requestedAttributes } from './observe.ts';
import type { Answer, OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { readPaths } from './read.ts';

/**
 * Observe-Composite, OMA-TS-LightweightM2M_Core §6.4.4: every notification tells all the paths; those that are not
 * there yet may come (ETS 308). What a value must do to be told is written to its node.
 * @throws OperationError 4.00, 4.01, 4.06, 4.15; DecodeError
 */
export function observeComposite(context: OperationContext): Answer {
  const { tree, server, lookup, rootPath, request } = context;
  const paths = compositePaths(context);
  const format = compositeAnswerFormat(context);
  const attributes = requestedAttributes(uriQuery(request.options));
  checkAssignable(attributes ?? {});
  return observeValues(context, {
    paths,
    composite: true,
    ...(attributes === undefined ? {} : { attributes }),
    contentFormat: format,
    timed: carriesTime(format),
    read: () => readPaths(tree, paths, server),
    encode: (records) => encodeRecords(format, '/', records, lookup, rootPath),
  });
}

/** @throws OperationError 4.00 an attribute that no object can have */
function checkAssignable(attributes: NotificationAttributes): void {
  const allowed: ReadonlySet<string> = compositeAttributes;
  for (const name of Object.keys(attributes)) {
    if (!allowed.has(name)) {
      throw new OperationError(Code.BAD_REQUEST, `${name} is of one resource: write it there`);
    }
  }
}
