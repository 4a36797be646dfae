import { StatusWord } from './apdu.ts';
import { CardSession } from './card-session.ts';
import { CardStatusError, type CardTransport } from './card-transport.ts';
import { Euicc, type ProfileInfo } from './euicc.ts';
import { decodeIccid, decodeImsi, FileId, readFile } from './files.ts';

/** A carrier that the card has a profile of. Its id is the profile's place in the card's list. */
export interface CardCarrier {
  readonly id: number;
  readonly name: string;
  readonly iccid: string;
}

/** What the card is now, read from its files; without an enabled profile there are none. */
export interface CardIdentity {
  readonly iccid: string;
  readonly imsi: string;
}

/** A multi-carrier card as a modem uses it, by APDUs alone. */
export class SimCard {
  readonly #transport: CardTransport;
  readonly #session: CardSession;
  readonly #euicc: Euicc;

  constructor(transport: CardTransport) {
    this.#transport = transport;
    this.#session = new CardSession(transport);
    this.#euicc = new Euicc(this.#session);
  }

  /** @throws CardAbsentError, CardTransportError */
  async connect(): Promise<void> {
    await this.#transport.connect();
  }

  async carriers(): Promise<readonly CardCarrier[]> {
    return (await this.#euicc.listProfiles()).map((profile, id) => ({
      id,
      name: nameOf(profile),
      iccid: profile.iccid,
    }));
  }

  eid(): Promise<string> {
    return this.#euicc.eid();
  }

  /** EF_ICCID and EF_IMSI; undefined where no profile is enabled. @throws CardStatusError, CardTransportError, DecodeError */
  async identity(): Promise<CardIdentity | undefined> {
    try {
      return {
        iccid: decodeIccid(await readFile(this.#session, 'EF_ICCID', FileId.EF_ICCID)),
        imsi: decodeImsi(await readFile(this.#session, 'EF_IMSI', FileId.ADF_USIM, FileId.EF_IMSI)),
      };
    } catch (error) {
      if (error instanceof CardStatusError && error.sw === StatusWord.FILE_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Enables the profile with that ICCID. @throws ProfileOperationError, CardStatusError, CardTransportError, DecodeError */
  enable(iccid: string): Promise<void> {
    return this.#euicc.enable(iccid);
  }

  /** Disables the profile with that ICCID; throws as `enable`. */
  disable(iccid: string): Promise<void> {
    return this.#euicc.disable(iccid);
  }

  /** As after a power cycle. */
  async reset(): Promise<void> {
    await this.#session.reset();
  }

  close(): Promise<void> {
    return this.#transport.close();
  }
}

function nameOf(profile: ProfileInfo): string {
  return profile.nickname || profile.serviceProvider || profile.name || profile.iccid;
}
