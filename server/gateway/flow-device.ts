import type { Logger } from 'pino';
import type { Timer } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CarrierSwitchAckPacket, DownstreamPacket, UpstreamPacket } from '../../protocol/flow/packet.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { EndpointRefusedError } from '../enrolment/endpoint-binding.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { TelemetryIngest } from '../telemetry/ingest.ts';
import { CarrierSlot } from './carrier-slot.ts';
import type { GatewayCounts } from './counts.ts';
import type { GatewayDevice } from './device-file.ts';
import { flowPeerOf, isFlowAddress } from './flow-address.ts';
import { EndpointTakenError, FlowRegistration, type FlowRegistrationParts } from './flow-registration.ts';
import { FlowSensors } from './flow-sensors.ts';
import { type LoadSlotParts, loadSlot } from './load-slot.ts';
import { Reporter } from './reporter.ts';
import { StateReporter } from './state-reporter.ts';

/** Packets that are held until the device is registered. */
const MAX_HELD = 64;
/** Before a store that was away is asked again, ms. */
const STORE_PAUSE = 1_000;
/** Before a device is tried again whose name is another one's, ms. */
const REFUSED_PAUSE = 10_000;

/** What the gateway's devices have in common. */
export interface FlowDeviceParts extends FlowRegistrationParts, LoadSlotParts {
  readonly ingest: Pick<TelemetryIngest, 'keep'>;
  /** What resources are typed by. */
  readonly lookup: ResourceTypeLookup;
  readonly sensorObject: number;
  /** A device was heard whose registration is known. */
  readonly onHeard: (registrationId: string, endpoint: string) => void;
  readonly send: (packet: DownstreamPacket, peer: PeerAddress) => void;
  readonly nextMessage: () => string;
  readonly counts: GatewayCounts;
  readonly logger: Logger;
}

interface Held {
  readonly packet: UpstreamPacket;
  readonly datagram: Uint8Array;
}

/** One device behind the gateway: its packets become what the Carrier and IoT Sensor objects say of it. */
export class FlowDevice {
  readonly device: GatewayDevice;
  readonly #parts: FlowDeviceParts;
  readonly #registration: FlowRegistration;
  readonly #reporter: Reporter;
  readonly #state: StateReporter;
  readonly slot: CarrierSlot;
  /** Where it was heard last, by this node or, before that, by the one that had it. */
  #peer: PeerAddress | undefined;
  readonly #sensors: FlowSensors;
  #held: Held[] = [];
  /** That came before it was known of which switch. */
  #acks: CarrierSwitchAckPacket[] = [];
  #renewing: Promise<void> | undefined;
  #renewTimer: Timer | undefined;
  #loading: Promise<void> | undefined;
  /** The registration that the slot was loaded for. */
  #loadedFor: string | undefined;
  /** `Clock.now` */
  #loadAfter = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  /** Its name is another one's: what comes is not held. */
  #isRefused = false;
  #closed = false;

  constructor(parts: FlowDeviceParts, device: GatewayDevice) {
    this.#parts = parts;
    this.device = device;
    this.#registration = new FlowRegistration(parts, device);
    const { clock, ingest, lookup, nextMessage, counts, carrierObject, logger } = parts;
    const { endpoint, carriers, rules } = device;
    const reporting = {
      ingest,
      endpoint,
      lookup: () => lookup,
      clock,
      nextMessage,
      onLost: () => counts.lost++,
    };
    this.#reporter = new Reporter(reporting);
    this.#state = new StateReporter(reporting);
    this.#sensors = new FlowSensors(device, parts.sensorObject, clock, (records, datagram) =>
      this.#reporter.report(records, datagram),
    );
    this.slot = new CarrierSlot({
      carrierObject,
      carriers,
      rules,
      clock,
      record: (records) => this.#state.record(records),
      report: (records) => this.#state.report(records),
      send: (carrier) => this.#request(carrier),
      isOwn: () => this.#isOwn(),
      onEnded: (end) => counts.switches[end]++,
      onFault: (error) => {
        if (error instanceof StoreUnavailableError) logger.debug({ endpoint, error }, 'the store is away');
        else logger.error({ endpoint, error }, 'a carrier switch met a bug');
      },
    });
  }

  /** Takes a packet that came from `peer`. */
  take(packet: UpstreamPacket, datagram: Uint8Array, peer: PeerAddress): void {
    const { clock, counts } = this.#parts;
    this.#peer = peer;
    const registration = this.#registration.current;
    if (registration === undefined) {
      if (this.#isRefused && clock.now() < this.#pausedUntil) {
        counts.datagrams.refused++;
        return;
      }
      if (this.#held.length >= MAX_HELD) {
        counts.datagrams.overrun++;
        return;
      }
      this.#held.push({ packet, datagram });
    } else this.#handle(packet, datagram, registration);
    this.#renewWhenDue(peer);
  }

  /**
   * This node has the device: what the store knows of its carrier is known here when it resolves.
   * @throws StoreUnavailableError
   */
  async adopt(registration: Registration): Promise<void> {
    this.#registration.adopt(registration);
    this.#peer ??= flowPeerOf(registration.address);
    this.#sensors.learn(registration.links);
    await this.#load(registration);
  }

  /** Another node has the device, or its registration has ended. */
  released(): void {
    this.#registration.forget();
  }

  close(): void {
    this.#closed = true;
    this.#renewTimer?.cancel();
    this.slot.close();
    this.#reporter.close();
    this.#state.close();
  }

  #renewWhenDue(peer: PeerAddress): void {
    const due = this.#registration.dueIn(peer, this.#sensors.count + 1);
    if (due === 0) this.#renew();
    else if (due !== undefined) this.#renewLater(due);
  }

  #renewLater(delay: number): void {
    if (this.#closed) return;
    this.#renewTimer ??= this.#parts.clock.setTimer(delay, () => {
      this.#renewTimer = undefined;
      // It was for this moment; timers may be a little early.
      if (!this.#isRefused) this.#pausedUntil = Number.NEGATIVE_INFINITY;
      this.#renew();
    });
  }

  #renew(): void {
    const { clock } = this.#parts;
    if (this.#renewing !== undefined || this.#closed || clock.now() < this.#pausedUntil) return;
    this.#renewing = this.#renewOnce().finally(() => {
      this.#renewing = undefined;
      // It was heard elsewhere, or another sensor was, while the store was asked.
      if (this.#registration.current !== undefined && this.#peer !== undefined)
        this.#renewWhenDue(this.#peer);
    });
  }

  async #renewOnce(): Promise<void> {
    const { clock, counts, logger } = this.#parts;
    const { endpoint } = this.device;
    try {
      const registration = await this.#registration.renew(this.#peer ?? '', this.#links());
      this.#isRefused = false;
      this.#sensors.learn(registration.links);
      const held = this.#held;
      this.#held = [];
      for (const { packet, datagram } of held) this.#handle(packet, datagram, registration);
      this.#loadSoon(registration);
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        logger.debug({ endpoint, error }, 'the store is away; the device is registered later');
        this.#pausedUntil = clock.now() + STORE_PAUSE;
        // Whether the device speaks again or not: packets may be held.
        this.#renewLater(STORE_PAUSE);
        return;
      }
      this.#pausedUntil = clock.now() + REFUSED_PAUSE;
      this.#isRefused = true;
      this.#registration.forget();
      counts.datagrams.refused += this.#held.length;
      this.#held = [];
      if (error instanceof EndpointTakenError || error instanceof EndpointRefusedError) {
        logger.warn({ endpoint, reason: error.message }, 'a mapped source may not speak for this endpoint');
      } else logger.error({ endpoint, error }, 'registering a device met a bug');
    }
  }

  /** Once for each registration, and again for one that comes back from another node. */
  async #load(registration: Registration): Promise<void> {
    while (!this.#isLoaded(registration)) {
      this.#loading ??= this.#loadOnce(ownershipOf(registration)).finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
  }

  #isLoaded(registration: Registration): boolean {
    return this.#loadedFor === ownershipOf(registration);
  }

  #loadSoon(registration: Registration): void {
    const { clock, logger } = this.#parts;
    if (this.#loading !== undefined || this.#closed || clock.now() < this.#loadAfter) return;
    this.#load(registration).catch((error: unknown) => {
      this.#loadAfter = clock.now() + STORE_PAUSE;
      const { endpoint } = this.device;
      if (error instanceof StoreUnavailableError) logger.debug({ endpoint, error }, 'the store is away');
      else logger.error({ endpoint, error }, 'reading what is known of a device met a bug');
    });
  }

  async #loadOnce(mark: string): Promise<void> {
    const { endpoint, carriers } = this.device;
    const { values, age, listed } = await loadSlot(this.#parts, endpoint);
    this.slot.load(values, age);
    this.#loadedFor = mark;
    const isListed =
      carriers.size === listed.size && [...carriers].every(([id, name]) => listed.get(id) === name);
    if (!isListed) this.#state.report(this.slot.records());
    const acks = this.#acks;
    this.#acks = [];
    for (const ack of acks) this.slot.answered(ack);
  }

  #handle(packet: UpstreamPacket, datagram: Uint8Array, registration: Registration): void {
    const { counts, onHeard } = this.#parts;
    onHeard(registration.id, this.device.endpoint);
    const isLoaded = this.#isLoaded(registration);
    if (!isLoaded) this.#loadSoon(registration);
    if (packet.kind === 'iot-data') {
      if (!this.#sensors.reading(packet, datagram)) {
        counts.datagrams.unknown_sensor++;
        return;
      }
    } else if (packet.kind === 'iot-status') this.#sensors.status(packet.status, datagram);
    else if (isLoaded) this.slot.answered(packet);
    else if (this.#acks.length < MAX_HELD) this.#acks.push(packet);
    counts.datagrams.taken++;
  }

  #links(): readonly Link[] {
    const slot = { target: `/${this.#parts.carrierObject}/0`, attributes: {} };
    return [slot, ...this.#sensors.links()];
  }

  #request(carrier: number): void {
    if (this.#peer === undefined) return;
    this.#parts.counts.requests++;
    this.#parts.send({ kind: 'carrier-switch-perform', carrier }, this.#peer);
  }

  async #isOwn(): Promise<boolean> {
    const registration = await this.#parts.registrations.byEndpoint(this.device.endpoint);
    // One whose registration has run out may answer yet, and nobody else is there to wait for it.
    if (registration === undefined) return true;
    return registration.node === this.#parts.node && isFlowAddress(registration.address);
  }
}

/** Changes when the device goes to another node, and when it comes back. */
function ownershipOf({ id, fence }: Registration): string {
  return `${id} ${fence ?? ''}`;
}
