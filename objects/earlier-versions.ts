// Versions of OMA's objects that clients of LwM2M 1.0 and 1.1 still have. Where a later version only added
// resources that a decoder reads in the same way, the newest one serves for it (registry.ts).

import { accessControlObject } from './access-control.ts';
import { cellularConnectivityObject } from './cellular-connectivity.ts';
import { connectivityMonitoringObject } from './connectivity-monitoring.ts';
import type { ObjectDefinition } from './define-object.ts';
import { deviceObject } from './device.ts';
import { earlierVersion } from './earlier-version.ts';
import { firmwareUpdateObject } from './firmware-update.ts';
import { gatewayObject } from './gateway.ts';
import { positionObject } from './ipso/position.ts';
import { oscoreObject } from './oscore.ts';
import { securityObject } from './security.ts';
import { serverObject } from './server.ts';

const { resources: security } = securityObject;
const { resources: server } = serverObject;
const { resources: device } = deviceObject;
const { resources: oscore } = oscoreObject;

/** LwM2M Security of LwM2M 1.1 (urn:oma:lwm2m:oma:0:1.1). */
export const securityObjectV1_1 = earlierVersion(securityObject, '1.1', {
  later: [
    'groupsToUseByClient',
    'signatureAlgorithmsSupportedByServer',
    'signatureAlgorithmsToUseByClient',
    'signatureAlgorithmCertsSupportedByServer',
    'tls13FeaturesToUseByClient',
    'tlsExtensionsSupportedByServer',
    'tlsExtensionsToUseByClient',
    'secondaryLwm2mServerUri',
    'mqttServer',
    'lwm2mCoseSecurity',
    'rdsDestinationPort',
    'rdsSourcePort',
    'rdsApplicationId',
  ],
});

/** LwM2M Security of LwM2M 1.0 (urn:oma:lwm2m:oma:0). */
export const securityObjectV1_0 = earlierVersion(securityObjectV1_1, '1.0', {
  later: ['matchingType', 'sni', 'certificateUsage', 'ciphersuite', 'oscoreSecurityMode'],
  changed: {
    securityMode: {
      ...security.securityMode,
      values: { 0: 'Pre-Shared Key', 1: 'Raw Public Key', 2: 'Certificate', 3: 'NoSec' },
    },
  },
});

/** LwM2M Server of LwM2M 1.1 (urn:oma:lwm2m:oma:1:1.1): 13 to 20 are a bootstrap server's only. */
export const serverObjectV1_1 = earlierVersion(serverObject, '1.1', {
  later: [
    'alternateApnLinks',
    'supportedServerVersions',
    'defaultNotificationMode',
    'profileIdHashAlgorithm',
  ],
  changed: {
    registrationPriorityOrder: { ...server.registrationPriorityOrder, operations: '' },
    initialRegistrationDelayTimer: { ...server.initialRegistrationDelayTimer, operations: '' },
    registrationFailureBlock: { ...server.registrationFailureBlock, operations: '' },
    bootstrapOnRegistrationFailure: { ...server.bootstrapOnRegistrationFailure, operations: '' },
    communicationRetryCount: { ...server.communicationRetryCount, operations: '' },
    communicationRetryTimer: { ...server.communicationRetryTimer, operations: '' },
    communicationSequenceDelayTimer: { ...server.communicationSequenceDelayTimer, operations: '' },
    communicationSequenceRetryCount: { ...server.communicationSequenceRetryCount, operations: '' },
  },
});

/** LwM2M Server of LwM2M 1.0 (urn:oma:lwm2m:oma:1). */
export const serverObjectV1_0 = earlierVersion(serverObjectV1_1, '1.0', {
  later: [
    'bootstrapRequestTrigger',
    'apnLink',
    'alertCode',
    'lastBootstrapped',
    'registrationPriorityOrder',
    'initialRegistrationDelayTimer',
    'registrationFailureBlock',
    'bootstrapOnRegistrationFailure',
    'communicationRetryCount',
    'communicationRetryTimer',
    'communicationSequenceDelayTimer',
    'communicationSequenceRetryCount',
    'trigger',
    'preferredTransport',
    'muteSend',
  ],
  changed: { shortServerId: { ...server.shortServerId, range: [1, 65535] } },
});

/** LwM2M Access Control of LwM2M 1.0 and 1.1 (urn:oma:lwm2m:oma:2). */
export const accessControlObjectV1_0 = earlierVersion(accessControlObject, '1.0', {});

/** Device of LwM2M 1.1 (urn:oma:lwm2m:oma:3:1.1). */
export const deviceObjectV1_1 = earlierVersion(deviceObject, '1.1', {
  changed: { errorCode: { ...device.errorCode, range: [0, 8] } },
});

/** Device of LwM2M 1.0 (urn:oma:lwm2m:oma:3). */
export const deviceObjectV1_0 = earlierVersion(deviceObjectV1_1, '1.0', {});

/** Connectivity Monitoring of LwM2M 1.1 (urn:oma:lwm2m:oma:4:1.2). */
export const connectivityMonitoringObjectV1_2 = earlierVersion(connectivityMonitoringObject, '1.2', {
  later: ['coverageEnhancementLevel'],
});

/** Connectivity Monitoring (urn:oma:lwm2m:oma:4:1.1). */
export const connectivityMonitoringObjectV1_1 = earlierVersion(connectivityMonitoringObjectV1_2, '1.1', {
  later: ['lac'],
});

/** Connectivity Monitoring of LwM2M 1.0 (urn:oma:lwm2m:oma:4). */
export const connectivityMonitoringObjectV1_0 = earlierVersion(connectivityMonitoringObjectV1_1, '1.0', {
  later: ['signalSnr'],
});

/** Firmware Update of LwM2M 1.2 (urn:oma:lwm2m:oma:5:1.1). */
export const firmwareUpdateObjectV1_1 = earlierVersion(firmwareUpdateObject, '1.1', {
  later: ['automaticUpgradeAtDownload'],
});

/** Firmware Update of LwM2M 1.0 and 1.1 (urn:oma:lwm2m:oma:5). */
export const firmwareUpdateObjectV1_0 = earlierVersion(firmwareUpdateObjectV1_1, '1.0', {
  later: ['cancel', 'severity', 'lastStateChangeTime', 'maximumDeferPeriod'],
  changed: {
    updateResult: {
      ...firmwareUpdateObject.resources.updateResult,
      range: [0, 9],
      values: {
        0: 'Initial',
        1: 'Updated successfully',
        2: 'Not enough flash memory',
        3: 'Out of RAM',
        4: 'Connection lost',
        5: 'Integrity check failure',
        6: 'Unsupported package type',
        7: 'Invalid URI',
        8: 'Update failed',
        9: 'Unsupported protocol',
      },
    },
  },
});

/** Cellular Connectivity (urn:oma:lwm2m:oma:10): the names of profiles were text. */
export const cellularConnectivityObjectV1_0 = earlierVersion(cellularConnectivityObject, '1.0', {
  name: 'Cellular connectivity',
  later: ['supportedPowerSavingModes', 'activePowerSavingModes', 'releaseAssistanceIndicationUsage'],
  changed: {
    activatedProfileNames: { ...cellularConnectivityObject.resources.activatedProfileNames, type: 'string' },
    servingPlmnRateControl: {
      id: 6,
      title: 'Serving PLMN Rate control',
      operations: 'R',
      type: 'integer',
      description: 'How many uplink messages in 6 minutes the serving network allows.',
    },
  },
});

/** LWM2M OSCORE (urn:oma:lwm2m:oma:21:1.1): secrets and ids were text. */
export const oscoreObjectV1_1 = earlierVersion(oscoreObject, '1.1', {
  changed: {
    masterSecret: { ...oscore.masterSecret, type: 'string' },
    senderId: { ...oscore.senderId, type: 'string' },
    recipientId: { ...oscore.recipientId, type: 'string' },
    masterSalt: { ...oscore.masterSalt, type: 'string' },
    idContext: { ...oscore.idContext, type: 'string' },
  },
});

/** LwM2M Gateway (urn:oma:lwm2m:oma:25): the objects of a device were not told. */
export const gatewayObjectV1_0 = earlierVersion(gatewayObject, '1.0', {
  later: ['iotDeviceObjects'],
  changed: {
    prefix: { ...gatewayObject.resources.prefix, operations: 'RW' },
    routingTableEntry: {
      id: 2,
      title: 'Routing Table Entry',
      operations: 'R',
      type: 'objlnk',
      description: 'An instance of the routing object.',
    },
  },
});

/** IPSO Location (urn:oma:lwm2m:ext:3336): degrees and metres were text. */
export const positionObjectV1_0 = earlierVersion(positionObject, '1.0', {
  later: [
    'latitude',
    'longitude',
    'uncertainty',
    'fractionalTimestamp',
    'measurementQualityIndicator',
    'measurementQualityLevel',
  ],
  changed: {
    latitudeText: {
      id: 5513,
      title: 'Latitude',
      operations: 'R',
      type: 'string',
      mandatory: true,
      description: 'WGS 84, degrees north.',
    },
    longitudeText: {
      id: 5514,
      title: 'Longitude',
      operations: 'R',
      type: 'string',
      mandatory: true,
      description: 'WGS 84, degrees east.',
    },
    altitudeText: {
      id: 5515,
      title: 'Altitude',
      operations: 'R',
      type: 'string',
      description: 'Metres above sea level.',
    },
    uncertaintyText: {
      id: 5516,
      title: 'Uncertainty',
      operations: 'R',
      type: 'string',
      description: 'How far the true position may be away, in metres.',
    },
  },
});

export const earlierVersions: readonly ObjectDefinition[] = [
  securityObjectV1_0,
  securityObjectV1_1,
  serverObjectV1_0,
  serverObjectV1_1,
  accessControlObjectV1_0,
  deviceObjectV1_0,
  deviceObjectV1_1,
  connectivityMonitoringObjectV1_0,
  connectivityMonitoringObjectV1_1,
  connectivityMonitoringObjectV1_2,
  firmwareUpdateObjectV1_0,
  firmwareUpdateObjectV1_1,
  cellularConnectivityObjectV1_0,
  oscoreObjectV1_1,
  gatewayObjectV1_0,
  positionObjectV1_0,
];
