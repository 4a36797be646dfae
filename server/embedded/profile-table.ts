import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { StoredProfile } from '../ports/profile-store.ts';

/** Profiles on the worker's side. The endpoint is empty where a person gave the profile. */
export class ProfileTable {
  readonly #find;
  readonly #put;
  readonly #forgetLearnt;
  readonly #list;
  readonly #remove;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare(
      "SELECT * FROM profile WHERE id = ? AND endpoint IN (?, '') ORDER BY endpoint DESC LIMIT 1",
    );
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO profile (endpoint, id, links, stored_at) VALUES (?, ?, ?, ?)',
    );
    this.#forgetLearnt = database.prepare('DELETE FROM profile WHERE endpoint = ? AND id <> ?');
    this.#list = database.prepare("SELECT * FROM profile WHERE endpoint = '' ORDER BY id");
    this.#remove = database.prepare("DELETE FROM profile WHERE endpoint = '' AND id = ?");
  }

  find(endpoint: string, ids: readonly string[]): readonly StoredProfile[] {
    return ids.flatMap((id) => {
      const row = this.#find.get(id, endpoint);
      return row === undefined ? [] : [profileOf(row)];
    });
  }

  put({ id, links, endpoint = '', storedAt }: StoredProfile): void {
    if (endpoint !== '') this.#forgetLearnt.run(endpoint, id);
    this.#put.run(endpoint, id, JSON.stringify(links), storedAt);
  }

  list(): readonly StoredProfile[] {
    return this.#list.all().map(profileOf);
  }

  remove(id: string): boolean {
    return this.#remove.run(id).changes === 1;
  }
}

function profileOf(row: Record<string, SQLOutputValue>): StoredProfile {
  return {
    id: row['id'] as string,
    links: JSON.parse(row['links'] as string),
    ...(row['endpoint'] === '' ? {} : { endpoint: row['endpoint'] as string }),
    storedAt: row['stored_at'] as number,
  };
}
