import type { Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption } from '../../protocol/coap/options.ts';
import type { SealedPack } from './sealed-pack.ts';

/** What became of a pack: `returned` is to be sent again, after `wait` ms where told; `refused` never will be taken. */
export type PackOutcome =
  | { readonly kind: 'delivered' | 'refused' }
  | { readonly kind: 'returned'; readonly wait?: number };

/** Takes a pack to the server, and says once what became of it. */
export type PackTransmission = (pack: SealedPack, done: (outcome: PackOutcome) => void) => void;

/** Packs as confirmable notifications. */
export function notifications(observer: Observer): PackTransmission {
  return (pack, done) =>
    observer.notify(
      {
        code: Code.CONTENT,
        options: [contentFormatOption(pack.contentFormat)],
        payload: pack.payload,
      },
      { confirmable: true, keep: true },
      (delivered) => done({ kind: delivered ? 'delivered' : 'returned' }),
    );
}
