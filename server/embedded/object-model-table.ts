import type { DatabaseSync } from 'node:sqlite';
import type { StoredObjectModel } from '../ports/object-model-store.ts';

/** Uploaded object definitions on the worker's side. */
export class ObjectModelTable {
  readonly #list;
  readonly #put;
  readonly #remove;

  constructor(database: DatabaseSync) {
    this.#list = database.prepare('SELECT * FROM object_model ORDER BY object, version');
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO object_model (object, version, xml, uploaded_at) VALUES (?, ?, ?, ?)',
    );
    this.#remove = database.prepare('DELETE FROM object_model WHERE object = ? AND version = ?');
  }

  list(): readonly StoredObjectModel[] {
    return this.#list.all().map((row) => ({
      objectId: row['object'] as number,
      version: row['version'] as string,
      xml: row['xml'] as string,
      uploadedAt: row['uploaded_at'] as number,
    }));
  }

  put(models: readonly StoredObjectModel[]): void {
    for (const { objectId, version, xml, uploadedAt } of models) {
      this.#put.run(objectId, version, xml, uploadedAt);
    }
  }

  remove(objectId: number, version: string): boolean {
    return this.#remove.run(objectId, version).changes === 1;
  }
}
