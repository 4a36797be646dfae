import { RequestError } from '../protocol/errors.ts';
import { number, UsageError } from './flag-values.ts';
import { type CardAddress, cardAddressForm, parseCardAddress } from './sim/card-address.ts';
import { type GivenFaults, parseFaults } from './sim/virtual-card/fault-text.ts';

/** Flags about the card, as node:util's parseArgs has them. */
export const cardOptions = {
  card: { type: 'string', default: 'virtual' },
  'trace-apdu': { type: 'boolean', default: false },
  'card-fault': { type: 'string', multiple: true, default: [] as string[] },
  'card-timeout': { type: 'string', default: '10' },
  'no-network': { type: 'string', multiple: true, default: [] as string[] },
  'network-timeout': { type: 'string', default: '60' },
} as const;

/** Flags that say how a virtual card is, and that a real one has no use for. */
const virtualOnly = ['carrier', 'switch-latency', 'card-fault'] as const;

/**
 * What goes wrong with a virtual card from its start, as `npm run sim -- faults` has it. @throws UsageError
 */
export function parseCardFaults(texts: readonly string[]): GivenFaults {
  try {
    return parseFaults(texts);
  } catch (error) {
    if (error instanceof RequestError) throw new UsageError(`--card-fault: ${error.message}`);
    throw error;
  }
}

/** How long cards and networks are waited for. */
export interface CardPatience {
  /** ms for one APDU; a card that is away has three times as long to come back during a switch. */
  readonly cardTimeout: number;
  /** Names of carriers that have no network where the modem is. */
  readonly noNetwork: readonly string[];
  /** ms in which a new carrier has to have a network, or the card goes back to the old one. */
  readonly networkTimeout: number;
}

/** @throws UsageError */
export function parseCardPatience(values: {
  readonly 'card-timeout': string;
  readonly 'no-network': readonly string[];
  readonly 'network-timeout': string;
}): CardPatience {
  return {
    cardTimeout: number('--card-timeout', values['card-timeout'], 1, 120) * 1_000,
    noNetwork: values['no-network'],
    networkTimeout: number('--network-timeout', values['network-timeout'], 1, 3_600) * 1_000,
  };
}

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
