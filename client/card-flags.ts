import { UsageError } from './flag-values.ts';
import { type CardAddress, cardAddressForm, parseCardAddress } from './sim/card-address.ts';

/** Flags about the card, as node:util's parseArgs has them. */
export const cardOptions = {
  card: { type: 'string', default: 'virtual' },
  'trace-apdu': { type: 'boolean', default: false },
} as const;

/** Flags that say how a virtual card is, and that a real one has no use for. */
const virtualOnly = ['carrier', 'switch-latency', 'card-fault'] as const;

/** @param given names of the flags on the command line @throws UsageError */
export function parseCard(text: string, given: ReadonlySet<string>): CardAddress {
  const address = parseCardAddress(text);
  if (address === undefined) throw new UsageError(`--card is ${cardAddressForm}, not ${text}`);
  if (address.kind === 'pcsc') {
    const flag = virtualOnly.find((name) => given.has(name));
    if (flag !== undefined) throw new UsageError(`--${flag} is of a virtual card, not of one in a reader`);
  }
  return address;
}
