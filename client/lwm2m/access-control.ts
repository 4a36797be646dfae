import { accessControlObject } from '../../objects/access-control.ts';
import { Code } from '../../protocol/coap/message.ts';
import type { GivenAccess } from './accounts.ts';
import type { ClientSettings } from './client-settings.ts';
import { instance, type ObjectInstance, type ObjectTree } from './object-tree.ts';
import { OperationError } from './operation-error.ts';
import type { AccessRight } from './server-context.ts';
import type { Target } from './target.ts';

/** Bits of an ACL, in the order of the specification (OMA-TS-LightweightM2M_Core §E.3). */
export const rightBits: Readonly<Record<AccessRight, number>> = {
  read: 1,
  write: 2,
  execute: 4,
  delete: 8,
  create: 16,
};

const securityObjectId = 0;
const serverObjectId = 1;
const accessControlObjectId = 2;
const oscoreObjectId = 21;
/** Objects whose instances have no access control of their own. */
const uncontrolled: ReadonlySet<number> = new Set([securityObjectId, accessControlObjectId, oscoreObjectId]);
/** Access Control Owner: only a bootstrap server may change it. */
const bootstrapOnly = 65_535;
/** Object Instance ID that stands for the object itself: the right to create. */
const theObject = 65_535;
/** Resource instance of an ACL that holds for servers without one of their own. */
const defaultEntry = 0;
/** Of an owner without an entry of its own: all but Create, which is no right on an instance. */
const ownerRights = rightBits.read | rightBits.write | rightBits.execute | rightBits.delete;

/** Entries of one ACL: bounds what a server can make us keep. */
const mostEntries = 64;

interface Entry {
  readonly objectId: number;
  readonly instanceId: number;
  acl: ReadonlyMap<number, number>;
  owner: number;
  readonly shown: ObjectInstance;
}

/** An entry as it is kept. */
interface KeptEntry {
  readonly owner: number;
  readonly acl: readonly (readonly [number, number])[];
}

const section = 'access control';

export interface AccessControlOptions {
  readonly tree: ObjectTree;
  /** Short server id of who owns what the client was made with. */
  readonly owner: number;
  /** Rights of the other servers on it, as bits; 0: they create nothing either. */
  readonly defaultRights: number;
  /** Keeps what owners wrote, and who made what. */
  readonly settings?: ClientSettings;
  /** Short server id of the server that an instance of the Server object is of. */
  readonly serverOf: (instanceId: number) => number | undefined;
}

/**
 * The Access Control object (id 2) of a client with several servers, and what follows from it (§8): one
 * instance for each object instance, one more for each object of which instances can be created.
 */
export class AccessControl {
  readonly #options: AccessControlOptions;
  /** By `objectId/instanceId`. */
  readonly #entries = new Map<string, Entry>();
  readonly #creators = new Map<string, number>();
  #kept: ReadonlyMap<string, KeptEntry>;
  #syncing = false;
  #closed = false;

  constructor(options: AccessControlOptions) {
    this.#options = options;
    const { settings } = options;
    this.#kept = settings?.read(section, parseEntries) ?? new Map();
    settings?.onClear(() => {
      if (this.#closed) return;
      this.#kept = new Map();
      this.#removeAll();
      this.sync();
    });
  }

  /** Object 2 is empty from then on: other rights take the place of these. */
  close(): void {
    this.#closed = true;
    this.#removeAll();
    this.#syncing = true;
  }

  #removeAll(): void {
    // All at once, not after each that goes.
    this.#syncing = true;
    for (const { shown } of this.#entries.values())
      this.#options.tree.remove(accessControlObjectId, shown.id);
    this.#entries.clear();
    this.#syncing = false;
  }

  /** Brings object 2 in line with the tree. Called when instances have come or gone. */
  sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    const { tree } = this.#options;
    const wanted = new Set<string>();
    for (const { definition, instances, lifecycle } of tree.objects()) {
      if (uncontrolled.has(definition.id)) continue;
      if (lifecycle.create !== undefined) this.#want(wanted, definition.id, theObject);
      for (const id of instances.keys()) this.#want(wanted, definition.id, id);
    }
    for (const [key, entry] of this.#entries) {
      if (wanted.has(key)) continue;
      this.#entries.delete(key);
      tree.remove(accessControlObjectId, entry.shown.id);
      if (this.#kept.has(key)) this.#save(new Map([...this.#kept].filter(([other]) => other !== key)));
    }
    this.#syncing = false;
  }

  /** That server made the instance, and owns it (§8.1.2). Called before it is in the tree. */
  created(shortServerId: number, made: ObjectInstance): void {
    this.#creators.set(`${made.definition.id}/${made.id}`, shortServerId);
  }

  /** @throws OperationError 4.01 */
  authorize(shortServerId: number, right: AccessRight, target: Target): void {
    if (this.allows(shortServerId, right, target)) return;
    throw new OperationError(Code.UNAUTHORIZED, `no right to ${right} ${target.path}`);
  }

  /** Whether that server may. */
  allows(shortServerId: number, right: AccessRight, { object, instance: at }: Target): boolean {
    const { id } = object.definition;
    if (id === accessControlObjectId) return this.#mayControl(shortServerId, right, at);
    if (right === 'create') return this.#has(shortServerId, right, id, theObject);
    if (at !== undefined) return this.#has(shortServerId, right, id, at.id);
    // §8.2.3: an object is read as far as its instances may be; one without instances is empty for everybody.
    const instances = [...object.instances.keys()];
    return instances.length === 0 || instances.some((each) => this.#has(shortServerId, right, id, each));
  }

  /** Everybody may see who owns what; only the owner of an instance may change it, and nobody makes or deletes one. */
  #mayControl(shortServerId: number, right: AccessRight, shown: ObjectInstance | undefined): boolean {
    if (right === 'read') return true;
    if (right !== 'write' || shown === undefined) return false;
    for (const entry of this.#entries.values()) {
      if (entry.shown === shown) return entry.owner === shortServerId;
    }
    return false;
  }

  /** §8.2.1: an owner without an entry has all; then the own entry counts, then the default one, then nothing. */
  #has(shortServerId: number, right: AccessRight, objectId: number, instanceId: number): boolean {
    const entry = this.#entries.get(`${objectId}/${instanceId}`);
    if (entry === undefined) return false;
    const own = entry.acl.get(shortServerId);
    const inherited = entry.owner === shortServerId ? ownerRights : (entry.acl.get(defaultEntry) ?? 0);
    return ((own ?? inherited) & rightBits[right]) !== 0;
  }

  #want(wanted: Set<string>, objectId: number, instanceId: number): void {
    const key = `${objectId}/${instanceId}`;
    wanted.add(key);
    if (this.#entries.has(key)) return;
    const { tree, defaultRights, serverOf } = this.#options;
    const creator = this.#creators.get(key);
    this.#creators.delete(key);
    const acl = new Map<number, number>();
    let { owner } = this.#options;
    if (instanceId === theObject) {
      // Where the others have no rights at all, they do not fill the room that there is for instances either.
      acl.set(defaultRights === 0 ? owner : defaultEntry, rightBits.create);
      owner = bootstrapOnly;
    } else if (objectId === serverObjectId) {
      // A server's account is that server's business alone.
      owner = serverOf(instanceId) ?? owner;
    } else if (creator !== undefined) owner = creator;
    else if (defaultRights !== 0) acl.set(defaultEntry, defaultRights);
    const kept = this.#kept.get(key);
    if (kept !== undefined && creator === undefined) {
      owner = kept.owner;
      acl.clear();
      for (const [server, rights] of kept.acl) acl.set(server, rights);
    }
    const taken = tree.object(accessControlObjectId)?.instances;
    let id = 0;
    while (taken?.has(id) === true) id++;
    const entry: Entry = { objectId, instanceId, acl, owner, shown: this.#show(id, () => entry) };
    this.#entries.set(key, entry);
    if (creator !== undefined) this.#keep(entry);
    tree.add(entry.shown as ObjectInstance<never>);
  }

  #keep({ objectId, instanceId, owner, acl }: Entry): void {
    const key = `${objectId}/${instanceId}`;
    this.#save(new Map(this.#kept).set(key, { owner, acl: [...acl] }));
  }

  /** In the settings before it holds. */
  #save(entries: ReadonlyMap<string, KeptEntry>): void {
    this.#options.settings?.write(section, Object.fromEntries(entries));
    this.#kept = entries;
  }

  #show(id: number, entry: () => Entry): ObjectInstance {
    const set = (change: Partial<Pick<Entry, 'acl' | 'owner'>>): void => {
      this.#keep({ ...entry(), ...change });
      Object.assign(entry(), change);
    };
    return instance(accessControlObject, id, {
      objectId: { read: () => entry().objectId },
      objectInstanceId: { read: () => entry().instanceId },
      acl: {
        read: () => new Map(entry().acl),
        write(value) {
          const rights = value instanceof Map ? [...value] : [];
          if (rights.length > mostEntries) {
            throw new OperationError(Code.BAD_REQUEST, `an ACL has at most ${mostEntries} entries`);
          }
          set({ acl: new Map(rights.map(([server, bits]) => [server, Number(bits)])) });
        },
      },
      accessControlOwner: {
        read: () => entry().owner,
        write: (value) => set({ owner: Number(value) }),
      },
    }) as ObjectInstance;
  }
}

/** Rights that a bootstrap server gave take the place of all that are kept. */
export function keepGivenAccess(settings: ClientSettings, given: readonly GivenAccess[]): void {
  const entries = given.map(({ objectId, instanceId, owner, acl }) => [
    `${objectId}/${instanceId}`,
    { owner, acl: acl.map((pair) => [...pair]) },
  ]);
  settings.write(section, Object.fromEntries(entries));
}

/** What was kept of all entries, by `objectId/instanceId`; undefined: it is no such thing. */
function parseEntries(value: unknown): Map<string, KeptEntry> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = new Map<string, KeptEntry>();
  for (const [key, entry] of Object.entries(value)) {
    if (!isKeptEntry(entry)) return undefined;
    entries.set(key, entry);
  }
  return entries;
}

function isKeptEntry(value: unknown): value is KeptEntry {
  if (typeof value !== 'object' || value === null || !('owner' in value) || !('acl' in value)) return false;
  const { owner, acl } = value;
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === 'number');
  return typeof owner === 'number' && Array.isArray(acl) && acl.every(isPair);
}
