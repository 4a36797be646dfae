import { StatusWord } from './apdu.ts';
import type { CardSession } from './card-session.ts';
import { CardStatusError, type CardTransport } from './card-transport.ts';
import type { CardAnswer, CardCarrier, CardEvent, CarrierCard, CurrentCarrier } from './carrier-card.ts';
import { type CarrierIdStorage, CarrierIds, volatileCarrierIds } from './carrier-ids.ts';
import { Euicc, type ProfileInfo } from './euicc.ts';
import { decodeIccid, decodeImsi, FileId, readFile } from './files.ts';

export interface SimCardOptions {
  readonly transport: CardTransport;
  /** APDUs over that transport, shared with whoever else talks to the card. */
  readonly session: CardSession;
  /** Where the ids of its carriers are kept; default: as long as this object. */
  readonly ids?: CarrierIdStorage;
}

/** An eUICC as a modem uses it, by APDUs alone: its profiles are its carriers. */
export class SimCard implements CarrierCard {
  readonly euicc: Euicc;
  readonly #transport: CardTransport;
  readonly #session: CardSession;
  readonly #ids: CarrierIds;
  #carriers: readonly CardCarrier[] = [];
  #listener: (event: CardEvent) => void = () => {};

  /** @throws StateFileError */
  constructor({ transport, session, ids }: SimCardOptions) {
    this.#transport = transport;
    this.#session = session;
    this.#ids = new CarrierIds(ids ?? volatileCarrierIds());
    this.euicc = new Euicc(session);
  }

  async connect(): Promise<void> {
    await this.#transport.connect();
  }

  async carriers(): Promise<readonly CardCarrier[]> {
    const profiles = await this.euicc.listProfiles();
    const ids = this.#ids.of(
      await this.euicc.eid(),
      profiles.map(({ iccid }) => iccid),
    );
    const names = profiles.map(nameOf);
    this.#carriers = profiles.flatMap(({ iccid }, index) => {
      const id = ids.get(iccid);
      const name = names[index];
      if (id === undefined || name === undefined) return [];
      const unique = names.filter((other) => other === name).length === 1;
      return [{ id, name: unique ? name : `${name} (${id})`, iccid }];
    });
    return this.#carriers;
  }

  async current(): Promise<CurrentCarrier | undefined> {
    let iccid: string;
    try {
      iccid = decodeIccid(await readFile(this.#session, 'EF_ICCID', FileId.EF_ICCID));
    } catch (error) {
      if (error instanceof CardStatusError && error.sw === StatusWord.FILE_NOT_FOUND) return undefined;
      throw error;
    }
    const carrierId = this.#carriers.find((carrier) => carrier.iccid === iccid)?.id;
    const imsi = decodeImsi(await readFile(this.#session, 'EF_IMSI', FileId.ADF_USIM, FileId.EF_IMSI));
    return { carrierId, iccid, imsi };
  }

  async enable(carrier: CardCarrier): Promise<CardAnswer> {
    if (carrier.iccid === undefined) throw new RangeError(`carrier ${carrier.name} is of no profile`);
    await this.euicc.enable(carrier.iccid);
    return {};
  }

  async disable(): Promise<CardAnswer> {
    const current = await this.current();
    if (current?.iccid !== undefined) await this.euicc.disable(current.iccid);
    return {};
  }

  async reset(): Promise<void> {
    await this.#session.reset();
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  onChanged(listener: (event: CardEvent) => void): void {
    this.#listener = listener;
  }

  /** The card asked for a REFRESH beside a switch of ours. */
  refreshed(): void {
    this.#listener('changed');
  }
}

function nameOf(profile: ProfileInfo): string {
  return profile.nickname || profile.serviceProvider || profile.name || profile.iccid;
}
