import { systemClock } from '../../../protocol/clock.ts';
import { BoundedTransport } from '../bounded-transport.ts';
import type { CardAddress } from '../card-address.ts';
import { CardSession } from '../card-session.ts';
import type { CardTransport } from '../card-transport.ts';
import { openPcscCard } from '../pcsc/open-reader.ts';
import { TracedTransport } from '../traced-transport.ts';
import { openVirtualCard } from '../virtual-card/open-virtual-card.ts';

/** How a command tells something: a line of its output. */
export type Tell = (line: string) => void;

/** A card that is connected. */
export interface OpenCard {
  readonly atr: Uint8Array;
  readonly session: CardSession;
  readonly transport: CardTransport;
}

/**
 * Connects to a card, does the work and lets go of it, as it was: a modem may be using it too.
 * @throws CardTransportError, StateFileError, and what the work throws
 */
export async function withCard<T>(
  address: CardAddress,
  trace: Tell | undefined,
  work: (card: OpenCard) => Promise<T>,
): Promise<T> {
  const bare =
    address.kind === 'pcsc'
      ? openPcscCard(address.reader, systemClock, { reset: false })
      : openVirtualCard(address.file);
  const bounded = new BoundedTransport(bare, systemClock);
  const transport = trace === undefined ? bounded : new TracedTransport(bounded, trace);
  try {
    const atr = await transport.connect();
    return await work({ atr, transport, session: new CardSession(transport) });
  } finally {
    await transport.close();
  }
}
