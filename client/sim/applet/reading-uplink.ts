/** A card that sends readings of the modem's sensors up by itself. */
export interface ReadingUplink {
  /**
   * Gives the card a packet of the flow protocol with a reading. False: it takes none now.
   * @throws CardStatusError, CardTransportError, DecodeError
   */
  sendReading(packet: Uint8Array): Promise<boolean>;
}
