// The numbers of the packets of system A ("flow" is its word for the first nibble of a packet).

/** High nibble of the first byte. */
export const FlowCode = { IOT: 0, CARRIER_SWITCH: 1 } as const;

/** Low nibble of the first byte, in flow IoT. */
export const IotTopic = { DATA: 0, STATUS: 1 } as const;

/** Low nibble of the first byte, in flow carrier switch. */
export const CarrierSwitchTopic = { PERFORM: 0, ACK: 1 } as const;

/** Carriers that the protocol knows by number. 3 to 14 have no name; cards may be given profiles for them. */
export const FlowCarrier = { ATT: 0, T_MOBILE: 1, VERIZON: 2, DISCONNECT: 15 } as const;

/** The names of the carriers, as people write them; `Disconnect` is 15: no carrier, or an invalid one. */
export const flowCarrierNames: ReadonlyMap<number, string> = new Map([
  [FlowCarrier.ATT, 'AT&T'],
  [FlowCarrier.T_MOBILE, 'T-Mobile'],
  [FlowCarrier.VERIZON, 'Verizon'],
]);

/** How a switch ended. */
export const SwitchStatus = { ACK: 0, NACK: 1 } as const;

/** What a device says of itself in an IoT status. */
export const IotStatus = { NOMINAL: 0, IDLE: 1, OFF_NOMINAL: 2 } as const;

/** Kinds of the IoT devices that the protocol knows by id; any other id is of a kind that nobody knows. */
export const iotDeviceKinds: ReadonlyMap<number, string> = new Map([
  [1, 'imu'],
  [2, 'gyro'],
  [3, 'temp'],
]);
