import { freemem, totalmem } from 'node:os';
import { cellularConnectivityObject } from '../../objects/cellular-connectivity.ts';
import { connectivityMonitoringObject } from '../../objects/connectivity-monitoring.ts';
import { connectivityStatisticsObject } from '../../objects/connectivity-statistics.ts';
import { deviceObject } from '../../objects/device.ts';
import type { Clock } from '../../protocol/clock.ts';
import { instance, type ObjectInstance } from '../lwm2m/object-tree.ts';
import type { NetworkView } from './network.ts';

export interface DeviceFacts {
  readonly serial: string;
  readonly hardware: string;
  /** Version of what runs. */
  readonly firmware: () => string;
  /** Reboot was executed. */
  readonly reboot: () => void;
}

type Instance<Definition extends { readonly resources: object }> = ObjectInstance<
  keyof Definition['resources'] & string
>;

/** Hours from full to empty, and back on the charger in a quarter of it. */
const dischargeHours = 40;
const chargeHours = 10;

/** The battery's charge in percent at a time (ms since the epoch), and whether it is being charged. */
export function battery(time: number): { readonly level: number; readonly charging: boolean } {
  const hours = (time / 3_600_000) % (dischargeHours + chargeHours);
  const lowest = 20;
  if (hours < dischargeHours) {
    return { level: Math.round(100 - ((100 - lowest) * hours) / dischargeHours), charging: false };
  }
  return {
    level: Math.round(lowest + ((100 - lowest) * (hours - dischargeHours)) / chargeHours),
    charging: true,
  };
}

export function deviceInstance(facts: DeviceFacts, clock: Clock): Instance<typeof deviceObject> {
  let offset = 0;
  let utcOffset = localUtcOffset();
  let timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const charge = (): ReturnType<typeof battery> => battery(clock.wallTime());
  return instance(deviceObject, 0, {
    manufacturer: { read: () => 'Simyard' },
    modelNumber: { read: () => 'SIM modem, simulated' },
    serialNumber: { read: () => facts.serial },
    firmwareVersion: { read: facts.firmware },
    reboot: { execute: (_args, context) => context.afterAnswer(facts.reboot) },
    // 1 internal battery, 5 USB.
    availablePowerSources: {
      read: () =>
        new Map([
          [0, 1],
          [1, 5],
        ]),
    },
    powerSourceVoltage: {
      read: () =>
        new Map([
          [0, 3_300 + charge().level * 9],
          [1, charge().charging ? 5_000 : 0],
        ]),
    },
    batteryLevel: { read: () => charge().level },
    memoryFree: { read: () => Math.round(freemem() / 1024) },
    memoryTotal: { read: () => Math.round(totalmem() / 1024) },
    errorCode: { read: () => new Map([[0, 0]]) },
    resetErrorCode: { execute: () => {} },
    currentTime: {
      read: () => Math.floor(clock.wallTime() / 1_000) + offset,
      write(value) {
        offset = Number(value) - Math.floor(clock.wallTime() / 1_000);
      },
    },
    utcOffset: {
      read: () => utcOffset,
      write(value) {
        utcOffset = String(value);
      },
    },
    timezone: {
      read: () => timezone,
      write(value) {
        timezone = String(value);
      },
    },
    supportedBindingAndModes: { read: () => 'U' },
    deviceType: { read: () => 'SIM modem' },
    hardwareVersion: { read: () => facts.hardware },
    softwareVersion: { read: facts.firmware },
    // 1 charging, 0 normal.
    batteryStatus: { read: () => (charge().charging ? 1 : 0) },
  });
}

export function connectivityInstance(
  view: () => NetworkView | undefined,
): Instance<typeof connectivityMonitoringObject> {
  const single = (value: string | undefined): Map<number, string> =>
    value === undefined ? new Map() : new Map([[0, value]]);
  return instance(connectivityMonitoringObject, 0, {
    networkBearer: { read: () => view()?.bearer },
    availableNetworkBearer: {
      read: (): ReadonlyMap<number, number> =>
        new Map(view() === undefined ? [] : [[0, view()?.bearer ?? 0]]),
    },
    radioSignalStrength: { read: () => view()?.signalStrength },
    linkQuality: { read: () => view()?.linkQuality },
    ipAddresses: { read: () => single(view()?.ipAddress) },
    routerIpAddresses: { read: () => single(view()?.router) },
    apn: { read: () => single(view()?.apn) },
    cellId: { read: () => view()?.cellId },
    smnc: { read: () => view()?.mnc },
    smcc: { read: () => view()?.mcc },
    signalSnr: { read: () => view()?.signalToNoise },
    lac: { read: () => view()?.areaCode },
  });
}

export function cellularInstance(): Instance<typeof cellularConnectivityObject> {
  return instance(cellularConnectivityObject, 0, {
    // Mandatory; the modem has no APN Connection Profile object, so it is the null link.
    activatedProfileNames: { read: () => new Map([[0, { objectId: 65_535, instanceId: 65_535 }]]) },
    supportedPowerSavingModes: { read: () => 0 },
    activePowerSavingModes: { read: () => 0 },
  });
}

/** What of an endpoint's counters the modem tells. */
interface TrafficCounters {
  readonly datagramsIn: number;
  readonly datagramsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Traffic since Start, up to Stop; before the first Start, since the modem was switched on. */
export function statisticsInstance(
  counters: () => TrafficCounters,
): Instance<typeof connectivityStatisticsObject> {
  const nothing: TrafficCounters = { datagramsIn: 0, datagramsOut: 0, bytesIn: 0, bytesOut: 0 };
  let began = nothing;
  let stopped: TrafficCounters | undefined;
  const collected = (): TrafficCounters => {
    const end = stopped ?? counters();
    return {
      datagramsIn: end.datagramsIn - began.datagramsIn,
      datagramsOut: end.datagramsOut - began.datagramsOut,
      bytesIn: end.bytesIn - began.bytesIn,
      bytesOut: end.bytesOut - began.bytesOut,
    };
  };
  return instance(connectivityStatisticsObject, 0, {
    txData: { read: () => Math.round(collected().bytesOut / 1_000) },
    rxData: { read: () => Math.round(collected().bytesIn / 1_000) },
    averageMessageSize: {
      read() {
        const { bytesIn, bytesOut, datagramsIn, datagramsOut } = collected();
        return Math.round((bytesIn + bytesOut) / Math.max(1, datagramsIn + datagramsOut));
      },
    },
    start: {
      execute() {
        began = { ...counters() };
        stopped = undefined;
      },
    },
    stop: {
      execute() {
        stopped ??= { ...counters() };
      },
    },
  });
}

/** `+02:00`, ISO 8601. */
function localUtcOffset(): string {
  const minutes = -new Date().getTimezoneOffset();
  const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${hours}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
}
