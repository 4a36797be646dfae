import type { Clock } from '../../../protocol/clock.ts';
import { CardTransportError } from '../card-transport.ts';
import { toHex } from '../hex.ts';
import type { Pcsclite } from '../pcsc/pcsclite.ts';
import { ReaderMonitor, type ReaderState } from '../pcsc/reader-monitor.ts';
import type { Tell } from './open.ts';

/** That there is no reader the daemon does not say: ms. */
const patience = 1_000;

/**
 * The readers and what is in them.
 * @throws CardTransportError the daemon does not run
 */
export async function listReaders(open: Pcsclite, clock: Clock): Promise<readonly ReaderState[]> {
  const monitor = new ReaderMonitor(open, clock);
  try {
    monitor.start();
    await monitor.until(() => monitor.problem ?? (isKnown(monitor.readers) ? '' : undefined), patience);
    if (monitor.problem !== undefined) throw new CardTransportError(monitor.problem);
    return monitor.readers;
  } finally {
    monitor.close();
  }
}

/** The daemon names all readers at once, and then tells what is in each. */
function isKnown(readers: readonly ReaderState[]): boolean {
  return readers.length > 0 && readers.every(({ card }) => card !== 'unknown');
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
