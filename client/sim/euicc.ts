import { DecodeError } from '../../protocol/errors.ts';
import { Ins, isOk, type ResponseApdu } from './apdu.ts';
import { decodeTlvs, encodeTlv, findTlv } from './ber-tlv.ts';
import type { CardSession } from './card-session.ts';
import { CardStatusError } from './card-transport.ts';
import { CardRefusalError } from './carrier-card.ts';
import { decodeIccid, encodeIccid } from './files.ts';
import { fromHex, toHex } from './hex.ts';

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

/** One profile on the card, GSMA SGP.22 §5.7.15 (ProfileInfo). */
export interface ProfileInfo {
  readonly iccid: string;
  readonly aid: Uint8Array;
  readonly enabled: boolean;
  readonly nickname: string;
  readonly serviceProvider: string;
  readonly name: string;
}

/** Results of EnableProfile and DisableProfile, GSMA SGP.22 §5.7.16 and §5.7.17. */
export const ProfileResult = {
  OK: 0,
  NOT_FOUND: 1,
  WRONG_STATE: 2,
  DISALLOWED_BY_POLICY: 3,
  WRONG_REENABLING: 4,
  CAT_BUSY: 5,
  UNDEFINED: 0x7f,
} as const;

const resultMeanings: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  enable: { 2: 'the profile is not disabled' },
  disable: { 2: 'the profile is not enabled' },
  both: {
    1: 'the card has no such profile',
    3: 'refused by the profile policy',
    4: 'wrong profile re-enabling',
    5: 'the card is busy (card application toolkit)',
    127: 'undefined error of the card',
  },
};

/** The card's own no to enabling or disabling a profile. */
export class ProfileOperationError extends CardRefusalError {
  override readonly name = 'ProfileOperationError';
  readonly result: number;

  constructor(operation: 'enable' | 'disable', result: number) {
    super(resultMeanings[operation]?.[result] ?? resultMeanings.both?.[result] ?? `card result ${result}`);
    this.result = result;
  }
}

/** STORE DATA carries at most this much per segment, as LPAs in the field do. */
const segmentBytes = 120;
/** REFRESH and its qualifiers, ETSI TS 102 223 §8.6. */
const refreshCommand = 0x01;

/**
 * The local profile assistant's side of ES10c (GSMA SGP.22 §5.7), for one eUICC. Each call opens a
 * logical channel to the ISD-R and closes it again.
 */
export class Euicc {
  readonly #session: CardSession;

  constructor(session: CardSession) {
    this.#session = session;
  }

  /** GetProfilesInfo. @throws CardStatusError, DecodeError, CardTransportError */
  async listProfiles(): Promise<readonly ProfileInfo[]> {
    const answer = await this.#onIsdR((channel) =>
      this.#storeData(channel, encodeTlv(Es10cTag.PROFILE_INFO_LIST)),
    );
    const list = findTlv(answer.data, Es10cTag.PROFILE_INFO_LIST, 0xa0);
    if (list === undefined) throw new DecodeError('the card gives no list of profiles');
    return decodeTlvs(list)
      .filter((tlv) => tlv.tag === 0xe3)
      .map((tlv) => decodeProfileInfo(tlv.value));
  }

  /** GetEID: 32 digits. */
  async eid(): Promise<string> {
    const request = encodeTlv(Es10cTag.EUICC_DATA, Uint8Array.of(0x5c, 0x01, 0x5a));
    const answer = await this.#onIsdR((channel) => this.#storeData(channel, request));
    const eid = findTlv(answer.data, Es10cTag.EUICC_DATA, 0x5a);
    if (eid?.length !== 16) throw new DecodeError('the card gives no EID of 16 bytes');
    return toHex(eid);
  }

  /**
   * EnableProfile with refresh; then does what the card asks for by REFRESH, up to its reset. What the
   * card reads as afterwards is for the caller to see.
   * @throws ProfileOperationError the card's no; CardStatusError, DecodeError, CardTransportError
   */
  enable(iccid: string): Promise<void> {
    return this.#change('enable', Es10cTag.ENABLE_PROFILE, iccid);
  }

  /** DisableProfile with refresh, as `enable`. */
  disable(iccid: string): Promise<void> {
    return this.#change('disable', Es10cTag.DISABLE_PROFILE, iccid);
  }

  async #change(operation: 'enable' | 'disable', tag: number, iccid: string): Promise<void> {
    const request = encodeTlv(
      tag,
      encodeTlv(0xa0, encodeTlv(0x5a, encodeIccid(iccid))),
      encodeTlv(0x81, Uint8Array.of(0xff)),
    );
    const channel = await this.#openChannel();
    let proactive = 0;
    try {
      const answer = await this.#storeData(channel, request);
      const result = findTlv(answer.data, tag, 0x80)?.[0];
      if (result === undefined) throw new DecodeError(`the card's answer to ${operation} has no result`);
      if (result !== ProfileResult.OK) throw new ProfileOperationError(operation, result);
      if (answer.sw >> 8 === 0x91) proactive = answer.sw & 0xff;
    } finally {
      // After a success with refresh the reset takes the channel with it, and cards refuse the close until then.
      if (proactive === 0) await this.#closeChannel(channel);
    }
    if (proactive > 0) await this.#serveRefresh(proactive);
    await this.#session.reset();
  }

  /** FETCH, and TERMINAL RESPONSE "performed successfully" to REFRESH (ETSI TS 102 223 §6.4.7, §6.8). */
  async #serveRefresh(length: number): Promise<void> {
    const fetched = await this.#session.expectOk('fetch', {
      cla: 0x80,
      ins: Ins.FETCH,
      p1: 0,
      p2: 0,
      le: length,
    });
    const command = findTlv(fetched.data, 0xd0);
    const details =
      command === undefined ? undefined : decodeTlvs(command).find((t) => (t.tag & 0x7f) === 0x01);
    if (details?.value.length !== 3) throw new DecodeError('the proactive command has no command details');
    // Only REFRESH follows a profile change; anything else is answered "beyond the terminal's capabilities" (0x30).
    const result = details.value[1] === refreshCommand ? 0x00 : 0x30;
    const data = Uint8Array.of(0x81, 0x03, ...details.value, 0x82, 0x02, 0x82, 0x81, 0x83, 0x01, result);
    await this.#session.expectOk('terminal response', {
      cla: 0x80,
      ins: Ins.TERMINAL_RESPONSE,
      p1: 0,
      p2: 0,
      data,
    });
  }

  async #onIsdR<T>(work: (channel: number) => Promise<T>): Promise<T> {
    const channel = await this.#openChannel();
    try {
      return await work(channel);
    } finally {
      await this.#closeChannel(channel);
    }
  }

  async #openChannel(): Promise<number> {
    const opened = await this.#session.expectOk('open a logical channel', {
      cla: 0,
      ins: Ins.MANAGE_CHANNEL,
      p1: 0,
      p2: 0,
      le: 1,
    });
    const channel = opened.data[0];
    if (channel === undefined || channel < 1 || channel > 3) {
      throw new DecodeError('the card opened no logical channel 1 to 3');
    }
    const selected = await this.#session.send({
      cla: channel,
      ins: Ins.SELECT,
      p1: 0x04,
      p2: 0x00,
      data: isdRAid,
    });
    if (!isOk(selected.sw)) {
      await this.#closeChannel(channel);
      throw new CardStatusError('select the ISD-R', selected.sw);
    }
    return channel;
  }

  async #closeChannel(channel: number): Promise<void> {
    await this.#session.expectOk('close the logical channel', {
      cla: 0,
      ins: Ins.MANAGE_CHANNEL,
      p1: 0x80,
      p2: channel,
    });
  }

  /** STORE DATA in segments (GSMA SGP.22 §5.7.2): P1 11 while more follow, 91 for the last. */
  async #storeData(channel: number, request: Uint8Array): Promise<ResponseApdu> {
    for (let block = 0; ; block++) {
      const data = request.subarray(block * segmentBytes, (block + 1) * segmentBytes);
      const last = (block + 1) * segmentBytes >= request.length;
      const answer = await this.#session.expectOk('store data', {
        cla: 0x80 | channel,
        ins: Ins.STORE_DATA,
        p1: last ? 0x91 : 0x11,
        p2: block,
        data,
      });
      if (last) return answer;
    }
  }
}

function decodeProfileInfo(bytes: Uint8Array): ProfileInfo {
  const tlvs = decodeTlvs(bytes);
  const value = (tag: number): Uint8Array | undefined => tlvs.find((tlv) => tlv.tag === tag)?.value;
  const text = (tag: number): string => new TextDecoder().decode(value(tag) ?? new Uint8Array(0));
  const iccid = value(0x5a);
  if (iccid === undefined) throw new DecodeError('a profile without ICCID');
  return {
    iccid: decodeIccid(iccid),
    aid: value(0x4f) ?? new Uint8Array(0),
    enabled: value(0x9f70)?.[0] === 1,
    nickname: text(0x90),
    serviceProvider: text(0x91),
    name: text(0x92),
  };
}
