/** What one part of the tree may import of ours; the first rule whose `from` is a prefix of the file decides. */
export interface ImportRule {
  /** Folder (with a final slash) or file. */
  readonly from: string;
  /** Folders or files of ours that it may import; it may always import itself. */
  readonly to: readonly string[];
  /** Folders or files of which it may import types only. */
  readonly typesOf?: readonly string[];
  /** Parts of `to` that are nevertheless forbidden. */
  readonly except?: readonly string[];
  /** Runs in browsers too: no `node:` modules, no Buffer, no process. */
  readonly browserSafe?: boolean;
}

const server = ['protocol/', 'objects/', 'server/'];

/** The table of docs/architecture.md. */
export const importRules: readonly ImportRule[] = [
  {
    from: 'protocol/lwm2m/',
    to: ['protocol/'],
    except: ['protocol/coap/', 'protocol/dtls/'],
    browserSafe: true,
  },
  { from: 'protocol/errors.ts', to: [], browserSafe: true },
  { from: 'protocol/coap/', to: ['protocol/'], except: ['protocol/lwm2m/', 'protocol/dtls/'] },
  {
    from: 'protocol/dtls/',
    to: ['protocol/coap/datagram-port.ts', 'protocol/clock.ts', 'protocol/errors.ts'],
  },
  {
    from: 'protocol/flow/',
    to: ['protocol/temporenc.ts', 'protocol/errors.ts'],
    browserSafe: true,
  },
  { from: 'protocol/temporenc.ts', to: ['protocol/errors.ts'], browserSafe: true },
  { from: 'protocol/', to: [] },
  { from: 'objects/', to: ['protocol/lwm2m/', 'protocol/errors.ts'], browserSafe: true },
  { from: 'client/', to: ['protocol/', 'objects/'] },
  { from: 'server/main.ts', to: [...server, 'redis/'] },
  { from: 'server/embedded/', to: server },
  { from: 'server/inventory/', to: ['protocol/errors.ts', 'server/ports/'] },
  { from: 'server/history/', to: ['protocol/errors.ts', 'server/ports/'] },
  { from: 'server/', to: server, except: ['server/embedded/', 'server/main.ts'] },
  {
    from: 'redis/',
    to: [
      'protocol/lwm2m/',
      'objects/',
      'protocol/errors.ts',
      'server/ports/',
      'server/inventory/',
      'server/history/',
      'server/errors.ts',
    ],
  },
  {
    from: 'web/',
    to: ['protocol/lwm2m/', 'protocol/errors.ts', 'objects/'],
    typesOf: ['server/api/schemas.ts', 'server/api/schemas/'],
    browserSafe: true,
  },
  {
    from: 'test/',
    to: ['protocol/', 'objects/', 'client/', 'server/', 'redis/', 'web/', 'bench/', 'scripts/'],
  },
  {
    from: 'bench/',
    to: [
      'protocol/',
      'objects/',
      'client/',
      'server/',
      'redis/',
      'test/support/',
      'test/interop/',
      'scripts/',
    ],
  },
  { from: 'scripts/', to: ['protocol/', 'objects/', 'client/', 'server/', 'redis/'] },
];

/** Files that build tools run under Node although their folder is for browsers. */
export const notForBrowsers: readonly string[] = ['web/vite.config.ts'];

/** Of the files under a folder only these may read process.env. */
export const environmentReaders: readonly { readonly folder: string; readonly allowed: readonly string[] }[] =
  [
    { folder: 'server/', allowed: ['server/config.ts'] },
    { folder: 'protocol/', allowed: [] },
    { folder: 'objects/', allowed: [] },
  ];
