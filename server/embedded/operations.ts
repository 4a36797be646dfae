import type { DatabaseSync } from 'node:sqlite';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import type { AuditEntry, AuditLog, AuditQuery } from '../ports/audit-log.ts';
import type {
  BootstrapBounds,
  BootstrapProfile,
  BootstrapSession,
  BootstrapStore,
} from '../ports/bootstrap-store.ts';
import type { CommandQueue, CommandTransition, NewCommand } from '../ports/command-queue.ts';
import type {
  CredentialAccount,
  CredentialChange,
  CredentialFilter,
  Identity,
} from '../ports/credential-store.ts';
import type {
  DeviceAttributes,
  DeviceFilter,
  DeviceQuery,
  DeviceText,
  EnrolledDevice,
} from '../ports/device-store.ts';
import type { HistoryPageQuery, HistoryQuery, HistorySeriesQuery } from '../ports/history.ts';
import type { IdempotencyStore, KeptAnswer } from '../ports/idempotency-store.ts';
import type { JobDeviceStep, JobStore, JobTransition, NewJob } from '../ports/job-store.ts';
import type { StoredObjectModel } from '../ports/object-model-store.ts';
import type { ObservationChoice, ObservationPolicy } from '../ports/observation-policy-store.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { StoredProfile } from '../ports/profile-store.ts';
import type { Keeping, NewSession, SessionHolder, SessionStore } from '../ports/session-store.ts';
import type { StatisticsSample } from '../ports/statistics-store.ts';
import type { LogPosition } from '../ports/telemetry-log.ts';
import type { ApiToken, Session, User, UserChange, UserStore } from '../ports/user-store.ts';
import type { StoredWebhook, WebhookSettings, WebhookStore } from '../ports/webhook-store.ts';
import { AuditTable } from './audit-table.ts';
import { BootstrapTable } from './bootstrap-table.ts';
import type { Changes } from './changed-devices.ts';
import { CommandTable } from './command-table.ts';
import type { CredentialRow } from './credential-row.ts';
import { CredentialTable } from './credential-table.ts';
import { DeviceQueries } from './device-queries.ts';
import { DeviceTable, type NewAwakeTimes } from './device-table.ts';
import { type EventRow, EventTable, type LatestEvents } from './event-table.ts';
import type { EncodedChunks } from './history-chunk.ts';
import { HistoryReader } from './history-reader.ts';
import { HistoryTable, type SeriesName, type TrimTimes } from './history-table.ts';
import { IdempotencyTable } from './idempotency-table.ts';
import { JobTable } from './job-table.ts';
import { type LastValueColumns, LastValueTable } from './last-value-table.ts';
import { LogReader, LogTable } from './log-table.ts';
import { ObjectModelTable } from './object-model-table.ts';
import { ObservationPolicyTable } from './observation-policy-table.ts';
import { ObservationTable } from './observation-table.ts';
import { ProfileTable } from './profile-table.ts';
import type { RegistrationRow } from './registration-row.ts';
import { RegistrationTable } from './registration-table.ts';
import { type DueQuarter, type RolledUpQuarter, RollUpReader } from './rollup-reader.ts';
import type { DuePlace } from './rollup-table.ts';
import { SessionTable } from './session-table.ts';
import { StatisticsTable } from './statistics-table.ts';
import { UserTable } from './user-table.ts';
import { WebhookTable } from './webhook-table.ts';

/** Bytes of the log that one read gives at most, but for a single larger segment. */
const logReadBytes = 16_777_216;

type CommandBounds = Parameters<CommandQueue['trim']>[0];

/**
 * What may take long and only looks: lists, history, the logs. Where there is a second thread it answers
 * these, from what is committed, so that no append waits for them. Who has been answered about a write
 * sees it: it was committed before the answer.
 */
export function createQueries(database: DatabaseSync) {
  const devices = new DeviceQueries(database);
  const commands = new CommandTable(database);
  const log = new LogReader(database);
  const history = new HistoryReader(database);
  const rollUps = new RollUpReader(database, history);
  const events = new EventTable(database);
  const jobs = new JobTable(database);
  const statistics = new StatisticsTable(database);
  const credentials = new CredentialTable(database);
  const bootstrap = new BootstrapTable(database);
  const audit = new AuditTable(database);
  const queries = {
    audit: (query: AuditQuery) => audit.search(query),
    bootstrapAssignments: (query: Parameters<BootstrapStore['assignments']>[0]) =>
      bootstrap.assignments(query),
    bootstrapSessions: (query: Parameters<BootstrapStore['sessions']>[0]) => bootstrap.sessions(query),
    credentials: (filter: CredentialFilter, limit: number, cursor: string | undefined) =>
      credentials.list(filter, limit, cursor),
    devices: (query: DeviceQuery, changes: Changes) => devices.list(query, changes),
    deviceFacets: (
      by: readonly (DeviceText | 'state')[],
      filter: DeviceFilter,
      now: number,
      changes: Changes,
    ) => devices.facets(by, filter, now, changes),
    deviceEndpoints: (
      filter: DeviceFilter,
      now: number,
      after: string | undefined,
      limit: number,
      changes: Changes,
    ) => devices.endpoints(filter, now, after, limit, changes),
    countDevices: (now: number, changes: Changes) => devices.counts(now, changes),
    commands: (query: Parameters<CommandQueue['list']>[0]) => commands.list(query),
    readLog: (after: LogPosition, limit: number) => log.read(after, limit, logReadBytes),
    readings: (query: HistoryQuery) => history.query(query),
    readingsPage: (query: HistoryPageQuery) => history.page(query),
    series: (query: HistorySeriesQuery, patient: boolean) => rollUps.series(query, patient),
    rollUp: (due: readonly DueQuarter[]) => rollUps.rollUp(due),
    readEvents: (after: number, endpoint: string | undefined, limit: number) =>
      events.read(after, endpoint, limit),
    jobs: (query: Parameters<JobStore['list']>[0]) => jobs.list(query),
    jobDevices: (id: string, query: Parameters<JobStore['devices']>[1]) => jobs.devices(id, query),
    latestEvents: (query: LatestEvents) => events.latest(query),
    countOpenCommands: (kind: string) => commands.countOpen(kind),
    readStatistics: (step: 'minute' | 'hour', from: number, to: number) => statistics.read(step, from, to),
  };
  return {
    queries,
    /** As of the operations. */
    reload() {
      devices.forget();
      events.reload();
    },
  };
}

/** Everything else that the worker does, by name: `reads` change nothing; `writes` are part of a transaction. */
export function createOperations(database: DatabaseSync) {
  const registrations = new RegistrationTable(database);
  const observations = new ObservationTable(database);
  const profiles = new ProfileTable(database);
  const policies = new ObservationPolicyTable(database);
  const models = new ObjectModelTable(database);
  const devices = new DeviceTable(database);
  const commands = new CommandTable(database);
  const credentials = new CredentialTable(database);
  const sessions = new SessionTable(database);
  const log = new LogTable(database);
  const history = new HistoryTable(database);
  const lastValues = new LastValueTable(database);
  const events = new EventTable(database);
  const jobs = new JobTable(database);
  const webhooks = new WebhookTable(database);
  const bootstrap = new BootstrapTable(database);
  const statistics = new StatisticsTable(database);
  const keys = new IdempotencyTable(database);
  const users = new UserTable(database);
  const audit = new AuditTable(database);
  const touch = database.prepare('UPDATE written SET count = count + 1');
  return {
    log,
    /** After a transaction or a part of one was rolled back: nothing in memory may be ahead of the tables. */
    reload() {
      log.reload();
      events.reload();
      history.forget();
    },
    reads: {
      registration: (endpoint: string) => registrations.one(endpoint),
      registrationsAfter: (endpoint: string, limit: number) => registrations.after(endpoint, limit),
      observationByToken: (token: string) => observations.byToken(token),
      observationsByRegistration: (id: string) => observations.byRegistration(id),
      countObservations: () => observations.count(),
      findProfiles: (endpoint: string, ids: readonly string[]) => profiles.find(endpoint, ids),
      listProfiles: () => profiles.list(),
      observationPolicies: () => policies.policies(),
      recordedEndpoints: () => policies.recorded(),
      observationRecord: (endpoint: string) => policies.record(endpoint),
      objectModels: () => models.list(),
      device: (endpoint: string) => devices.get(endpoint),
      deviceTenants: (endpoints: readonly string[]) => devices.tenants(endpoints),
      credentialsOf: (endpoint: string) => credentials.get(endpoint),
      bootstrapProfiles: () => bootstrap.profiles(),
      bootstrapAssignment: (endpoint: string) => bootstrap.assignment(endpoint),
      bootstrapSession: (id: string) => bootstrap.session(id),
      credential: (account: CredentialAccount, identity: Identity) => credentials.find(account, identity),
      session: (id: string) => sessions.read(id),
      sessionsOf: (holder: SessionHolder) => sessions.of(holder),
      command: (id: string) => commands.get(id),
      headCommand: (endpoint: string) => commands.head(endpoint),
      job: (id: string) => jobs.get(id),
      pendingEndpoints: () => commands.pendingEndpoints(),
      logCursor: (consumer: string) => log.cursor(consumer),
      logExtent: () => log.extent(),
      seriesPaths: (endpoint: string) => history.paths(endpoint),
      lastValues: (endpoint: string, prefix: string | undefined) => lastValues.get(endpoint, prefix),
      eventExtent: () => events.extent(),
      webhooks: () => webhooks.list(),
      webhookDeliveries: (query: Parameters<WebhookStore['deliveries']>[0]) => webhooks.deliveries(query),
      webhookDelivery: (id: string, delivery: string) => webhooks.delivery(id, delivery),
      users: () => users.users(),
      user: (name: string) => users.user(name),
      loginSession: (id: string) => users.session(id),
      loginSessions: (now: number, user: string | undefined) => users.sessions(now, user),
      token: (id: string) => users.token(id),
      tokens: () => users.tokens(),
    },
    writes: {
      check: () => {
        touch.run();
      },
      register: (...args: Parameters<RegistrationTable['register']>) => registrations.register(...args),
      renewRegistration: (...args: Parameters<RegistrationTable['renew']>) => registrations.renew(...args),
      changeRegistration: (row: RegistrationRow, awakeUntil: number | null, displaced: string | undefined) =>
        registrations.change(row, awakeUntil, displaced),
      hearRegistration: (endpoint: string, updatedAt: number, expiresAt: number, awakeUntil: number | null) =>
        registrations.hear(endpoint, updatedAt, expiresAt, awakeUntil),
      moveRegistration: (...args: Parameters<RegistrationTable['move']>) => registrations.move(...args),
      endRegistrations: (...args: Parameters<RegistrationTable['end']>) => registrations.end(...args),
      addObservation: (observation: StoredObservation) => observations.add(observation),
      confirmObservation: (observation: StoredObservation) => observations.confirm(observation),
      removeObservation: (token: string) => observations.remove(token),
      putProfile: (profile: StoredProfile) => profiles.put(profile),
      removeProfile: (id: string) => profiles.remove(id),
      putObservationPolicy: (policy: ObservationPolicy) => policies.put(policy),
      removeObservationPolicy: (id: string) => policies.remove(id),
      chooseObservation: (endpoint: string, choice: ObservationChoice) => policies.choose(endpoint, choice),
      unchooseObservation: (endpoint: string, paths: readonly string[], composite: boolean) =>
        policies.unchoose(endpoint, paths, composite),
      setWrittenAttributes: (
        endpoint: string,
        path: string,
        attributes: NotificationAttributes | undefined,
      ) => policies.setWritten(endpoint, path, attributes),
      putObjectModels: (uploaded: readonly StoredObjectModel[]) => models.put(uploaded),
      removeObjectModel: (objectId: number, version: string) => models.remove(objectId, version),
      enrol: (enrolled: readonly EnrolledDevice[]) => devices.enrol(enrolled),
      setAttributes: (endpoint: string, attributes: DeviceAttributes) =>
        devices.setAttributes(endpoint, attributes),
      setAwakeTimes: (endpoint: string, times: NewAwakeTimes) => devices.setAwakeTimes(endpoint, times),
      setTenant: (endpoint: string, tenant: string | null) => devices.setTenant(endpoint, tenant),
      heard: (times: ReadonlyMap<string, number>) => devices.heard(times),
      listening: (until: ReadonlyMap<string, number>) => devices.listening(until),
      removeDevice: (endpoint: string) => {
        const removed = devices.remove(endpoint);
        if (removed) history.forget();
        return removed;
      },
      putBootstrapProfile: (profile: BootstrapProfile) => bootstrap.putProfile(profile),
      removeBootstrapProfile: (id: string) => bootstrap.removeProfile(id),
      assignBootstrap: (endpoint: string, profile: string | undefined) => bootstrap.assign(endpoint, profile),
      beginBootstrap: (session: BootstrapSession, bounds: BootstrapBounds) =>
        bootstrap.begin(session, bounds),
      recordBootstrap: (session: BootstrapSession) => bootstrap.record(session),
      putCredential: (row: CredentialRow, mode: 'add' | 'replace') => credentials.put(row, mode),
      changeCredential: (account: CredentialAccount, identity: Identity, change: CredentialChange) =>
        credentials.change(account, identity, change),
      removeCredential: (account: CredentialAccount, identity: Identity) =>
        credentials.remove(account, identity),
      createSession: (session: NewSession & Keeping) => sessions.create(session),
      reserveSession: (id: string, fence: number, upTo: number, keeping: Keeping) =>
        sessions.reserve(id, fence, upTo, keeping),
      saveSession: (id: string, fence: number, saved: Parameters<SessionStore['save']>[2]) =>
        sessions.save(id, fence, saved),
      takeSession: (id: string, fence: number, by: Parameters<SessionStore['take']>[2]) =>
        sessions.take(id, fence, by),
      removeSession: (id: string, fence: number | undefined) => sessions.remove(id, fence),
      trimSessions: (now: number, limit: number) => sessions.trim(now, limit),
      enqueue: (command: NewCommand) => commands.enqueue(command),
      transition: (step: CommandTransition) => commands.transition(step),
      expireCommands: (now: number, limit: number) => commands.expire(now, limit),
      trimCommands: (bounds: CommandBounds) => commands.trim(bounds),
      beginKey: (request: Parameters<IdempotencyStore['begin']>[0]) => keys.begin(request),
      takeOverKey: (key: string, from: string, to: string) => keys.takeOver(key, from, to),
      finishKey: (key: string, holder: string, answer: KeptAnswer) => keys.finish(key, holder, answer),
      releaseKey: (key: string, holder: string) => keys.release(key, holder),
      createJob: (job: NewJob) => jobs.create(job),
      addJobDevices: (id: string, endpoints: readonly string[], at: number) =>
        jobs.addDevices(id, endpoints, at),
      jobTransition: (step: JobTransition) => jobs.transition(step),
      noteJobDevices: (id: string, steps: readonly JobDeviceStep[]) => jobs.note(id, steps),
      endWaitingJobDevices: (id: string, step: Parameters<JobStore['endWaiting']>[1]) =>
        jobs.endWaiting(id, step),
      retryJobDevices: (id: string, at: number, limit: number) => jobs.retryDevices(id, at, limit),
      removeJob: (id: string) => jobs.remove(id),
      trimJobs: (bounds: Parameters<JobStore['trim']>[0]) => jobs.trim(bounds),
      purgeJobs: () => jobs.purge(),
      commitLog: (consumer: string, position: LogPosition) => log.commit(consumer, position),
      trimLog: (receivedBefore: number, maxBytes: number) => log.trim(receivedBefore, maxBytes),
      appendHistory: (chunks: EncodedChunks) => history.append(chunks),
      catchUpHistory: (name?: SeriesName) => history.catchUp(name),
      takeDue: (before: number, after: DuePlace | undefined, limit: number, name?: SeriesName) =>
        history.takeDue(before, after, limit, name),
      storeRollUps: (quarters: readonly RolledUpQuarter[]) => history.storeRollUps(quarters),
      historyTrimTimes: (readingsBefore: number, rollUpsBefore: number, maxBytes: number) =>
        history.trimTimes(readingsBefore, rollUpsBefore, maxBytes),
      trimHistory: (times: TrimTimes, after: number) => history.trim(times, after),
      purgeHistory: () => history.purge(),
      setLastValues: (values: LastValueColumns) => lastValues.set(values),
      appendEvents: (rows: readonly EventRow[]) => events.append(rows),
      addStatistics: (sample: StatisticsSample) => statistics.add(sample),
      trimStatistics: (minutesBefore: number, hoursBefore: number) =>
        statistics.trim(minutesBefore, hoursBefore),
      trimEvents: (keep: number) => events.trim(keep),
      addWebhook: (webhook: StoredWebhook) => webhooks.add(webhook),
      configureWebhook: (settings: WebhookSettings) => webhooks.configure(settings),
      removeWebhook: (id: string) => webhooks.remove(id),
      recordWebhook: (id: string, step: Parameters<WebhookStore['record']>[1]) => webhooks.record(id, step),
      addUser: (user: User, options: Parameters<UserStore['addUser']>[1]) => users.addUser(user, options),
      changeUser: (name: string, change: UserChange) => users.changeUser(name, change),
      removeUser: (name: string) => users.removeUser(name),
      addLoginSession: (session: Session, keep: number) => users.addSession(session, keep),
      renewLoginSession: (id: string, times: Parameters<UserStore['renewSession']>[1]) =>
        users.renewSession(id, times),
      removeLoginSession: (id: string) => users.removeSession(id),
      removeLoginSessions: (user: string, except: string | undefined) => users.removeSessions(user, except),
      addToken: (token: ApiToken, most: number) => users.addToken(token, most),
      useToken: (id: string, usedAt: number) => users.useToken(id, usedAt),
      removeToken: (id: string) => users.removeToken(id),
      beginAttempt: (
        of: Parameters<UserStore['beginAttempt']>[0],
        options: Parameters<UserStore['beginAttempt']>[1],
      ) => users.beginAttempt(of, options),
      attemptSucceeded: (forget: string, takeBack: string) => users.attemptSucceeded(forget, takeBack),
      prunePeople: (now: number, expiredBefore: number) => users.prune(now, expiredBefore),
      appendAudit: (entries: readonly AuditEntry[]) => audit.append(entries),
      trimAudit: (bounds: Parameters<AuditLog['trim']>[0]) => audit.trim(bounds),
    },
  };
}

export type Queries = ReturnType<typeof createQueries>['queries'];
export type Operations = ReturnType<typeof createOperations>;
