/** Type allocation code of a test device: reporting body 00 (GSMA TS.06), so that it is nobody's. */
const testTypeAllocation = '00101700';
/** Software version of an IMEISV (3GPP TS 23.003 §6.2.2). */
const softwareVersion = '01';

export interface EquipmentIdentity {
  /** 15 digits, the last of them the check digit. */
  readonly imei: string;
  /** 16 digits. */
  readonly imeisv: string;
}

/**
 * What a modem is on the network: the IMEI in its endpoint name where that is one (`urn:imei:` and 15 digits, OMA
 * LwM2M Core §6.4.1), else that of a test device with the modem's serial number.
 */
export function equipmentIdentity(endpoint: string, serial: string): EquipmentIdentity {
  const named = /^urn:imei:([0-9]{14})[0-9]$/.exec(endpoint)?.[1];
  const body = named ?? `${testTypeAllocation}${serial.replace(/\D/g, '').slice(-6).padStart(6, '0')}`;
  return { imei: `${body}${checkDigit(body)}`, imeisv: `${body}${softwareVersion}` };
}

/** 3GPP TS 23.003 annex B: every second digit doubled, digits summed, up to the next ten. */
function checkDigit(digits: string): number {
  const sum = [...digits].reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10;
}
