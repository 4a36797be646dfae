import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { Ins, onChannel, type ResponseApdu } from './apdu.ts';
import { decodeTlvs, encodeTlv, findTlv } from './ber-tlv.ts';
import type { CardSession } from './card-session.ts';
import { decodeEuiccInfo2, type EuiccInfo2 } from './euicc-info.ts';
import { type ProfileOperation, ProfileOperationError, ProfileResult } from './euicc-results.ts';
import { encodeIccid } from './files.ts';
import { fromHex, toHex } from './hex.ts';
import { decodeProfileInfo, type ProfileInfo } from './profile-info.ts';

export type { ProfileInfo };
export { ProfileOperationError, ProfileResult };

/** ISD-R, GSMA SGP.22 §2.4.2 and SGP.02 annex H. */
export const isdRAid = fromHex('A0000005591010FFFFFFFF8900000100');

/** Tags of ES10c, and of EUICCInfo1 and EUICCInfo2 of ES10b: GSMA SGP.22 annex H. */
export const Es10cTag = {
  EUICC_INFO1: 0xbf20,
  EUICC_INFO2: 0xbf22,
  SET_NICKNAME: 0xbf29,
  PROFILE_INFO_LIST: 0xbf2d,
  ENABLE_PROFILE: 0xbf31,
  DISABLE_PROFILE: 0xbf32,
  DELETE_PROFILE: 0xbf33,
  EUICC_MEMORY_RESET: 0xbf34,
  EUICC_DATA: 0xbf3e,
} as const;

/** STORE DATA carries at most this much per segment, as LPAs in the field do. */
const segmentBytes = 120;
/** REFRESH and its qualifiers, ETSI TS 102 223 §8.6. */
const refreshCommand = 0x01;
/** What is asked of each profile: ICCID, AID, state, nickname, provider, name, class, policy rules. */
const wantedTags = fromHex('5A4F9F709091929599');
/** Bytes of a nickname, SGP.22 §5.7.21. */
const longestNickname = 64;

/**
 * The local profile assistant's side of ES10c, and of EUICCInfo2 of ES10b (GSMA SGP.22 §5.7), for one eUICC. Each call
 * is one piece of work on a logical channel to the ISD-R. After an error that is no refusal the card's state is not
 * known, and the channel may be open still: reset the card, and look.
 */
export class Euicc {
  readonly #session: CardSession;

  #changing = false;

  constructor(session: CardSession) {
    this.#session = session;
  }

  /** GetProfilesInfo, §5.7.15. @throws CardStatusError, DecodeError, CardTransportError, ProfileOperationError */
  async listProfiles(): Promise<readonly ProfileInfo[]> {
    const tag = Es10cTag.PROFILE_INFO_LIST;
    const answer = await this.#ask(encodeTlv(tag, encodeTlv(0x5c, wantedTags)));
    const list = findTlv(answer, tag, 0xa0);
    if (list === undefined) {
      const refused = findTlv(answer, tag, 0x81)?.[0];
      if (refused !== undefined) throw new ProfileOperationError('list', refused);
      throw new DecodeError('the card gives no list of profiles');
    }
    return decodeTlvs(list)
      .filter((tlv) => tlv.tag === 0xe3)
      .map(({ value }) => decodeProfileInfo(value, encodeTlv(0xe3, value)));
  }

  /** A profile change is under way: the REFRESH that comes now is the card's answer to it. */
  get isChanging(): boolean {
    return this.#changing;
  }

  /** GetEID, §5.7.20: 32 digits. Throws as `listProfiles`. */
  async eid(): Promise<string> {
    const answer = await this.#ask(encodeTlv(Es10cTag.EUICC_DATA, Uint8Array.of(0x5c, 0x01, 0x5a)));
    const eid = findTlv(answer, Es10cTag.EUICC_DATA, 0x5a);
    if (eid?.length !== 16) throw new DecodeError('the card gives no EID of 16 bytes');
    return toHex(eid);
  }

  /** GetEUICCInfo2, §5.7.8, beside the object (tag BF22) as the card gave it. Throws as `listProfiles`. */
  async info2(): Promise<{ readonly info: EuiccInfo2; readonly encoded: Uint8Array }> {
    const answer = await this.#ask(encodeTlv(Es10cTag.EUICC_INFO2));
    const value = findTlv(answer, Es10cTag.EUICC_INFO2);
    if (value === undefined) throw new DecodeError('the card gives no EUICCInfo2');
    return { info: decodeEuiccInfo2(value), encoded: encodeTlv(Es10cTag.EUICC_INFO2, value) };
  }

  /**
   * EnableProfile with refresh (§5.7.16); then does what the card asks for by REFRESH, up to its reset. What the card
   * reads as afterwards is for the caller to see.
   * @throws ProfileOperationError the card's no; CardStatusError, DecodeError, CardTransportError
   */
  enable(iccid: string): Promise<void> {
    return this.#change('enable', Es10cTag.ENABLE_PROFILE, byIccid(Es10cTag.ENABLE_PROFILE, iccid));
  }

  /** DisableProfile with refresh (§5.7.17), as `enable`. */
  disable(iccid: string): Promise<void> {
    return this.#change('disable', Es10cTag.DISABLE_PROFILE, byIccid(Es10cTag.DISABLE_PROFILE, iccid));
  }

  /** DeleteProfile (§5.7.18) of one that is disabled; throws as `enable`. */
  async delete(iccid: string): Promise<void> {
    const tag = Es10cTag.DELETE_PROFILE;
    checkResult('delete', tag, await this.#ask(encodeTlv(tag, encodeTlv(0x5a, encodeIccid(iccid)))));
  }

  /**
   * SetNickname (§5.7.21); empty: the profile has none then. Throws as `enable`.
   * @throws RequestError more than 64 bytes
   */
  async setNickname(iccid: string, nickname: string): Promise<void> {
    const tag = Es10cTag.SET_NICKNAME;
    const text = new TextEncoder().encode(nickname);
    if (text.length > longestNickname)
      throw new RequestError(`a nickname has at most ${longestNickname} bytes`);
    const request = encodeTlv(tag, encodeTlv(0x5a, encodeIccid(iccid)), encodeTlv(0x90, text));
    checkResult('nickname', tag, await this.#ask(request));
  }

  /** eUICCMemoryReset (§5.7.19): deletes all operational profiles, an enabled one too, and refreshes then. As `enable`. */
  resetMemory(): Promise<void> {
    const tag = Es10cTag.EUICC_MEMORY_RESET;
    // resetOptions, a BIT STRING of three bits: deleteOperationalProfiles alone.
    return this.#change('memory reset', tag, encodeTlv(tag, encodeTlv(0x82, Uint8Array.of(0x05, 0x80))));
  }

  /** The reset takes the channel with it: after a REFRESH cards refuse to close it. */
  #change(operation: ProfileOperation, tag: number, request: Uint8Array): Promise<void> {
    return this.#onIsdR(async (channel) => {
      const { generation } = this.#session;
      this.#changing = true;
      try {
        const answer = await this.#storeData(channel, request);
        checkResult(operation, tag, answer.data);
        // Where a toolkit serves the session, it has served the REFRESH, and mostly reset the card.
        if (answer.sw >> 8 === 0x91) await this.#serveRefresh(answer.sw & 0xff);
        if (this.#session.generation === generation) await this.#session.reset();
      } finally {
        this.#changing = false;
      }
    });
  }

  /** FETCH, and TERMINAL RESPONSE "performed successfully" to REFRESH (ETSI TS 102 223 §6.4.7, §6.8). */
  async #serveRefresh(length: number): Promise<void> {
    const fetched = await this.#session.expectOk('fetch', {
      cla: 0x80,
      ins: Ins.FETCH,
      p1: 0,
      p2: 0,
      le: length === 0 ? 256 : length,
    });
    const command = findTlv(fetched.data, 0xd0);
    const details =
      command === undefined ? undefined : decodeTlvs(command).find((t) => (t.tag & 0x7f) === 0x01);
    if (details?.value.length !== 3) throw new DecodeError('the proactive command has no command details');
    // Only REFRESH follows a profile change; anything else is answered "beyond the terminal's capabilities" (0x30).
    const result = details.value[1] === refreshCommand ? 0x00 : 0x30;
    const data = Uint8Array.of(0x81, 0x03, ...details.value, 0x82, 0x02, 0x82, 0x81, 0x83, 0x01, result);
    await this.#session.expectOk('take the terminal response', {
      cla: 0x80,
      ins: Ins.TERMINAL_RESPONSE,
      p1: 0,
      p2: 0,
      data,
    });
  }

  /** One request to the ISD-R, on a channel of its own. */
  #ask(request: Uint8Array): Promise<Uint8Array> {
    return this.#onIsdR(async (channel) => (await this.#storeData(channel, request)).data);
  }

  #onIsdR<T>(work: (channel: number) => Promise<T>): Promise<T> {
    return this.#session.onApplication('the ISD-R', isdRAid, work);
  }

  /** STORE DATA in segments (GSMA SGP.22 §5.7.2): P1 11 while more follow, 91 for the last. */
  async #storeData(channel: number, request: Uint8Array): Promise<ResponseApdu> {
    for (let block = 0; ; block++) {
      const data = request.subarray(block * segmentBytes, (block + 1) * segmentBytes);
      const last = (block + 1) * segmentBytes >= request.length;
      const p1 = last ? 0x91 : 0x11;
      const command = onChannel({ cla: 0x80, ins: Ins.STORE_DATA, p1, p2: block }, channel);
      const answer = await this.#session.expectOk('store data', { ...command, data });
      if (last) return answer;
    }
  }
}

/** A request for the profile with that ICCID, with refreshFlag set. */
function byIccid(tag: number, iccid: string): Uint8Array {
  return encodeTlv(
    tag,
    encodeTlv(0xa0, encodeTlv(0x5a, encodeIccid(iccid))),
    encodeTlv(0x81, Uint8Array.of(0xff)),
  );
}

function checkResult(operation: ProfileOperation, tag: number, answer: Uint8Array): void {
  const result = findTlv(answer, tag, 0x80)?.[0];
  if (result === undefined) throw new DecodeError(`the card's answer to ${operation} has no result`);
  if (result !== ProfileResult.OK) throw new ProfileOperationError(operation, result);
}
