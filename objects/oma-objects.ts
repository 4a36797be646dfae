import { accessControlObject } from './access-control.ts';
import { apnConnectionProfileObject } from './apn-connection-profile.ts';
import { attConnectivityExtensionObject } from './att-connectivity-extension.ts';
import { batteryObject } from './battery.ts';
import { bearerSelectionObject } from './bearer-selection.ts';
import { binaryAppDataContainerObject } from './binary-app-data-container.ts';
import { cellularConnectivityObject } from './cellular-connectivity.ts';
import { cellularNetworkControlObject } from './cellular-network-and-bearer-control.ts';
import { coapConfigObject } from './coap-config.ts';
import { connectivityMonitoringObject } from './connectivity-monitoring.ts';
import { connectivityStatisticsObject } from './connectivity-statistics.ts';
import type { ObjectDefinition } from './define-object.ts';
import { deviceObject } from './device.ts';
import { earlierVersions } from './earlier-versions.ts';
import { eventLogObject } from './event-log.ts';
import { firmwareUpdateObject } from './firmware-update.ts';
import { gatewayObject } from './gateway.ts';
import { gatewayRoutingObject } from './gateway-routing.ts';
import { accelerometerObject } from './ipso/accelerometer.ts';
import { actuationObject } from './ipso/actuation.ts';
import { barometerObject } from './ipso/barometer.ts';
import { genericSensorObject } from './ipso/generic-sensor.ts';
import { gyrometerObject } from './ipso/gyrometer.ts';
import { humidityObject } from './ipso/humidity.ts';
import { illuminanceObject } from './ipso/illuminance.ts';
import { lightControlObject } from './ipso/light-control.ts';
import { magnetometerObject } from './ipso/magnetometer.ts';
import { positionObject } from './ipso/position.ts';
import { powerControlObject } from './ipso/power-control.ts';
import { pressureObject } from './ipso/pressure.ts';
import { pushButtonObject } from './ipso/push-button.ts';
import { temperatureObject } from './ipso/temperature.ts';
import { voltageObject } from './ipso/voltage.ts';
import { locationObject } from './location.ts';
import { lockAndWipeObject } from './lock-and-wipe.ts';
import { lteMtcBandConfigObject } from './lte-mtc-band-config.ts';
import { nrConnectivityObject } from './nr-connectivity.ts';
import { oscoreObject } from './oscore.ts';
import { portfolioObject } from './portfolio.ts';
import { remoteSimProvisioningObject } from './remote-sim-provisioning.ts';
import { securityObject } from './security.ts';
import { serverObject } from './server.ts';
import { simProvisioningObject } from './sim-provisioning.ts';
import { softwareManagementObject } from './software-management.ts';

/** Definitions of objects that OMA has registered: the newest version of each, in the order of their ids. */
export const newestOmaObjects: readonly ObjectDefinition[] = [
  securityObject,
  serverObject,
  accessControlObject,
  deviceObject,
  connectivityMonitoringObject,
  firmwareUpdateObject,
  locationObject,
  connectivityStatisticsObject,
  lockAndWipeObject,
  softwareManagementObject,
  cellularConnectivityObject,
  apnConnectionProfileObject,
  bearerSelectionObject,
  portfolioObject,
  binaryAppDataContainerObject,
  eventLogObject,
  oscoreObject,
  gatewayObject,
  gatewayRoutingObject,
  nrConnectivityObject,
  coapConfigObject,
  lteMtcBandConfigObject,
  remoteSimProvisioningObject,
  simProvisioningObject,
  genericSensorObject,
  illuminanceObject,
  temperatureObject,
  humidityObject,
  actuationObject,
  lightControlObject,
  powerControlObject,
  accelerometerObject,
  magnetometerObject,
  barometerObject,
  voltageObject,
  pressureObject,
  gyrometerObject,
  positionObject,
  pushButtonObject,
  batteryObject,
  attConnectivityExtensionObject,
  cellularNetworkControlObject,
];

/** All that we know of OMA's registry, with the earlier versions that devices still have. */
export const omaObjects: readonly ObjectDefinition[] = [...newestOmaObjects, ...earlierVersions];
