import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';

type FormatName = keyof typeof ContentFormat;

/** Content formats as people call them (OMA-TS-LightweightM2M_Core §7.4). */
const labels: Readonly<Record<FormatName, string>> = {
  TEXT: 'text',
  LINK_FORMAT: 'CoRE links',
  OPAQUE: 'opaque',
  CBOR: 'CBOR',
  SENML_JSON: 'SenML JSON',
  SENML_CBOR: 'SenML CBOR',
  SENML_ETCH_JSON: 'SenML-ETCH JSON',
  SENML_ETCH_CBOR: 'SenML-ETCH CBOR',
  TLV: 'TLV',
  JSON: 'JSON',
  LWM2M_CBOR: 'LwM2M CBOR',
};

/** What a format is called by its id. */
export function formatName(id: number): string {
  const name = (Object.keys(ContentFormat) as FormatName[]).find((each) => ContentFormat[each] === id);
  return name === undefined ? `format ${id}` : labels[name];
}

/** A content format as the API takes it, and as people call it. */
export interface FormatChoice {
  readonly name: FormatName;
  readonly label: string;
}

const choices = (...names: readonly FormatName[]): readonly FormatChoice[] =>
  names.map((name) => ({ name, label: labels[name] }));

/** Of a place: of one or of several values; the last three of one alone. */
export const contentFormats = choices(
  ...(['SENML_CBOR', 'SENML_JSON', 'LWM2M_CBOR', 'TLV', 'JSON', 'CBOR', 'TEXT', 'OPAQUE'] as const),
);

/** Of a composite operation. */
export const compositeFormats = choices(
  ...(['SENML_CBOR', 'SENML_JSON', 'SENML_ETCH_CBOR', 'SENML_ETCH_JSON', 'LWM2M_CBOR'] as const),
);
