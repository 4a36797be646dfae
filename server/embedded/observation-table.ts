import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { LocatedObservation, StoredObservation } from '../ports/observation-store.ts';

/** Observations on the worker's side. */
export class ObservationTable {
  readonly #add;
  readonly #confirm;
  readonly #byToken;
  readonly #byRegistration;
  readonly #remove;
  readonly #count;

  constructor(database: DatabaseSync) {
    this.#add = database.prepare(
      `INSERT OR REPLACE INTO observation
         (token, registration, endpoint, paths, format, origin, created_at, composite, attributes, pending)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM registration WHERE endpoint = ?3 AND id = ?2`,
    );
    this.#confirm = database.prepare('UPDATE observation SET pending = 0 WHERE token = ?');
    this.#byToken = database.prepare(
      `SELECT o.*, r.address, r.root_path, r.address_lost
       FROM observation o JOIN registration r ON r.endpoint = o.endpoint AND r.id = o.registration
       WHERE o.token = ?`,
    );
    this.#byRegistration = database.prepare(
      'SELECT * FROM observation WHERE registration = ? ORDER BY created_at, token',
    );
    this.#remove = database.prepare('DELETE FROM observation WHERE token = ?');
    this.#count = database.prepare('SELECT count(*) AS count FROM observation');
  }

  add(observation: StoredObservation): boolean {
    const { token, registrationId, endpoint, paths, contentFormat, origin, createdAt } = observation;
    const { composite, attributes, pending } = observation;
    return (
      this.#add.run(
        token,
        registrationId,
        endpoint,
        JSON.stringify(paths),
        contentFormat ?? null,
        origin,
        createdAt,
        composite === true ? 1 : 0,
        attributes === undefined ? null : JSON.stringify(attributes),
        pending === true ? 1 : 0,
      ).changes === 1
    );
  }

  confirm({ token }: StoredObservation): boolean {
    return this.#confirm.run(token).changes === 1;
  }

  byToken(token: string): LocatedObservation | undefined {
    const row = this.#byToken.get(token);
    if (row === undefined) return undefined;
    return {
      ...observationOf(row),
      address: row['address'] as string,
      rootPath: row['root_path'] as string,
      ...(row['address_lost'] === 1 ? { addressLost: true } : {}),
    };
  }

  byRegistration(registrationId: string): readonly StoredObservation[] {
    return this.#byRegistration.all(registrationId).map(observationOf);
  }

  remove(token: string): boolean {
    return this.#remove.run(token).changes === 1;
  }

  count(): number {
    return this.#count.get()?.['count'] as number;
  }
}

function observationOf(row: Record<string, SQLOutputValue>): StoredObservation {
  return {
    token: row['token'] as string,
    registrationId: row['registration'] as string,
    endpoint: row['endpoint'] as string,
    paths: JSON.parse(row['paths'] as string),
    ...(row['composite'] === 1 ? { composite: true } : {}),
    ...(row['attributes'] === null ? {} : { attributes: JSON.parse(row['attributes'] as string) }),
    ...(row['format'] === null ? {} : { contentFormat: row['format'] as number }),
    origin: row['origin'] as StoredObservation['origin'],
    createdAt: row['created_at'] as number,
    ...(row['pending'] === 1 ? { pending: true } : {}),
  };
}
