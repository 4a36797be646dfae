import type { Clock } from '../../../protocol/clock.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { type CommandApdu, Ins, type ResponseApdu, StatusWord } from '../apdu.ts';
import { encodeTlv } from '../ber-tlv.ts';
import { isdRAid } from '../euicc.ts';
import { toHex } from '../hex.ts';
import { authenticate } from './authentication.ts';
import type { ApplicationAnswer, CardApplication, CardServices } from './card-application.ts';
import type { StoredProfile } from './card-contents.ts';
import type { CardFaults } from './card-faults.ts';
import { type Access, fullUsimAid, masterFile } from './card-files.ts';
import { CardStatus } from './card-status.ts';
import type { CardStore } from './card-store.ts';
import { CardToolkit } from './card-toolkit.ts';
import {
  controlParameters,
  FileIns,
  type FileSelection,
  fileCommand,
  nothingSelected,
  type SelectionScope,
  selectFile,
} from './file-system.ts';
import { IsdR } from './isd-r.ts';
import { answerPin, KeyReference, PinIns } from './pins.ts';
import { StoreDataAssembly } from './store-data.ts';

/** Instructions besides those of `Ins`: 3GPP TS 31.102 §7.1, ETSI TS 102 223 §5, ETSI TS 102 221 §11.1.19. */
const CardIns = { AUTHENTICATE: 0x88, ENVELOPE: 0xc2, TERMINAL_CAPABILITY: 0xaa } as const;
const fileInstructions: readonly number[] = Object.values(FileIns);
const pinInstructions: readonly number[] = Object.values(PinIns);

/** What one response carries at most: with its status word it fits the 255 bytes that readers pass on at once. */
const maxResponseBytes = 253;
const maxChannels = 3;
const noBytes: Uint8Array = new Uint8Array(0);

interface Channel {
  /** The application selected, or the file system, that of the USIM included. */
  application: 'files' | 'isd-r' | CardApplication;
  /** The USIM was selected by its AID: 7FFF is its directory (ETSI TS 102 221 §8.4.2). */
  usim: boolean;
  selection: FileSelection;
  readonly storeData: StoreDataAssembly;
}

export interface CardProcessorOptions {
  readonly store: CardStore;
  readonly faults: CardFaults;
  readonly clock: Clock;
  /** Milliseconds that the ISD-R works on enabling or disabling a profile. */
  readonly switchLatency: number;
}

/** What is inside the card: answers commands, and knows nothing of readers, power and faults of the line. */
export class CardProcessor {
  readonly #store: CardStore;
  readonly #faults: CardFaults;
  readonly #clock: Clock;
  readonly #toolkit = new CardToolkit();
  readonly #isdR: IsdR;
  readonly #applications: CardApplication[] = [];
  #channels = new Map<number, Channel>();
  #response = noBytes;
  /** Keys that were verified since power-up. */
  readonly #verified = new Set<number>();

  constructor(options: CardProcessorOptions) {
    this.#store = options.store;
    this.#faults = options.faults;
    this.#clock = options.clock;
    this.#isdR = new IsdR({ ...options, toolkit: this.#toolkit, onSwitched: () => this.#verified.clear() });
    this.#powerUp();
  }

  install(application: CardApplication): void {
    this.#applications.push(application);
    application.onInstall(this.#services(application));
    application.onReset?.();
  }

  /** A reset: the change that waits for it happens (GSMA SGP.22 §5.7.16). */
  reset(): void {
    this.#isdR.reset();
    this.#powerUp();
    for (const application of this.#applications) application.onReset?.();
  }

  /** The power went: what was not written is forgotten. */
  losePower(): void {
    this.#isdR.losePower();
    this.#powerUp();
  }

  /**
   * The answer, at once but where the card takes its time.
   * @throws CardTransportError (by rejection) the power went meanwhile
   */
  answer(command: CommandApdu): ResponseApdu | Promise<ResponseApdu> {
    try {
      return this.#answer(command);
    } catch (error) {
      if (error instanceof DecodeError) return status(StatusWord.INCORRECT_DATA);
      throw error;
    }
  }

  #powerUp(): void {
    this.#channels = new Map([[0, newChannel()]]);
    this.#toolkit.reset();
    this.#response = noBytes;
    this.#verified.clear();
  }

  #answer(command: CommandApdu): ResponseApdu | Promise<ResponseApdu> {
    const toolkit = command.cla === 0x80;
    if (toolkit && command.ins === Ins.FETCH) return this.#toolkit.fetch(command);
    if (toolkit && command.ins === Ins.TERMINAL_RESPONSE) {
      const answer = this.#toolkit.terminalResponse(command);
      return answer.sw === StatusWord.OK ? this.#ok() : answer;
    }
    if (this.#toolkit.awaitsReset) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    for (const application of this.#applications) {
      const answer = application.processUnselected?.(command);
      if (answer !== undefined) return this.#ofApplication(answer);
    }
    if (command.ins === Ins.GET_RESPONSE) return this.#getResponse(command);
    this.#response = noBytes;
    if (toolkit && command.ins === Ins.TERMINAL_PROFILE) return this.#terminalProfile(command);
    if (toolkit && command.ins === CardIns.ENVELOPE) return this.#envelope(command);
    if (toolkit && command.ins === CardIns.TERMINAL_CAPABILITY) return this.#ok();
    if ((command.cla & 0x7c) !== 0) return status(StatusWord.CLA_NOT_SUPPORTED);
    const channel = this.#channels.get(command.cla & 0x03);
    if (channel === undefined) return status(StatusWord.CHANNEL_NOT_SUPPORTED);
    return this.#onChannel(channel, command);
  }

  #onChannel(channel: Channel, command: CommandApdu): ResponseApdu | Promise<ResponseApdu> {
    const { ins } = command;
    if (ins === Ins.SELECT) return this.#select(channel, command);
    if (ins === Ins.MANAGE_CHANNEL) return this.#manageChannel(command);
    if (ins === Ins.STATUS) return this.#status(channel, command);
    if (typeof channel.application === 'object') {
      const answer = channel.application.process?.(command);
      return answer === undefined ? status(StatusWord.INS_NOT_SUPPORTED) : this.#ofApplication(answer);
    }
    if (ins === Ins.STORE_DATA) return this.#storeData(channel, command);
    if (fileInstructions.includes(ins)) return this.#fileCommand(channel, command);
    if (pinInstructions.includes(ins)) return this.#pinCommand(command);
    if (ins === CardIns.AUTHENTICATE) return this.#authenticate(channel, command);
    return status(StatusWord.INS_NOT_SUPPORTED);
  }

  /** 9000, or 91XX while a proactive command waits. */
  #ok(data: Uint8Array = noBytes): ResponseApdu {
    return { data, sw: this.#toolkit.okStatus };
  }

  /** Over T=0 the answer to a command with data is announced by 61XX and fetched by GET RESPONSE. */
  #announce(data: Uint8Array): ResponseApdu {
    if (data.length === 0) return this.#ok();
    this.#response = data;
    return status(0x6100 | Math.min(data.length, maxResponseBytes));
  }

  #getResponse(command: CommandApdu): ResponseApdu {
    if (this.#response.length === 0) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    const available = Math.min(this.#response.length, maxResponseBytes);
    const wanted = command.le ?? 256;
    if (wanted > available) return status(0x6c00 | available);
    const data = this.#response.slice(0, wanted);
    this.#response = this.#response.slice(wanted);
    if (this.#response.length === 0) return this.#ok(data);
    return { data, sw: 0x6100 | Math.min(this.#response.length, maxResponseBytes) };
  }

  #ofApplication(answer: ApplicationAnswer): ResponseApdu {
    if (answer.sw !== StatusWord.OK) return answer;
    const long = answer.data.length > maxResponseBytes;
    return answer.announce === true || long ? this.#announce(answer.data) : this.#ok(answer.data);
  }

  #terminalProfile(command: CommandApdu): ResponseApdu {
    for (const application of this.#applications) application.onTerminalProfile?.(command.data ?? noBytes);
    return this.#ok();
  }

  /** ENVELOPE, ETSI TS 102 223 §7: 9300 while a proactive session is under way. */
  #envelope(command: CommandApdu): ResponseApdu {
    if (this.#toolkit.busy) return status(CardStatus.TOOLKIT_BUSY);
    let answer: Uint8Array | undefined;
    for (const application of this.#applications) {
      answer ??= application.onEnvelope?.(command.data ?? noBytes);
    }
    return this.#announce(answer ?? noBytes);
  }

  /** STATUS, ETSI TS 102 221 §11.1.2: P2 00 gives what SELECT gave, 01 the application's name, 0C nothing. */
  #status(channel: Channel, command: CommandApdu): ResponseApdu {
    for (const application of this.#applications) application.onStatus?.();
    const { selection } = channel;
    const { aid } = selection.directory;
    let data = noBytes;
    if (command.p2 === 0x00) data = this.#controlParameters({ ...selection, file: undefined });
    else if (command.p2 === 0x01 && aid !== undefined) data = encodeTlv(0x84, aid);
    if (command.le === undefined || data.length === 0) return this.#ok();
    return command.le === data.length ? this.#ok(data) : status(0x6c00 | data.length);
  }

  #select(channel: Channel, command: CommandApdu): ResponseApdu {
    channel.storeData.clear();
    if (command.p1 === 0x04) return this.#selectApplication(channel, command);
    const selection =
      command.p1 === 0x03
        ? nothingSelected
        : [0x00, 0x08, 0x09].includes(command.p1)
          ? selectFile(command, channel.selection, this.#scope(channel))
          : 'wrong';
    if (selection === 'wrong') return status(StatusWord.INCORRECT_P1_P2);
    if (selection === undefined) return status(StatusWord.FILE_NOT_FOUND);
    channel.application = 'files';
    channel.selection = selection;
    return command.p2 === 0x0c ? this.#ok() : this.#announce(this.#controlParameters(selection));
  }

  #scope(channel: Channel): SelectionScope {
    const hasProfile = this.#store.enabled !== undefined;
    return { hasProfile, hasUsim: hasProfile && channel.usim };
  }

  /** By the whole AID or its beginning. */
  #selectApplication(channel: Channel, command: CommandApdu): ResponseApdu {
    const asked = toHex(command.data ?? noBytes);
    const names = (aid: Uint8Array): boolean => asked !== '' && toHex(aid).startsWith(asked);
    const quiet = command.p2 === 0x0c;
    if (names(isdRAid) && this.#store.contents.kind === 'euicc') {
      channel.application = 'isd-r';
      channel.usim = false;
      channel.selection = nothingSelected;
      return this.#announce(quiet ? noBytes : encodeTlv(0x6f, encodeTlv(0x84, isdRAid), encodeTlv(0xa5)));
    }
    const usim = masterFile.directories.find(({ aid }) => aid === fullUsimAid);
    if (this.#store.enabled !== undefined && usim !== undefined && names(fullUsimAid)) {
      channel.application = 'files';
      channel.usim = true;
      channel.selection = { directory: usim, file: undefined, record: 0 };
      return quiet ? this.#ok() : this.#announce(this.#controlParameters(channel.selection));
    }
    const application = this.#applications.find(({ aid }) => names(aid));
    if (application === undefined) return status(StatusWord.FILE_NOT_FOUND);
    channel.application = application;
    channel.usim = false;
    channel.selection = nothingSelected;
    return this.#announce(
      quiet ? noBytes : encodeTlv(0x6f, encodeTlv(0x84, application.aid), encodeTlv(0xa5)),
    );
  }

  #controlParameters(selection: FileSelection): Uint8Array {
    const profile = this.#profile();
    return controlParameters(selection, profile, profile?.pin1.enabled === true);
  }

  #manageChannel(command: CommandApdu): ResponseApdu {
    if (command.p1 === 0x00 && command.p2 === 0x00) {
      for (let number = 1; number <= maxChannels; number++) {
        if (this.#channels.has(number)) continue;
        this.#channels.set(number, newChannel());
        return this.#ok(Uint8Array.of(number));
      }
      return status(StatusWord.FUNCTION_NOT_SUPPORTED);
    }
    if (command.p1 !== 0x80 || command.p2 === 0) return status(StatusWord.INCORRECT_P1_P2);
    return this.#channels.delete(command.p2) ? this.#ok() : status(StatusWord.CHANNEL_NOT_SUPPORTED);
  }

  #fileCommand(channel: Channel, command: CommandApdu): ResponseApdu {
    const profile = this.#profile();
    if (profile === undefined || channel.application !== 'files') return status(StatusWord.NO_FILE_SELECTED);
    const outcome = fileCommand(command, channel.selection, profile, (access) => this.#may(access, profile));
    if (outcome.selection !== undefined) channel.selection = outcome.selection;
    if (outcome.written !== undefined) {
      const { path, body } = outcome.written;
      this.#store.updateProfile(profile.iccid, { files: { ...profile.files, [path]: body } });
    }
    const { data, sw } = outcome.response;
    return sw === StatusWord.OK ? this.#ok(data) : outcome.response;
  }

  #pinCommand(command: CommandApdu): ResponseApdu {
    const profile = this.#profile();
    if (profile === undefined) return status(StatusWord.REFERENCED_DATA_NOT_FOUND);
    const { sw, change, verified } = answerPin(command, profile);
    if (change !== undefined) this.#store.updateProfile(profile.iccid, change);
    if (verified === true) this.#verified.add(command.p2);
    else if (verified === false) this.#verified.delete(command.p2);
    const unblocked = command.ins === PinIns.UNBLOCK && command.p2 === KeyReference.PIN1;
    if (unblocked && sw === StatusWord.OK) this.#faults.clear('pin-blocked');
    return sw === StatusWord.OK ? this.#ok() : status(sw);
  }

  #authenticate(channel: Channel, command: CommandApdu): ResponseApdu {
    const profile = this.#profile();
    const inUsim = channel.application === 'files' && channel.selection.directory.aid !== undefined;
    if (profile === undefined || !inUsim) return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    if (!this.#may('pin1', profile)) return status(CardStatus.SECURITY_STATUS_NOT_SATISFIED);
    const outcome = authenticate(command, profile);
    if ('sw' in outcome) return status(outcome.sw);
    if (outcome.sequence !== undefined) {
      this.#store.updateProfile(profile.iccid, { sequence: outcome.sequence });
    }
    return this.#announce(outcome.data);
  }

  /** The enabled profile, with the fault that its PIN is blocked. */
  #profile(): StoredProfile | undefined {
    const profile = this.#store.enabled;
    if (profile === undefined || this.#faults.get('pin-blocked') === undefined) return profile;
    return { ...profile, pin1: { ...profile.pin1, enabled: true, tries: 0 } };
  }

  #may(access: Access, { pin1 }: StoredProfile): boolean {
    switch (access) {
      case 'always':
        return true;
      case 'never':
        return false;
      case 'pin1':
        return !pin1.enabled || (pin1.tries > 0 && this.#verified.has(KeyReference.PIN1));
      case 'pin2':
        return this.#verified.has(KeyReference.PIN2);
      case 'adm':
        return this.#verified.has(KeyReference.ADM1);
    }
  }

  #storeData(channel: Channel, command: CommandApdu): ResponseApdu | Promise<ResponseApdu> {
    if (channel.application !== 'isd-r') return status(StatusWord.CONDITIONS_NOT_SATISFIED);
    const assembled = channel.storeData.add(command);
    if (assembled === undefined) return this.#ok();
    if ('sw' in assembled) return status(assembled.sw);
    const answer = this.#isdR.answer(assembled.request);
    if (answer === undefined) return status(StatusWord.REFERENCED_DATA_NOT_FOUND);
    return answer instanceof Promise ? answer.then((data) => this.#announce(data)) : this.#announce(answer);
  }

  #services(application: CardApplication): CardServices {
    const store = this.#store;
    const toolkit = this.#toolkit;
    const key = toHex(application.aid);
    return {
      clock: this.#clock,
      get profiles() {
        return store.contents.profiles;
      },
      get enabledProfile() {
        return store.enabled;
      },
      get proactivePending() {
        return toolkit.pending;
      },
      queueProactive: (command) =>
        toolkit.queue(command, (response) => application.onTerminalResponse?.(command, response)),
      switchProfile: (iccid) => this.#isdR.switchProfile(iccid),
      read: () => store.contents.applications[key],
      write: (value) => store.update({ applications: { ...store.contents.applications, [key]: value } }),
    };
  }
}

function newChannel(): Channel {
  return {
    application: 'files',
    usim: false,
    selection: nothingSelected,
    storeData: new StoreDataAssembly(),
  };
}

function status(sw: number): ResponseApdu {
  return { data: noBytes, sw };
}
