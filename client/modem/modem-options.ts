import type { CustomObjectIds } from '../../objects/custom-ids.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import type { BootstrapClientOptions } from '../lwm2m/bootstrapping.ts';
import type { ClientEvents } from '../lwm2m/client.ts';
import type { PackJournal } from '../lwm2m/pack-journal.ts';
import type { ServerOptions } from '../lwm2m/server-session.ts';
import type { ReadingUplink } from '../sim/applet/reading-uplink.ts';
import type { CardSession } from '../sim/card-session.ts';
import type { CardTransport } from '../sim/card-transport.ts';
import type { CarrierCard } from '../sim/carrier-card.ts';
import type { CarrierIdStorage } from '../sim/carrier-ids.ts';
import type { BearerChannel, ChannelOptions } from '../sim/toolkit/bearer-channel.ts';
import type { SwitchStep } from './carrier-snapshot.ts';
import type { JournalStorage } from './command-journal.ts';
import type { PowerSource } from './device/power-source.ts';
import type { FirmwareParts } from './firmware/modem-firmware.ts';
import type { SettingsStorage } from './kept-settings.ts';
import type { OpenSocket } from './toolkit/card-bearers.ts';
import type { ChannelNetworks } from './toolkit/channel-networks.ts';

/** Of what a modem is made. */
export interface ModemOptions {
  /** The modem's one socket; it belongs to the modem from then on. */
  readonly port: DatagramPort;
  readonly card: CardTransport;
  /** How long the card may take for one APDU, ms; default: 10 000. */
  readonly cardDeadline?: number;
  /** Makes the card's carriers of it; default: the profiles of an eUICC. */
  readonly openCard?: (parts: CardParts) => CarrierCard & Partial<ReadingUplink>;
  /** Readings of each sensor per second that go up through the card; default none. */
  readonly cardReadings?: number;
  /** Serves the card's application toolkit; absent: the modem leaves it alone, and polls no STATUS. */
  readonly toolkit?: ToolkitOptions;
  /** Where the card's channels may lead; default: anywhere. */
  readonly cardNetworks?: ChannelNetworks;
  /** Opens sockets for the card's channels; default: UDP sockets of the system. */
  readonly openCardSocket?: OpenSocket;
  /** Where the ids of an eUICC's carriers are kept; default: as long as the process lives. */
  readonly carrierIds?: CarrierIdStorage;
  readonly journal: JournalStorage;
  readonly clock: Clock;
  /** Endpoint client name. */
  readonly name: string;
  /** One or more; the first owns the modem's objects where there are several. */
  readonly servers: readonly ServerOptions[];
  /** Where its servers come from; then there are none in `servers`. */
  readonly bootstrap?: BootstrapClientOptions;
  /** With several servers: rights of the others, as the bits of an ACL. */
  readonly sharedRights?: number;
  /** In queue mode, ms. */
  readonly awakeTime?: number;
  /** Where its objects are, as in `/lwm2m`; default `/`. */
  readonly rootPath?: string;
  readonly packs?: boolean;
  /** Opens what keeps readings beyond the process, for the sensors at these paths. */
  readonly openReadings?: (paths: readonly string[]) => PackJournal;
  /** Readings go out to who observes them (default); `send`: by Send where nobody does. */
  readonly report?: 'observe' | 'send';
  readonly packInterval?: number;
  /** Samples per second by kind of sensor; the model's own where not told; 0: idle. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Readings that each sensor keeps while they cannot be sent; the oldest go first. */
  readonly queueLimit?: number;
  /** Milliseconds without network when the carrier changes; default 200. */
  readonly attachTime?: number;
  /** Names of carriers that have no network where the modem is. */
  readonly noNetwork?: readonly string[];
  /** Milliseconds in which a new carrier has to have a network, or the card goes back; default 60 000. */
  readonly networkTimeout?: number;
  /** Milliseconds in which a card that is away, or answers nothing of use, has to be back; default 30 000. */
  readonly cardPatience?: number;
  /** Seconds; default: what the journal holds, 600 in a new one. */
  readonly reconnectAfter?: number;
  /** Seed of all that is simulated; the same seed gives the same modem. */
  readonly seed: number;
  readonly serial: string;
  /** Version of the firmware that it was made with. */
  readonly firmware: string;
  readonly firmwareParts?: FirmwareParts;
  /** Of what servers write and the modem keeps without power; default: as long as the process lives. */
  readonly settings?: SettingsStorage;
  /** Default: a simulated battery. */
  readonly power?: PowerSource;
  readonly customObjects?: CustomObjectIds;
  readonly events: ModemEvents;
  /** Called when the modem is closed: gives back what was held for it. */
  readonly release?: () => void;
  /** Fault injection for tests: called at each step of a carrier switch. */
  readonly reach?: (step: SwitchStep) => Promise<void>;
}

export interface ToolkitOptions {
  /** Milliseconds between two STATUS, until the card asks for another interval; default 30 s. */
  readonly pollInterval?: number;
}

export interface ModemEvents extends ClientEvents {
  /** A line for people: what the modem itself does. */
  readonly onLog?: (message: string) => void;
}

/** Of what a card with carriers is made. */
export interface CardParts {
  readonly transport: CardTransport;
  /** APDUs over that transport: all who talk to the card share it. */
  readonly session: CardSession;
  readonly clock: Clock;
  /** A datagram channel over the modem's radio. @throws BearerError */
  readonly openChannel: (options: ChannelOptions) => Promise<BearerChannel>;
  /** For people. */
  readonly log: (message: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
}
