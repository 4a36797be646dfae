import { DecodeError } from '../../../protocol/errors.ts';
import { CardStatusError } from '../card-transport.ts';
import { Euicc } from '../euicc.ts';
import type { EuiccInfo2 } from '../euicc-info.ts';
import { decodeIccid, decodeImsi, decodeSpn, FileId, readFile } from '../files.ts';
import { toHex } from '../hex.ts';
import type { ProfileInfo } from '../profile-info.ts';
import type { OpenCard } from './open.ts';

/** What a card says, or why it does not. */
export type Said<T> = { readonly value: T } | { readonly refused: string };

export interface CardReport {
  readonly atr: string;
  readonly iccid: Said<string>;
  readonly imsi: Said<string>;
  readonly operator: Said<string>;
  readonly eid: Said<string>;
  readonly euicc: Said<EuiccInfo2>;
}

/** Reads what there is. What the card refuses, or says in a way that nobody understands, is a part of the report. @throws CardTransportError */
export async function reportOf({ atr, session }: OpenCard): Promise<CardReport> {
  const euicc = new Euicc(session);
  return {
    atr: toHex(atr),
    iccid: await said(async () => decodeIccid(await readFile(session, 'EF_ICCID', FileId.EF_ICCID))),
    imsi: await said(async () =>
      decodeImsi(await readFile(session, 'EF_IMSI', FileId.ADF_USIM, FileId.EF_IMSI)),
    ),
    operator: await said(async () =>
      decodeSpn(await readFile(session, 'EF_SPN', FileId.ADF_USIM, FileId.EF_SPN)),
    ),
    eid: await said(() => euicc.eid()),
    euicc: await said(async () => (await euicc.info2()).info),
  };
}

async function said<T>(ask: () => Promise<T>): Promise<Said<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (!(error instanceof CardStatusError || error instanceof DecodeError)) throw error;
    return { refused: error.message };
  }
}

/** For people: label and text of each line. */
export function linesOf(report: CardReport): readonly (readonly [label: string, text: string])[] {
  const lines: [string, string][] = [
    ['ATR', report.atr || 'unknown'],
    ['ICCID', text(report.iccid)],
    ['IMSI', text(report.imsi)],
    ['operator', text(report.operator)],
  ];
  if ('refused' in report.eid) return [...lines, ['eUICC', `no: ${report.eid.refused}`]];
  lines.push(['EID', report.eid.value]);
  const { euicc } = report;
  if ('refused' in euicc) return [...lines, ['eUICC', `- ${euicc.refused}`]];
  const { value } = euicc;
  const { installedApplications, freeNonVolatileMemory, freeVolatileMemory } = value.resources;
  return [
    ...lines,
    ['SGP.22 version', value.specificationVersion],
    ['profile version', value.profileVersion],
    ['firmware version', value.firmwareVersion],
    ['Java Card', value.javaCardVersion ?? 'not told'],
    ['GlobalPlatform', value.globalPlatformVersion ?? 'not told'],
    ['applications', String(installedApplications ?? 'not told')],
    ['free memory', `${freeNonVolatileMemory ?? '?'} bytes, volatile ${freeVolatileMemory ?? '?'} bytes`],
    ['trusted issuers', value.verificationKeys.join(', ') || 'none'],
    ['accreditation', value.accreditation || 'not told'],
  ];
}

/** Control characters of a card are none of the terminal's. */
function text(what: Said<string>): string {
  if ('refused' in what) return `- ${what.refused}`;
  return what.value.replace(/\p{Cc}/gu, ' ').trim() || 'empty';
}

/** For programs: bytes as hex, what was refused as null. */
export function jsonOf(report: CardReport): string {
  const plain = Object.fromEntries(
    Object.entries(report).map(([key, what]: [string, string | Said<unknown>]) => [
      key,
      typeof what === 'string' ? what : 'value' in what ? what.value : null,
    ]),
  );
  return JSON.stringify(plain, (_, value) => (value instanceof Uint8Array ? toHex(value) : value), 2);
}

export function profileLines(profiles: readonly ProfileInfo[]): readonly string[] {
  if (profiles.length === 0) return ['The card has no profile.'];
  return profiles.map((profile, index) => {
    const state = profile.enabled ? 'enabled ' : 'disabled';
    const { nickname, serviceProvider, name } = profile;
    const names = [...new Set([nickname, serviceProvider, name].filter((text) => text !== ''))];
    return `${index + 1}  ${state}  ${profile.iccid}  ${names.join(' / ') || 'without a name'}`;
  });
}
