export { decodeTlv } from './tlv-decode.ts';
export { encodeTlv } from './tlv-encode.ts';
