import { type Clock, systemClock } from '../../../protocol/clock.ts';
import { AtomicFile } from '../../atomic-file.ts';
import type { AppletGateway } from './applet-memory.ts';
import { installApplications } from './applications.ts';
import { lockedCardMemory } from './card-memory.ts';
import { cardSerialOf } from './card-profiles.ts';
import { FaultFileFollower } from './fault-file.ts';
import { VirtualCard, type VirtualCardOptions } from './virtual-card.ts';

export interface OpenVirtualCardOptions extends Omit<VirtualCardOptions, 'serial' | 'memory' | 'whileOpen'> {
  /** Of a new card; default: made of the name of its file. */
  readonly serial?: number;
  /** Where the channel of its applet leads; default: where the card remembers. */
  readonly gateway?: AppletGateway;
  /** For people: a fault file that cannot be understood. */
  readonly onLog?: (message: string) => void;
}

/**
 * The virtual card that is kept in that file, or a new one, with the applications that one of its kind has. Until it is
 * closed no other process can open it, and its faults follow the file beside it (`fault-file.ts`). Without a file it
 * lasts as long as the object.
 * @throws StateFileError the file is no card, or is in use by another process
 */
export function openVirtualCard(file: string | undefined, options: OpenVirtualCardOptions = {}): VirtualCard {
  const { onLog, serial, gateway, ...rest } = options;
  const clock: Clock = options.clock ?? systemClock;
  const card =
    file === undefined
      ? new VirtualCard({ ...rest, serial: serial ?? 0 })
      : new VirtualCard({
          ...rest,
          serial: serial ?? cardSerialOf(file),
          memory: lockedCardMemory(new AtomicFile(file)),
          whileOpen: faultsOf(file, clock, onLog ?? (() => {})),
        });
  try {
    if (options.applications === undefined) installApplications(card, gateway);
  } catch (error) {
    // What it holds is given back before this is told.
    void card.close();
    throw error;
  }
  return card;
}

function faultsOf(
  file: string,
  clock: Clock,
  onLog: (message: string) => void,
): NonNullable<VirtualCardOptions['whileOpen']> {
  const follower = new FaultFileFollower(file, clock, onLog);
  return (faults) => follower.follow(faults);
}
