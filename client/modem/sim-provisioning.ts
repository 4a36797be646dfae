import { remoteSimProvisioningObject } from '../../objects/remote-sim-provisioning.ts';
import { Code } from '../../protocol/coap/message.ts';
import type { ExecuteArguments } from '../lwm2m/execute-arguments.ts';
import { instance, type ObjectInstance, type ObjectTree } from '../lwm2m/object-tree.ts';
import { OperationError } from '../lwm2m/operation-error.ts';
import type { EuiccReading } from '../sim/euicc-profiles.ts';
import type { ProfileInfo } from '../sim/profile-info.ts';
import type { CarrierControl } from './carrier-control.ts';
import type { ProvisioningAction, ProvisioningEntry } from './command-journal.ts';
import type { KeptSettings } from './kept-settings.ts';

/** Values of the object's resources, as its definition names them. */
const SimType = { UICC_REMOVABLE: 0, EUICC_REMOVABLE: 1 } as const;
const RspType = { CONSUMER: 2 } as const;
const UpdateState = { IDLE: 0 } as const;
const UpdateResult = { INITIAL: 0, COMPLETED: 1 } as const;

/** What RSP Update does by its argument, with its state and with the result of its failure. */
const actions: Readonly<
  Record<number, { readonly action: ProvisioningAction; readonly state: number; readonly failed: number }>
> = {
  1: { action: 'enable', state: 5, failed: 13 },
  2: { action: 'disable', state: 6, failed: 14 },
  3: { action: 'delete', state: 7, failed: 15 },
  4: { action: 'reset-memory', state: 8, failed: 16 },
};
/** The argument of a download, which takes a way to an SM-DP+ that this modem has not. */
const downloadArgument = 0;

/** RSP Data Types that there is data for. */
const DataType = {
  EUICC_INFO2: 1,
  METADATA: 3,
  AID: 5,
  STATE: 6,
  NICKNAME: 7,
  PROVIDER: 8,
  NAME: 9,
  CLASS: 12,
  POLICY: 16,
} as const;

const section = 'sim-provisioning';
/** What the card or an operation changes, all at once. */
const changing = [
  'rspUpdateState',
  'rspUpdateResult',
  'freeMemory',
  'iccid',
  'eid',
  'selectedIccid',
  'getData',
] as const;

type ProvisioningInstance = ObjectInstance<keyof (typeof remoteSimProvisioningObject)['resources'] & string>;

export interface SimProvisioningOptions {
  readonly tree: ObjectTree;
  readonly control: () => CarrierControl;
  /** Keeps what servers chose without power. */
  readonly settings: KeptSettings;
}

/**
 * Object 504, Remote SIM Provisioning: the profiles of an eUICC. It is there while the card is one. What it does with
 * profiles goes through the same lock and journal as a carrier switch; the answer to RSP Update is the card's own: a
 * no comes as 5.00 with its reason, and what follows in the network is in the state and the result.
 */
export class SimProvisioning {
  readonly #options: SimProvisioningOptions;
  readonly #instance: ProvisioningInstance;
  #shown = false;
  #dataType: number = DataType.EUICC_INFO2;

  constructor(options: SimProvisioningOptions) {
    this.#options = options;
    this.#instance = this.#makeInstance();
  }

  /** The card, or what is done with it, is another. */
  changed(): void {
    const { tree } = this.#options;
    const present = this.#reading !== undefined;
    if (present !== this.#shown) {
      this.#shown = present;
      if (present) tree.add(this.#instance);
      else tree.remove(remoteSimProvisioningObject.id, this.#instance.id);
    } else if (present) this.#instance.changed(...changing);
  }

  get #reading(): EuiccReading | undefined {
    return this.#options.control().profiles?.reading;
  }

  /** The ICCID that was chosen, while the card has it; else the enabled one's. */
  get #selected(): string | undefined {
    const profiles = this.#reading?.profiles ?? [];
    const chosen = this.#options.settings.read(section, (value) =>
      typeof value === 'string' ? value : undefined,
    );
    const found = profiles.find(({ iccid }) => iccid === chosen) ?? profiles.find(({ enabled }) => enabled);
    return (found ?? profiles[0])?.iccid;
  }

  get #selectedProfile(): ProfileInfo | undefined {
    const selected = this.#selected;
    return this.#reading?.profiles.find(({ iccid }) => iccid === selected);
  }

  #makeInstance(): ProvisioningInstance {
    const { control, settings } = this.#options;
    const newest = (): ProvisioningEntry | undefined => control().snapshot.provisioning;
    return instance(remoteSimProvisioningObject, 0, {
      currentSimType: { read: () => SimType.EUICC_REMOVABLE },
      supportedSimType: {
        read: () =>
          new Map([
            [0, SimType.UICC_REMOVABLE],
            [1, SimType.EUICC_REMOVABLE],
          ]),
      },
      rspUpdate: {
        execute: async (args, context) => {
          const { begin } = await this.#update(args);
          context.afterAnswer(begin);
        },
      },
      rspUpdateState: { read: () => stateOf(newest()) },
      rspUpdateResult: { read: () => resultOf(newest()) },
      freeMemory: {
        read: () => {
          const bytes = this.#reading?.info2?.info.resources.freeNonVolatileMemory;
          return bytes === undefined ? undefined : Math.floor(bytes / 1_024);
        },
      },
      iccid: { read: () => new Map(this.#iccids().map((iccid, index) => [index, iccid])) },
      eid: { read: () => this.#reading?.eid },
      rspType: { read: () => RspType.CONSUMER },
      selectedIccid: {
        read: () => this.#selected ?? '',
        check: (value) => {
          if (!this.#iccids().includes(String(value))) {
            throw new OperationError(Code.BAD_REQUEST, `the card has no profile ${value}`);
          }
        },
        write: (value) => {
          settings.write(section, String(value));
          this.#instance.changed('getData');
        },
      },
      dataType: {
        read: () => this.#dataType,
        write: (value) => {
          this.#dataType = Number(value);
          this.#instance.changed('getData');
        },
      },
      setData: { write: (value) => this.#setData(value as Uint8Array) },
      getData: { read: () => this.#getData() },
    });
  }

  /** The enabled one is the first. */
  #iccids(): readonly string[] {
    const enabled = this.#options.control().snapshot.identity?.iccid;
    const all = (this.#reading?.profiles ?? []).map(({ iccid }) => iccid);
    return [...all.filter((iccid) => iccid === enabled), ...all.filter((iccid) => iccid !== enabled)];
  }

  /** @throws OperationError */
  async #update(args: ExecuteArguments): Promise<{ readonly begin: () => void }> {
    const [digit, ...more] = args.keys();
    if (digit === undefined || more.length > 0 || args.get(digit) !== undefined) {
      throw new OperationError(Code.BAD_REQUEST, 'RSP Update takes one argument, 1 to 4, without a value');
    }
    if (digit === downloadArgument) {
      throw new OperationError(Code.NOT_IMPLEMENTED, 'this modem downloads no profiles');
    }
    const action = actions[digit]?.action;
    if (action === undefined) {
      throw new OperationError(Code.BAD_REQUEST, `RSP Update has no argument ${digit}`);
    }
    const control = this.#options.control();
    if (action === 'reset-memory') return control.provision(action, undefined);
    const iccid = this.#selected;
    const carrier = control.carriers.find((known) => known.iccid === iccid);
    if (iccid === undefined || carrier === undefined) {
      throw new OperationError(Code.BAD_REQUEST, 'the card has no profile');
    }
    const enabled = control.snapshot.identity?.iccid === iccid;
    if (action === 'disable' && !enabled) {
      throw new OperationError(Code.BAD_REQUEST, `profile ${iccid} of ${carrier.name} is not enabled`);
    }
    if (action === 'delete' && enabled) {
      throw new OperationError(
        Code.BAD_REQUEST,
        `profile ${iccid} of ${carrier.name} is enabled: enable another one first`,
      );
    }
    return control.provision(action, carrier.id);
  }

  /** @throws OperationError */
  async #setData(value: Uint8Array): Promise<void> {
    if (this.#dataType !== DataType.NICKNAME) {
      throw new OperationError(
        Code.BAD_REQUEST,
        `RSP Data Type ${this.#dataType} cannot be set, 7 (nickname) can`,
      );
    }
    const iccid = this.#selected;
    if (iccid === undefined) throw new OperationError(Code.BAD_REQUEST, 'the card has no profile');
    let nickname: string;
    try {
      nickname = new TextDecoder('utf-8', { fatal: true }).decode(value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new OperationError(Code.BAD_REQUEST, 'a nickname is UTF-8');
    }
    await this.#options.control().rename(iccid, nickname);
  }

  #getData(): Uint8Array | undefined {
    if (this.#dataType === DataType.EUICC_INFO2) return this.#reading?.info2?.encoded;
    const profile = this.#selectedProfile;
    if (profile === undefined) return undefined;
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    switch (this.#dataType) {
      case DataType.METADATA:
        return profile.encoded;
      case DataType.AID:
        return profile.aid;
      case DataType.STATE:
        return Uint8Array.of(this.#options.control().snapshot.identity?.iccid === profile.iccid ? 1 : 0);
      case DataType.NICKNAME:
        return text(profile.nickname);
      case DataType.PROVIDER:
        return text(profile.serviceProvider);
      case DataType.NAME:
        return text(profile.name);
      case DataType.CLASS:
        return profile.profileClass === undefined ? undefined : Uint8Array.of(profile.profileClass);
      case DataType.POLICY:
        // PprIds, SGP.22 §2.8.2.1.2, as a BIT STRING's octets.
        return Uint8Array.of(
          0x05,
          (profile.policy.noDisable ? 0x40 : 0) | (profile.policy.noDelete ? 0x20 : 0),
        );
      default:
        return undefined;
    }
  }
}

function stateOf(entry: ProvisioningEntry | undefined): number {
  if (entry === undefined || entry.outcome !== undefined) return UpdateState.IDLE;
  return meaningOf(entry)?.state ?? UpdateState.IDLE;
}

function resultOf(entry: ProvisioningEntry | undefined): number {
  if (entry?.outcome === undefined) return UpdateResult.INITIAL;
  if (entry.outcome.succeeded) return UpdateResult.COMPLETED;
  return meaningOf(entry)?.failed ?? UpdateResult.INITIAL;
}

function meaningOf({ action }: ProvisioningEntry) {
  return Object.values(actions).find((known) => known.action === action);
}
