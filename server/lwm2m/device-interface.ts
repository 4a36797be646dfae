import type { RequestHandler } from '../../protocol/coap/exchange.ts';
import { OptionNumber } from '../../protocol/coap/message.ts';
import { findOption } from '../../protocol/coap/options.ts';

/**
 * What devices ask of the server, by the first segment of the path: `/dp` is Send; everything else is the
 * registration interface's, which knows what there is not.
 */
export function deviceInterface(handlers: {
  readonly rd: RequestHandler;
  readonly dp: RequestHandler;
}): RequestHandler {
  return (request) => {
    const first = findOption(request.options, OptionNumber.URI_PATH)?.value;
    // Compared as bytes: what is no UTF-8 is refused where paths are read.
    const isSend = first?.length === 2 && first[0] === 0x64 && first[1] === 0x70;
    (isSend ? handlers.dp : handlers.rd)(request);
  };
}
