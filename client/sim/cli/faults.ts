import { faultKinds, faultTargets } from '../virtual-card/card-faults.ts';
import { readFaultFile, writeFaultFile } from '../virtual-card/fault-file.ts';
import { formatFault, formatRandomFaults, parseFaults } from '../virtual-card/fault-text.ts';
import type { Tell } from './open.ts';

/**
 * Has these faults, and no others, befall the virtual card of a file; one that is in use follows at once.
 * @throws RequestError a text that is no fault
 */
export function setFaults(cardFile: string, texts: readonly string[]): void {
  if (texts.length === 1 && texts[0] === 'none') {
    writeFaultFile(cardFile, { faults: [], random: undefined });
    return;
  }
  writeFaultFile(cardFile, parseFaults(texts));
}

/** What befalls the card, and what could. @throws StateFileError */
export function tellFaults(cardFile: string, tell: Tell): void {
  const { faults, random } = readFaultFile(cardFile);
  for (const fault of faults) tell(`${formatFault(fault)}  (${faultKinds[fault.kind]})`);
  if (random !== undefined) tell(formatRandomFaults(random));
  if (faults.length > 0 || random !== undefined) return;
  tell(`Nothing goes wrong with the card of ${cardFile}. It can be made to:`);
  for (const [kind, meaning] of Object.entries(faultKinds)) tell(`  ${kind.padEnd(14)}${meaning}`);
  tell(
    `on=${faultTargets.join('|')}, times=N, when=before|after and delay=MS say more, as in mute:on=switch,times=1.`,
  );
}
