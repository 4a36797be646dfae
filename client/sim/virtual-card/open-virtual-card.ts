import { type Clock, systemClock } from '../../../protocol/clock.ts';
import { AtomicFile } from '../../atomic-file.ts';
import { lockedCardMemory } from './card-memory.ts';
import { cardSerialOf } from './card-profiles.ts';
import { followFaultFile } from './fault-file.ts';
import { VirtualCard, type VirtualCardOptions } from './virtual-card.ts';

export interface OpenVirtualCardOptions extends Omit<VirtualCardOptions, 'serial' | 'memory' | 'whileOpen'> {
  /** Of a new card; default: made of the name of its file. */
  readonly serial?: number;
  /** For people: a fault file that cannot be understood. */
  readonly onLog?: (message: string) => void;
}

/**
 * The virtual card that is kept in that file, or a new one. Until it is closed no other process can open it,
 * and its faults follow the file beside it (`fault-file.ts`). Without a file it lasts as long as the object.
 * @throws StateFileError the file is no card, or is in use by another process
 */
export function openVirtualCard(file: string | undefined, options: OpenVirtualCardOptions = {}): VirtualCard {
  const { onLog, serial, ...rest } = options;
  if (file === undefined) return new VirtualCard({ ...rest, serial: serial ?? 0 });
  const clock: Clock = options.clock ?? systemClock;
  return new VirtualCard({
    ...rest,
    serial: serial ?? cardSerialOf(file),
    memory: lockedCardMemory(new AtomicFile(file)),
    whileOpen: (faults) => followFaultFile(file, faults, clock, onLog ?? (() => {})),
  });
}
