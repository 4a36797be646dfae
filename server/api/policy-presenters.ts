import type { SuppressedObservation } from '../lwm2m/desired-observations.ts';
import type { ListedPolicy } from '../lwm2m/policy-book.ts';
import type { PolicyInput } from '../lwm2m/policy-service.ts';
import type { DeviceObservationStatus, WantedStatus } from '../lwm2m/policy-status.ts';
import type { ObservationPolicy } from '../ports/observation-policy-store.ts';
import type {
  ApiObservationPolicy,
  ApiObservationPolicyBody,
  ApiObservationStatus,
  ApiWantedStatus,
} from './schemas/observation-policies.ts';

// As in presenters.ts: each member that goes out is named. A stored observation's token must not.

export function presentPolicy({ policy, builtIn, changed }: ListedPolicy): ApiObservationPolicy {
  const { id, name, enabled, devices, observations, createdAt, updatedAt } = policy;
  return {
    id,
    name,
    enabled,
    builtIn,
    changed,
    devices: { ...devices },
    observations: observations.map((wanted) => ({ ...wanted, paths: [...wanted.paths] })),
    createdAt,
    updatedAt,
  };
}

export function policyInput({ name, enabled, devices, observations }: ApiObservationPolicyBody): PolicyInput {
  return { name, enabled: enabled ?? true, devices: devices ?? {}, observations };
}

export function presentObservationStatus(status: DeviceObservationStatus): ApiObservationStatus {
  return {
    registered: status.registered,
    busy: status.busy,
    ...(status.fault === undefined ? {} : { fault: status.fault }),
    policies: status.policies.map(({ id, name }) => ({ id, name })),
    wanted: status.wanted.map(presentWanted),
    suppressed: status.suppressed.map(({ paths, composite, policy }: SuppressedObservation) => ({
      paths: [...paths],
      composite: composite === true,
      by: presentBy(policy),
    })),
    unwanted: status.unwanted.map(({ paths, composite, createdAt }) => ({
      paths: [...paths],
      composite: composite === true,
      createdAt,
    })),
    beyondLimit: status.beyondLimit,
  };
}

function presentWanted(wanted: WantedStatus): ApiWantedStatus {
  const { paths, composite, attributes, contentFormat, policy, state, since, real } = wanted;
  const { code, reason, attempts, retryAt } = wanted;
  return {
    paths: [...paths],
    composite,
    ...(attributes === undefined ? {} : { attributes: { ...attributes } }),
    ...(contentFormat === undefined ? {} : { contentFormat }),
    by: presentBy(policy),
    state,
    since,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    ...(attempts === undefined ? {} : { attempts }),
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(real === undefined
      ? {}
      : {
          real: {
            ...(real.attributes === undefined ? {} : { attributes: { ...real.attributes } }),
            ...(real.contentFormat === undefined ? {} : { contentFormat: real.contentFormat }),
            since: real.since,
          },
        }),
  };
}

function presentBy(policy: ObservationPolicy | undefined): ApiWantedStatus['by'] {
  return policy === undefined ? { kind: 'hand' } : { kind: 'policy', id: policy.id, name: policy.name };
}
