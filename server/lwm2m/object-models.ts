import type { Logger } from 'pino';
import type { ObjectDefinition } from '../../objects/define-object.ts';
import { parseOmaXml } from '../../objects/parse-oma-xml.ts';
import type { MutableObjectRegistry } from '../../objects/registry.ts';
import { toOmaXml } from '../../objects/to-oma-xml.ts';
import { compareVersions } from '../../objects/versions.ts';
import { decodeXml } from '../../objects/xml.ts';
import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import { ConflictError } from '../errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { ObjectModelStore, StoredObjectModel } from '../ports/object-model-store.ts';

/** Definitions that may be uploaded. */
const MAX_UPLOADED = 2000;
/** What all of them may have together, in UTF-8: the server keeps them in memory. */
const MAX_BYTES = 32 * 1_048_576;

/** Where a definition comes from; of the same object and version the last of these counts. */
export type ModelSource = 'built-in' | 'folder' | 'uploaded';

/** A definition that is in use. */
export interface ObjectModel {
  readonly definition: ObjectDefinition;
  readonly source: ModelSource;
  /** Name of the file, of one from the folder. */
  readonly file?: string;
  /** ms since the epoch, of one that was uploaded. */
  readonly uploadedAt?: number;
}

/** A definition that was uploaded, and what it takes the place of. */
export interface LoadedModel extends ObjectModel {
  readonly replaces?: ModelSource;
}

/** A file that was passed over. */
export interface ModelProblem {
  readonly file: string;
  readonly detail: string;
}

/** A file of the folder, as it was read. */
export interface ModelFile {
  readonly name: string;
  readonly xml: string | Uint8Array;
}

interface Loaded {
  readonly definition: ObjectDefinition;
  readonly xml: string;
}

/**
 * The object definitions that the server knows: built in, read from a folder at the start, and uploaded.
 * What is loaded counts at once, for names, types, units and ranges of everything that follows.
 */
export class ObjectModels {
  readonly #registry: MutableObjectRegistry;
  readonly #store: ObjectModelStore;
  /** Objects that the server itself works with. */
  readonly #own: ReadonlySet<number>;
  readonly #events: EventPublisher;
  readonly #clock: Clock;
  readonly #folder = new Map<string, Loaded & { readonly file: string }>();
  readonly #uploaded = new Map<string, Loaded & { readonly uploadedAt: number }>();
  /** Of those that were uploaded, in UTF-8. */
  #bytes = 0;
  readonly #problems: ModelProblem[] = [];

  constructor(options: {
    readonly registry: MutableObjectRegistry;
    readonly store: ObjectModelStore;
    readonly own: ReadonlySet<number>;
    readonly events: EventPublisher;
    readonly clock: Clock;
  }) {
    this.#registry = options.registry;
    this.#store = options.store;
    this.#own = options.own;
    this.#events = options.events;
    this.#clock = options.clock;
  }

  /**
   * Loads the files of a folder, then what was uploaded. One that cannot be read is told, and passed over:
   * a bad file among many must not keep the server from its devices.
   * @throws StoreUnavailableError
   */
  async open(files: readonly ModelFile[], log: Logger): Promise<void> {
    for (const { name, xml } of files) {
      try {
        const text = typeof xml === 'string' ? xml : decodeXml(xml);
        this.#loadFile(parseOmaXml(text), text, name);
      } catch (error) {
        if (!(error instanceof RequestError || error instanceof ConflictError)) throw error;
        this.#problems.push({ file: name, detail: error.message });
        log.warn({ file: name, reason: error.message }, 'an object definition file was passed over');
      }
    }
    for (const { objectId, version, xml, uploadedAt } of await this.#store.list()) {
      const name = `${objectId} ${version}, uploaded`;
      try {
        const definition = parseOmaXml(xml).find((one) => one.id === objectId && one.version === version);
        if (definition === undefined) throw new RequestError('the definition is not in it');
        this.#refuseOwn(definition);
        this.#keep({ definition, xml, uploadedAt });
        this.#registry.load(definition);
      } catch (error) {
        if (!(error instanceof RequestError || error instanceof ConflictError)) throw error;
        this.#problems.push({ file: name, detail: error.message });
        log.warn({ file: name, reason: error.message }, 'an uploaded object definition was passed over');
      }
    }
  }

  /** Other nodes may have taken definitions in, or out: here it goes as there. @throws StoreUnavailableError */
  async follow(): Promise<void> {
    // What is uploaded here meanwhile is in no list that was asked for before.
    const before = new Map(this.#uploaded);
    const all = await this.#store.list();
    const stored = new Set(all.map(({ objectId, version }) => keyOf({ id: objectId, version })));
    for (const [key, uploaded] of before) {
      if (!stored.has(key) && this.#uploaded.get(key) === uploaded) this.#forget(uploaded.definition);
    }
    for (const one of all) this.#take(one);
  }

  #take(stored: StoredObjectModel): void {
    const { objectId, version } = stored;
    const known = this.#uploaded.get(keyOf({ id: objectId, version }));
    if (known?.uploadedAt === stored.uploadedAt && known.xml === stored.xml) return;
    if (known !== undefined && known.uploadedAt > stored.uploadedAt) return;
    const definition = this.#read(stored);
    if (definition === undefined || this.#own.has(objectId)) return;
    this.#keep({ definition, xml: stored.xml, uploadedAt: stored.uploadedAt });
    this.#registry.load(definition);
  }

  /** Undefined for what this version cannot read, which is among the problems then. */
  #read({ objectId, version, xml }: StoredObjectModel): ObjectDefinition | undefined {
    try {
      return parseOmaXml(xml).find((one) => one.id === objectId && one.version === version);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const file = `${objectId} ${version}, uploaded`;
      if (this.#problems.every((problem) => problem.file !== file)) {
        this.#problems.push({ file, detail: error.message });
      }
      return undefined;
    }
  }

  /** Files that were passed over at the start. */
  get problems(): readonly ModelProblem[] {
    return this.#problems;
  }

  /** By object id and version. */
  list(): readonly ObjectModel[] {
    return this.#registry.objects().map((definition) => this.#model(definition));
  }

  /** Of an object, the newest version or exactly this one. */
  get(objectId: number, version?: string): ObjectModel | undefined {
    const versions = this.versions(objectId);
    const wanted = version ?? versions.at(-1);
    if (wanted === undefined || !versions.includes(wanted)) return undefined;
    const definition = this.#registry.object(objectId, wanted);
    return definition && this.#model(definition);
  }

  /** Versions of an object that are known, oldest first. */
  versions(objectId: number): readonly string[] {
    return this.#registry
      .objects()
      .filter(({ id }) => id === objectId)
      .map(({ version }) => version)
      .sort(compareVersions);
  }

  /** As OMA XML: as it was given, where it was; else written from the definition. */
  xml({ definition, source }: ObjectModel): string {
    const key = keyOf(definition);
    const given = source === 'uploaded' ? this.#uploaded.get(key) : this.#folder.get(key);
    return source === 'built-in' || given === undefined ? toOmaXml(definition) : given.xml;
  }

  /**
   * Takes in all objects of a file, or none.
   * @throws RequestError it is none, with the line or the resource; ConflictError an object that the server
   *   itself works with, or too many; StoreUnavailableError
   */
  async upload(xml: string): Promise<readonly LoadedModel[]> {
    const definitions = parseOmaXml(xml);
    for (const definition of definitions) this.#refuseOwn(definition);
    const added = definitions.filter((definition) => !this.#uploaded.has(keyOf(definition))).length;
    if (this.#uploaded.size + added > MAX_UPLOADED) {
      throw new ConflictError(`${MAX_UPLOADED} object definitions are uploaded already`);
    }
    const uploadedAt = Math.floor(this.#clock.wallTime());
    const stored: readonly StoredObjectModel[] = definitions.map((definition) => ({
      objectId: definition.id,
      version: definition.version,
      // With others in one file it gets a file of its own: it can be removed alone.
      xml: definitions.length === 1 ? xml : toOmaXml(definition),
      uploadedAt,
    }));
    const replaced = definitions.reduce((sum, each) => sum + this.#bytesOf(keyOf(each)), 0);
    const bytes = this.#bytes - replaced + stored.reduce((sum, each) => sum + Buffer.byteLength(each.xml), 0);
    if (bytes > MAX_BYTES && bytes > this.#bytes) {
      throw new ConflictError(
        `all uploaded object definitions together may have ${MAX_BYTES} bytes, and not ${bytes}`,
      );
    }
    await this.#store.put(stored);
    return definitions.map((definition, index) => {
      const replaces = this.get(definition.id, definition.version)?.source;
      this.#keep({ definition, xml: stored[index]?.xml ?? xml, uploadedAt });
      this.#registry.load(definition);
      this.#tell(definition, 'loaded');
      return {
        definition,
        source: 'uploaded' as const,
        uploadedAt,
        ...(replaces === undefined ? {} : { replaces }),
      };
    });
  }

  /**
   * Takes an uploaded definition out again; what it took the place of counts then. False: there is none.
   * @throws ConflictError it was not uploaded; StoreUnavailableError
   */
  async remove(objectId: number, version: string): Promise<boolean> {
    const model = this.get(objectId, version);
    if (model === undefined) return false;
    if (model.source !== 'uploaded') {
      throw new ConflictError(
        model.source === 'folder'
          ? `object ${objectId} ${version} comes from the file ${model.file}: take it out of the folder`
          : `object ${objectId} ${version} is built in`,
      );
    }
    await this.#store.remove(objectId, version);
    this.#forget(model.definition);
    this.#tell(model.definition, 'removed');
    return true;
  }

  #forget(definition: ObjectDefinition): void {
    const key = keyOf(definition);
    this.#bytes -= this.#bytesOf(key);
    this.#uploaded.delete(key);
    this.#registry.unload(definition.id, definition.version);
    const fromFolder = this.#folder.get(key);
    if (fromFolder !== undefined) this.#registry.load(fromFolder.definition);
  }

  #keep(loaded: Loaded & { readonly uploadedAt: number }): void {
    const key = keyOf(loaded.definition);
    this.#bytes += Buffer.byteLength(loaded.xml) - this.#bytesOf(key);
    this.#uploaded.set(key, loaded);
  }

  #bytesOf(key: string): number {
    return Buffer.byteLength(this.#uploaded.get(key)?.xml ?? '');
  }

  #loadFile(definitions: readonly ObjectDefinition[], xml: string, file: string): void {
    for (const definition of definitions) {
      this.#refuseOwn(definition);
      const other = this.#folder.get(keyOf(definition));
      if (other !== undefined) {
        throw new ConflictError(`object ${definition.id} ${definition.version} is in ${other.file} already`);
      }
    }
    for (const definition of definitions) {
      const own = definitions.length === 1 ? xml : toOmaXml(definition);
      this.#folder.set(keyOf(definition), { definition, xml: own, file });
      this.#registry.load(definition);
    }
  }

  #refuseOwn({ id }: ObjectDefinition): void {
    if (this.#own.has(id)) {
      throw new ConflictError(
        `object ${id} is one that the server itself works with: its definition is built in`,
      );
    }
  }

  #model(definition: ObjectDefinition): ObjectModel {
    const key = keyOf(definition);
    const uploaded = this.#uploaded.get(key);
    if (uploaded !== undefined) return { definition, source: 'uploaded', uploadedAt: uploaded.uploadedAt };
    const fromFolder = this.#folder.get(key);
    if (fromFolder !== undefined) return { definition, source: 'folder', file: fromFolder.file };
    return { definition, source: 'built-in' };
  }

  #tell({ id, version }: ObjectDefinition, change: 'loaded' | 'removed'): void {
    this.#events.publish('object-model', undefined, this.#clock.wallTime(), { object: id, version, change });
  }
}

function keyOf({ id, version }: Pick<ObjectDefinition, 'id' | 'version'>): string {
  return `${id}/${version}`;
}
