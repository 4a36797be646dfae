import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Displacement, Registration, RegistrationStore } from '../ports/registration-store.ts';
import { warnRepeated } from '../repeated-log.ts';

/** A device that was heard at another address than before. */
export interface AddressMove {
  readonly id: string;
  readonly endpoint: string;
  readonly to: PeerAddress;
  readonly onNotStored: () => void;
}

export interface AddressMovesOptions {
  readonly registrations: Pick<RegistrationStore, 'move'>;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** That move made this node the owner: another one had the device. */
  readonly onTakenOver?:
    | ((device: Pick<Registration, 'id' | 'endpoint' | 'address'>, formerNode: string) => void)
    | undefined;
  /** Another device had that address. */
  readonly onDisplaced: (displaced: NonNullable<Displacement['displaced']>, to: PeerAddress) => void;
}

/**
 * Has new addresses stored, one at a time for each registration: whoever is heard at ever new ones has only the newest
 * stored of those that came meanwhile.
 */
export class AddressMoves {
  readonly #options: AddressMovesOptions;
  /** By registration, of those of which an address is being stored: the newest one that has come meanwhile. */
  readonly #next = new Map<string, AddressMove | undefined>();
  readonly #tellUnstored: (error: Error) => void;

  constructor(options: AddressMovesOptions) {
    this.#options = options;
    const { log, clock } = options;
    const message = 'new addresses are not stored; each will be with the next notification';
    this.#tellUnstored = warnRepeated(log, clock, message);
  }

  store(move: AddressMove): void {
    if (this.#next.has(move.id)) this.#next.set(move.id, move);
    else void this.#storeAll(move);
  }

  /** That one, and then the newest of those that came meanwhile, until none has. */
  async #storeAll(first: AddressMove): Promise<void> {
    const { id } = first;
    for (let move: AddressMove | undefined = first; move !== undefined; move = this.#next.get(id)) {
      this.#next.set(id, undefined);
      await this.#store(move);
    }
    this.#next.delete(id);
  }

  async #store({ id, endpoint, to, onNotStored }: AddressMove): Promise<void> {
    const { registrations, node, log, onTakenOver, onDisplaced } = this.#options;
    try {
      const moved = await registrations.move(id, to, node);
      if (moved !== undefined && moved.previousNode !== node) {
        onTakenOver?.({ id, endpoint, address: to }, moved.previousNode);
      }
      if (moved?.displaced !== undefined) onDisplaced(moved.displaced, to);
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#tellUnstored(error);
      else
        log.error(
          { error, endpoint },
          'storing a new address met a bug; it will be with the next notification',
        );
      onNotStored();
    }
  }
}
