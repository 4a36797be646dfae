import type { Clock } from '../../../protocol/clock.ts';
import { PcscTransport } from './pcsc-transport.ts';
import { loadPcsclite } from './pcsclite.ts';
import { ReaderMonitor } from './reader-monitor.ts';

/**
 * The card in a PC/SC reader; not connected yet.
 * @param reader as `PcscTransportOptions.reader`
 * @throws CardTransportError pcsclite is not there, or not built: says what to do
 */
export function openPcscCard(
  reader: string | undefined,
  clock: Clock,
  options: { readonly reset?: boolean } = {},
): PcscTransport {
  return new PcscTransport({ reader, monitor: new ReaderMonitor(loadPcsclite(), clock), ...options });
}
