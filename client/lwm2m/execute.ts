import { Code } from '../../protocol/coap/message.ts';
import { contentFormat } from '../../protocol/coap/options.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { decodeExecuteArguments } from './execute-arguments.ts';
import type { Answer, OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { isExecutable, type Target } from './target.ts';

/**
 * Execute, OMA-TS-LightweightM2M_Core §6.3.5: of a single resource, never of what is above or below.
 * @throws OperationError 4.01, 4.05, 4.15 and what the handler says; DecodeError
 */
export async function execute({ server, request }: OperationContext, target: Target): Promise<Answer> {
  const { resource } = target;
  if (resource === undefined || target.resourceInstance !== undefined || !isExecutable(resource)) {
    const name = resource === undefined ? target.path : resource.definition.title;
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `${name} cannot be executed`);
  }
  server.authorize('execute', target);
  const format = contentFormat(request.options);
  if (format !== undefined && format !== ContentFormat.TEXT) {
    throw new OperationError(Code.UNSUPPORTED_CONTENT_FORMAT, 'arguments are plain text');
  }
  const afterwards: (() => void)[] = [];
  await resource.handler.execute?.(decodeExecuteArguments(request.payload), {
    afterAnswer: (work) => afterwards.push(work),
  });
  return { code: Code.CHANGED, afterwards };
}
