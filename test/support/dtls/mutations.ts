/** Lengths, offsets and counters at which code tends to go wrong. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];
/** Where in a datagram lengths, types, epochs and offsets are: most changes there get further than others. */
const HEADERS = 40;

/**
 * One of the datagrams changed by chance: bits, bytes, lengths, parts that are cut out, doubled, moved or taken from
 * another one; up to four changes at once. At times it is nothing but random bytes.
 */
export function mutate(corpus: readonly Uint8Array[], random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = () => corpus[below(corpus.length)] as Uint8Array;
  if (random() < 0.02) return Uint8Array.from({ length: below(200) }, () => below(256));
  let data = Uint8Array.from(pick());
  for (let changes = 1 + below(4); changes > 0; changes--) data = change(data, pick, below);
  return data;
}

function change(
  data: Uint8Array,
  pick: () => Uint8Array,
  below: (limit: number) => number,
): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(data);
  if (copy.length === 0) return Uint8Array.from(pick());
  const at = below(2) === 0 ? below(Math.min(copy.length, HEADERS)) : below(copy.length);
  const part = below(copy.length - at) + 1;
  switch (below(10)) {
    case 0:
    case 1:
      copy[at] = (copy[at] as number) ^ (1 << below(8));
      return copy;
    case 2:
      copy[at] = below(256);
      return copy;
    case 3:
      copy[at] = EDGES[below(EDGES.length)] as number;
      return copy;
    case 4:
      // A number of two bytes: at an edge, or one more or less.
      if (at + 1 < copy.length) {
        const value = ((copy[at] as number) << 8) + (copy[at + 1] as number);
        const other = [0, 0xffff, 0xfffe, 0x7fff, value + 1, value - 1][below(6)] as number;
        copy[at] = other >> 8;
        copy[at + 1] = other;
      }
      return copy;
    case 5:
      return copy.slice(0, at);
    case 6:
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + part)]);
    case 7:
      return Uint8Array.from([...copy.subarray(0, at + part), ...copy.subarray(at)]);
    case 8: {
      const other = pick();
      return Uint8Array.from([...copy.subarray(0, at), ...other.subarray(Math.min(at, other.length))]);
    }
    default:
      return Uint8Array.from([...copy, ...pick()]);
  }
}
