import { defineCarrierObject } from '../../objects/carrier.ts';
import { defineIotSensorObject } from '../../objects/iot-sensor.ts';

export type CarrierDefinition = ReturnType<typeof defineCarrierObject>;
export type IotSensorDefinition = ReturnType<typeof defineIotSensorObject>;

/** The Carrier object under an id: one definition for all modems of a process. */
export const carrierDefinition = oncePerId(defineCarrierObject);

/** The IoT Sensor object under an id: one definition for all modems of a process. */
export const iotSensorDefinition = oncePerId(defineIotSensorObject);

function oncePerId<Definition>(define: (id: number) => Definition): (id: number) => Definition {
  const made = new Map<number, Definition>();
  return (id) => {
    const definition = made.get(id) ?? define(id);
    made.set(id, definition);
    return definition;
  };
}
