/** One object definition that was uploaded while the server ran. */
export interface StoredObjectModel {
  readonly objectId: number;
  /** `1.0` */
  readonly version: string;
  /** OMA XML with this one object. */
  readonly xml: string;
  /** ms since the epoch. */
  readonly uploadedAt: number;
}

/** Object definitions that people gave; loaded again when a server starts. */
export interface ObjectModelStore {
  /** By object id and version as text. */
  list(): Promise<readonly StoredObjectModel[]>;
  /** All of them or none; replaces those of the same object and version. */
  put(models: readonly StoredObjectModel[]): Promise<void>;
  /** False where there was none. */
  remove(objectId: number, version: string): Promise<boolean>;
}
