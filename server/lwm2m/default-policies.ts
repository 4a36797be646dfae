import { remoteSimProvisioningObject } from '../../objects/remote-sim-provisioning.ts';
import type { ObservationPolicy } from '../ports/observation-policy-store.ts';

/** What the server brings along: carriers, SIM profiles, sensor values and signal strength of every device that has them. */
export function defaultPolicies(carrierObject: number, sensorObject: number): readonly ObservationPolicy[] {
  const policy = (id: string, name: string, path: string): ObservationPolicy => ({
    id,
    name,
    enabled: true,
    devices: {},
    observations: [{ paths: [path] }],
    createdAt: 0,
    updatedAt: 0,
  });
  return [
    policy('default-carrier', 'Carriers', `/${carrierObject}/*`),
    policy('default-profiles', 'SIM profiles', `/${remoteSimProvisioningObject.id}/*`),
    policy('default-sensors', 'Sensor values', `/${sensorObject}/*/2`),
    policy('default-signal', 'Signal strength', '/4/*/2'),
  ];
}
