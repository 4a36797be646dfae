import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import type { ProfileStore } from '../ports/profile-store.ts';
import type { ListedObjects } from './registration-request.ts';

/** Devices whose refused profile ids are remembered. */
const MAX_REFUSED = 10_000;

/** What a profile id stands for is not known: 4.09, after which the client lists its objects (§6.2.1). */
export class UnknownProfileError extends RequestError {}

/** What devices mean by the profile ids that they send in the place of their objects. */
export class Profiles {
  readonly #store: ProfileStore;
  readonly #clock: Clock;
  /** Ids, as they were sent, by endpoint: the next request with them lists the objects. */
  readonly #refused = new Map<string, string>();

  constructor(store: ProfileStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * The objects of a request with profile ids: what they stand for, and what is listed beside them. A device
   * that lists its objects after its ids were refused is believed that those are what its id stands for, the next time.
   * @param listed undefined where the request has no payload
   * @throws UnknownProfileError; StoreUnavailableError
   */
  async resolve(
    endpoint: string,
    ids: readonly string[],
    listed: ListedObjects | undefined,
  ): Promise<ListedObjects> {
    const known = await this.#store.find(endpoint, ids);
    if (known.length === ids.length) {
      this.#refused.delete(endpoint);
      const links = merged([...known.map((profile) => profile.links), listed?.links ?? []]);
      return { rootPath: listed?.rootPath ?? '/', contentFormats: listed?.contentFormats ?? [], links };
    }
    const asked = ids.join(',');
    if (listed !== undefined && this.#refused.get(endpoint) === asked) {
      this.#refused.delete(endpoint);
      const [id, ...more] = ids;
      if (id !== undefined && more.length === 0) {
        const storedAt = Math.floor(this.#clock.wallTime());
        await this.#store.put({ id, endpoint, links: listed.links, storedAt });
      }
      return listed;
    }
    this.#refuse(endpoint, asked);
    const unknown = ids.filter((id) => !known.some((profile) => profile.id === id));
    throw new UnknownProfileError(`profile ${unknown.join(', ')} is not known: list the objects`);
  }

  #refuse(endpoint: string, asked: string): void {
    this.#refused.delete(endpoint);
    this.#refused.set(endpoint, asked);
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MAX_REFUSED) return;
      this.#refused.delete(oldest);
    }
  }
}

/** Each target once; the later says its attributes. */
function merged(lists: readonly (readonly Link[])[]): readonly Link[] {
  return [...new Map(lists.flat().map((link) => [link.target, link])).values()];
}
