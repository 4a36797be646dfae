import { BusyError } from '../../protocol/errors.ts';
import { neverSeen } from '../inventory/device-columns.ts';
import type { BootstrapStore } from '../ports/bootstrap-store.ts';
import type { CommandQueue } from '../ports/command-queue.ts';
import { type CredentialStore, compareCredentials } from '../ports/credential-store.ts';
import type { Device, DeviceAttributes, DeviceStore, ListedRegistration } from '../ports/device-store.ts';
import type { IdempotencyStore } from '../ports/idempotency-store.ts';
import type { JobStore } from '../ports/job-store.ts';
import type { ObjectModelStore } from '../ports/object-model-store.ts';
import type { ObservationPolicyStore } from '../ports/observation-policy-store.ts';
import type { ObservationStore } from '../ports/observation-store.ts';
import type { ProfileStore } from '../ports/profile-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { SessionStore } from '../ports/session-store.ts';
import type { WebhookStore } from '../ports/webhook-store.ts';
import type { ChangedDevices } from './changed-devices.ts';
import type { Channel } from './channel.ts';
import { credentialOfRow, credentialRow, summaryOfRow } from './credential-row.ts';
import {
  attributeNames,
  awakeTimesOffset,
  type DeviceRow,
  registrationPart,
  tenantOffset,
} from './device-table.ts';
import { registrationOfRow } from './registration-row.ts';
import type { EmbeddedRegistrations } from './registrations.ts';

export function observationStore(channel: Channel): ObservationStore {
  return {
    add: (observation) => channel.write('addObservation', observation),
    confirm: (observation) => channel.write('confirmObservation', observation),
    byToken: (token) => channel.read('observationByToken', token),
    byRegistration: (id) => channel.read('observationsByRegistration', id),
    remove: (token) => channel.write('removeObservation', token),
    count: () => channel.read('countObservations'),
  };
}

export function observationPolicyStore(channel: Channel): ObservationPolicyStore {
  return {
    policies: () => channel.read('observationPolicies'),
    putPolicy: (policy) => channel.write('putObservationPolicy', policy),
    removePolicy: (id) => channel.write('removeObservationPolicy', id),
    recorded: () => channel.read('recordedEndpoints'),
    record: (endpoint) => channel.read('observationRecord', endpoint),
    choose: (endpoint, choice) => channel.write('chooseObservation', endpoint, choice),
    unchoose: (endpoint, paths, composite) =>
      channel.write('unchooseObservation', endpoint, paths, composite),
    setWritten: (endpoint, path, attributes) =>
      channel.write('setWrittenAttributes', endpoint, path, attributes),
  };
}

export function objectModelStore(channel: Channel): ObjectModelStore {
  return {
    list: () => channel.read('objectModels'),
    put: (models) => channel.write('putObjectModels', models),
    remove: (objectId, version) => channel.write('removeObjectModel', objectId, version),
  };
}

export function credentialStore(channel: Channel, queries: Channel): CredentialStore {
  return {
    put: (credential, mode = 'replace') => channel.write('putCredential', credentialRow(credential), mode),
    get: async (endpoint) =>
      (await channel.read('credentialsOf', endpoint)).map(credentialOfRow).sort(compareCredentials),
    find: async (account, identity) => {
      const row = await channel.read('credential', account, identity);
      return row && credentialOfRow(row);
    },
    change: async (account, identity, change) => {
      const row = await channel.write('changeCredential', account, identity, change);
      return row && summaryOfRow(row);
    },
    remove: (account, identity) => channel.write('removeCredential', account, identity),
    list: async ({ filter = {}, limit, cursor }) => {
      const { items, ...rest } = await queries.query('credentials', filter, limit, cursor);
      return { items: items.map(summaryOfRow), ...rest };
    },
  };
}

export function sessionStore(channel: Channel): SessionStore {
  return {
    create: (session) => channel.write('createSession', session),
    reserve: (id, fence, upTo, keeping) => channel.write('reserveSession', id, fence, upTo, keeping),
    save: (id, fence, saved) => channel.write('saveSession', id, fence, saved),
    take: (id, fence, by) => channel.write('takeSession', id, fence, by),
    read: (id) => channel.read('session', id),
    of: (holder) => channel.read('sessionsOf', holder),
    remove: (id, fence) => channel.write('removeSession', id, fence),
    trim: (now, limit) => channel.write('trimSessions', now, limit),
  };
}

export function profileStore(channel: Channel): ProfileStore {
  return {
    find: (endpoint, ids) => channel.read('findProfiles', endpoint, ids),
    put: (profile) => channel.write('putProfile', profile),
    list: () => channel.read('listProfiles'),
    remove: (id) => channel.write('removeProfile', id),
  };
}

export function webhookStore(channel: Channel): WebhookStore {
  return {
    list: () => channel.read('webhooks'),
    add: (webhook) => channel.write('addWebhook', webhook),
    configure: (settings) => channel.write('configureWebhook', settings),
    remove: (id) => channel.write('removeWebhook', id),
    record: (id, step) => channel.write('recordWebhook', id, step),
    deliveries: (query) => channel.read('webhookDeliveries', query),
    delivery: (id, delivery) => channel.read('webhookDelivery', id, delivery),
  };
}

export function bootstrapStore(channel: Channel, queries: Channel): BootstrapStore {
  return {
    profiles: () => channel.read('bootstrapProfiles'),
    putProfile: (profile) => channel.write('putBootstrapProfile', profile),
    removeProfile: (id) => channel.write('removeBootstrapProfile', id),
    assignment: (endpoint) => channel.read('bootstrapAssignment', endpoint),
    assign: (endpoint, profile) => channel.write('assignBootstrap', endpoint, profile),
    assignments: (query) => queries.query('bootstrapAssignments', query),
    begin: (session, bounds) => channel.write('beginBootstrap', session, bounds),
    record: (session) => channel.write('recordBootstrap', session),
    session: (id) => channel.read('bootstrapSession', id),
    sessions: (query) => queries.query('bootstrapSessions', query),
  };
}

export function deviceStore(
  channel: Channel,
  queries: Channel,
  changes: ChangedDevices,
  registrations: Pick<EmbeddedRegistrations, 'ofOthers'>,
): DeviceStore {
  return {
    get: async (endpoint) => {
      const row = await channel.read('device', endpoint);
      return row && deviceOf(row);
    },
    list: async (query) => {
      const { items, total, next } = await changes.tell((changed) =>
        queries.query('devices', query, changed),
      );
      return { items: items.map(deviceOf), total, ...(next === undefined ? {} : { next }) };
    },
    facets: (by, filter, now) =>
      changes.tell((changed) => queries.query('deviceFacets', by, filter, now, changed)),
    endpoints: (filter, { now, after, limit }) =>
      changes.tell((changed) => queries.query('deviceEndpoints', filter, now, after, limit, changed)),
    enrol: (devices) =>
      changes.during(
        devices.map(({ endpoint }) => endpoint),
        () => channel.write('enrol', devices),
      ),
    setAttributes: (endpoint, attributes) =>
      changes.during([endpoint], () => channel.write('setAttributes', endpoint, attributes)),
    // Not of the index.
    setAwakeTimes: (endpoint, times) => channel.write('setAwakeTimes', endpoint, times),
    setTenant: (endpoint, tenant) =>
      changes.during([endpoint], () => channel.write('setTenant', endpoint, tenant)),
    tenants: async (endpoints) => new Map(await channel.read('deviceTenants', endpoints)),
    heard: async (times, node) => {
      await changes.during(times.keys(), () => channel.write('heard', times));
      return registrations.ofOthers(times.keys(), node);
    },
    listening: (until) => changes.during(until.keys(), () => channel.write('listening', until)),
    remove: async (endpoint) => {
      const removed = await changes.during([endpoint], () => channel.write('removeDevice', endpoint));
      // History may be large: it goes in steps, between which others have their turn.
      if (removed) while (await channel.write('purgeHistory'));
      return removed;
    },
    counts: (now) => changes.tell((changed) => queries.query('countDevices', now, changed)),
  };
}

/** By `device.ending`. */
const endingNames = [undefined, 'lost', 'left'] as const satisfies readonly Device['ended'][];

function deviceOf(row: DeviceRow): Device {
  const attributes: { -readonly [Name in keyof DeviceAttributes]: string | number } = {};
  for (const [index, name] of attributeNames.entries()) {
    const value = row[3 + index];
    if (value !== null && value !== undefined) attributes[name] = value;
  }
  const registered = registrationPart(row);
  const [configured, learnt, awakeUntil, ending] = row.slice(awakeTimesOffset) as (number | null)[];
  const ended = endingNames[ending ?? 0];
  const tenant = row[tenantOffset];
  return {
    endpoint: row[0] as string,
    ...(typeof tenant === 'string' ? { tenant } : {}),
    ...(row[1] === neverSeen ? {} : { firstSeen: row[1] as number }),
    ...(row[2] === neverSeen ? {} : { lastSeen: row[2] as number }),
    ...(attributes as DeviceAttributes),
    ...(configured === null && learnt === null
      ? {}
      : {
          awakeTimes: {
            ...(typeof configured === 'number' ? { configured } : {}),
            ...(typeof learnt === 'number' ? { learnt } : {}),
          },
        }),
    ...(typeof awakeUntil === 'number' ? { awakeUntil } : {}),
    ...(ended === undefined ? {} : { ended }),
    ...(registered === undefined ? {} : { registration: withoutIdentity(registrationOfRow(registered)) }),
  };
}

function withoutIdentity({ identity, ...rest }: Registration): ListedRegistration {
  const transportAddress = identity?.transportAddress;
  return transportAddress === undefined ? rest : { ...rest, transportAddress };
}

export function commandQueue(channel: Channel, queries: Channel): CommandQueue {
  return {
    enqueue: async (command) => {
      const taken = await channel.write('enqueue', command);
      if (!('waiting' in taken)) return taken;
      const { count, bytes } = taken.waiting;
      throw new BusyError(
        `${count} commands of ${bytes} bytes wait for '${command.endpoint}' already, and no more are taken: wait for ` +
          'them to end, or cancel some by DELETE /api/commands/{id}',
      );
    },
    get: (id) => channel.read('command', id),
    head: (endpoint) => channel.read('headCommand', endpoint),
    transition: (step) => channel.write('transition', step),
    list: (query) => queries.query('commands', query),
    pendingEndpoints: () => channel.read('pendingEndpoints'),
    countOpen: (kind) => queries.query('countOpenCommands', kind),
    expire: (now, limit) => channel.write('expireCommands', now, limit),
    trim: (bounds) => channel.write('trimCommands', bounds),
  };
}

export function jobStore(channel: Channel, queries: Channel): JobStore {
  // A job may have very many devices: they go in steps, between which others have their turn.
  const purge = async (): Promise<void> => {
    while (await channel.write('purgeJobs'));
  };
  return {
    create: (job) => channel.write('createJob', job),
    get: (id) => channel.read('job', id),
    list: (query) => queries.query('jobs', query),
    addDevices: (id, endpoints, at) => channel.write('addJobDevices', id, endpoints, at),
    transition: (step) => channel.write('jobTransition', step),
    devices: (id, query) => queries.query('jobDevices', id, query),
    note: (id, steps) => channel.write('noteJobDevices', id, steps),
    endWaiting: (id, step) => channel.write('endWaitingJobDevices', id, step),
    retryDevices: (id, at, limit) => channel.write('retryJobDevices', id, at, limit),
    remove: async (id) => {
      const removed = await channel.write('removeJob', id);
      if (removed) await purge();
      return removed;
    },
    trim: async (bounds) => {
      const removed = await channel.write('trimJobs', bounds);
      // Also what an end of the process in the middle of it has left.
      await purge();
      return removed;
    },
  };
}

export function idempotencyStore(channel: Channel): IdempotencyStore {
  return {
    begin: async (request) => {
      const state = await channel.write('beginKey', request);
      if (state !== undefined) return state;
      throw new BusyError(
        `${request.limit} Idempotency-Keys of the last day are kept, and no more are taken`,
      );
    },
    takeOver: (key, from, to) => channel.write('takeOverKey', key, from, to),
    finish: (key, holder, answer) => channel.write('finishKey', key, holder, answer),
    release: (key, holder) => channel.write('releaseKey', key, holder),
  };
}
