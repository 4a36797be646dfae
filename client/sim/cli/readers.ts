import type { Clock } from '../../../protocol/clock.ts';
import { CardTransportError } from '../card-transport.ts';
import { toHex } from '../hex.ts';
import type { Pcsclite } from '../pcsc/pcsclite.ts';
import { ReaderMonitor, type ReaderState } from '../pcsc/reader-monitor.ts';
import type { Tell } from './open.ts';

/** The daemon tells of readers one by one, and does not say when that was all: ms. */
const patience = 1_000;

/**
 * The readers and what is in them.
 * @throws CardTransportError the daemon does not run
 */
export async function listReaders(open: Pcsclite, clock: Clock): Promise<readonly ReaderState[]> {
  const monitor = new ReaderMonitor(open, clock);
  try {
    monitor.start();
    const isSettled = (): true | undefined => (monitor.problem === undefined ? undefined : true);
    await monitor.until(isSettled, patience);
    if (monitor.problem !== undefined) throw new CardTransportError(monitor.problem);
    return monitor.readers;
  } finally {
    monitor.close();
  }
}

export function tellReaders(readers: readonly ReaderState[], json: boolean, tell: Tell): void {
  if (json) {
    const document = readers.map(({ name, card, exclusive, atr }) => ({
      name,
      card,
      exclusive,
      atr: atr === undefined ? null : toHex(atr),
    }));
    tell(JSON.stringify(document, undefined, 2));
    return;
  }
  if (readers.length === 0) {
    tell('No reader is plugged in, or pcscd has no driver for it (on Debian the package libccid).');
  }
  for (const { name, card, exclusive, atr } of readers) {
    const what = {
      present: `card, ATR ${atr === undefined ? 'unknown' : toHex(atr)}`,
      absent: 'no card',
      mute: 'a card that does not answer: is it the right way round?',
      unknown: 'not known yet',
    }[card];
    tell(`${name}: ${what}${exclusive ? '; another program has it for itself' : ''}`);
  }
}
