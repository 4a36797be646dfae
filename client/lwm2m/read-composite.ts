import { compositeAnswerFormat, compositePaths } from './composite.ts';
import { encodeRecords } from './formats.ts';
import { type Answer, content, type OperationContext } from './operation.ts';
import { readPaths } from './read.ts';

/**
 * Read-Composite, OMA-TS-LightweightM2M_Core §6.3.8, and Cancel Observation-Composite (§6.4.5), which is one with
 * Observe 1: the endpoint has ended the observation by then. Best effort: what is not there is left out, and
 * where nothing is the answer is empty.
 * @throws OperationError 4.00, 4.01, 4.06, 4.15; DecodeError
 */
export function readComposite(context: OperationContext): Answer {
  const paths = compositePaths(context);
  const format = compositeAnswerFormat(context);
  const records = readPaths(context.tree, paths, context.server);
  return content(format, encodeRecords(format, '/', records, context.lookup, context.rootPath));
}
