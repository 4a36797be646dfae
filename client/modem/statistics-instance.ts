import { connectivityStatisticsObject } from '../../objects/connectivity-statistics.ts';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { instance, type ObjectInstance } from '../lwm2m/object-tree.ts';
import { longestTimer } from '../lwm2m/observations.ts';
import type { KeptSettings } from './kept-settings.ts';
import type { Radio, Traffic } from './radio.ts';

export type StatisticsInstance = ObjectInstance<keyof typeof connectivityStatisticsObject.resources & string>;

const section = 'statistics';
/** Resources that traffic changes. */
export const countedResources = ['txData', 'rxData', 'maxMessageSize', 'averageMessageSize'] as const;

interface Collected extends Traffic {
  readonly largest: number;
}

/**
 * The Connectivity Statistics object's instance: what went over the radio from Start to Stop, or to the end
 * of the collection period; before the first Start, since the modem was switched on.
 */
export function statisticsInstance(
  radio: Radio,
  clock: Clock,
  settings: KeptSettings,
): { readonly object: StatisticsInstance; readonly close: () => void } {
  let period = settings.read(section, (value) => (typeof value === 'number' ? value : undefined)) ?? 0;
  settings.onClear(() => {
    period = 0;
  });
  let began: Traffic = { packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0 };
  let stopped: Collected | undefined;
  let timer: Timer | undefined;
  const collected = (): Collected => {
    if (stopped !== undefined) return stopped;
    const now = radio.traffic;
    return {
      packetsIn: now.packetsIn - began.packetsIn,
      packetsOut: now.packetsOut - began.packetsOut,
      bytesIn: now.bytesIn - began.bytesIn,
      bytesOut: now.bytesOut - began.bytesOut,
      largest: radio.largest,
    };
  };
  const stop = (): void => {
    timer?.cancel();
    stopped ??= collected();
  };
  /** Ends the collection after a time that may be longer than a timer can wait. */
  const stopAfter = (milliseconds: number): void => {
    timer = clock.setTimer(Math.min(milliseconds, longestTimer), () => {
      if (milliseconds > longestTimer) stopAfter(milliseconds - longestTimer);
      else stop();
    });
  };
  const object: StatisticsInstance = instance(connectivityStatisticsObject, 0, {
    // The modem has no SMS.
    smsTxCounter: { read: () => 0 },
    smsRxCounter: { read: () => 0 },
    txData: { read: () => Math.round(collected().bytesOut / 1_000) },
    rxData: { read: () => Math.round(collected().bytesIn / 1_000) },
    maxMessageSize: { read: () => collected().largest },
    averageMessageSize: {
      read() {
        const { bytesIn, bytesOut, packetsIn, packetsOut } = collected();
        return Math.round((bytesIn + bytesOut) / Math.max(1, packetsIn + packetsOut));
      },
    },
    start: {
      execute() {
        timer?.cancel();
        began = radio.traffic;
        radio.forgetLargest();
        stopped = undefined;
        if (period > 0) stopAfter(period * 1_000);
        object.changed(...countedResources);
      },
    },
    stop: {
      execute() {
        stop();
        object.changed(...countedResources);
      },
    },
    collectionPeriod: {
      read: () => period,
      write(value) {
        const seconds = Math.max(0, Number(value));
        settings.write(section, seconds);
        period = seconds;
      },
    },
  });
  return { object, close: () => timer?.cancel() };
}
