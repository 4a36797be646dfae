import { Code } from '../../protocol/coap/message.ts';
import { accept, contentFormat } from '../../protocol/coap/options.ts';
import { decodePaths, pathListFormats } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { canonicalPath, isAtOrBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import type { OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { bootstrapObjects } from './target.ts';

// What the composite operations share: OMA-TS-LightweightM2M_Core §6.3.8, OMA-TS-LightweightM2M_Transport §6.4.4.

/** The most paths of one request: each may name an object. */
const mostPaths = 256;

/** The format of the payload, which must be one of these. @throws OperationError 4.15 */
export function compositeFormat({ request }: OperationContext, formats: readonly number[]): number {
  const format = contentFormat(request.options);
  if (format !== undefined && formats.includes(format)) return format;
  throw new OperationError(
    Code.UNSUPPORTED_CONTENT_FORMAT,
    `content format ${format ?? 'none'} of a composite operation is not supported`,
  );
}

/** The format to answer in: what is asked for, or that of the request. @throws OperationError 4.06 */
export function compositeAnswerFormat({ request }: OperationContext): number {
  const { SENML_JSON, SENML_CBOR, SENML_ETCH_JSON, SENML_ETCH_CBOR, LWM2M_CBOR } = ContentFormat;
  const given = accept(request.options) ?? contentFormat(request.options);
  // SenML-ETCH is for requests; the answer is plain SenML (RFC 8790 §3).
  const wanted = given === SENML_ETCH_JSON ? SENML_JSON : given === SENML_ETCH_CBOR ? SENML_CBOR : given;
  if (wanted === SENML_JSON || wanted === SENML_CBOR || wanted === LWM2M_CBOR) return wanted;
  throw new OperationError(
    Code.NOT_ACCEPTABLE,
    `content format ${wanted} carries no answer of a composite operation`,
  );
}

/**
 * The paths that a composite Read or Observe names, in their order; one that lies below another is in it already,
 * and is named once (ETS 229 asks for both).
 * @throws OperationError 4.00, 4.01 Security and OSCORE, 4.15; DecodeError
 */
export function compositePaths(context: OperationContext): string[] {
  const format = compositeFormat(context, pathListFormats);
  const given = decodePaths(format, context.request.payload, context.rootPath).map(canonicalPath);
  if (given.length === 0) throw new OperationError(Code.BAD_REQUEST, 'no paths');
  if (given.length > mostPaths) throw new OperationError(Code.BAD_REQUEST, `more than ${mostPaths} paths`);
  const paths = [...new Set(given)];
  for (const path of paths) checkNotBootstrap(path);
  return paths.filter((path) => !paths.some((other) => other !== path && isAtOrBelow(path, other)));
}

/** @throws OperationError 4.01 only a bootstrap server may access these objects (§6.3) */
export function checkNotBootstrap(path: string): void {
  if (bootstrapObjects.has(pathIds(path)?.[0] ?? -1)) {
    throw new OperationError(Code.UNAUTHORIZED, 'only a bootstrap server may access this object');
  }
}
