import { systemClock } from '../../../protocol/clock.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { AppletCard } from '../applet/applet-card.ts';
import { LegacyCard } from '../applet/legacy-card.ts';
import type { CardCarrier, CarrierCard, CurrentCarrier } from '../carrier-card.ts';
import { detectKind } from '../detected-card.ts';
import { BearerError } from '../toolkit/bearer-channel.ts';
import type { OpenCard, Tell } from './open.ts';

/**
 * A card whose applet switches; undefined: it is an eUICC, or has one carrier. Nobody serves its toolkit here: what the
 * applet says to the network waits until a modem has the card.
 * @throws CardTransportError, DecodeError
 */
export async function appletOf({ transport, session }: OpenCard): Promise<CarrierCard | undefined> {
  const kind = await detectKind(session);
  if (kind === 'euicc') return undefined;
  if (kind === 'applet') return new AppletCard({ transport, session });
  return new LegacyCard({
    transport,
    session,
    clock: systemClock,
    openChannel: async () => {
      throw BearerError.noService();
    },
    gateway: undefined,
    log: () => {},
    onFault: (error) => {
      throw error;
    },
  });
}

/** Its carriers, a line each: number, whether it is the one in use, ICCID and name. */
export async function carrierLines(card: CarrierCard): Promise<readonly string[]> {
  const carriers = await card.carriers();
  const current = await card.current();
  return carriers.map(({ id, name, iccid }) => {
    const state = current?.carrierId === id ? 'in use' : '      ';
    return `${id}  ${state}  ${iccid ?? 'ICCID not told'}  ${name}`;
  });
}

/** For programs. */
export async function carriersAsJson(card: CarrierCard): Promise<string> {
  const carriers = await card.carriers();
  return JSON.stringify({ carriers, current: (await card.current()) ?? null }, undefined, 2);
}

/**
 * Has the applet switch to the carrier that is named, or leave its carrier for `none`.
 * @throws RequestError no such carrier; CardRefusalError the applet's no; CardTransportError, CardStatusError, DecodeError
 */
export async function switchCarrier(card: CarrierCard, wanted: string, tell: Tell): Promise<void> {
  const carriers = await card.carriers();
  const before = await card.current();
  const target = wanted.toLowerCase() === 'none' ? undefined : findCarrier(carriers, wanted);
  const { note } = await (target === undefined ? card.disable() : card.enable(target));
  const after = await card.current();
  tell(`before: ${describe(before, carriers)}`);
  tell(`now:    ${describe(after, carriers)}`);
  if (note !== undefined) tell(note);
}

function findCarrier(carriers: readonly CardCarrier[], wanted: string): CardCarrier {
  const found = carriers.find(({ id, name, iccid }) =>
    [String(id), name.toLowerCase(), iccid].includes(wanted.toLowerCase()),
  );
  if (found === undefined) throw new RequestError(`the card has no carrier ${wanted}`);
  return found;
}

function describe(current: CurrentCarrier | undefined, carriers: readonly CardCarrier[]): string {
  if (current === undefined) return 'no carrier';
  const name = carriers.find(({ id }) => id === current.carrierId)?.name ?? 'unknown carrier';
  return `${name}, ICCID ${current.iccid ?? 'none'}`;
}
