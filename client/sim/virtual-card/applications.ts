import { carrierAppletAid } from '../applet/applet-apdu.ts';
import { toHex } from '../hex.ts';
import { CarrierApplet } from './applet-carrier.ts';
import { LegacyApplet } from './applet-legacy.ts';
import type { AppletGateway } from './applet-memory.ts';
import type { VirtualCard } from './virtual-card.ts';

/**
 * Installs what a virtual card of its kind has: the carrier applet on `applet`, the old one on `legacy`. An eUICC has
 * the carrier applet beside its ISD-R where a gateway is given, or one was.
 * @param gateway where the applet's channel leads, in the place of what the card remembers
 * @throws StateFileError what an application kept on the card is none of its own
 */
export function installApplications(card: VirtualCard, gateway?: AppletGateway): void {
  if (card.kind === 'legacy') {
    card.install(new LegacyApplet(gateway));
    return;
  }
  const hadApplet = toHex(carrierAppletAid) in card.contents.applications;
  if (card.kind === 'applet' || gateway !== undefined || hadApplet) {
    card.install(new CarrierApplet(gateway === undefined ? {} : { gateway }));
  }
}
