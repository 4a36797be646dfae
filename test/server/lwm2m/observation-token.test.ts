import { expect, test } from 'vitest';
import { observationToken } from '../../../server/lwm2m/observation-token.ts';
import { bucketOf, bucketOfToken } from '../../../server/ports/bucket.ts';

test('a token tells the node that made it and the bucket of its device, and is not made twice', () => {
  const tokens = Array.from({ length: 100 }, () => observationToken(11, 'urn:imei:1'));
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) {
    expect(token).toMatch(/^0b[0-9a-f]{14}$/);
    expect(bucketOfToken(token)).toBe(bucketOf('urn:imei:1'));
  }
});
