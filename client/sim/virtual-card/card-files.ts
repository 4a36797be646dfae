import { encodeTlv } from '../ber-tlv.ts';
import { encodeIccid, encodeImsi, encodeSpn } from '../files.ts';
import { fromHex } from '../hex.ts';
import type { StoredProfile } from './card-contents.ts';

/** Who may read or write a file: ETSI TS 102 221 §9.5. */
export type Access = 'always' | 'pin1' | 'pin2' | 'adm' | 'never';

/** An elementary file: what it is, and what is in it on a new profile. */
export interface ElementaryFile {
  readonly id: number;
  readonly name: string;
  /** Short file identifier, 1 to 30. */
  readonly sfi?: number;
  readonly read: Access;
  readonly update: Access;
  /** Bytes of a record of a linear fixed file; absent: the file is transparent. */
  readonly recordSize?: number;
  /** All records one after the other. */
  readonly body: (profile: StoredProfile) => Uint8Array;
}

/** MF, DF or ADF. */
export interface Directory {
  readonly id: number;
  readonly name: string;
  /** Of an application. */
  readonly aid?: Uint8Array;
  readonly files: readonly ElementaryFile[];
  readonly directories: readonly Directory[];
}

/** Full AID of the USIM (ETSI TS 101 220 annex E): RID of 3GPP, application 1002, any country and provider. */
export const fullUsimAid = fromHex('A0000000871002FFFFFFFF8907090000');

const filled = (length: number): Uint8Array => new Uint8Array(length).fill(0xff);
const constant = (hex: string) => (): Uint8Array => fromHex(hex);

/** Location information that was never set: no TMSI, no location area, "not updated" (3GPP TS 31.102 §4.2.17). */
const noLocation = 'FFFFFFFFFFFFFFFFFFFF01';

const imsi: Omit<ElementaryFile, 'sfi'> = {
  id: 0x6f07,
  name: 'EF_IMSI',
  read: 'pin1',
  update: 'adm',
  body: (profile) => padded(encodeImsi(profile.imsi), 9),
};
const spn: ElementaryFile = {
  id: 0x6f46,
  name: 'EF_SPN',
  read: 'always',
  update: 'adm',
  body: (profile) => encodeSpn(profile.name),
};
const administrativeData: ElementaryFile = {
  id: 0x6fad,
  name: 'EF_AD',
  sfi: 0x03,
  read: 'always',
  update: 'adm',
  // Normal operation, and the length of the network code in the IMSI (§4.2.18): three digits, as in North America.
  body: (profile) => Uint8Array.of(0x00, 0x00, 0x00, /^3[01]/.test(profile.imsi) ? 3 : 2),
};
const location: ElementaryFile = {
  id: 0x6f7e,
  name: 'EF_LOCI',
  sfi: 0x0b,
  read: 'pin1',
  update: 'pin1',
  body: constant(noLocation),
};

/** Services of the USIM that are there (§4.2.8), by number: 19 SPN, 20, 42 and 43 lists of networks, 27 GSM access, 85 EPS. */
const services: readonly number[] = [19, 20, 27, 42, 43, 85];

/** The files of a USIM, 3GPP TS 31.102 §4.2: those that are mandatory, and what terminals read besides. */
const usimFiles: readonly ElementaryFile[] = [
  { id: 0x6f05, name: 'EF_LI', sfi: 0x02, read: 'always', update: 'pin1', body: constant('656EFFFF') },
  { ...imsi, sfi: 0x07 },
  { id: 0x6f08, name: 'EF_Keys', sfi: 0x08, read: 'pin1', update: 'pin1', body: () => noKeys() },
  { id: 0x6f09, name: 'EF_KeysPS', sfi: 0x09, read: 'pin1', update: 'pin1', body: () => noKeys() },
  { id: 0x6f31, name: 'EF_HPPLMN', sfi: 0x12, read: 'pin1', update: 'adm', body: constant('0A') },
  { id: 0x6f38, name: 'EF_UST', sfi: 0x04, read: 'pin1', update: 'adm', body: () => bitmap(services, 12) },
  spn,
  { id: 0x6f56, name: 'EF_EST', sfi: 0x05, read: 'pin1', update: 'pin2', body: constant('00') },
  {
    id: 0x6f5b,
    name: 'EF_START-HFN',
    sfi: 0x0f,
    read: 'pin1',
    update: 'pin1',
    body: constant('F00000F00000'),
  },
  { id: 0x6f5c, name: 'EF_THRESHOLD', sfi: 0x10, read: 'pin1', update: 'adm', body: constant('F00000') },
  { id: 0x6f60, name: 'EF_PLMNwAcT', sfi: 0x0a, read: 'pin1', update: 'pin1', body: () => noNetworks(8) },
  { id: 0x6f61, name: 'EF_OPLMNwAcT', sfi: 0x11, read: 'pin1', update: 'adm', body: () => noNetworks(8) },
  { id: 0x6f62, name: 'EF_HPLMNwAcT', sfi: 0x13, read: 'pin1', update: 'adm', body: homeNetworks },
  {
    id: 0x6f73,
    name: 'EF_PSLOCI',
    sfi: 0x0c,
    read: 'pin1',
    update: 'pin1',
    body: constant('FFFFFFFFFFFFFFFFFFFFFFFFFF01'),
  },
  { id: 0x6f78, name: 'EF_ACC', sfi: 0x06, read: 'pin1', update: 'adm', body: accessClass },
  { id: 0x6f7b, name: 'EF_FPLMN', sfi: 0x0d, read: 'pin1', update: 'pin1', body: () => filled(12) },
  location,
  administrativeData,
  {
    id: 0x6fb7,
    name: 'EF_ECC',
    sfi: 0x01,
    read: 'always',
    update: 'adm',
    recordSize: 4,
    // 112 and 911 without a name, any emergency service (§4.2.21).
    body: constant('11F2FF0019F1FF00'),
  },
  { id: 0x6fc4, name: 'EF_NETPAR', read: 'pin1', update: 'pin1', body: () => filled(46) },
  {
    id: 0x6fe3,
    name: 'EF_EPSLOCI',
    sfi: 0x1e,
    read: 'pin1',
    update: 'pin1',
    body: () => Uint8Array.of(...filled(17), 0x01),
  },
  {
    id: 0x6fe4,
    name: 'EF_EPSNSC',
    sfi: 0x18,
    read: 'pin1',
    update: 'pin1',
    recordSize: 54,
    body: () => filled(54),
  },
];

/** The root of a card with an enabled profile, ETSI TS 102 221 §13 and 3GPP TS 51.011 §10.3 (DF_GSM). */
export const masterFile: Directory = {
  id: 0x3f00,
  name: 'MF',
  files: [
    {
      id: 0x2f00,
      name: 'EF_DIR',
      sfi: 0x1e,
      read: 'always',
      update: 'adm',
      recordSize: 38,
      body: () => padded(applicationTemplate(), 38),
    },
    { id: 0x2f05, name: 'EF_PL', sfi: 0x05, read: 'always', update: 'pin1', body: constant('656EFFFF') },
    {
      id: 0x2f06,
      name: 'EF_ARR',
      sfi: 0x06,
      read: 'always',
      update: 'adm',
      recordSize: 32,
      body: accessRules,
    },
    {
      id: 0x2fe2,
      name: 'EF_ICCID',
      sfi: 0x02,
      read: 'always',
      update: 'never',
      body: (profile) => encodeIccid(profile.iccid),
    },
  ],
  directories: [
    { id: 0x7f20, name: 'DF_GSM', files: [imsi, spn, location, administrativeData], directories: [] },
    { id: 0x7fff, name: 'ADF_USIM', aid: fullUsimAid, files: usimFiles, directories: [] },
  ],
};

/** Record numbers in EF_ARR by who may read and who may update. */
const rules: readonly (readonly [Access, Access])[] = [
  ['always', 'adm'],
  ['always', 'pin1'],
  ['always', 'never'],
  ['pin1', 'adm'],
  ['pin1', 'pin1'],
  ['pin1', 'pin2'],
];

/** The record of EF_ARR that says who may read and update a file. */
export function accessRuleOf(file: Pick<ElementaryFile, 'read' | 'update'>): number {
  return rules.findIndex(([read, update]) => read === file.read && update === file.update) + 1;
}

/** EF_ARR: for each access mode (80) a condition, ISO/IEC 7816-4 §5.4.3.3 and ETSI TS 102 221 §9.2.4. */
function accessRules(): Uint8Array {
  const condition: Readonly<Record<Access, Uint8Array>> = {
    always: fromHex('9000'),
    never: fromHex('9700'),
    pin1: fromHex('A406830101950108'),
    pin2: fromHex('A406830181950108'),
    adm: fromHex('A40683010A950108'),
  };
  const records = rules.map(([read, update]) =>
    padded(
      Uint8Array.of(...fromHex('800101'), ...condition[read], ...fromHex('800102'), ...condition[update]),
      32,
    ),
  );
  return new Uint8Array(Buffer.concat(records));
}

/** EF_DIR, ETSI TS 102 221 §13.1: AID and label of the USIM. */
function applicationTemplate(): Uint8Array {
  return encodeTlv(0x61, encodeTlv(0x4f, fullUsimAid), encodeTlv(0x50, new TextEncoder().encode('USIM')));
}

/** No key set (7), and no keys. */
function noKeys(): Uint8Array {
  return Uint8Array.of(0x07, ...filled(32));
}

function noNetworks(count: number): Uint8Array {
  return new Uint8Array(Buffer.concat(Array.from({ length: count }, () => fromHex('FFFFFF0000'))));
}

/** The operator's own network, by E-UTRAN (§4.2.54: access technology 4000). */
function homeNetworks(profile: StoredProfile): Uint8Array {
  return Uint8Array.of(...plmnOf(profile.imsi), 0x40, 0x00);
}

/** The class 0 to 9 is the IMSI's last digit (3GPP TS 22.011 §4.2), one bit of 16. */
function accessClass(profile: StoredProfile): Uint8Array {
  const bit = 1 << Number(profile.imsi.at(-1));
  return Uint8Array.of(bit >> 8, bit & 0xff);
}

/** Service 1 is the lowest bit of the first byte. */
function bitmap(numbers: readonly number[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const number of numbers) {
    const at = (number - 1) >> 3;
    bytes[at] = (bytes[at] ?? 0) | (1 << ((number - 1) & 7));
  }
  return bytes;
}

/** Country and network code of an IMSI as in a location area (3GPP TS 24.008 §10.5.1.3). */
export function plmnOf(imsiDigits: string): Uint8Array {
  const digit = (place: number): number => Number(imsiDigits[place]);
  const third = /^3[01]/.test(imsiDigits) ? digit(5) : 0x0f;
  return Uint8Array.of((digit(1) << 4) | digit(0), (third << 4) | digit(2), (digit(4) << 4) | digit(3));
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const body = filled(length);
  body.set(bytes);
  return body;
}
