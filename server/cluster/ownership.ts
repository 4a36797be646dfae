import type { Logger } from 'pino';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Registration, RegistrationStore } from '../ports/registration-store.ts';
import type { ClusterMembers } from './members.ts';
import type { Rpc } from './rpc.ts';

/** How long a node that had a device is waited for until it has let go, ms. */
const RELEASE_TIME = 2_000;

const SERVICE = 'ownership';

export type DeviceName = Pick<Registration, 'id' | 'endpoint'>;

/** Why a node lets go of a device. */
export type ReleaseReason =
  /** It was heard by another node, at this address. */
  | { readonly kind: 'moved'; readonly address: PeerAddress; readonly to: string }
  /** It has registered anew at another node. */
  | { readonly kind: 'anew' }
  /** Its registration has ended by way of another node. */
  | { readonly kind: 'ended' };

export interface OwnershipOptions {
  readonly node: string;
  readonly members: Pick<ClusterMembers, 'isThere' | 'sharesAddress'>;
  readonly rpc: Pick<Rpc, 'call' | 'serve'>;
  readonly registrations: Pick<RegistrationStore, 'byId' | 'byEndpoint' | 'claim'>;
  readonly log: Logger;
  /** Lets go of what this process knows of a device, and ends or moves what is under way; resolves when that is done. */
  readonly onReleased: (device: DeviceName, reason: ReleaseReason) => Promise<void>;
  /** The device is this node's from now on: what waits for it may go out. */
  readonly onOwned: (registration: Registration) => void;
  /** And the node that had it has let go: what that one has made of it is taken up here. */
  readonly onHandedOver: (registration: Registration) => void;
}

/**
 * Devices change hands: the store says who has one, by a fencing number, and this is how the two nodes come to agree with
 * it. Whatever gets lost between them is made good: a node looks the owner up before it acts on a device, and a command
 * goes out by the fencing number alone.
 */
export class Ownership {
  readonly #options: OwnershipOptions;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    options.rpc.serve(SERVICE, {
      release: ([id, endpoint, reason]) =>
        this.#release({ id: id as string, endpoint: endpoint as string }, reason as ReleaseReason),
    });
  }

  /** Resolves when the node that had the device has let go of it, is gone, or does not answer. */
  async release(from: string, { id, endpoint }: DeviceName, reason: ReleaseReason): Promise<void> {
    const { node, rpc, log } = this.#options;
    if (from === node) return;
    try {
      await rpc.call(from, SERVICE, 'release', [id, endpoint, reason], { timeout: RELEASE_TIME });
    } catch (error) {
      // It is gone; or it will see for itself, before it does anything with the device.
      const expected = error instanceof NodeUnreachableError || error instanceof StoreUnavailableError;
      const level = expected ? 'debug' : 'error';
      log[level]({ endpoint, from, error }, 'the node that had a device was not told that it has it no more');
    }
  }

  /** A notification made this node the owner. */
  async movedHere(
    { id, endpoint, address }: DeviceName & { address: PeerAddress },
    from: string,
  ): Promise<void> {
    const registration = await this.#options.registrations.byId(id);
    if (registration?.node !== this.#options.node) return;
    this.#options.onOwned(registration);
    await this.release(from, { id, endpoint }, { kind: 'moved', address, to: this.#options.node });
    this.#options.onHandedOver(registration);
  }

  /**
   * These were heard by this node, at the addresses where they are, and belong to others. By when that was, ms since the
   * epoch.
   */
  async claimHeard(heard: ReadonlyMap<string, number>): Promise<void> {
    await Promise.all([...heard].map(([endpoint, at]) => this.#claimHeard(endpoint, at)));
  }

  async #claimHeard(endpoint: string, at: number): Promise<void> {
    const { registrations, node } = this.#options;
    const before = await registrations.byEndpoint(endpoint);
    // It has spoken to the other one since.
    if (before === undefined || before.node === node || before.updatedAt > at) return;
    const claimed = await registrations.claim(before.id, node);
    if (claimed === undefined) return;
    const { registration, previousNode } = claimed;
    this.#options.onOwned(registration);
    const { address } = registration;
    await this.release(previousNode, registration, { kind: 'moved', address, to: node });
    this.#options.onHandedOver(registration);
  }

  /**
   * Takes a device over from a node that is gone, where devices cannot tell that one from this one; undefined where
   * they can, or it is not gone, or somebody else was faster.
   */
  async claimFromGone(registration: Registration): Promise<Registration | undefined> {
    const { members, registrations, node } = this.#options;
    if (members.isThere(registration.node)) return undefined;
    if (!members.sharesAddress(registration.node)) return undefined;
    const claimed = await registrations.claim(registration.id, node, registration.node);
    if (claimed === undefined) return undefined;
    this.#options.onOwned(claimed.registration);
    this.#options.onHandedOver(claimed.registration);
    return claimed.registration;
  }

  async #release(device: DeviceName, reason: ReleaseReason): Promise<void> {
    const now = await this.#options.registrations.byEndpoint(device.endpoint);
    // It has come back since: what was told is overtaken.
    if (now?.id === device.id && now.node === this.#options.node) return;
    await this.#options.onReleased(device, reason);
  }
}
