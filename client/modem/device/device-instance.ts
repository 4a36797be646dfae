import { freemem, totalmem } from 'node:os';
import { deviceObject } from '../../../objects/device.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { instance, type ObjectInstance, type ResourceInstances } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import type { DeviceErrors } from './device-errors.ts';
import { isTimezone, isUtcOffset, type LocalTime } from './local-time.ts';
import type { PowerSource, PowerSupply } from './power-source.ts';

export type DeviceInstance = ObjectInstance<keyof typeof deviceObject.resources & string>;

export interface DeviceParts {
  readonly serial: string;
  readonly hardware: string;
  /** Version of what runs. */
  readonly firmware: () => string;
  /** Of the client itself. */
  readonly software: string;
  /** Supported Binding and Modes: `U`, `UQ`. */
  readonly binding: string;
  readonly power: PowerSource;
  readonly time: LocalTime;
  readonly errors: DeviceErrors;
  /** Reboot was executed, and answered. */
  readonly reboot: () => void;
  /** Factory Reset was executed, and answered. */
  readonly factoryReset: () => void;
}

/** The end of the year 9999, s. */
const latestTime = 253_402_300_799;

/** The Device object's instance, with the real values of the machine that the modem runs on. */
export function deviceInstance(parts: DeviceParts): DeviceInstance {
  const { power, time, errors } = parts;
  const made: DeviceInstance = instance(deviceObject, 0, {
    manufacturer: { read: () => 'Simyard' },
    modelNumber: { read: () => 'SIM modem, simulated' },
    serialNumber: { read: () => parts.serial },
    firmwareVersion: { read: parts.firmware },
    reboot: { execute: (_args, context) => context.afterAnswer(parts.reboot) },
    factoryReset: { execute: (_args, context) => context.afterAnswer(parts.factoryReset) },
    availablePowerSources: { read: () => ofSupplies(power, (supply) => supply.kind) },
    powerSourceVoltage: { read: () => ofSupplies(power, (supply) => supply.voltage) },
    powerSourceCurrent: { read: () => ofSupplies(power, (supply) => supply.current) },
    batteryLevel: { read: () => power.read().level },
    memoryFree: { read: () => Math.round(freemem() / 1024) },
    errorCode: { read: () => errors.codes },
    resetErrorCode: { execute: () => errors.reset() },
    currentTime: {
      read: () => time.current,
      check(value) {
        const seconds = Number(value);
        if (seconds >= 0 && seconds <= latestTime) return;
        throw new OperationError(Code.BAD_REQUEST, 'the time is from 1970 to 9999');
      },
      write(value) {
        time.current = Number(value);
      },
    },
    utcOffset: {
      read: () => time.utcOffset,
      check(value) {
        const offset = String(value);
        if (isUtcOffset(offset)) return;
        throw new OperationError(Code.BAD_REQUEST, `no UTC offset such as +02:00: ${offset}`);
      },
      write(value) {
        time.utcOffset = String(value);
      },
    },
    timezone: {
      read: () => time.timezone,
      check(value) {
        const name = String(value);
        if (isTimezone(name)) return;
        throw new OperationError(Code.BAD_REQUEST, `no time zone such as Europe/Berlin: ${name}`);
      },
      write(value) {
        time.timezone = String(value);
        made.changed('utcOffset');
      },
    },
    supportedBindingAndModes: { read: () => parts.binding },
    deviceType: { read: () => 'SIM modem' },
    hardwareVersion: { read: () => parts.hardware },
    softwareVersion: { read: () => parts.software },
    batteryStatus: { read: () => power.read().status },
    memoryTotal: { read: () => Math.round(totalmem() / 1024) },
  });
  return made;
}

/** A value of each supply that has it, by the supply's place. */
function ofSupplies(
  power: PowerSource,
  value: (supply: PowerSupply) => number | undefined,
): ResourceInstances<number> {
  const found = new Map<number, number>();
  power.read().supplies.forEach((supply, index) => {
    const each = value(supply);
    if (each !== undefined) found.set(index, each);
  });
  return found;
}
