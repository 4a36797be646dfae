import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { RedisConnection, ScriptArgument } from './connection.ts';
import { loadScript, type Script } from './script.ts';

/** How long a replica is waited for, ms. */
const replicaPatience = 1_000;

const touch = loadScript('touch', 'replicas');

/**
 * Writes that a fail-over of Redis must not take back: where it has replicas, one of them has what was written. The
 * scripts tell first how many there are (scripts/shared/replicas.lua).
 */
export class ReplicatedWrites {
  readonly #redis: RedisConnection;
  /** Replicas that Redis had at the last write. */
  #replicas = 0;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * @param near another key of the slot of `key`, which the script does not touch
   * @throws StoreUnavailableError it did not happen, or no replica has it
   */
  async run(
    script: Script,
    key: string,
    near: string,
    args: readonly ScriptArgument[],
  ): Promise<readonly unknown[]> {
    if (this.#replicas > 0) return this.#replicate(script, key, args);
    const reply = (await this.#redis.run(script, [key], args)) as readonly unknown[];
    this.#replicas = reply[0] as number;
    // There are some by now: what is written behind it is waited for.
    if (this.#replicas > 0) await this.#replicate(touch, near, []);
    return reply;
  }

  async #replicate(
    script: Script,
    key: string,
    args: readonly ScriptArgument[],
  ): Promise<readonly unknown[]> {
    const { reply, replicas } = await this.#redis.runReplicated(script, [key], args, replicaPatience);
    const answer = reply as readonly unknown[];
    this.#replicas = answer[0] as number;
    if (this.#replicas > 0 && replicas === 0) {
      throw new StoreUnavailableError('no replica of Redis has what was written');
    }
    return answer;
  }
}
