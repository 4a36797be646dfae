import { connectivityMonitoringObject } from '../../../objects/connectivity-monitoring.ts';
import { instance, type ObjectInstance } from '../../lwm2m/object-tree.ts';
import { Bearer, type NetworkView } from './lte-network.ts';

export type ConnectivityInstance = ObjectInstance<
  keyof typeof connectivityMonitoringObject.resources & string
>;

/** What the network gave the modem. */
export interface ModemAddress {
  readonly ip: string;
  readonly gateway: string;
  readonly apn: string;
}

export interface ConnectivityParts {
  readonly view: () => NetworkView | undefined;
  readonly address: () => ModemAddress | undefined;
}

/** The Connectivity Monitoring object's instance: in LTE signal strength is RSRP, link quality RSRQ. */
export function connectivityInstance({ view, address }: ConnectivityParts): ConnectivityInstance {
  const single = (value: string | undefined): ReadonlyMap<number, string> =>
    new Map(value === undefined ? [] : [[0, value]]);
  return instance(connectivityMonitoringObject, 0, {
    networkBearer: { read: () => view()?.bearer },
    availableNetworkBearer: {
      read: (): ReadonlyMap<number, number> =>
        new Map(
          view() === undefined
            ? []
            : [
                [0, Bearer.LTE_FDD],
                [1, Bearer.NB_IOT],
              ],
        ),
    },
    radioSignalStrength: { read: () => view()?.signalStrength },
    linkQuality: { read: () => view()?.linkQuality },
    ipAddresses: { read: () => single(address()?.ip) },
    routerIpAddresses: { read: () => single(address()?.gateway) },
    apn: { read: () => single(address()?.apn) },
    cellId: { read: () => view()?.cellId },
    smnc: { read: () => view()?.mnc },
    smcc: { read: () => view()?.mcc },
    signalSnr: { read: () => view()?.signalToNoise },
    lac: { read: () => view()?.areaCode },
    coverageEnhancementLevel: { read: () => view()?.coverageEnhancement },
  });
}

/** What of it another measurement, another cell and another network change; observers hear of the first lot most. */
export const measuredResources = ['radioSignalStrength', 'linkQuality', 'signalSnr'] as const;
export const cellResources = ['cellId', 'lac', 'coverageEnhancementLevel'] as const;
export const networkResources = [
  'networkBearer',
  'availableNetworkBearer',
  'ipAddresses',
  'routerIpAddresses',
  'apn',
  'smnc',
  'smcc',
] as const;
