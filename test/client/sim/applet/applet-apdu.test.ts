import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCommand, onChannel } from '../../../../client/sim/apdu.ts';
import {
  AppletData,
  AppletPut,
  decodeAppletCarriers,
  decodeAppletState,
  decodeOutcome,
  encodeAppletCarriers,
  encodeAppletState,
  encodeOutcome,
  getAppletData,
  putAppletData,
} from '../../../../client/sim/applet/applet-apdu.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { DecodeError } from '../../../../protocol/errors.ts';

describe('commands to the carrier applet', () => {
  it.each([
    ['its state', getAppletData(AppletData.STATE), '81CA000100'],
    ['its carriers', getAppletData(AppletData.CARRIERS), '81CA000200'],
    ['an order', putAppletData(AppletPut.PERFORM, fromHex('1020')), '81DA0001021020'],
    ['a reading', putAppletData(AppletPut.READING, fromHex('00')), '81DA00020100'],
  ])('%s, on channel 1', (_what, command, bytes) =>
    expect(toHex(encodeCommand(onChannel(command, 1)))).toBe(bytes),
  );
});

const states = [
  {
    state: { carrier: 2, switching: false, online: true, outcome: { status: 0, carrier: 2 } },
    bytes: 'E00D 800102 81021102 820101 830100',
  },
  {
    state: { carrier: 15, switching: true, online: false, outcome: undefined },
    bytes: 'E009 80010F 820100 830101',
  },
] as const;
const carriers = [
  { id: 0, name: 'AT&T', iccid: '8901410321111111111' },
  { id: 14, name: '', iccid: '8901260222222222222' },
];
const list =
  'A02A E315 800100 5A0A981014301211111111F1 91044154 2654 E311 80010E 5A0A981062202222222222F2 9100'.replace(
    / /g,
    '',
  );

describe('what the carrier applet tells', () => {
  it.each(states)('its state in both directions: $bytes', ({ state, bytes }) => {
    const encoded = bytes.replace(/ /g, '');
    expect(toHex(encodeAppletState(state))).toBe(encoded);
    expect(decodeAppletState(fromHex(encoded))).toEqual(state);
  });

  it('its carriers in both directions', () => {
    expect(toHex(encodeAppletCarriers(carriers))).toBe(list);
    expect(decodeAppletCarriers(fromHex(list))).toEqual(carriers);
    expect(decodeAppletCarriers(encodeAppletCarriers([]))).toEqual([]);
    const [first] = decodeAppletCarriers(encodeAppletCarriers([{ id: 0, name: '\u001b[2J\n', iccid: '89' }]));
    expect(first?.name).toBe('[2J');
  });

  it('an outcome in both directions', () => {
    expect(toHex(encodeOutcome({ status: 1, carrier: 15 }))).toBe('111F');
    expect(decodeOutcome(fromHex('111F'))).toEqual({ status: 1, carrier: 15 });
    expect(() => decodeOutcome(fromHex('0100'))).toThrow(DecodeError);
  });

  it('has no carrier twice, none beyond 14, and no state beyond its values', () => {
    expect(() => decodeAppletCarriers(encodeAppletCarriers([carriers[0], carriers[0]] as never))).toThrow(
      DecodeError,
    );
    expect(() => decodeAppletCarriers(fromHex(list.replace('80010E', '80010F')))).toThrow(DecodeError);
    expect(() => decodeAppletState(fromHex('E009800110820100830101'))).toThrow(DecodeError);
    expect(() => decodeAppletState(fromHex('E009800102820102830101'))).toThrow(DecodeError);
  });

  it('cut anywhere is refused', () => {
    for (const whole of [...states.map(({ bytes }) => fromHex(bytes.replace(/ /g, '')))]) {
      for (let length = 0; length < whole.length; length++) {
        expect(() => decodeAppletState(whole.slice(0, length))).toThrow(DecodeError);
      }
    }
    const whole = fromHex(list);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeAppletCarriers(whole.slice(0, length))).toThrow(DecodeError);
    }
  });

  it('makes the decoders throw DecodeError and nothing else, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(0xe0, 0xa0), (rest, tag) => {
        for (const decode of [decodeAppletState, decodeAppletCarriers, decodeOutcome]) {
          try {
            decode(Uint8Array.of(tag, rest.length, ...rest));
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
      }),
    );
  });
});
