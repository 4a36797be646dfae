import { copyBytes } from './bytes.ts';
import { valueAsRead, valueToWrite } from './typed-value.ts';
import type { ResourceType, ResourceValue } from './value.ts';

// Opaque, content format 42: the bytes of one opaque resource, OMA-TS-LightweightM2M_Core-V1_2 §7.5.2.

/** @throws RequestError the value is no bytes, or the type another */
export function encodeOpaque(path: string, type: ResourceType | undefined, value: ResourceValue): Uint8Array {
  valueToWrite(path, type, value);
  return valueToWrite(path, 'opaque', value) as Uint8Array;
}

/** @throws DecodeError the resource is of another type */
export function decodeOpaque(path: string, type: ResourceType | undefined, bytes: Uint8Array): ResourceValue {
  return valueAsRead(path, type ?? 'opaque', copyBytes(bytes));
}
