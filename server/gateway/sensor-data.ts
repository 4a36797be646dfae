import { DecodeError } from '../../protocol/errors.ts';

/** How the data of an IoT packet are read; big-endian. `raw`: they are not. */
export const dataFormats = ['int32', 'int16', 'uint32', 'uint16', 'float32', 'float64', 'raw'] as const;
export type DataFormat = (typeof dataFormats)[number];

const readers: Readonly<Record<Exclude<DataFormat, 'raw'>, readonly [number, (view: DataView) => number]>> = {
  int32: [4, (view) => view.getInt32(0)],
  int16: [2, (view) => view.getInt16(0)],
  uint32: [4, (view) => view.getUint32(0)],
  uint16: [2, (view) => view.getUint16(0)],
  float32: [4, (view) => view.getFloat32(0)],
  float64: [8, (view) => view.getFloat64(0)],
};

/** @throws DecodeError the data are not of this format */
export function decodeSensorData(format: Exclude<DataFormat, 'raw'>, data: Uint8Array): number {
  const [length, read] = readers[format];
  if (data.length !== length) {
    throw new DecodeError(`data of ${data.length} bytes where ${format} has ${length}`);
  }
  return read(new DataView(data.buffer, data.byteOffset, data.length));
}
