import type { OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { OptionNumber } from '../../protocol/coap/message.ts';
import { uintOption } from '../../protocol/coap/options.ts';

/** The path on the device: below its alternate root (OMA-TS-LightweightM2M_Core §6.2.1). */
export function devicePath(rootPath: string, path: string): string {
  if (rootPath === '/') return path;
  return path === '/' ? rootPath : `${rootPath}${path}`;
}

/** What a device calls a path, as we call it. */
export function withoutRoot(target: string, rootPath: string): string {
  if (rootPath === '/') return target;
  if (target === rootPath) return '/';
  return target.startsWith(`${rootPath}/`) ? target.slice(rootPath.length) : target;
}

/** The request with an Accept option, where there is a format to ask for. */
export function withAccept(request: OutgoingRequest, accept: number | undefined): OutgoingRequest {
  if (accept === undefined) return request;
  return { ...request, options: [...(request.options ?? []), uintOption(OptionNumber.ACCEPT, accept)] };
}

/** The request with a payload and the Content-Format that says what it is. */
export function withContent(request: OutgoingRequest, format: number, payload: Uint8Array): OutgoingRequest {
  return {
    ...request,
    options: [...(request.options ?? []), uintOption(OptionNumber.CONTENT_FORMAT, format)],
    payload,
  };
}
