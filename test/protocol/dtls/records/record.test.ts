import { describe, expect, test } from 'vitest';
import { ContentType } from '../../../../protocol/dtls/messages/constants.ts';
import { plainRecord, readRecord } from '../../../../protocol/dtls/records/record.ts';

const PLAIN = Buffer.from('16fefd000100a1b2c3d4e5000301ff02', 'hex');
const WITH_ID = Buffer.from('19fefd0001000000000007aabbcc0002beef', 'hex');

describe('a record', () => {
  test('is read with its epoch and 48 bits of sequence number', () => {
    expect(readRecord(PLAIN, 0, 8)).toMatchObject({
      type: ContentType.HANDSHAKE,
      version: 0xfefd,
      epoch: 1,
      sequence: 0x00a1b2c3d4e5,
      connectionId: undefined,
      end: PLAIN.length,
    });
    expect([...(readRecord(PLAIN, 0, 8)?.fragment ?? [])]).toEqual([1, 0xff, 2]);
    expect(Buffer.from(readRecord(PLAIN, 0, 8)?.sequenceBytes ?? []).toString('hex')).toBe(
      '000100a1b2c3d4e5',
    );
  });

  test('is read with a connection id of the length that this side gave out', () => {
    const record = readRecord(WITH_ID, 0, 3);
    expect(Buffer.from(record?.connectionId ?? []).toString('hex')).toBe('aabbcc');
    expect(Buffer.from(record?.fragment ?? []).toString('hex')).toBe('beef');
    expect(record?.end).toBe(WITH_ID.length);
  });

  test('is found behind another in the same datagram', () => {
    const both = Buffer.concat([PLAIN, WITH_ID]);
    expect(readRecord(both, PLAIN.length, 3)).toMatchObject({ type: ContentType.TLS12_CID, sequence: 7 });
    expect(readRecord(both, both.length, 3)).toBeUndefined();
  });

  test('that is cut off anywhere is none', () => {
    for (const [bytes, idLength] of [
      [PLAIN, 8],
      [WITH_ID, 3],
    ] as const) {
      for (let length = 0; length < bytes.length; length++) {
        expect(readRecord(bytes.subarray(0, length), 0, idLength)).toBeUndefined();
      }
    }
  });

  test('that is longer than a record may be is none', () => {
    const longest = 16_384 + 2_048;
    expect(readRecord(plainRecord(23, 0, Buffer.alloc(longest)), 0, 8)?.fragment).toHaveLength(longest);
    expect(readRecord(plainRecord(23, 0, Buffer.alloc(longest + 1)), 0, 8)).toBeUndefined();
  });

  test('of epoch 0 is written as it is read', () => {
    const record = plainRecord(ContentType.ALERT, 2 ** 48 - 2, Uint8Array.of(2, 40));
    expect(Buffer.from(record).toString('hex')).toBe('15fefd0000fffffffffffe00020228');
    expect(readRecord(record, 0, 8)).toMatchObject({ sequence: 2 ** 48 - 2, epoch: 0 });
  });
});
