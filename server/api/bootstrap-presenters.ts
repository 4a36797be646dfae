import type { ListedProfile, ProfileInput } from '../bootstrap/bootstrap-service.ts';
import type { BootstrapSession } from '../ports/bootstrap-store.ts';
import type {
  ApiBootstrapProfile,
  ApiBootstrapProfileBody,
  ApiBootstrapSession,
} from './schemas/bootstrap.ts';

// As in presenters.ts: each member that goes out is named.

export function presentBootstrapProfile({ profile, builtIn, changed }: ListedProfile): ApiBootstrapProfile {
  const { id, name, enabled, devices, priority, readFirst, remove, servers, objects, access } = profile;
  const { retries, createdAt, updatedAt } = profile;
  return {
    id,
    name,
    enabled,
    devices: {
      ...(devices.endpoint === undefined ? {} : { endpoint: devices.endpoint }),
      ...(devices.manufacturer === undefined ? {} : { manufacturer: devices.manufacturer }),
      ...(devices.model === undefined ? {} : { model: devices.model }),
    },
    priority,
    readFirst,
    remove: [...remove],
    servers: servers.map((server) => ({ ...server })),
    objects: objects.map(({ path, value }) => ({ path, value })),
    access: access.map(({ objectId, instanceId, owner, rights }) => ({
      objectId,
      instanceId,
      owner,
      rights: rights.map((entry) => ({ shortServerId: entry.shortServerId, rights: entry.rights })),
    })),
    retries,
    builtIn,
    changed,
    createdAt,
    updatedAt,
  };
}

export function profileInput(body: ApiBootstrapProfileBody): ProfileInput {
  return body as ProfileInput;
}

export function presentBootstrapSession(session: BootstrapSession): ApiBootstrapSession {
  const { id, endpoint, address, identity, node, kind, profile, state, reason, steps } = session;
  return {
    id,
    endpoint,
    address,
    secured: identity !== undefined,
    node,
    kind,
    ...(profile === undefined ? {} : { profile: { id: profile.id, name: profile.name } }),
    state,
    ...(reason === undefined ? {} : { reason }),
    startedAt: session.startedAt,
    updatedAt: session.updatedAt,
    steps: steps.map(({ operation, path, startedAt, endedAt, code, detail }) => ({
      operation,
      ...(path === undefined ? {} : { path }),
      startedAt,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(code === undefined ? {} : { code }),
      ...(detail === undefined ? {} : { detail }),
    })),
  };
}
