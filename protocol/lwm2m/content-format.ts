/** CoAP Content-Format ids that LwM2M uses, OMA-TS-LightweightM2M_Core-V1_2 §7.5. */
export const ContentFormat = {
  TEXT: 0,
  LINK_FORMAT: 40,
  OPAQUE: 42,
  CBOR: 60,
  SENML_JSON: 110,
  SENML_CBOR: 112,
  /** The list of paths or of changes in a composite request, since LwM2M 1.2 (RFC 8790). */
  SENML_ETCH_JSON: 320,
  SENML_ETCH_CBOR: 322,
  TLV: 11542,
  JSON: 11543,
  LWM2M_CBOR: 11544,
} as const;
export type ContentFormat = (typeof ContentFormat)[keyof typeof ContentFormat];
