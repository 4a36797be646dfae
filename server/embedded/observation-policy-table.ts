import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import type {
  DeviceObservationRecord,
  ObservationChoice,
  ObservationPolicy,
} from '../ports/observation-policy-store.ts';

/** Observation policies, and what is kept of single devices, on the worker's side. */
export class ObservationPolicyTable {
  readonly #policies;
  readonly #put;
  readonly #remove;
  readonly #recorded;
  readonly #choices;
  readonly #written;
  readonly #choose;
  readonly #unchoose;
  readonly #setWritten;
  readonly #clearWritten;

  constructor(database: DatabaseSync) {
    this.#policies = database.prepare('SELECT * FROM observation_policy ORDER BY id');
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO observation_policy (id, name, enabled, devices, observations, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#remove = database.prepare('DELETE FROM observation_policy WHERE id = ?');
    this.#recorded = database.prepare(
      'SELECT endpoint FROM observation_choice UNION SELECT endpoint FROM written_attributes ORDER BY endpoint',
    );
    this.#choices = database.prepare(
      'SELECT * FROM observation_choice WHERE endpoint = ? ORDER BY chosen_at, paths, composite',
    );
    this.#written = database.prepare('SELECT path, attributes FROM written_attributes WHERE endpoint = ?');
    this.#choose = database.prepare(
      `INSERT OR REPLACE INTO observation_choice (endpoint, paths, composite, wanted, attributes, format, chosen_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#unchoose = database.prepare(
      'DELETE FROM observation_choice WHERE endpoint = ? AND paths = ? AND composite = ?',
    );
    this.#setWritten = database.prepare(
      'INSERT OR REPLACE INTO written_attributes (endpoint, path, attributes) VALUES (?, ?, ?)',
    );
    this.#clearWritten = database.prepare('DELETE FROM written_attributes WHERE endpoint = ? AND path = ?');
  }

  policies(): readonly ObservationPolicy[] {
    return this.#policies.all().map(policyOf);
  }

  put({ id, name, enabled, devices, observations, createdAt, updatedAt }: ObservationPolicy): void {
    const wanted = JSON.stringify(observations);
    this.#put.run(id, name, enabled ? 1 : 0, JSON.stringify(devices), wanted, createdAt, updatedAt);
  }

  remove(id: string): boolean {
    return this.#remove.run(id).changes === 1;
  }

  recorded(): readonly string[] {
    return this.#recorded.all().map((row) => row['endpoint'] as string);
  }

  record(endpoint: string): DeviceObservationRecord {
    const written = this.#written
      .all(endpoint)
      .map((row) => [row['path'] as string, JSON.parse(row['attributes'] as string)] as const);
    return { choices: this.#choices.all(endpoint).map(choiceOf), written: new Map(written) };
  }

  choose(endpoint: string, choice: ObservationChoice): void {
    const { paths, composite, wanted, attributes, contentFormat, chosenAt } = choice;
    this.#choose.run(
      endpoint,
      JSON.stringify(paths),
      composite ? 1 : 0,
      wanted ? 1 : 0,
      attributes === undefined ? null : JSON.stringify(attributes),
      contentFormat ?? null,
      chosenAt,
    );
  }

  unchoose(endpoint: string, paths: readonly string[], composite: boolean): boolean {
    return this.#unchoose.run(endpoint, JSON.stringify(paths), composite ? 1 : 0).changes === 1;
  }

  setWritten(endpoint: string, path: string, attributes: NotificationAttributes | undefined): void {
    if (attributes === undefined) this.#clearWritten.run(endpoint, path);
    else this.#setWritten.run(endpoint, path, JSON.stringify(attributes));
  }
}

function policyOf(row: Record<string, SQLOutputValue>): ObservationPolicy {
  return {
    id: row['id'] as string,
    name: row['name'] as string,
    enabled: row['enabled'] === 1,
    devices: JSON.parse(row['devices'] as string),
    observations: JSON.parse(row['observations'] as string),
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
  };
}

function choiceOf(row: Record<string, SQLOutputValue>): ObservationChoice {
  return {
    paths: JSON.parse(row['paths'] as string),
    composite: row['composite'] === 1,
    wanted: row['wanted'] === 1,
    ...(row['attributes'] === null ? {} : { attributes: JSON.parse(row['attributes'] as string) }),
    ...(row['format'] === null ? {} : { contentFormat: row['format'] as number }),
    chosenAt: row['chosen_at'] as number,
  };
}
