/** Status words of the card's that `StatusWord` has not: ETSI TS 102 221 §10.2.1, 3GPP TS 31.102 §7.3. */
export const CardStatus = {
  /** 63CX: verification failed, X attempts are left. */
  VERIFICATION_FAILED: 0x63c0,
  MEMORY_PROBLEM: 0x6581,
  COMMAND_INCOMPATIBLE_WITH_FILE: 0x6981,
  SECURITY_STATUS_NOT_SATISFIED: 0x6982,
  AUTHENTICATION_METHOD_BLOCKED: 0x6983,
  REFERENCED_DATA_INVALIDATED: 0x6984,
  RECORD_NOT_FOUND: 0x6a83,
  /** Toolkit busy: the envelope is to be sent again later. */
  TOOLKIT_BUSY: 0x9300,
  /** AUTHENTICATE: the MAC of the network does not fit. */
  AUTHENTICATION_MAC: 0x9862,
} as const;
