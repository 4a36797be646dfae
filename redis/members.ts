import { ConflictError } from '../server/errors.ts';
import type { MemberNode, Membership, NodeInfo } from '../server/ports/cluster-ports.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

const join = loadScript('member-join');
const beat = loadScript('member-beat');
const leave = loadScript('member-leave');
const list = loadScript('member-list');

/** The members are fields of four keys that share a slot; time is Redis' own, the same for all of them. */
export class RedisMembership implements Membership {
  readonly #connection: RedisConnection;
  readonly #keys: readonly string[];
  readonly #addresses: string;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#keys = ['members', 'member-slots', 'member-deadlines', 'member-seen'].map((name) =>
      connection.keys.shared('cluster', name),
    );
    this.#addresses = connection.keys.shared('cluster', 'node-addresses');
  }

  async join(
    node: NodeInfo,
    ttl: number,
    { takeOver = false, slot: wanted = -1 }: { readonly takeOver?: boolean; readonly slot?: number } = {},
  ): Promise<MemberNode> {
    const args = [
      node.name,
      node.incarnation,
      node.coap,
      JSON.stringify(node),
      ttl,
      takeOver ? '1' : '0',
      wanted,
    ];
    const answer = (await this.#connection.run(join, [...this.#keys, this.#addresses], args)) as
      | readonly [number, number]
      | null;
    if (answer === null) throw new ConflictError(`a node of the name '${node.name}' lives already`);
    const [slot, seenAt] = answer;
    return { ...node, slot, seenAt };
  }

  async beat(node: NodeInfo, ttl: number): Promise<boolean> {
    const args = [node.name, node.incarnation, JSON.stringify(node), ttl];
    return (await this.#connection.run(beat, this.#keys, args)) === 1;
  }

  async leave(node: Pick<NodeInfo, 'name' | 'incarnation'>): Promise<void> {
    await this.#connection.run(leave, this.#keys, [node.name, node.incarnation]);
  }

  list(): Promise<readonly MemberNode[]> {
    return this.#list('0');
  }

  async addresses(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.#connection.call((client) => client.hgetall(this.#addresses))));
  }

  bury(): Promise<readonly MemberNode[]> {
    return this.#list('1');
  }

  async #list(bury: '0' | '1'): Promise<readonly MemberNode[]> {
    const fields = (await this.#connection.run(list, this.#keys, [bury])) as readonly string[];
    const members: MemberNode[] = [];
    for (let i = 0; i + 3 < fields.length; i += 4) {
      const info = JSON.parse(fields[i + 1] as string) as NodeInfo;
      members.push({ ...info, slot: Number(fields[i + 2]), seenAt: Number(fields[i + 3]) });
    }
    return members;
  }
}
