import { expect, test } from 'vitest';
import { fuzzDecoders } from '../../fuzz/lwm2m-decoders.ts';

test('100 000 mutated payloads for each decoder are read or refused with DecodeError, and what is read can be written', () => {
  const counts = fuzzDecoders(100_000, 20_240_817);
  expect(Object.keys(counts)).toHaveLength(11);
  for (const [decoder, { read, refused }] of Object.entries(counts)) {
    // Mutations that all fail, or never do, would test nothing.
    expect({ decoder, read: read > 1000 }).toEqual({ decoder, read: true });
    if (decoder !== 'format 42')
      expect({ decoder, refused: refused > 1000 }).toEqual({ decoder, refused: true });
  }
}, 120_000);
