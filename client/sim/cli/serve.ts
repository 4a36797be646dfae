import { systemClock } from '../../../protocol/clock.ts';
import type { AppletSettings } from '../../applet-flags.ts';
import { StateFileError } from '../../atomic-file.ts';
import { TracedTransport } from '../traced-transport.ts';
import { formatFault } from '../virtual-card/fault-text.ts';
import { openVirtualCard } from '../virtual-card/open-virtual-card.ts';
import { VpcdCard } from '../vpcd/vpcd-card.ts';
import type { Tell } from './open.ts';

/** How often we look whether the card's faults were changed, ms. It also keeps the process alive. */
const interval = 100;

/**
 * Serves a virtual card to vpcd until the signal comes.
 * @throws StateFileError the file is damaged, or another process has the card
 */
export async function serveVirtualCard(
  options: {
    readonly file: string;
    readonly host: string;
    readonly port: number;
    readonly traceApdu: boolean;
    readonly applet: Pick<AppletSettings, 'cardKind' | 'gateway'>;
  },
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  const { file, host, port, applet } = options;
  const card = openVirtualCard(file, {
    onLog: tell,
    ...(applet.cardKind === 'auto' ? {} : { kind: applet.cardKind }),
    ...(applet.gateway === undefined ? {} : { gateway: applet.gateway }),
  });
  if (applet.cardKind !== 'auto' && card.kind !== applet.cardKind) {
    await card.close();
    throw new StateFileError(`the card in ${file} is of the kind ${card.kind}, not ${applet.cardKind}`);
  }
  const ended = Promise.withResolvers<void>();
  const faults = (): string => card.faults.list().map(formatFault).join(' ') || 'nothing';
  let told = faults();
  const look = setInterval(() => {
    const now = faults();
    if (now !== told) tell(`${now} befalls the card.`);
    told = now;
  }, interval);
  const reader = new VpcdCard({
    card: options.traceApdu ? new TracedTransport(card, tell) : card,
    host,
    port,
    clock: systemClock,
    onState: (state, reason) =>
      tell(
        state === 'in'
          ? `The card of ${file} is in the reader at ${reason}.`
          : `The card is in no reader: ${reason}.`,
      ),
    onFault: ended.reject,
  });
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  try {
    reader.start();
    await ended.promise;
  } finally {
    reader.stop();
    clearInterval(look);
    await card.close();
  }
}
