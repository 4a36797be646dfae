import type { OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { OptionNumber } from '../../protocol/coap/message.ts';
import { uintOption } from '../../protocol/coap/options.ts';

/** The path on the device: below its alternate root (OMA-TS-LightweightM2M_Core §6.2.1). */
export function devicePath(rootPath: string, path: string): string {
  return rootPath === '/' ? path : `${rootPath}${path}`;
}

/** What a device calls a path, as we call it. */
export function withoutRoot(target: string, rootPath: string): string {
  if (rootPath === '/' || !target.startsWith(rootPath)) return target;
  return target.slice(rootPath.length) || '/';
}

/** The request with an Accept option, where there is a format to ask for. */
export function withAccept(request: OutgoingRequest, accept: number | undefined): OutgoingRequest {
  if (accept === undefined) return request;
  return { ...request, options: [...(request.options ?? []), uintOption(OptionNumber.ACCEPT, accept)] };
}
