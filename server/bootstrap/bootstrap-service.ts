import type { ObjectRegistry } from '../../objects/registry.ts';
import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import { canonicalPath, pathIds } from '../../protocol/lwm2m/path.ts';
import { ConflictError } from '../errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type {
  BootstrapAssignment,
  BootstrapProfile,
  BootstrapSession,
  BootstrapStore,
} from '../ports/bootstrap-store.ts';
import type { DeviceStore } from '../ports/device-store.ts';
import { objectWrites } from './bootstrap-plan.ts';
import { chooseProfile, type ProfileChoice } from './profile-choice.ts';

/** Profiles that may be kept: each is looked at for each device that comes. */
const mostProfiles = 1_000;
/** Objects that a profile writes as accounts and rights, and not as values. */
const accountObjects: ReadonlySet<number> = new Set([0, 1, 2, 21]);

/** A profile as a person gives it. */
export type ProfileInput = Omit<BootstrapProfile, 'id' | 'createdAt' | 'updatedAt'>;

/** A profile and where it comes from. */
export interface ListedProfile {
  readonly profile: BootstrapProfile;
  /** The server brings it along; it can be changed and restored, but not removed. */
  readonly builtIn: boolean;
  /** A built-in one that somebody changed. */
  readonly changed: boolean;
}

export interface BootstrapServiceOptions {
  readonly store: BootstrapStore;
  readonly devices: Pick<DeviceStore, 'get'>;
  readonly builtIn: BootstrapProfile;
  readonly registry: ObjectRegistry;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly clock: Clock;
  /** How long a bootstrap may take, ms. */
  readonly longest: number;
}

/** What devices are given, which device gets what, and how their bootstraps went. @throws StoreUnavailableError */
export class BootstrapService {
  readonly #options: BootstrapServiceOptions;

  constructor(options: BootstrapServiceOptions) {
    this.#options = options;
  }

  /** By id. */
  async list(): Promise<readonly ListedProfile[]> {
    const { store, builtIn } = this.#options;
    const stored = await store.profiles();
    const listed = stored.map((profile) => this.#listed(profile));
    if (!stored.some(({ id }) => id === builtIn.id)) {
      listed.push({ profile: builtIn, builtIn: true, changed: false });
    }
    return listed.sort((a, b) => (a.profile.id < b.profile.id ? -1 : 1));
  }

  async get(id: string): Promise<ListedProfile | undefined> {
    return (await this.list()).find(({ profile }) => profile.id === id);
  }

  /** @throws RequestError it cannot be written to any device; ConflictError there are too many */
  async put(
    id: string,
    input: ProfileInput,
  ): Promise<{ readonly listed: ListedProfile; readonly created: boolean }> {
    const { store, clock, events } = this.#options;
    this.#check(input);
    const all = await this.list();
    const before = all.find(({ profile }) => profile.id === id);
    if (before === undefined && all.length >= mostProfiles) {
      throw new ConflictError(`there are ${mostProfiles} bootstrap profiles, and no more are kept`);
    }
    const now = Math.floor(clock.wallTime());
    const profile: BootstrapProfile = {
      ...input,
      id,
      remove: input.remove.map(removalPath),
      objects: input.objects.map(({ path, value }) => ({ path: canonicalPath(path), value })),
      createdAt: before?.profile.createdAt || now,
      updatedAt: now,
    };
    await store.putProfile(profile);
    events.publish('bootstrap-profile', undefined, now, {
      id,
      change: before === undefined ? 'created' : 'changed',
    });
    return { listed: this.#listed(profile), created: before === undefined };
  }

  /**
   * The built-in one is again as it was.
   * @throws ConflictError devices are assigned to it
   * @returns false where there is none of this id
   */
  async remove(id: string): Promise<boolean> {
    const { store, clock, events, builtIn } = this.#options;
    const isBuiltIn = id === builtIn.id;
    if (!isBuiltIn) {
      const { items } = await store.assignments({ profile: id, limit: 1 });
      const [assigned] = items;
      if (assigned !== undefined) {
        throw new ConflictError(
          `'${assigned.endpoint}', and perhaps other devices, are assigned to '${id}': assign them to another profile first`,
        );
      }
    }
    const removed = await store.removeProfile(id);
    if (!removed) return isBuiltIn;
    const change = isBuiltIn ? 'restored' : 'removed';
    events.publish('bootstrap-profile', undefined, clock.wallTime(), { id, change });
    return true;
  }

  /** @throws RequestError there is no such profile */
  async assign(endpoint: string, profile: string): Promise<void> {
    if ((await this.get(profile)) === undefined) {
      throw new RequestError(`there is no bootstrap profile '${profile}'`);
    }
    await this.#options.store.assign(endpoint, profile);
  }

  /** The rules count again. False where nothing was assigned. */
  async unassign(endpoint: string): Promise<boolean> {
    const { store } = this.#options;
    if ((await store.assignment(endpoint)) === undefined) return false;
    await store.assign(endpoint, undefined);
    return true;
  }

  assignments(
    query: Parameters<BootstrapStore['assignments']>[0],
  ): Promise<{ readonly items: readonly BootstrapAssignment[]; readonly next?: string }> {
    return this.#options.store.assignments(query);
  }

  /** What a device would get now, and why. */
  async chosen(endpoint: string): Promise<ProfileChoice & { readonly assigned: string | undefined }> {
    const { store, devices } = this.#options;
    const [listed, assigned, device] = await Promise.all([
      this.list(),
      store.assignment(endpoint),
      devices.get(endpoint),
    ]);
    const profiles = listed.map(({ profile }) => profile);
    const subject = { endpoint, manufacturer: device?.manufacturer, model: device?.model };
    return { ...chooseProfile(profiles, assigned, subject), assigned };
  }

  async session(id: string): Promise<BootstrapSession | undefined> {
    const session = await this.#options.store.session(id);
    return session && this.#asOfNow(session);
  }

  /** Newest first. @throws RequestError for a cursor that is not of this list */
  async sessions(
    query: Parameters<BootstrapStore['sessions']>[0],
  ): Promise<{ readonly items: readonly BootstrapSession[]; readonly next?: string }> {
    const { items, next } = await this.#options.store.sessions(query);
    return {
      items: items.map((session) => this.#asOfNow(session)),
      ...(next === undefined ? {} : { next }),
    };
  }

  /** One that nobody can be carrying on any more has failed: its node was killed, and nothing tells of the end. */
  #asOfNow(session: BootstrapSession): BootstrapSession {
    const { clock, longest } = this.#options;
    if (session.state !== 'running' || clock.wallTime() - session.startedAt <= longest) return session;
    return {
      ...session,
      state: 'failed',
      reason: `broken off: '${session.node}' did not carry it to its end`,
    };
  }

  #listed(profile: BootstrapProfile): ListedProfile {
    const builtIn = profile.id === this.#options.builtIn.id;
    return { profile, builtIn, changed: builtIn };
  }

  /** @throws RequestError */
  #check({ servers, objects, access, remove }: ProfileInput): void {
    for (const path of remove) removalPath(path);
    const ids = servers.map(({ shortServerId }) => shortServerId);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) throw new RequestError(`two servers have the short server id ${twice}`);
    for (const { uri, security, shortServerId } of servers) {
      if (uri !== undefined) checkUri(uri, security, shortServerId);
    }
    const known = new Set([0, 65_535, ...ids]);
    for (const { owner, rights } of access) {
      const stranger = [owner, ...rights.map(({ shortServerId }) => shortServerId)].find(
        (id) => !known.has(id),
      );
      if (stranger !== undefined) {
        throw new RequestError(`access: none of the servers has the short server id ${stranger}`);
      }
    }
    for (const { path } of objects) {
      const [objectId] = pathIds(path) ?? [];
      if (objectId !== undefined && accountObjects.has(objectId)) {
        throw new RequestError(`${path}: what is in this object is given by 'servers' and 'access'`);
      }
    }
    const paths = objects.map(({ path }) => canonicalPath(path));
    const named = paths.find((path, index) => paths.indexOf(path) !== index);
    if (named !== undefined) throw new RequestError(`${named} is given twice`);
    objectWrites(objects, this.#options.registry);
  }
}

/** @throws RequestError */
function removalPath(path: string): string {
  if (path === '/') return path;
  const canonical = canonicalPath(path);
  if ((pathIds(canonical)?.length ?? 0) > 2) {
    throw new RequestError(`${path}: '/', an object or an object instance can be deleted`);
  }
  return canonical;
}

const serverUri = /^(coaps?):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/;

/** @throws RequestError */
function checkUri(uri: string, security: 'psk' | 'nosec', shortServerId: number): void {
  const scheme = serverUri.exec(uri)?.[1];
  if (scheme === undefined || uri.length > 255) {
    throw new RequestError(
      `server ${shortServerId}: '${uri.slice(0, 80)}' is no coap://host:port or coaps://host:port`,
    );
  }
  const wanted = security === 'psk' ? 'coaps' : 'coap';
  if (scheme !== wanted) {
    throw new RequestError(
      `server ${shortServerId}: with security '${security}' the address is ${wanted}://host:port`,
    );
  }
}
