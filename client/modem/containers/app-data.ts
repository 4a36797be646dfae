import { binaryAppDataContainerObject } from '../../../objects/binary-app-data-container.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { instance, type ObjectInstance, type ObjectTree } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import { isRecord, type KeptSettings } from '../kept-settings.ts';
import { writeAll } from '../written-values.ts';
import { InstanceStore, parsePairs } from './instance-store.ts';

/** What a server, or an application, keeps in the modem. */
interface AppData {
  readonly data: ReadonlyMap<number, Uint8Array>;
  readonly priority: number | undefined;
  /** Seconds since the epoch. */
  readonly createdAt: number | undefined;
  readonly description: string | undefined;
  readonly format: string | undefined;
  readonly appId: number | undefined;
}

const nothing: AppData = {
  data: new Map(),
  priority: undefined,
  createdAt: undefined,
  description: undefined,
  format: undefined,
  appId: undefined,
};

const mostPieces = 64;
/** Of description and format. */
const longestText = 32;

/** The BinaryAppDataContainer object: data of applications that servers keep in the modem. */
export function addAppData(tree: ObjectTree, settings: KeptSettings): void {
  const store = new InstanceStore<AppData>({
    settings,
    section: 'app-data',
    asMade: new Map(),
    most: 8,
    mostSize: 65_536,
    sizeOf: ({ data }) => [...data.values()].reduce((size, piece) => size + piece.length, 0),
    toJson: ({ data, ...rest }) => ({
      ...rest,
      data: [...data].map(([id, piece]) => [id, Buffer.from(piece).toString('base64')]),
    }),
    fromJson: parseAppData,
  });
  const show = (id: number): ObjectInstance<never> => {
    const value = (): AppData => store.get(id) ?? nothing;
    const set = (change: Partial<AppData>): void => store.set(id, { ...value(), ...change });
    return instance(binaryAppDataContainerObject, id, {
      data: {
        read: () => value().data,
        check: (data) => checkSize('pieces of data', (data as AppData['data']).size, mostPieces),
        write: (data) => set({ data: data as AppData['data'] }),
      },
      dataPriority: {
        read: () => value().priority,
        check: (priority) => checkSize('priority', Number(priority), 254),
        write: (priority) => set({ priority: Number(priority) }),
        reset: () => set({ priority: undefined }),
      },
      dataCreationTime: {
        read: () => value().createdAt,
        write: (time) => set({ createdAt: Number(time) }),
        reset: () => set({ createdAt: undefined }),
      },
      dataDescription: {
        read: () => value().description,
        check: (text) => checkSize('bytes', bytesOf(String(text)), longestText),
        write: (text) => set({ description: String(text) }),
        reset: () => set({ description: undefined }),
      },
      dataFormat: {
        read: () => value().format,
        check: (text) => checkSize('bytes', bytesOf(String(text)), longestText),
        write: (text) => set({ format: String(text) }),
        reset: () => set({ format: undefined }),
      },
      appId: {
        read: () => value().appId,
        check: (appId) => checkSize('application id', Number(appId), 65_535),
        write: (appId) => set({ appId: Number(appId) }),
        reset: () => set({ appId: undefined }),
      },
    }) as ObjectInstance<never>;
  };
  tree.addObject(binaryAppDataContainerObject, {
    async create(id, records) {
      store.set(id, nothing);
      const made = show(id);
      try {
        await writeAll(made, records);
      } catch (error) {
        store.delete(id);
        throw error;
      }
      return made as ObjectInstance;
    },
    delete: ({ id }) => store.delete(id),
  });
  const showAll = (): void => {
    const { id: object } = binaryAppDataContainerObject;
    for (const id of [...(tree.object(object)?.instances.keys() ?? [])]) tree.remove(object, id);
    for (const id of store.ids) tree.add(show(id));
  };
  showAll();
  settings.onClear(showAll);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function checkSize(what: string, value: number, most: number): void {
  if (value >= 0 && value <= most) return;
  throw new OperationError(Code.BAD_REQUEST, `${what}: 0 to ${most}, not ${value}`);
}

function parseAppData(json: unknown): AppData | undefined {
  if (!isRecord(json)) return undefined;
  const { priority, createdAt, description, format, appId } = json;
  const data = parsePairs(json['data'], (text) =>
    typeof text === 'string' ? new Uint8Array(Buffer.from(text, 'base64')) : undefined,
  );
  const known =
    data !== undefined &&
    isOptional(priority, 'number') &&
    isOptional(createdAt, 'number') &&
    isOptional(description, 'string') &&
    isOptional(format, 'string') &&
    isOptional(appId, 'number');
  if (!known) return undefined;
  return { data, priority, createdAt, description, format, appId };
}

function isOptional<Type extends 'number' | 'string'>(
  value: unknown,
  type: Type,
): value is (Type extends 'number' ? number : string) | undefined {
  return value === undefined || typeof value === type;
}
