import { defineObject } from './define-object.ts';

/** LwM2M object 3303, Temperature, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3303:1.1). */
export const temperatureObject = defineObject({
  id: 3303,
  version: '1.1',
  name: 'Temperature',
  multiple: true,
  resources: {
    sensorValue: { id: 5700, title: 'Sensor Value', operations: 'R', type: 'float', mandatory: true },
    minMeasuredValue: { id: 5601, title: 'Min Measured Value', operations: 'R', type: 'float' },
    maxMeasuredValue: { id: 5602, title: 'Max Measured Value', operations: 'R', type: 'float' },
    minRangeValue: { id: 5603, title: 'Min Range Value', operations: 'R', type: 'float' },
    maxRangeValue: { id: 5604, title: 'Max Range Value', operations: 'R', type: 'float' },
    sensorUnits: { id: 5701, title: 'Sensor Units', operations: 'R', type: 'string' },
    resetMinAndMaxMeasuredValues: {
      id: 5605,
      title: 'Reset Min and Max Measured Values',
      operations: 'E',
      type: 'none',
    },
    applicationType: { id: 5750, title: 'Application Type', operations: 'RW', type: 'string' },
    timestamp: { id: 5518, title: 'Timestamp', operations: 'R', type: 'time' },
    fractionalTimestamp: {
      id: 6050,
      title: 'Fractional Timestamp',
      operations: 'R',
      type: 'float',
      range: [0, 1],
      units: 's',
    },
    measurementQualityIndicator: {
      id: 6042,
      title: 'Measurement Quality Indicator',
      operations: 'R',
      type: 'integer',
      range: [0, 23],
    },
    measurementQualityLevel: {
      id: 6049,
      title: 'Measurement Quality Level',
      operations: 'R',
      type: 'integer',
      range: [0, 100],
    },
  },
});
