import { expect, test } from 'vitest';
import { fuzzDecoders } from '../../fuzz/lwm2m-decoders.ts';

test('20 000 mutated payloads for each decoder are read or refused with DecodeError, and what is read can be written', () => {
  const counts = fuzzDecoders(20_000, 20_240_817);
  expect(Object.keys(counts)).toHaveLength(22);
  for (const [decoder, { read, refused }] of Object.entries(counts)) {
    // Mutations that all fail, or never do, would test nothing.
    expect({ decoder, read: read > 200 }).toEqual({ decoder, read: true });
    if (decoder !== 'format 42')
      expect({ decoder, refused: refused > 200 }).toEqual({ decoder, refused: true });
  }
}, 120_000);
