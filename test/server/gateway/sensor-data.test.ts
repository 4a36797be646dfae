import { describe, expect, test } from 'vitest';
import { DecodeError } from '../../../protocol/errors.ts';
import { decodeSensorData } from '../../../server/gateway/sensor-data.ts';

describe('the data of a packet', () => {
  test.each([
    ['int32', 'fffffff0', -16],
    ['int16', 'fff0', -16],
    ['uint32', 'fffffff0', 4_294_967_280],
    ['uint16', 'fff0', 65_520],
    ['float32', '41200000', 10],
    ['float64', 'c024000000000000', -10],
  ] as const)('as %s', (format, hex, value) => {
    const data = new Uint8Array(Buffer.from(hex, 'hex'));
    expect(decodeSensorData(format, data)).toBe(value);
    expect(() => decodeSensorData(format, data.subarray(1))).toThrow(DecodeError);
    expect(() => decodeSensorData(format, Uint8Array.of(...data, 0))).toThrow(DecodeError);
  });
});
