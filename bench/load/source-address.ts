/**
 * The address of the device of that number, counted from `first`, without .0 and .255 at the end.
 * @throws RangeError where `first` is no IPv4 address, or there are not so many behind it
 */
export function sourceAddress(first: string, number: number): string {
  const parts = first.split('.').map(Number);
  const [a = -1, b = -1, c = -1, d = -1] = parts;
  const isAddress =
    parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256);
  if (!isAddress || d === 0 || d === 255) throw new RangeError(`${first} is no address to begin with`);
  const last = d - 1 + number;
  const third = c + Math.floor(last / 254);
  const second = b + Math.floor(third / 256);
  if (second > 255) throw new RangeError(`there are no ${number} addresses behind ${first}`);
  return `${a}.${second}.${third % 256}.${(last % 254) + 1}`;
}
