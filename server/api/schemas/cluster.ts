import { type Static, Type } from 'typebox';

export const ClusterNodeSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    startedAt: Type.Number(),
    state: Type.Union([Type.Literal('up'), Type.Literal('draining')], {
      description: 'draining: it is about to stop',
    }),
    coap: Type.String({ description: 'Where devices reach it' }),
    http: Type.String({ description: 'Where people and programs reach it' }),
    devices: Type.Integer({ description: 'Devices that are registered with it' }),
    cores: Type.Integer({ description: 'Processor cores of its machine' }),
    load: Type.Object({
      cpu: Type.Number({ description: 'Cores in use over the last ten seconds: 1 is one core fully' }),
      memory: Type.Integer({ description: 'Bytes that the process holds' }),
      eventLoopDelay: Type.Number({
        description: 'How late it comes to what is due, ms: the 99th percentile of the last ten seconds',
      }),
    }),
    self: Type.Boolean({ description: 'Whether it is the node that answers' }),
  },
  { $id: 'ClusterNode', additionalProperties: false },
);
export type ApiClusterNode = Static<typeof ClusterNodeSchema>;

export const StoreHealthSchema = Type.Object(
  {
    description: Type.String(),
    durable: Type.Boolean({ description: 'Whether what was acknowledged survives a power cut' }),
    ready: Type.Boolean({ description: 'Whether it takes writes now' }),
    reason: Type.Optional(Type.String({ description: 'Why it is not ready' })),
    size: Type.Optional(Type.Integer({ description: 'Bytes on disk' })),
    lag: Type.Integer({ description: 'Log entries that history is behind' }),
  },
  { $id: 'StoreHealth', additionalProperties: false },
);

export const ClusterSchema = Type.Object(
  { nodes: Type.Array(ClusterNodeSchema), store: StoreHealthSchema },
  { $id: 'Cluster', additionalProperties: false },
);
export type ApiCluster = Static<typeof ClusterSchema>;

export const ServerSettingSchema = Type.Object(
  {
    name: Type.String({ description: 'Environment variable' }),
    flag: Type.String({ description: 'The same as a flag, without its dashes' }),
    value: Type.Union([Type.String(), Type.Null()], {
      description: 'As it was read; null where it is not set, or secret',
    }),
    default: Type.Union([Type.String(), Type.Null()]),
    given: Type.Boolean({ description: 'Whether it was set, by flag or environment' }),
    secret: Type.Boolean({ description: 'Whether its value is kept back' }),
    meaning: Type.String(),
  },
  { $id: 'ServerSetting', additionalProperties: false },
);
export type ApiServerSetting = Static<typeof ServerSettingSchema>;

export const ServerSettingsAnswerSchema = Type.Object(
  { items: Type.Array(ServerSettingSchema) },
  { $id: 'ServerSettingsAnswer', additionalProperties: false },
);
export type ApiServerSettingsAnswer = Static<typeof ServerSettingsAnswerSchema>;
