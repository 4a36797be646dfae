import { createCipheriv } from 'node:crypto';

/** What the functions f2 to f5* give for one RAND, 3GPP TS 35.206 §4.1. */
export interface MilenageOutput {
  /** f2: 8 bytes. */
  readonly res: Uint8Array;
  /** f3 and f4: 16 bytes. */
  readonly ck: Uint8Array;
  readonly ik: Uint8Array;
  /** f5 and f5*: 6 bytes. */
  readonly ak: Uint8Array;
  readonly akStar: Uint8Array;
}

/** OPc of an operator's OP and a subscriber's key: OP xor E[OP]K (§4.1). All have 16 bytes. */
export function milenageOpc(k: Uint8Array, op: Uint8Array): Uint8Array {
  return xor(encrypt(k, op), op);
}

/** f1 and f1*: the MAC of the network (MAC-A) and that of a resynchronisation (MAC-S), 8 bytes each (§4.1). */
export function milenageMacs(
  k: Uint8Array,
  opc: Uint8Array,
  rand: Uint8Array,
  sqn: Uint8Array,
  amf: Uint8Array,
): { readonly macA: Uint8Array; readonly macS: Uint8Array } {
  const in1 = new Uint8Array(16);
  in1.set(sqn, 0);
  in1.set(amf, 6);
  in1.set(sqn, 8);
  in1.set(amf, 14);
  const temp = encrypt(k, xor(rand, opc));
  // r1 = 64 bits, c1 = 0.
  const out = xor(encrypt(k, xor(temp, rotate(xor(in1, opc), 8))), opc);
  return { macA: out.slice(0, 8), macS: out.slice(8) };
}

/** f2, f3, f4, f5 and f5* (§4.1), with r2 to r5 of 0, 32, 64 and 96 bits and c2 to c5 of 1, 2, 4 and 8. */
export function milenage(k: Uint8Array, opc: Uint8Array, rand: Uint8Array): MilenageOutput {
  const temp = encrypt(k, xor(rand, opc));
  const out = (bytes: number, constant: number): Uint8Array => {
    const block = rotate(xor(temp, opc), bytes);
    block[15] = (block[15] ?? 0) ^ constant;
    return xor(encrypt(k, block), opc);
  };
  const out2 = out(0, 1);
  return {
    res: out2.slice(8),
    ak: out2.slice(0, 6),
    ck: out(4, 2),
    ik: out(8, 4),
    akStar: out(12, 8).slice(0, 6),
  };
}

/** Kc of GSM from CK and IK: conversion function c3, 3GPP TS 33.102 §6.8.1.2. */
export function gsmKey(ck: Uint8Array, ik: Uint8Array): Uint8Array {
  return xor(xor(ck.slice(0, 8), ck.slice(8)), xor(ik.slice(0, 8), ik.slice(8)));
}

/** SRES of GSM from RES: conversion function c2, 3GPP TS 33.102 §6.8.1.2. */
export function gsmResponse(res: Uint8Array): Uint8Array {
  return xor(res.slice(0, 4), res.slice(4, 8));
}

/** One block of AES-128, the kernel function of §5.1. */
function encrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(block));
}

export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0));
}

/** Cyclically towards the most significant bit. */
function rotate(block: Uint8Array, bytes: number): Uint8Array {
  return Uint8Array.from(block, (_, i) => block[(i + bytes) % block.length] ?? 0);
}
