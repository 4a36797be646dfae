import { apnConnectionProfileObject } from '../../../objects/apn-connection-profile.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { type InstanceLifecycle, instance, type ObjectInstance } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import { writeAll } from '../written-values.ts';
import { type ApnProfile, type ApnProfiles, maxProfiles, newProfile } from './apn-profiles.ts';

export type ApnInstance = ObjectInstance<keyof typeof apnConnectionProfileObject.resources & string>;

/** What an APN connection profile is shown with beside what was written. */
export interface ApnTraffic {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly packetsSent: number;
}

export interface ApnParts {
  readonly profiles: ApnProfiles;
  /** Of the modem since it was switched on. */
  readonly traffic: () => ApnTraffic;
  readonly address: () => { readonly ip: string; readonly gateway: string } | undefined;
  /** What was written leads to another connection, after a moment. */
  readonly changed: () => void;
}

/** An APN: labels of letters, digits and hyphens (3GPP TS 23.003 §9.1); or nothing. */
const apnForm =
  /^$|^(?=.{1,100}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const scheduleForm = /^$|^\d{1,9}(,\d{1,9}){0,15}$/;
const networkForm = /^\d{3},\s?\d{2,3}$/;
const longestText = 100;
const mostNetworks = 16;

/** One instance of the APN Connection Profile object. */
export function apnInstance(id: number, parts: ApnParts): ApnInstance {
  const { profiles } = parts;
  const profile = () => profiles.get(id);
  const isActive = () => profiles.connection?.profile === id;
  const set = (change: Partial<ApnProfile>): void => {
    profiles.set(id, { ...profile(), ...change });
    parts.changed();
  };
  const mine = <Value>(value: Value | undefined): ReadonlyMap<number, Value> =>
    new Map(value === undefined || !isActive() ? [] : [[0, value]]);
  const past = (value: (index: number) => number | undefined): ReadonlyMap<number, number> => {
    const found = new Map<number, number>();
    profiles.establishments(id).forEach((_each, index) => {
      const one = value(index);
      if (one !== undefined) found.set(index, one);
    });
    return found;
  };
  const attempt = (index: number) => profiles.establishments(id)[index];
  const text = (check: (value: string) => boolean, what: string) => (value: unknown) => {
    if (!check(String(value))) throw new OperationError(Code.BAD_REQUEST, `no ${what}: ${String(value)}`);
  };
  const short = text((value) => value.length <= longestText, `text of ${longestText} characters at most`);
  return instance(apnConnectionProfileObject, id, {
    profileName: { read: () => profile().name, check: short, write: (value) => set({ name: String(value) }) },
    apn: {
      read: () => profile().apn,
      check: text((value) => apnForm.test(value), 'APN'),
      write: (value) => set({ apn: String(value), automatic: false }),
      reset: () => set({ apn: undefined }),
    },
    autoSelectApnByDevice: {
      read: () => profile().automatic,
      write: (value) => set({ automatic: value === true }),
    },
    enableStatus: {
      read: () => profile().enabled,
      check(value) {
        if (value === true || !isActive() || profiles.hasOtherThan(id)) return;
        throw new OperationError(Code.BAD_REQUEST, 'the connection to this server is of this profile alone');
      },
      write: (value) => set({ enabled: value === true }),
    },
    authenticationType: {
      read: () => profile().authentication,
      write: (value) => set({ authentication: Number(value) }),
    },
    userName: {
      read: () => profile().user,
      check: short,
      write: (value) => set({ user: String(value) }),
      reset: () => set({ user: '' }),
    },
    secret: {
      read: () => profile().secret,
      check: short,
      write: (value) => set({ secret: String(value) }),
      reset: () => set({ secret: '' }),
    },
    reconnectSchedule: {
      read: () => profile().reconnectSchedule,
      check: text((value) => scheduleForm.test(value), 'list of delays in seconds'),
      write: (value) => set({ reconnectSchedule: String(value) }),
      reset: () => set({ reconnectSchedule: '' }),
    },
    validity: {
      read: () => new Map(profile().validity),
      check(value) {
        const networks = [...(value as ReadonlyMap<number, string>).values()];
        if (networks.length > mostNetworks || !networks.every((each) => networkForm.test(each))) {
          throw new OperationError(Code.BAD_REQUEST, 'each is a country code, a comma and a network code');
        }
      },
      write: (value) => set({ validity: [...(value as ReadonlyMap<number, string>)] }),
      reset: () => set({ validity: [] }),
    },
    connectionEstablishmentTime: { read: () => past((index) => attempt(index)?.at) },
    connectionEstablishmentResult: {
      read: () => past((index) => (attempt(index)?.rejectCause === undefined ? 0 : 1)),
    },
    connectionEstablishmentRejectCause: { read: () => past((index) => attempt(index)?.rejectCause) },
    connectionEndTime: { read: () => past((index) => attempt(index)?.endedAt) },
    totalBytesSent: { read: () => (isActive() ? parts.traffic().bytesSent : 0) },
    totalBytesReceived: { read: () => (isActive() ? parts.traffic().bytesReceived : 0) },
    totalPacketsSent: { read: () => (isActive() ? parts.traffic().packetsSent : 0) },
    ipAddress: { read: () => mine(parts.address()?.ip) },
    subnetMask: { read: () => mine('255.255.255.0') },
    gateway: { read: () => mine(parts.address()?.gateway) },
    pdnType: {
      read: () => profile().pdnType,
      check(value) {
        // The simulated network gives IPv4.
        if (value !== 1 && value !== 3) throw new OperationError(Code.BAD_REQUEST, 'IPv4 (1) or IPv4v6 (3)');
      },
      write: (value) => set({ pdnType: Number(value) }),
    },
  });
}

/** How a server makes further profiles, and takes them away. */
export function apnLifecycle(parts: ApnParts): InstanceLifecycle {
  const { profiles } = parts;
  return {
    async create(id, records) {
      if (profiles.ids.length >= maxProfiles) {
        throw new OperationError(Code.BAD_REQUEST, `there are ${maxProfiles} profiles already`);
      }
      const made = apnInstance(id, parts);
      profiles.set(id, { ...newProfile, enabled: false });
      try {
        await writeAll(made, records);
      } catch (error) {
        profiles.delete(id);
        throw error;
      }
      return made as ObjectInstance;
    },
    delete({ id }) {
      if (profiles.connection?.profile === id && !profiles.hasOtherThan(id)) {
        throw new OperationError(Code.BAD_REQUEST, 'the connection to this server is of this profile alone');
      }
      profiles.delete(id);
      parts.changed();
    },
  };
}
