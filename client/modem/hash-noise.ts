/** A well-mixed 32-bit number of three others: the same for the same. */
export function mix(a: number, b: number, c = 0): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b ^ 0x7f4a7c15, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15) ^ Math.imul(c ^ 0x165667b1, 0x27d4eb2f), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** As `mix`, from 0 to below 1. */
export function mixed(a: number, b: number, c = 0): number {
  return mix(a, b, c) / 4_294_967_296;
}

/** Roughly normal of standard deviation 1, from one hash. */
function normalAt(a: number, b: number, c: number): number {
  const hash = mix(a, b, c);
  const sum = (hash & 1_023) + ((hash >>> 10) & 1_023) + ((hash >>> 20) & 1_023);
  return (sum / 1_023 - 1.5) * 2;
}

/** Smooth noise along a line of standard deviation 1: what is nearer than 1 is alike. */
export function noiseAlong(seed: number, at: number): number {
  const i = Math.floor(at);
  const f = at - i;
  const blended = normalAt(seed, i, 0) * (1 - f) + normalAt(seed, i + 1, 0) * f;
  return blended / Math.sqrt((1 - f) ** 2 + f ** 2);
}

/** Smooth noise over a plane of standard deviation 1: what is nearer than 1 is alike. */
export function noiseOver(seed: number, x: number, y: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const fx = x - i;
  const fy = y - j;
  const a = (1 - fx) * (1 - fy);
  const b = fx * (1 - fy);
  const c = (1 - fx) * fy;
  const d = fx * fy;
  const blended =
    a * normalAt(seed, i, j) +
    b * normalAt(seed, i + 1, j) +
    c * normalAt(seed, i, j + 1) +
    d * normalAt(seed, i + 1, j + 1);
  return blended / Math.sqrt(a * a + b * b + c * c + d * d);
}
