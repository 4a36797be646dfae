import { describe, expect, it } from 'vitest';
import { CardAbsentError, CardTransportError } from '../../../../client/sim/card-transport.ts';
import { describePcscError, isLost, pcscCodeOf, pcscError } from '../../../../client/sim/pcsc/pcsc-error.ts';

describe('errors of PC/SC', () => {
  it.each([
    ['SCardConnect error: No smart card inserted.(0x8010000c)', 0x8010000c],
    ['SCardTransmit error: Transaction failed.(0x80100016)', 0x80100016],
    ['Card Reader not connected', undefined],
    ['', undefined],
  ])('of %j have their code', (message, code) => {
    expect(pcscCodeOf(new Error(message))).toBe(code);
  });

  it.each([undefined, null, 7, 'x', {}])('take %j as it is', (odd) => {
    expect(pcscCodeOf(odd)).toBeUndefined();
    expect(typeof describePcscError(odd)).toBe('string');
  });

  it.each([
    [0x8010001d, /install the package pcscd.*\(0x8010001D\)/],
    [0x8010000b, /another program has the card for itself/],
    [0x80100066, /right way round/],
    [0x8010006a, /polkit/],
  ])('say what helps: %i', (code, meaning) => {
    const error = new Error(`SCardConnect error: words.(0x${code.toString(16)})`);
    expect(describePcscError(error)).toMatch(meaning);
    expect(pcscError('Reader', error)).toMatchObject({ name: 'CardTransportError', cause: error });
  });

  it('that nobody knows are told in the library’s words', () => {
    expect(describePcscError(new Error('SCardConnect error: odd.(0x80109999)'))).toBe(
      'SCardConnect error: odd.(0x80109999)',
    );
  });

  it('tell a card that is absent from one that is in trouble', () => {
    expect(pcscError('R', new Error('x(0x80100069)'))).toBeInstanceOf(CardAbsentError);
    expect(pcscError('R', new Error('x(0x80100013)'))).not.toBeInstanceOf(CardAbsentError);
    expect(pcscError('R', new Error('x(0x80100013)'))).toBeInstanceOf(CardTransportError);
    expect([0x80100068, 0x80100069, 0x8010001d, 0x80100016, undefined].map(isLost)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
