import { describe, expect, it } from 'vitest';
import { equipmentIdentity } from '../../../../client/modem/device/imei.ts';

describe('the equipment identity', () => {
  it('is in the endpoint name where that is an IMEI, with its check digit', () => {
    const { imei, imeisv } = equipmentIdentity('urn:imei:490154203237518', '000000042');
    expect(imei).toBe('490154203237518');
    expect(imeisv).toBe('4901542032375101');
  });

  it('is a test device of that serial number otherwise', () => {
    expect(equipmentIdentity('modem-1', '000000042')).toEqual({
      imei: '001017000000425',
      imeisv: '0010170000004201',
    });
    expect(equipmentIdentity('modem-1', '123456789').imei).toMatch(/^00101700456789\d$/);
    expect(equipmentIdentity('modem-1', 'x').imei).toMatch(/^00101700000000\d$/);
  });
});
