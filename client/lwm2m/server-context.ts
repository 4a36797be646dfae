import type { AttributeStore } from './attributes.ts';
import type { LwM2mVersion } from './formats.ts';
import type { ObjectInstance } from './object-tree.ts';
import type { Observations } from './observations.ts';
import type { PackSender } from './pack-sender.ts';
import type { ServerAccount } from './server-account.ts';
import type { Target } from './target.ts';

/** What a server may be allowed to do with an object instance, the bits of object 2 (OMA-TS-LightweightM2M_Core §8.2). */
export type AccessRight = 'read' | 'write' | 'execute' | 'delete' | 'create';

/** One server of the client: everything that is kept for each of them on its own. */
export interface ServerContext {
  /** 1 to 65534. */
  readonly shortServerId: number;
  readonly account: ServerAccount;
  /** Notification attributes that this server wrote (§5.1.2: they are each server's own). */
  readonly attributes: AttributeStore;
  /** What this server observes. */
  readonly observations: Observations;
  /** Where the readings that it observes go out in packs; undefined: they go as ordinary notifications. */
  readonly packs: PackSender | undefined;
  /** The version that is spoken with it now. */
  readonly version: LwM2mVersion;
  /** @throws OperationError 4.01 the access control objects do not let this server do it */
  authorize(right: AccessRight, target: Target): void;
  /** It made this instance, which is about to be in the tree: the instance is its own from now on (§8.1.2). */
  created(instance: ObjectInstance): void;
}
