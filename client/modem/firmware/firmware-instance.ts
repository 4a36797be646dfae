import { firmwareUpdateObject } from '../../../objects/firmware-update.ts';
import { instance, type ObjectInstance } from '../../lwm2m/object-tree.ts';
import type { FirmwareUpdate } from './firmware-update.ts';

export type FirmwareInstance = ObjectInstance<keyof typeof firmwareUpdateObject.resources & string>;

/** Firmware Update Protocol Support: CoAP, HTTP, HTTPS. */
const protocols = new Map([
  [0, 0],
  [1, 2],
  [2, 3],
]);
/** Firmware Update Delivery Method: pull and push. */
const both = 2;

/** The Firmware Update object's instance. */
export function firmwareInstance(update: () => FirmwareUpdate): FirmwareInstance {
  const record = () => update().record;
  return instance(firmwareUpdateObject, 0, {
    package: { write: (value) => update().writePackage(value as Uint8Array) },
    packageUri: { read: () => record().uri, write: (value) => update().writeUri(String(value)) },
    update: { execute: (_args, context) => context.afterAnswer(update().update().begin) },
    state: { read: () => record().state },
    updateResult: { read: () => record().result },
    pkgname: { read: () => record().staged?.name ?? '' },
    pkgversion: { read: () => record().staged?.version ?? '' },
    firmwareUpdateProtocolSupport: { read: () => protocols },
    firmwareUpdateDeliveryMethod: { read: () => both },
    cancel: { execute: () => update().cancel() },
    severity: {
      read: () => record().severity,
      write: (value) => update().configure({ severity: Number(value) }),
    },
    lastStateChangeTime: { read: () => record().changedAt },
    maximumDeferPeriod: {
      read: () => record().maximumDeferPeriod,
      write: (value) => update().configure({ maximumDeferPeriod: Number(value) }),
    },
    automaticUpgradeAtDownload: {
      read: () => record().automatic,
      write: (value) => update().configure({ automatic: value === true }),
    },
  });
}
