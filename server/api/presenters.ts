import type { ObjectRegistry } from '../../objects/registry.ts';
import { toApiValue } from '../../objects/values.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { CarrierStatus } from '../commands/carrier-commands.ts';
import { isSecureAddress } from '../enrolment/speakers.ts';
import type { LiveReadings } from '../events.ts';
import { isFlowAddress } from '../gateway/flow-address.ts';
import type { CompositeResult, ReadResult } from '../lwm2m/device-requests.ts';
import type { PowerSaving } from '../lwm2m/power-saving.ts';
import type { PresenceState } from '../lwm2m/presence.ts';
import type { Command } from '../ports/command-queue.ts';
import { type Device, type DeviceFacets, type DeviceState, deviceTexts } from '../ports/device-store.ts';
import type { StoredEvent } from '../ports/event-log.ts';
import type { HistoryReading, HistorySeries } from '../ports/history.ts';
import type { LastValue } from '../ports/last-values.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { StoredProfile } from '../ports/profile-store.ts';
import { shownAddress } from '../transport/session-address.ts';
import type {
  ApiCarrierAnswer,
  ApiCommand,
  ApiCompositeResult,
  ApiDevice,
  ApiDeviceFacets,
  ApiDeviceItem,
  ApiEvent,
  ApiLink,
  ApiLiveReadings,
  ApiObservation,
  ApiPresence,
  ApiProfile,
  ApiReading,
  ApiReadingSeries,
  ApiReadResult,
  ApiRegistration,
  ApiResourceItem,
} from './schemas.ts';

// The one place where what the ports say becomes what the API shows. Each member is named here on
// purpose: a registration's id (its Location) and an observation's token let whoever knows them act as
// the device, and must not leave the server.

/** Members of `source` that are there, of those named. */
function pick<T extends object, K extends keyof T>(source: T, keys: readonly K[]): Pick<T, K> {
  const picked: Partial<Pick<T, K>> = {};
  for (const key of keys) {
    if (source[key] !== undefined) picked[key] = source[key];
  }
  return picked as Pick<T, K>;
}

type RegistrationView = Omit<NonNullable<Device['registration']>, 'id'>;

export function presentRegistration(registration: RegistrationView): ApiRegistration {
  const { profiles, contentFormats } = registration;
  const shown: ApiRegistration = {
    address: shownAddress(registration),
    secure: isSecureAddress(registration.address),
    lifetime: registration.lifetime,
    version: registration.version,
    binding: registration.binding,
    queueMode: registration.queueMode,
    rootPath: registration.rootPath,
    registeredAt: registration.registeredAt,
    updatedAt: registration.updatedAt,
    expiresAt: registration.expiresAt,
    node: registration.node,
    objects: presentObjects(registration.links),
  };
  if (isFlowAddress(registration.address)) shown.gateway = true;
  if (profiles !== undefined) shown.profiles = [...profiles];
  if (contentFormats.length > 0) shown.contentFormats = [...contentFormats];
  return shown;
}

const presentedObjects = new WeakMap<readonly Link[], ApiRegistration['objects']>();

/** The same array for the same links: devices of one model list the same. */
function presentObjects(links: readonly Link[]): ApiRegistration['objects'] {
  let shown = presentedObjects.get(links);
  if (shown === undefined) {
    shown = links.map(({ target, attributes }) => ({ path: target, attributes: { ...attributes } }));
    presentedObjects.set(links, shown);
  }
  return shown;
}

export function presentPresence(state: PresenceState, saving?: PowerSaving): ApiPresence {
  return {
    ...pick(state, ['queueMode', 'awake', 'awakeUntil', 'window', 'source']),
    ...(saving === undefined || Object.keys(saving).length === 0
      ? {}
      : {
          powerSaving: {
            ...pick(saving, ['psmTimer', 'activeTimer', 'edrxCycle']),
            ...(saving.modes === undefined ? {} : { modes: [...saving.modes] }),
          },
        }),
  };
}

/** @param state as the reader asked for it, where he did */
export function presentDevice(device: Device, state: DeviceState, presence?: ApiPresence): ApiDevice {
  return {
    endpoint: device.endpoint,
    state,
    ...pick(device, [
      'tenant',
      'firstSeen',
      'lastSeen',
      'manufacturer',
      'model',
      'serialNumber',
      'firmwareVersion',
      'iccid',
      'imsi',
      'imei',
      'carrier',
      'signal',
    ]),
    ...(device.registration === undefined ? {} : { registration: presentRegistration(device.registration) }),
    ...(presence === undefined ? {} : { presence }),
  };
}

/** Of a device what was asked for, and its endpoint always. */
export function presentFields(device: ApiDevice, fields: readonly (keyof ApiDevice)[]): ApiDeviceItem {
  return { ...pick(device, fields), endpoint: device.endpoint };
}

export function presentFacets({ total, facets }: DeviceFacets): ApiDeviceFacets {
  const shown: ApiDeviceFacets['facets'] = {};
  for (const by of ['state', ...deviceTexts] as const) {
    const values = facets[by];
    if (values !== undefined) shown[by] = values.map(({ value, count }) => ({ value, count }));
  }
  return { total, facets: shown };
}

/** RFC 8428 §4.5.3: a time under 2^28 s is relative to now. */
const RELATIVE_TIME_BOUND = 2 ** 28;

export function presentItem(record: LwM2mRecord, registry: ObjectRegistry, now: number): ApiResourceItem {
  const ids = pathIds(record.path) ?? [];
  const definition = ids.length >= 3 ? registry.resource(ids[0] as number, ids[2] as number) : undefined;
  return {
    path: record.path,
    value: toApiValue(record.value),
    ...(record.time === undefined
      ? {}
      : {
          takenAt: record.time < RELATIVE_TIME_BOUND ? now + record.time * 1000 : record.time * 1000,
        }),
    ...(definition === undefined ? {} : { name: definition.title, type: definition.type }),
    ...(definition?.units === undefined ? {} : { units: definition.units }),
  };
}

/** @param now ms since the epoch: what the relative times of the device's answer are counted from. */
export function presentReadResult(result: ReadResult, registry: ObjectRegistry, now: number): ApiReadResult {
  const items = result.records.map((record) => presentItem(record, registry, now));
  const only = items.length === 1 ? items[0] : undefined;
  return {
    path: result.path,
    contentFormat: result.contentFormat,
    ...(only !== undefined && only.path === result.path ? { value: only.value } : {}),
    items,
  };
}

/** @param now as for presentReadResult */
export function presentCompositeResult(
  result: CompositeResult,
  registry: ObjectRegistry,
  now: number,
): ApiCompositeResult {
  return {
    paths: [...result.paths],
    contentFormat: result.contentFormat,
    items: result.records.map((record) => presentItem(record, registry, now)),
  };
}

export function presentLink(link: Link, registry: ObjectRegistry): ApiLink {
  const ids = pathIds(link.target) ?? [];
  const attributes = { ...link.attributes };
  const [objectId, , resourceId] = ids;
  if (objectId === undefined) return { path: link.target, attributes };
  if (resourceId === undefined) {
    const object = registry.object(objectId, attributes.ver);
    if (object === undefined) return { path: link.target, attributes };
    return { path: link.target, attributes, name: object.name, version: object.version };
  }
  const resource = registry.resource(objectId, resourceId);
  if (resource === undefined) return { path: link.target, attributes };
  const { title, type, operations, units } = resource;
  return {
    path: link.target,
    attributes,
    name: title,
    type,
    operations,
    ...(units === undefined ? {} : { units }),
  };
}

export function presentProfile({ id, links, storedAt }: StoredProfile): ApiProfile {
  return {
    id,
    objects: links.map(({ target, attributes }) => ({ path: target, attributes: { ...attributes } })),
    storedAt,
  };
}

export function presentObservation(observation: StoredObservation): ApiObservation {
  return {
    ...pick(observation, ['composite', 'contentFormat', 'origin', 'createdAt']),
    ...(observation.attributes === undefined ? {} : { attributes: { ...observation.attributes } }),
    paths: [...observation.paths],
  };
}

export function presentCommand(command: Command): ApiCommand {
  return {
    ...pick(command, [
      'id',
      'endpoint',
      'number',
      'kind',
      'state',
      'reason',
      'attempts',
      'createdAt',
      'updatedAt',
      'expiresAt',
    ]),
    ...(command.job === undefined ? {} : { job: command.job.id }),
    parameters: { ...command.parameters },
    ...(command.result === undefined ? {} : { result: { ...command.result } }),
    history: command.history.map((step) => pick(step, ['state', 'at', 'reason'])),
  };
}

export function presentCarrier(slots: readonly CarrierStatus[]): ApiCarrierAnswer {
  return {
    current: slots[0]?.current ?? null,
    slots: slots.map((slot) => ({
      ...pick(slot, ['slot', 'current', 'state', 'lastResult', 'lastReason', 'iccid', 'imsi', 'lastSwitch']),
      available: slot.available.map(({ id, name }) => ({ id, name })),
      ...(slot.command === undefined ? {} : { command: presentCommand(slot.command) }),
    })),
  };
}

export function presentReading(path: string, reading: HistoryReading | LastValue): ApiReading {
  const claimedAt = 'claimedAt' in reading ? reading.claimedAt : undefined;
  return {
    path,
    value: toApiValue(reading.value),
    takenAt: reading.takenAt / 1000,
    receivedAt: reading.receivedAt / 1000,
    ...(claimedAt === undefined ? {} : { claimedAt: claimedAt / 1000 }),
  };
}

export function presentSeries(path: string, { step, items }: HistorySeries): ApiReadingSeries {
  return {
    path,
    step: step / 1000,
    items: items.map(({ at, count, min, max, mean, last }) => ({
      at: at / 1000,
      count,
      min,
      max,
      mean,
      last,
    })),
  };
}

export function presentLiveReadings(readings: LiveReadings): ApiLiveReadings {
  return {
    endpoint: readings.endpoint,
    series: readings.series.map(({ path, readings: points }) => ({
      path,
      points: points.map(({ takenAt, value }) => [takenAt / 1000, toApiValue(value)] as const),
    })),
  };
}

const registrationSecrets = new Set(['id', 'registrationId', 'identity', 'token']);

export function presentEvent(event: StoredEvent): ApiEvent {
  return { ...pick(event, ['id', 'type', 'endpoint', 'at', 'trouble']), data: presentEventData(event.data) };
}

/**
 * An event's data are JSON as its writer stored them. A registration in them is shown without what is
 * secret, whatever the writer, or an older version of it, put there.
 */
function presentEventData(data: StoredEvent['data']): Record<string, unknown> {
  const shown = Object.fromEntries(Object.entries(data).filter(([key]) => !registrationSecrets.has(key)));
  const { registration } = data;
  if (typeof registration === 'object' && registration !== null) {
    shown.registration = Object.fromEntries(
      Object.entries(registration).filter(([key]) => !registrationSecrets.has(key)),
    );
  }
  return shown;
}
