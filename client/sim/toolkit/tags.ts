/** Tags of COMPREHENSION-TLV objects without their comprehension bit, ETSI TS 102 223 §9.3. */
export const Tag = {
  COMMAND_DETAILS: 0x01,
  DEVICE_IDENTITIES: 0x02,
  RESULT: 0x03,
  DURATION: 0x04,
  ALPHA_IDENTIFIER: 0x05,
  TEXT_STRING: 0x0d,
  FILE_LIST: 0x12,
  LOCATION_INFORMATION: 0x13,
  IMEI: 0x14,
  NETWORK_MEASUREMENT_RESULTS: 0x16,
  EVENT_LIST: 0x19,
  LOCATION_STATUS: 0x1b,
  TIMER_IDENTIFIER: 0x24,
  TIMER_VALUE: 0x25,
  DATE_TIME: 0x26,
  LANGUAGE: 0x2d,
  AID: 0x2f,
  BEARER_DESCRIPTION: 0x35,
  CHANNEL_DATA: 0x36,
  CHANNEL_DATA_LENGTH: 0x37,
  CHANNEL_STATUS: 0x38,
  BUFFER_SIZE: 0x39,
  TRANSPORT_LEVEL: 0x3c,
  OTHER_ADDRESS: 0x3e,
  ACCESS_TECHNOLOGY: 0x3f,
  NETWORK_ACCESS_NAME: 0x47,
  IMEISV: 0x62,
  BATTERY_STATE: 0x63,
} as const;

/** BER-TLV tags around them, ETSI TS 101 220 §7.2. */
export const OuterTag = {
  PROACTIVE_COMMAND: 0xd0,
  EVENT_DOWNLOAD: 0xd6,
  TIMER_EXPIRATION: 0xd7,
} as const;

/** Types of proactive commands, ETSI TS 102 223 §9.4. */
export const CommandType = {
  REFRESH: 0x01,
  MORE_TIME: 0x02,
  POLL_INTERVAL: 0x03,
  POLLING_OFF: 0x04,
  SET_UP_EVENT_LIST: 0x05,
  PROVIDE_LOCAL_INFORMATION: 0x26,
  TIMER_MANAGEMENT: 0x27,
  OPEN_CHANNEL: 0x40,
  CLOSE_CHANNEL: 0x41,
  RECEIVE_DATA: 0x42,
  SEND_DATA: 0x43,
  GET_CHANNEL_STATUS: 0x44,
} as const;

/** Qualifiers of REFRESH, ETSI TS 102 223 §8.6. */
export const RefreshMode = {
  INITIALIZATION_AND_FULL_FILE_CHANGE: 0x00,
  FILE_CHANGE: 0x01,
  INITIALIZATION_AND_FILE_CHANGE: 0x02,
  INITIALIZATION: 0x03,
  UICC_RESET: 0x04,
  APPLICATION_RESET: 0x05,
  SESSION_RESET: 0x06,
  STEERING_OF_ROAMING: 0x07,
  PROFILE_STATE_CHANGE: 0x09,
  APPLICATION_UPDATE: 0x0a,
} as const;
export type RefreshMode = (typeof RefreshMode)[keyof typeof RefreshMode];

/** Qualifiers of PROVIDE LOCAL INFORMATION, ETSI TS 102 223 §8.6. */
export const LocalInformationKind = {
  LOCATION: 0x00,
  IMEI: 0x01,
  NETWORK_MEASUREMENT_RESULTS: 0x02,
  DATE_TIME: 0x03,
  LANGUAGE: 0x04,
  ACCESS_TECHNOLOGY: 0x06,
  IMEISV: 0x08,
  BATTERY_STATE: 0x0a,
} as const;

/** Qualifiers of TIMER MANAGEMENT, ETSI TS 102 223 §8.6. */
export const TimerAction = { START: 0x00, DEACTIVATE: 0x01, GET: 0x02 } as const;

/** Events of SET UP EVENT LIST and of event downloads, ETSI TS 102 223 §8.25. */
export const EventType = {
  LOCATION_STATUS: 0x03,
  DATA_AVAILABLE: 0x09,
  CHANNEL_STATUS: 0x0a,
} as const;

/** Device identities, ETSI TS 102 223 §8.7; channel 1 to 7 is 0x20 + its number. */
export const Device = { UICC: 0x81, TERMINAL: 0x82, NETWORK: 0x83, CHANNEL: 0x20 } as const;

/** General results of a terminal response, ETSI TS 102 223 §8.12. */
export const GeneralResult = {
  OK: 0x00,
  PARTIAL_COMPREHENSION: 0x01,
  MISSING_INFORMATION: 0x02,
  MODIFIED: 0x07,
  TERMINAL_BUSY: 0x20,
  NETWORK_BUSY: 0x21,
  TIMER_STATE: 0x24,
  BEYOND_CAPABILITIES: 0x30,
  TYPE_NOT_UNDERSTOOD: 0x31,
  DATA_NOT_UNDERSTOOD: 0x32,
  NUMBER_NOT_KNOWN: 0x33,
  VALUES_MISSING: 0x36,
  BIP_ERROR: 0x3a,
} as const;

/** Additional information beside TERMINAL_BUSY, ETSI TS 102 223 §8.12.2. */
export const BusyCause = { NO_SPECIFIC_CAUSE: 0x00, NO_SERVICE: 0x04 } as const;

/** Additional information beside BIP_ERROR, ETSI TS 102 223 §8.12.11. */
export const BipCause = {
  NO_SPECIFIC_CAUSE: 0x00,
  NO_CHANNEL: 0x01,
  CHANNEL_CLOSED: 0x02,
  INVALID_CHANNEL: 0x03,
  BUFFER_SIZE: 0x04,
  SECURITY: 0x05,
  TRANSPORT_LEVEL: 0x06,
  UNREACHABLE: 0x07,
} as const;

/** Types of bearer, ETSI TS 102 223 §8.52. */
export const BearerType = { CSD: 0x01, PACKET: 0x02, DEFAULT: 0x03, E_UTRAN: 0x0b } as const;

/** UICC/terminal interface transport level, ETSI TS 102 223 §8.59. */
export const TransportProtocol = { UDP_CLIENT: 0x01, TCP_CLIENT: 0x02 } as const;

/** Access technologies, ETSI TS 102 223 §8.62. */
export const AccessTechnology = { GSM: 0x00, UTRAN: 0x03, E_UTRAN: 0x08, NG_RAN: 0x0a } as const;
