import { apnConnectionProfileObject } from '../../../objects/apn-connection-profile.ts';
import type { Clock, Timer } from '../../../protocol/clock.ts';
import type { ObjectTree } from '../../lwm2m/object-tree.ts';
import { longestTimer } from '../../lwm2m/observations.ts';
import type { CurrentCarrier } from '../../sim/carrier-card.ts';
import type { Attachment } from '../attachment.ts';
import type { KeptSettings } from '../kept-settings.ts';
import type { Whereabouts } from '../location/whereabouts.ts';
import type { Traffic } from '../radio.ts';
import { apnInstance, apnLifecycle } from './apn-instance.ts';
import { ApnProfiles } from './apn-profiles.ts';
import { bearerInstance } from './bearer-instance.ts';
import { BearerPreferences } from './bearer-preferences.ts';
import { type CellularInstance, cellularInstance } from './cellular-instance.ts';
import {
  type ConnectivityInstance,
  cellResources,
  connectivityInstance,
  type ModemAddress,
  measuredResources,
  networkResources,
} from './connectivity-instance.ts';
import { LteNetwork, type NetworkView, noPreferences } from './lte-network.ts';
import type { PowerSaving } from './power-saving.ts';

export interface CellularOptions {
  readonly clock: Clock;
  readonly settings: KeptSettings;
  readonly saving: PowerSaving;
  readonly whereabouts: Whereabouts;
  readonly attachment: Attachment;
  readonly tree: ObjectTree;
  /** What the card is; undefined: on no carrier. */
  readonly card: () => CurrentCarrier | undefined;
  /** Whether the card's carrier has a network here. */
  readonly isServed: () => boolean;
  readonly traffic: () => Traffic;
  /** For people. */
  readonly log: (message: string) => void;
  /** The serving cell is another. */
  readonly onHandover: (message: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** What a server wrote takes effect after its answer is out, and all of one Write at once: ms. */
const settleTime = 500;
/** Without network for so long, the modem gives up what the server wrote of the choice of networks, ms. */
const patience = 120_000;

/** The cellular side of a modem: network, connection and power saving, and the objects 4, 10, 11 and 13 that show them. */
export class ModemCellular {
  readonly #options: CellularOptions;
  readonly #network: LteNetwork;
  readonly #profiles: ApnProfiles;
  readonly #preferences: BearerPreferences;
  readonly #connectivity: ConnectivityInstance;
  readonly #cellular: CellularInstance;
  #settling: Timer | undefined;
  #disabled: Timer | undefined;
  #lostAt: number | undefined;
  #shown: NetworkView | undefined;

  /** @throws StateFileError */
  constructor(options: CellularOptions) {
    this.#options = options;
    const { clock, settings, tree } = options;
    this.#profiles = new ApnProfiles(clock, settings);
    this.#preferences = new BearerPreferences(settings);
    this.#network = new LteNetwork(clock, options.whereabouts, this.#preferences.value, (from, to) =>
      options.onHandover(
        `handover from cell ${from.cellId} to ${to.cellId}, band ${to.band}, ${to.signalStrength} dBm`,
      ),
    );
    this.#connectivity = connectivityInstance({
      view: () => this.served(),
      address: () => this.#address(),
    });
    this.#cellular = cellularInstance({
      saving: options.saving,
      profiles: this.#profiles,
      disableRadio: (minutes) => this.#disableRadio(minutes),
      disabledFor: () => Math.ceil(this.#disabledFor() / 60_000),
    });
    const apn = {
      profiles: this.#profiles,
      traffic: () => {
        const { bytesIn, bytesOut, packetsOut } = options.traffic();
        return { bytesSent: bytesOut, bytesReceived: bytesIn, packetsSent: packetsOut };
      },
      address: () => this.#address(),
      changed: () => this.#settle(),
    };
    tree.add(this.#connectivity);
    tree.add(this.#cellular);
    const showProfiles = (): void => {
      const { id: object } = apnConnectionProfileObject;
      for (const id of [...(tree.object(object)?.instances.keys() ?? [])]) tree.remove(object, id);
      for (const id of this.#profiles.ids) tree.add(apnInstance(id, apn));
    };
    tree.addObject(apnConnectionProfileObject, apnLifecycle(apn));
    showProfiles();
    settings.onClear(() => {
      showProfiles();
      this.#network.preferences = noPreferences;
    });
    tree.add(
      bearerInstance({
        preferences: this.#preferences,
        available: this.#network.available,
        current: () => this.view()?.operator.plmn,
        changed: () => this.#settle(),
      }),
    );
  }

  /** What the radio sees, on the network or not; undefined: no card, or no service. */
  view(): NetworkView | undefined {
    if (!this.#options.isServed()) return undefined;
    return this.#network.view(this.#options.card()?.imsi?.slice(0, 6));
  }

  /** Stays off the network where a server switched the radio off before the modem was. */
  start(): void {
    if (this.#disabledFor() > 0) this.#waitDisabled();
  }

  close(): void {
    this.#settling?.cancel();
    this.#disabled?.cancel();
  }

  /** The modem is on the network. */
  attached(): void {
    const view = this.view();
    if (view === undefined) return;
    const { apn } = this.#profiles.connect(view.operator);
    const roaming = view.roaming ? ', roaming' : '';
    this.#options.log(`attached to ${view.operator.name}${roaming}, APN ${apn}`);
    this.#connectivity.changed(...measuredResources, ...cellResources, ...networkResources);
    this.#cellular.changed('activatedProfileNames');
  }

  detached(): void {
    this.#profiles.disconnect();
  }

  /** Measures, tells observers what is another, and looks after a network that is lost or found. */
  tick(): void {
    const { attachment } = this.#options;
    const before = this.#shown;
    const view = this.view();
    this.#shown = view;
    if (this.#options.card() === undefined) {
      this.#lostAt = undefined;
      return;
    }
    if (view === undefined) this.#lost();
    else if (attachment.isAbsentFor('no-service')) {
      this.#lostAt = undefined;
      attachment.join('no-service');
    }
    if (before === undefined || view === undefined || !attachment.isAttached) return;
    if (measuredResources.some((name) => measured(before, name) !== measured(view, name))) {
      this.#connectivity.changed(...measuredResources);
    }
    if (before.cellId !== view.cellId) this.#connectivity.changed(...cellResources);
  }

  /** What the radio sees while the modem is on the network; undefined: it is not. */
  served(): NetworkView | undefined {
    return this.#options.attachment.isAttached ? this.view() : undefined;
  }

  #address(): ModemAddress | undefined {
    const { connection } = this.#profiles;
    const identity = this.#options.card();
    const view = this.served();
    if (connection === undefined || identity?.imsi === undefined || view === undefined) return undefined;
    const subscriber = Number(identity.imsi.slice(6));
    // 100.64.0.0/10 is what carriers give behind their NAT (RFC 6598).
    const host =
      (subscriber * 40_503 + Number(view.operator.plmn) * 97 + connection.session * 7_919) % 4_194_304;
    const network = `100.${64 + (host >> 16)}.${(host >> 8) & 255}`;
    return { ip: `${network}.${host & 255}`, gateway: `${network}.1`, apn: connection.apn };
  }

  /** A server wrote what may lead to another network, cell or connection. */
  #settle(): void {
    this.#settling?.cancel();
    this.#settling = this.#options.clock.setTimer(settleTime, () => {
      const { attachment, onFault } = this.#options;
      const before = this.view();
      this.#network.preferences = this.#preferences.value;
      const after = this.view();
      if (after === undefined) {
        this.tick();
        return;
      }
      if (!attachment.isAttached) return;
      const moved = before?.operator !== after.operator || before.bearer !== after.bearer;
      if (!moved && !this.#profiles.wouldChange(after.operator)) return;
      attachment.leave('reattach').then(() => attachment.join('reattach'), onFault);
    });
  }

  #lost(): void {
    const { attachment, clock, log, onFault } = this.#options;
    if (!attachment.isAbsentFor('no-service')) {
      this.#lostAt = clock.now();
      log('no service: there is no network or cell that may be used');
      attachment.leave('no-service').catch(onFault);
      return;
    }
    const { operators, cells, acceptableRsrp, acceptableRsrpNbIot } = this.#preferences.value;
    const restricted =
      operators.length + cells.length > 0 || (acceptableRsrp ?? acceptableRsrpNbIot) !== undefined;
    if (!restricted || clock.now() - (this.#lostAt ?? clock.now()) < patience) return;
    log('no service for too long: networks and cells are chosen automatically again');
    this.#preferences.set({ ...noPreferences, bearers: this.#preferences.value.bearers });
    this.#network.preferences = this.#preferences.value;
  }

  #disableRadio(minutes: number): void {
    const { saving, clock, log } = this.#options;
    this.#disabled?.cancel();
    if (minutes === 0) {
      saving.set({ disabledUntil: undefined });
      this.#options.attachment.join('disabled');
      return;
    }
    // Counted from the answer on.
    const until = clock.wallTime() + settleTime + minutes * 60_000;
    saving.set({ disabledUntil: until });
    this.#disabled = clock.setTimer(settleTime, () => {
      log(`the radio is off for ${minutes} min`);
      this.#waitDisabled();
    });
  }

  #waitDisabled(): void {
    const { attachment, saving, clock, onFault } = this.#options;
    const left = this.#disabledFor();
    if (left <= 0) {
      saving.set({ disabledUntil: undefined });
      attachment.join('disabled');
      return;
    }
    if (!attachment.isAbsentFor('disabled')) attachment.leave('disabled').catch(onFault);
    this.#disabled = clock.setTimer(Math.min(left, longestTimer), () => this.#waitDisabled());
  }

  #disabledFor(): number {
    const { saving, clock } = this.#options;
    return Math.max(0, (saving.value.disabledUntil ?? 0) - clock.wallTime());
  }
}

function measured(view: NetworkView, name: (typeof measuredResources)[number]): number {
  if (name === 'radioSignalStrength') return view.signalStrength;
  return name === 'linkQuality' ? view.linkQuality : view.signalToNoise;
}
