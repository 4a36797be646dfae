import { type Clock, systemClock } from '../../../protocol/clock.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import {
  type CommandApdu,
  decodeCommand,
  encodeResponse,
  Ins,
  type ResponseApdu,
  StatusWord,
} from '../apdu.ts';
import { encodeTlv } from '../ber-tlv.ts';
import { CardAbsentError, type CardTransport } from '../card-transport.ts';
import { isdRAid, ProfileResult } from '../euicc.ts';
import { encodeIccid, encodeImsi, encodeSpn, FileId, usimAid } from '../files.ts';
import { fromHex, toHex } from '../hex.ts';
import { type CardMemory, volatileCardMemory } from './card-memory.ts';
import { type CardProfile, cardProfiles } from './card-profiles.ts';
import { answerEs10c, type Es10cAnswer } from './virtual-euicc.ts';

/** ATR of a T=0 card that speaks of its toolkit and its eUICC functions. */
const atr = fromHex('3B9F96801FC78031A073BE21136743200718000001A5');
/** D0 { details 1, REFRESH, UICC reset; devices UICC to terminal }: ETSI TS 102 223 §6.6.13. */
const refreshCommand = fromHex('D009810301010482028182');
/** A request larger than this is no ES10c command of ours. */
const maxRequestBytes = 4_096;
const maxChannels = 3;

/** What can be made to go wrong. */
export interface CardFaults {
  /** `busy`: catBusy, the toolkit is in the way. `policy`: disallowed by policy. Of each enable and disable until unset. */
  refuse?: 'busy' | 'policy';
  /** The card is out of its slot. */
  absent?: boolean;
}

export interface VirtualCardOptions {
  /** Nine digits at most; of a card that `memory` does not hold yet. */
  readonly serial: number;
  /** Default: lasts as long as this object. */
  readonly memory?: CardMemory;
  /** Index of the profile that a new card has enabled. Default 0. */
  readonly initialProfile?: number;
  /** Milliseconds that the card works on enabling or disabling a profile. Default 0. */
  readonly switchLatency?: number;
  readonly clock?: Clock;
}

interface Channel {
  /** The application selected, or the file system. */
  application: 'none' | 'usim' | 'isd-r';
  file: number;
  /** Segments of a STORE DATA that is not complete yet. */
  readonly segments: Uint8Array[];
}

/**
 * A multi-carrier eUICC in this process, that answers APDUs as a T=0 card does: file system of the
 * enabled profile, ISD-R with ES10c, and the REFRESH that follows a profile change.
 *
 * A profile change with refresh happens with the TERMINAL RESPONSE to the REFRESH or with a reset,
 * whichever is first (GSMA SGP.22 §5.7.16), and nowhere else: that is when `memory` is written.
 */
export class VirtualCard implements CardTransport {
  readonly faults: CardFaults = {};
  readonly serial: number;
  readonly profiles: readonly CardProfile[];
  readonly #memory: CardMemory;
  readonly #clock: Clock;
  readonly #switchLatency: number;
  #enabled: number | undefined;
  #channels = new Map<number, Channel>();
  #pendingChange: { readonly enabled: number | undefined } | undefined;
  #proactive: 'none' | 'waiting' | 'fetched' = 'none';
  /** After REFRESH was fetched, everything but the terminal response is refused until the reset. */
  #awaitsReset = false;
  #response: Uint8Array = new Uint8Array(0);

  constructor(options: VirtualCardOptions) {
    this.#memory = options.memory ?? volatileCardMemory();
    this.#clock = options.clock ?? systemClock;
    this.#switchLatency = options.switchLatency ?? 0;
    const kept = this.#memory.read();
    this.serial = kept?.serial ?? options.serial;
    this.profiles = cardProfiles(this.serial);
    this.#enabled = kept === undefined ? (options.initialProfile ?? 0) : kept.enabled;
    if (kept === undefined) this.#memory.write({ serial: this.serial, enabled: this.#enabled });
    this.#powerUp();
  }

  /** The enabled profile, for tests and displays: the modem asks by APDU. */
  get enabledProfile(): CardProfile | undefined {
    return this.#enabled === undefined ? undefined : this.profiles[this.#enabled];
  }

  async connect(): Promise<Uint8Array> {
    return this.reset();
  }

  async reset(): Promise<Uint8Array> {
    this.#checkPresent();
    this.#commitChange();
    this.#powerUp();
    return atr;
  }

  async close(): Promise<void> {}

  async transmit(bytes: Uint8Array): Promise<Uint8Array> {
    this.#checkPresent();
    try {
      return encodeResponse(await this.#answer(decodeCommand(bytes)));
    } catch (error) {
      if (error instanceof DecodeError) return encodeResponse(status(StatusWord.WRONG_LENGTH));
      throw error;
    }
  }

  #checkPresent(): void {
    if (this.faults.absent === true) throw new CardAbsentError('there is no card in the slot');
  }

  #powerUp(): void {
    this.#channels = new Map([[0, { application: 'none', file: FileId.MF, segments: [] }]]);
    this.#proactive = 'none';
    this.#awaitsReset = false;
    this.#response = new Uint8Array(0);
  }

  #commitChange(): void {
    if (this.#pendingChange === undefined) return;
    this.#memory.write({ serial: this.serial, enabled: this.#pendingChange.enabled });
    this.#enabled = this.#pendingChange.enabled;
    this.#pendingChange = undefined;
  }

  async #answer(command: CommandApdu): Promise<ResponseApdu> {
    const toolkit = command.cla === 0x80;
    if (toolkit && command.ins === Ins.FETCH) return this.#fetch(command);
    if (toolkit && command.ins === Ins.TERMINAL_RESPONSE) return this.#terminalResponse(command);
    if (this.#awaitsReset) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    if (command.ins === Ins.GET_RESPONSE) return this.#getResponse(command);
    this.#response = new Uint8Array(0);
    if (toolkit && command.ins === Ins.TERMINAL_PROFILE) return this.#ok();
    if ((command.cla & 0x7c) !== 0) return status(StatusWord.CLA_NOT_SUPPORTED);
    const channel = this.#channels.get(command.cla & 0x03);
    if (channel === undefined) return status(StatusWord.CHANNEL_NOT_SUPPORTED);
    switch (command.ins) {
      case Ins.SELECT:
        return this.#select(channel, command);
      case Ins.READ_BINARY:
        return this.#readBinary(channel, command);
      case Ins.MANAGE_CHANNEL:
        return this.#manageChannel(command);
      case Ins.STORE_DATA:
        return this.#storeData(channel, command);
      case Ins.STATUS:
        return this.#ok();
      default:
        return status(StatusWord.INS_NOT_SUPPORTED);
    }
  }

  /** 9000, or 91XX while a proactive command waits. */
  #ok(data: Uint8Array = new Uint8Array(0)): ResponseApdu {
    return { data, sw: this.#proactive === 'waiting' ? 0x9100 | refreshCommand.length : StatusWord.OK };
  }

  /** Over T=0 the answer to a command with data is announced by 61XX and fetched by GET RESPONSE. */
  #announce(data: Uint8Array): ResponseApdu {
    this.#response = data;
    return status(0x6100 | (data.length > 255 ? 0 : data.length));
  }

  #getResponse(command: CommandApdu): ResponseApdu {
    const available = this.#response.length;
    if (available === 0) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    const wanted = command.le ?? 256;
    if (wanted > available) return status(0x6c00 | (available & 0xff));
    const data = this.#response.slice(0, wanted);
    this.#response = this.#response.slice(wanted);
    const left = this.#response.length;
    return left > 0 ? { data, sw: 0x6100 | (left > 255 ? 0 : left) } : this.#ok(data);
  }

  #select(channel: Channel, command: CommandApdu): ResponseApdu {
    const data = command.data ?? new Uint8Array(0);
    channel.segments.length = 0;
    if (command.p1 === 0x04) return this.#selectApplication(channel, data);
    let path: number[];
    if (command.p1 === 0x00) path = data.length === 0 ? [FileId.MF] : fileIds(data);
    else if (command.p1 === 0x08 || command.p1 === 0x09) path = fileIds(data);
    else return status(StatusWord.INCORRECT_P1_P2);
    const file = path[path.length - 1];
    if (file === undefined || !this.#pathExists(path)) return status(StatusWord.FILE_NOT_FOUND);
    channel.application = 'none';
    channel.file = file;
    if (command.p2 === 0x0c) return this.#ok();
    return this.#announce(controlParameters(file, this.#fileBody(file)?.length));
  }

  #selectApplication(channel: Channel, aid: Uint8Array): ResponseApdu {
    const asked = toHex(aid);
    if (asked !== '' && toHex(isdRAid).startsWith(asked)) {
      channel.application = 'isd-r';
      return this.#announce(encodeTlv(0x6f, encodeTlv(0x84, isdRAid), encodeTlv(0xa5)));
    }
    if (this.#enabled !== undefined && asked.startsWith(toHex(usimAid))) {
      channel.application = 'usim';
      channel.file = FileId.ADF_USIM;
      return this.#announce(encodeTlv(0x62, encodeTlv(0x82, fromHex('7821')), encodeTlv(0x84, aid)));
    }
    return status(StatusWord.FILE_NOT_FOUND);
  }

  #pathExists(path: readonly number[]): boolean {
    const rest = path[0] === FileId.MF ? path.slice(1) : path;
    const file = rest[rest.length - 1] ?? FileId.MF;
    const parents = rest.slice(0, -1);
    if (file === FileId.MF) return true;
    if (this.#enabled === undefined) return false;
    if (file === FileId.ADF_USIM || file === FileId.DF_GSM) return parents.length === 0;
    const inUsim =
      parents.length === 0 ||
      (parents.length === 1 && (parents[0] === FileId.ADF_USIM || parents[0] === FileId.DF_GSM));
    if (file === FileId.EF_ICCID) return parents.length === 0;
    return (file === FileId.EF_IMSI || file === FileId.EF_SPN) && inUsim;
  }

  #fileBody(file: number): Uint8Array | undefined {
    const profile = this.enabledProfile;
    if (profile === undefined) return undefined;
    if (file === FileId.EF_ICCID) return encodeIccid(profile.iccid);
    if (file === FileId.EF_IMSI) return encodeImsi(profile.imsi);
    return file === FileId.EF_SPN ? encodeSpn(profile.name) : undefined;
  }

  #readBinary(channel: Channel, command: CommandApdu): ResponseApdu {
    const body = this.#fileBody(channel.file);
    if (body === undefined) return status(StatusWord.NO_FILE_SELECTED);
    const offset = (command.p1 << 8) | command.p2;
    if (command.p1 > 0x7f || offset >= body.length) return status(StatusWord.WRONG_P1_P2);
    const left = body.length - offset;
    const wanted = command.le ?? 256;
    // Le 00 means "all there is" on the wire, and a T=0 card still tells the exact length first.
    if (wanted > left) return status(0x6c00 | left);
    return this.#ok(body.slice(offset, offset + wanted));
  }

  #manageChannel(command: CommandApdu): ResponseApdu {
    if (command.p1 === 0x00 && command.p2 === 0x00) {
      for (let number = 1; number <= maxChannels; number++) {
        if (this.#channels.has(number)) continue;
        this.#channels.set(number, { application: 'none', file: FileId.MF, segments: [] });
        return this.#ok(Uint8Array.of(number));
      }
      return status(StatusWord.FUNCTION_NOT_SUPPORTED);
    }
    if (command.p1 !== 0x80 || command.p2 === 0) return status(StatusWord.INCORRECT_P1_P2);
    return this.#channels.delete(command.p2) ? this.#ok() : status(StatusWord.CHANNEL_NOT_SUPPORTED);
  }

  async #storeData(channel: Channel, command: CommandApdu): Promise<ResponseApdu> {
    if (channel.application !== 'isd-r') return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    if (command.p1 !== 0x11 && command.p1 !== 0x91) return status(StatusWord.INCORRECT_P1_P2);
    if (command.p2 !== (channel.segments.length & 0xff)) {
      channel.segments.length = 0;
      return status(StatusWord.INCORRECT_P1_P2);
    }
    channel.segments.push(command.data ?? new Uint8Array(0));
    const length = channel.segments.reduce((sum, segment) => sum + segment.length, 0);
    if (length > maxRequestBytes) {
      channel.segments.length = 0;
      return status(StatusWord.INCORRECT_DATA);
    }
    if (command.p1 === 0x11) return this.#ok();
    const request = new Uint8Array(Buffer.concat(channel.segments));
    channel.segments.length = 0;
    let answer: Es10cAnswer | undefined;
    try {
      answer = answerEs10c(request, {
        serial: this.serial,
        profiles: this.profiles,
        enabled: this.#enabled,
        refuse: this.#refusal(),
      });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    if (answer === undefined) return status(StatusWord.REFERENCED_DATA_NOT_FOUND);
    if (answer.change !== undefined) {
      await this.#work();
      this.#pendingChange = { enabled: answer.change.enabled };
      if (answer.change.refresh) this.#proactive = 'waiting';
      else this.#commitChange();
    }
    return this.#announce(answer.data);
  }

  #refusal(): number | undefined {
    if (this.faults.refuse === 'busy') return ProfileResult.CAT_BUSY;
    return this.faults.refuse === 'policy' ? ProfileResult.DISALLOWED_BY_POLICY : undefined;
  }

  #work(): Promise<void> | undefined {
    if (this.#switchLatency <= 0) return undefined;
    return new Promise((resolve) => this.#clock.setTimer(this.#switchLatency, resolve));
  }

  #fetch(command: CommandApdu): ResponseApdu {
    if (this.#proactive !== 'waiting') return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    if (command.le !== refreshCommand.length) return status(0x6c00 | refreshCommand.length);
    this.#proactive = 'fetched';
    this.#awaitsReset = true;
    return { data: refreshCommand, sw: StatusWord.OK };
  }

  #terminalResponse(command: CommandApdu): ResponseApdu {
    if (this.#proactive !== 'fetched') return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    const data = command.data ?? new Uint8Array(0);
    if (!toHex(data).startsWith('8103010104')) return status(StatusWord.INCORRECT_DATA);
    this.#proactive = 'none';
    // General results 0X are "performed" (ETSI TS 102 223 §8.12): with any other the profile stays.
    if ((data[11] ?? 0xff) < 0x10) this.#commitChange();
    else {
      this.#pendingChange = undefined;
      this.#awaitsReset = false;
    }
    return status(StatusWord.OK);
  }
}

function status(sw: number): ResponseApdu {
  return { data: new Uint8Array(0), sw };
}

function fileIds(path: Uint8Array): number[] {
  if (path.length === 0 || path.length % 2 !== 0) return [];
  return Array.from(
    { length: path.length / 2 },
    (_, i) => ((path[i * 2] ?? 0) << 8) | (path[i * 2 + 1] ?? 0),
  );
}

/** FCP template, ETSI TS 102 221 §11.1.1.3: descriptor, id, life cycle, and the size of a file's body. */
function controlParameters(file: number, size: number | undefined): Uint8Array {
  const id = encodeTlv(0x83, Uint8Array.of(file >> 8, file & 0xff));
  const lifeCycle = encodeTlv(0x8a, Uint8Array.of(0x05));
  if (size === undefined) return encodeTlv(0x62, encodeTlv(0x82, fromHex('7821')), id, lifeCycle);
  return encodeTlv(
    0x62,
    encodeTlv(0x82, fromHex('4121')),
    id,
    lifeCycle,
    encodeTlv(0x80, Uint8Array.of(size >> 8, size & 0xff)),
  );
}
