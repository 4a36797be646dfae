import { existsSync } from 'node:fs';
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
 * `notice` is told where the file of a virtual card was not there, as of a name that was mistyped.
 * @throws CardTransportError, StateFileError, and what the work throws
 */
export async function withCard<T>(
  address: CardAddress,
  trace: Tell | undefined,
  work: (card: OpenCard) => Promise<T>,
  notice: Tell = () => {},
): Promise<T> {
  const file = address.kind === 'virtual' ? address.file : undefined;
  const isNew = file !== undefined && !existsSync(file);
  const bare =
    address.kind === 'pcsc'
      ? openPcscCard(address.reader, systemClock, { reset: false })
      : openVirtualCard(address.file);
  if (isNew) notice(`There was no card in ${file}: a new one is made.`);
  const bounded = new BoundedTransport(bare, systemClock);
  const transport = trace === undefined ? bounded : new TracedTransport(bounded, trace);
  try {
    const atr = await transport.connect();
    return await work({ atr, transport, session: new CardSession(transport) });
  } finally {
    await transport.close();
  }
}
