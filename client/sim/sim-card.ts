import { DecodeError } from '../../protocol/errors.ts';
import { StatusWord } from './apdu.ts';
import type { CardSession } from './card-session.ts';
import { CardStatusError, type CardTransport } from './card-transport.ts';
import {
  type CardAnswer,
  type CardCarrier,
  type CardEvent,
  CardRefusalError,
  type CarrierCard,
  type CurrentCarrier,
} from './carrier-card.ts';
import { type CarrierIdStorage, CarrierIds, volatileCarrierIds } from './carrier-ids.ts';
import { Euicc } from './euicc.ts';
import type { EuiccProfiles, EuiccReading } from './euicc-profiles.ts';
import { decodeIccid, decodeSpn, FileId, readFile } from './files.ts';
import type { ProfileInfo } from './profile-info.ts';
import { readSubscriber } from './subscriber.ts';

export interface SimCardOptions {
  readonly transport: CardTransport;
  /** APDUs over that transport, shared with whoever else talks to the card. */
  readonly session: CardSession;
  /** Where the ids of its carriers are kept; default: as long as this object. */
  readonly ids?: CarrierIdStorage;
}

/**
 * A SIM as a modem uses it, by APDUs alone: the profiles of an eUICC are its carriers, and a card without any has one
 * carrier, itself.
 */
export class SimCard implements CarrierCard {
  readonly euicc: Euicc;
  readonly #transport: CardTransport;
  readonly #session: CardSession;
  readonly #ids: CarrierIds;
  #carriers: readonly CardCarrier[] = [];
  #reading: EuiccReading | undefined;
  #listener: (event: CardEvent) => void = () => {};
  #unsubscribe: (() => void) | undefined;

  /** @throws StateFileError */
  constructor({ transport, session, ids }: SimCardOptions) {
    this.#transport = transport;
    this.#session = session;
    this.#ids = new CarrierIds(ids ?? volatileCarrierIds());
    this.euicc = new Euicc(session);
    this.#unsubscribe = transport.subscribe?.((presence) =>
      this.#listener(presence === 'present' ? 'inserted' : 'removed'),
    );
  }

  profiles(): EuiccProfiles | undefined {
    const reading = this.#reading;
    if (reading === undefined) return undefined;
    const { euicc } = this;
    return {
      reading,
      delete: (iccid) => euicc.delete(iccid),
      resetMemory: () => euicc.resetMemory(),
      setNickname: (iccid, nickname) => euicc.setNickname(iccid, nickname),
    };
  }

  async connect(): Promise<void> {
    await this.#session.connect();
  }

  /** Reads what the card has anew. */
  carriers(): Promise<readonly CardCarrier[]> {
    return this.#session.exclusive(async () => {
      this.#reading = await this.#readEuicc();
      this.#carriers = this.#reading === undefined ? await this.#itself() : this.#carriersOf(this.#reading);
      return this.#carriers;
    });
  }

  current(): Promise<CurrentCarrier | undefined> {
    return this.#session.exclusive(async () => {
      const iccid = await this.#iccid();
      if (iccid === undefined) return undefined;
      // Installed since the carriers were read, or another card.
      if (!this.#carriers.some((carrier) => carrier.iccid === iccid)) await this.carriers();
      const carrierId = this.#carriers.find((carrier) => carrier.iccid === iccid)?.id;
      return { carrierId, iccid, ...(await readSubscriber(this.#session)) };
    });
  }

  /** @throws CardRefusalError; CardStatusError, CardTransportError, DecodeError */
  async enable(carrier: CardCarrier): Promise<CardAnswer> {
    if (carrier.iccid === undefined) throw new CardRefusalError(`the card has no profile of ${carrier.name}`);
    await this.euicc.enable(carrier.iccid);
    return {};
  }

  /** @throws CardRefusalError; CardStatusError, CardTransportError, DecodeError */
  async disable(): Promise<CardAnswer> {
    if (this.#reading === undefined) throw new CardRefusalError('this card is no eUICC: it has one carrier');
    const iccid = await this.#iccid();
    if (iccid !== undefined) await this.euicc.disable(iccid);
    return {};
  }

  async reset(): Promise<void> {
    await this.#session.reset();
  }

  close(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    return this.#transport.close();
  }

  onChanged(listener: (event: CardEvent) => void): void {
    this.#listener = listener;
  }

  /** The card asked for a REFRESH; one beside what we do is told when that piece of work is over. */
  refreshed(): void {
    if (this.euicc.isChanging) return;
    void this.#session.later(async () => {}).then(() => this.#listener('changed'));
  }

  /** As if it had been put in again: it is reset, and asked. */
  broken(): void {
    void this.#session.later(async () => {}).then(() => this.#listener('inserted'));
  }

  /** EF_ICCID; undefined where no profile is enabled. */
  async #iccid(): Promise<string | undefined> {
    try {
      return decodeIccid(await readFile(this.#session, 'EF_ICCID', FileId.EF_ICCID));
    } catch (error) {
      if (error instanceof CardStatusError && error.sw === StatusWord.FILE_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Undefined: the card has no ISD-R. */
  async #readEuicc(): Promise<EuiccReading | undefined> {
    let eid: string;
    try {
      eid = await this.euicc.eid();
    } catch (error) {
      if (error instanceof CardStatusError && error.sw === StatusWord.FILE_NOT_FOUND) return undefined;
      throw error;
    }
    const profiles = await this.euicc.listProfiles();
    let info2: EuiccReading['info2'];
    try {
      info2 = await this.euicc.info2();
    } catch (error) {
      // Of interest for people alone: a card that does not tell it is as good.
      if (!(error instanceof CardStatusError || error instanceof DecodeError)) throw error;
    }
    return { eid, profiles, info2 };
  }

  #carriersOf({ eid, profiles }: EuiccReading): readonly CardCarrier[] {
    const ids = this.#ids.of(
      eid,
      profiles.map(({ iccid }) => iccid),
    );
    const names = profiles.map(nameOf);
    return profiles.flatMap(({ iccid }, index) => {
      const id = ids.get(iccid);
      const name = names[index];
      if (id === undefined || name === undefined) return [];
      const unique = names.filter((other) => other === name).length === 1;
      return [{ id, name: unique ? name : `${name} (${id})`, iccid }];
    });
  }

  /** A SIM of one operator. */
  async #itself(): Promise<readonly CardCarrier[]> {
    const iccid = await this.#iccid();
    if (iccid === undefined) return [];
    let name = '';
    try {
      name = decodeSpn(await readFile(this.#session, 'EF_SPN', FileId.ADF_USIM, FileId.EF_SPN));
    } catch (error) {
      // Optional, 3GPP TS 31.102 §4.2.12; a name that cannot be read is none.
      if (!(error instanceof CardStatusError || error instanceof DecodeError)) throw error;
    }
    return [{ id: 0, name: name || iccid, iccid }];
  }
}

function nameOf(profile: ProfileInfo): string {
  return profile.nickname || profile.serviceProvider || profile.name || profile.iccid;
}
