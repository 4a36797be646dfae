/** A card that sends readings of the modem's sensors up by itself. */
export interface ReadingUplink {
  /**
   * Gives the card packets of the flow protocol with readings, in their order. Resolves with how many it took: from
   * the first that it does not take on it took none.
   * @throws CardStatusError, CardTransportError, DecodeError
   */
  sendReadings(packets: readonly Uint8Array[]): Promise<number>;
}
