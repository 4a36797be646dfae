// Writes our own objects, under their default ids, as object definition files of OMA to objects/oma:
// what another LwM2M server loads to know them. A test says when it has to be run again.
//
//   npm run publish-objects

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { carrierObject } from '../objects/carrier.ts';
import { iotSensorObject } from '../objects/iot-sensor.ts';
import { toOmaXml } from '../objects/to-oma-xml.ts';

for (const definition of [carrierObject, iotSensorObject]) {
  const file = join(import.meta.dirname, '../objects/oma', `${definition.id}.xml`);
  writeFileSync(file, toOmaXml(definition));
  console.log(file);
}
