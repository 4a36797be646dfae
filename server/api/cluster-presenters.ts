import type { ClusterNode, StoreHealth } from '../cluster/cluster.ts';
import type { SettingInForce } from '../settings.ts';
import type { ApiCluster, ApiClusterNode, ApiServerSetting } from './schemas.ts';

export function presentCluster(nodes: readonly ClusterNode[], store: StoreHealth): ApiCluster {
  const { description, durable, ready, reason, size, lag } = store;
  return {
    nodes: nodes.map(presentNode),
    store: {
      description,
      durable,
      ready,
      ...(reason === undefined ? {} : { reason }),
      ...(size === undefined ? {} : { size }),
      lag,
    },
  };
}

function presentNode(node: ClusterNode): ApiClusterNode {
  const { name, version, startedAt, state, coap, http, devices, cores, load, self } = node;
  const { cpu, memory, eventLoopDelay } = load;
  return {
    name,
    version,
    startedAt: Math.round(startedAt),
    state,
    coap,
    http,
    devices,
    cores,
    load: { cpu: rounded(cpu), memory, eventLoopDelay: rounded(eventLoopDelay) },
    self,
  };
}

/** The value of a secret stays here. */
export function presentSetting({
  name,
  flag,
  value,
  secret,
  meaning,
  ...setting
}: SettingInForce): ApiServerSetting {
  return {
    name,
    flag,
    value: secret ? null : (value ?? null),
    default: setting.default ?? null,
    given: setting.given,
    secret,
    meaning,
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
