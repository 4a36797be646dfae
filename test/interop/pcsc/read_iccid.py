"""Reads EF_ICCID of the card in a reader with pyscard, and prints its ten bytes in hex."""

import sys

from smartcard.CardConnection import CardConnection
from smartcard.System import readers
from smartcard.util import toBytes, toHexString

reader = next(reader for reader in readers() if reader.name == sys.argv[1])
connection = reader.createConnection()
connection.connect(CardConnection.T0_protocol)
_, sw1, sw2 = connection.transmit(toBytes("00 A4 08 04 02 2F E2"))
assert sw1 == 0x61, f"SELECT: {sw1:02X}{sw2:02X}"
data, sw1, sw2 = connection.transmit(toBytes("00 B0 00 00 0A"))
assert (sw1, sw2) == (0x90, 0x00), f"READ BINARY: {sw1:02X}{sw2:02X}"
print(toHexString(data).replace(" ", ""))
connection.disconnect()
