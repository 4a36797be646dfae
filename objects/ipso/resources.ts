// Resources that IPSO objects share, by their ids in the registry of reusable resources. An object takes
// those that it has; `title`s are the registry's.

/** Of objects that measure one quantity. */
export const measurement = {
  sensorValue: {
    id: 5700,
    title: 'Sensor Value',
    operations: 'R',
    type: 'float',
    mandatory: true,
    description: 'The newest measurement, in Sensor Units.',
  },
  minMeasuredValue: {
    id: 5601,
    title: 'Min Measured Value',
    operations: 'R',
    type: 'float',
    description: 'The lowest measurement since start or reset.',
  },
  maxMeasuredValue: {
    id: 5602,
    title: 'Max Measured Value',
    operations: 'R',
    type: 'float',
    description: 'The highest measurement since start or reset.',
  },
} as const;

/** What the sensor is able to measure. */
export const measurementRange = {
  minRangeValue: {
    id: 5603,
    title: 'Min Range Value',
    operations: 'R',
    type: 'float',
    description: 'The lowest value that the sensor can measure.',
  },
  maxRangeValue: {
    id: 5604,
    title: 'Max Range Value',
    operations: 'R',
    type: 'float',
    description: 'The highest value that the sensor can measure.',
  },
} as const;

export const resetMinAndMax = {
  resetMinAndMaxMeasuredValues: {
    id: 5605,
    title: 'Reset Min and Max Measured Values',
    operations: 'E',
    type: 'none',
    description: 'Sets both to the newest measurement.',
  },
} as const;

export const sensorUnits = {
  sensorUnits: {
    id: 5701,
    title: 'Sensor Units',
    operations: 'R',
    type: 'string',
    description: 'SenML unit of the values.',
  },
} as const;

export const applicationType = {
  applicationType: {
    id: 5750,
    title: 'Application Type',
    operations: 'RW',
    type: 'string',
    description: 'What it is used for, for people.',
  },
} as const;

export const measurementTime = {
  timestamp: {
    id: 5518,
    title: 'Timestamp',
    operations: 'R',
    type: 'time',
    description: 'When the newest measurement was made.',
  },
  fractionalTimestamp: {
    id: 6050,
    title: 'Fractional Timestamp',
    operations: 'R',
    type: 'float',
    range: [0, 1],
    units: 's',
    description: 'The part of a second that Timestamp leaves out.',
  },
} as const;

export const measurementQuality = {
  measurementQualityIndicator: {
    id: 6042,
    title: 'Measurement Quality Indicator',
    operations: 'R',
    type: 'integer',
    range: [0, 23],
    values: {
      0: 'Unchecked',
      1: 'Rejected with certainty',
      2: 'Rejected with probability',
      3: 'Accepted but suspicious',
      4: 'Accepted',
    },
    description: "What the sensor thinks of the newest measurement; from 16 on the vendor's own.",
  },
  measurementQualityLevel: {
    id: 6049,
    title: 'Measurement Quality Level',
    operations: 'R',
    type: 'integer',
    range: [0, 100],
    description: 'From 0, to be thrown away, to 100, all checks passed.',
  },
} as const;

/** Of objects that measure along three axes. */
export const axes = {
  xValue: {
    id: 5702,
    title: 'X Value',
    operations: 'R',
    type: 'float',
    mandatory: true,
    description: 'The newest measurement along the X axis.',
  },
  yValue: {
    id: 5703,
    title: 'Y Value',
    operations: 'R',
    type: 'float',
    description: 'The newest measurement along the Y axis.',
  },
  zValue: {
    id: 5704,
    title: 'Z Value',
    operations: 'R',
    type: 'float',
    description: 'The newest measurement along the Z axis.',
  },
} as const;

export const compassDirection = {
  compassDirection: {
    id: 5705,
    title: 'Compass Direction',
    operations: 'R',
    type: 'float',
    range: [0, 360],
    units: 'deg',
    description: 'Clockwise from north.',
  },
} as const;

export const currentCalibration = {
  currentCalibration: {
    id: 5821,
    title: 'Current Calibration',
    operations: 'RW',
    type: 'float',
    description: 'The calibration coefficient in use.',
  },
} as const;

/** Of objects that switch something. */
export const switching = {
  onOff: { id: 5850, title: 'On/Off', operations: 'RW', type: 'boolean', mandatory: true },
  dimmer: {
    id: 5851,
    title: 'Dimmer',
    operations: 'RW',
    type: 'integer',
    range: [0, 100],
    units: '/100',
    description: 'How much of its full power it is given.',
  },
  onTime: {
    id: 5852,
    title: 'On time',
    operations: 'RW',
    type: 'integer',
    units: 's',
    description: 'How long it has been on; writing 0 starts the count anew.',
  },
} as const;

/** Of objects that tell the power that they use. */
export const powerUse = {
  cumulativeActivePower: {
    id: 5805,
    title: 'Cumulative active power',
    operations: 'R',
    type: 'float',
    units: 'Wh',
    description: 'Energy used since start or reset.',
  },
  powerFactor: {
    id: 5820,
    title: 'Power factor',
    operations: 'R',
    type: 'float',
    description: 'Of the present consumption.',
  },
} as const;
