import { DecodeError } from '../../protocol/errors.ts';
import { decodeTlvs, type Tlv } from './ber-tlv.ts';
import { decodeIccid } from './files.ts';
import { toHex } from './hex.ts';

/** Names of objects, and of those within them where they hold objects. */
interface TagNames {
  readonly [tag: number]: readonly [name: string, within?: TagNames];
}

/** File control parameters, ETSI TS 102 221 §11.1.1.3. */
const fileControl: TagNames = {
  128: ['file size'],
  130: ['file descriptor'],
  131: ['file identifier'],
  132: ['AID'],
  138: ['life cycle'],
  139: ['security attributes'],
  136: ['short file identifier'],
  165: ['proprietary', {}],
  198: ['PIN status', {}],
};

/** ProfileInfo, GSMA SGP.22 §5.7.15. */
const profile: TagNames = {
  90: ['ICCID'],
  79: ['ISD-P AID'],
  40816: ['state'],
  144: ['nickname'],
  145: ['service provider'],
  146: ['name'],
  149: ['class'],
  153: ['policy rules'],
};

const operation: TagNames = {
  128: ['result'],
  129: ['refresh'],
  160: ['profile', { 90: ['ICCID'], 79: ['ISD-P AID'] }],
};

/** ES10b and ES10c, GSMA SGP.22 annex H; templates of ETSI TS 102 221. */
const outermost: TagNames = {
  97: ['application template', { 79: ['AID'], 80: ['label'] }],
  98: ['file control parameters', fileControl],
  111: ['file control information', fileControl],
  48928: ['EUICCInfo1', {}],
  48930: ['EUICCInfo2', {}],
  48936: ['ListNotification', {}],
  48937: ['SetNickname', { 90: ['ICCID'], 128: ['result'], 144: ['nickname'] }],
  48939: ['RetrieveNotificationsList', {}],
  48941: ['ProfileInfoList', { 160: ['profiles', { 227: ['profile', profile] }], 129: ['error'] }],
  48944: ['NotificationSent', { 128: ['result or sequence number'] }],
  48945: ['EnableProfile', operation],
  48946: ['DisableProfile', operation],
  48947: ['DeleteProfile', { 128: ['result'], 90: ['ICCID'], 79: ['ISD-P AID'] }],
  48948: ['eUICCMemoryReset', { 128: ['result'], 130: ['options'] }],
  48956: ['EuiccConfiguredAddresses', { 128: ['default SM-DP+'], 129: ['root SM-DS'] }],
  48958: ['GetEuiccData', { 90: ['EID'], 92: ['tags'] }],
  48963: ['RulesAuthorisationTable', {}],
};

const textTags = ['nickname', 'service provider', 'name', 'label'];

/** The objects as a tree, a line each: `BF31 EnableProfile`, `  80 result 00`. @throws DecodeError it is none */
export function describeTlvs(bytes: Uint8Array): readonly string[] {
  return linesOf(decodeTlvs(bytes), outermost, '');
}

function linesOf(tlvs: readonly Tlv[], names: TagNames, indent: string): string[] {
  return tlvs.flatMap((tlv) => {
    const [name, within] = names[tlv.tag] ?? [undefined, undefined];
    const tag = tlv.tag.toString(16).toUpperCase().padStart(2, '0');
    const head = `${indent}${tag}${name === undefined ? '' : ` ${name}`}`;
    const inner = within === undefined ? undefined : objectsWithin(tlv.value);
    if (inner === undefined || within === undefined)
      return [`${head} ${describeValue(name, tlv.value)}`.trimEnd()];
    return [head, ...linesOf(inner, within, `${indent}  `)];
  });
}

/** Some objects of the same tag hold objects and some a value: what cannot be read as objects is one. */
function objectsWithin(value: Uint8Array): readonly Tlv[] | undefined {
  try {
    return decodeTlvs(value);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function describeValue(name: string | undefined, value: Uint8Array): string {
  if (name !== undefined && textTags.includes(name)) return JSON.stringify(new TextDecoder().decode(value));
  if (name === 'ICCID' && value.length === 10) {
    try {
      return decodeIccid(value);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return toHex(value);
}
