import { DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import { toApiValue } from '../../objects/values.ts';
import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import { ConflictError, UnknownDeviceError } from '../errors.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { Command, CommandState, NewCommand, WaitingBounds } from '../ports/command-queue.ts';
import type { Device } from '../ports/device-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { CarrierOption, CarrierStatus, CommandService } from './carrier-commands.ts';
import { carrierValues } from './carrier-object.ts';
import type { CommandsLookedUp } from './dispatcher.ts';

/** How long a command waits for its device, ms, where the caller does not say: one day. */
const TIME_TO_LIVE = 86_400_000;

export interface CarrierServiceOptions {
  readonly stores: Pick<Stores, 'commands' | 'devices' | 'lastValues'>;
  readonly requests: DeviceRequests;
  readonly clock: Clock;
  readonly carrierObject: number;
  /** A command was queued, or has taken a step. */
  readonly onStep: (command: Command) => void;
  /** @param looked as `lookAhead` gave it for this command */
  readonly onQueued: (endpoint: string, looked?: Promise<CommandsLookedUp>) => void;
  /** Called in the turn in which a command is given to the queue. */
  readonly lookAhead?: (endpoint: string) => Promise<CommandsLookedUp> | undefined;
  /** How much may wait for one device; without bounds where absent. */
  readonly bounds?: WaitingBounds;
}

const DISCONNECT: CarrierOption = { id: DISCONNECT_CARRIER_ID, name: 'Disconnect' };

type SwitchRequest = Parameters<CommandService['switchCarrier']>[1];

/** Carrier switches as durable commands, and what is known of each SIM slot. */
export class CarrierService implements CommandService {
  readonly #options: CarrierServiceOptions;

  constructor(options: CarrierServiceOptions) {
    this.#options = options;
  }

  async switchCarrier(
    endpoint: string,
    request: SwitchRequest,
  ): Promise<{ readonly command: Command; readonly created: boolean }> {
    const { stores, clock } = this.#options;
    const { idempotencyKey } = request;
    const slot = request.slot ?? 0;
    const disconnect = isDisconnect(request.carrier);
    const [device, known] = await Promise.all([
      stores.devices.get(endpoint),
      disconnect ? [] : this.#listed(endpoint, slot),
    ]);
    if (device === undefined) throw new UnknownDeviceError(endpoint);
    const slots = this.#registeredSlots(device);
    if (slots.length > 0 && !slots.includes(slot)) {
      throw new RequestError(`device '${endpoint}' has no slot ${slot}; it has ${slots.join(', ')}`);
    }
    const target = disconnect ? DISCONNECT : await this.#resolve(endpoint, slot, request.carrier, known);
    const now = Math.floor(clock.wallTime());
    return this.#enqueue({
      endpoint,
      kind: 'carrier-switch',
      parameters: { carrier: target.id, name: target.name, slot },
      createdAt: now,
      expiresAt: now + (request.timeToLive ?? TIME_TO_LIVE),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(request.job === undefined ? {} : { job: request.job }),
    });
  }

  async retry(
    id: string,
    idempotencyKey?: string,
  ): Promise<{ readonly command: Command; readonly created: boolean } | undefined> {
    const { stores, clock } = this.#options;
    const before = await stores.commands.get(id);
    if (before === undefined) return undefined;
    if (!isFinal(before.state)) {
      throw new ConflictError(`the command has not ended: it is ${before.state}`);
    }
    if (before.state === 'done') throw new ConflictError('the command was done: give it anew to do it again');
    const { endpoint, kind, parameters } = before;
    if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
    const now = Math.floor(clock.wallTime());
    return this.#enqueue({
      endpoint,
      kind,
      parameters,
      createdAt: now,
      expiresAt: now + before.expiresAt - before.createdAt,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
  }

  async #enqueue(wanted: NewCommand): Promise<{ readonly command: Command; readonly created: boolean }> {
    const { stores, bounds, onStep, onQueued, lookAhead } = this.#options;
    const queued = stores.commands.enqueue({ ...wanted, ...(bounds === undefined ? {} : { bounds }) });
    const looked = lookAhead?.(wanted.endpoint);
    const { command, created, conflict } = await queued;
    if (conflict) throw new ConflictError('this Idempotency-Key was used for another command');
    if (created) {
      onStep(command);
      onQueued(command.endpoint, looked);
    }
    return { command, created };
  }

  async carrierStatus(endpoint: string): Promise<readonly CarrierStatus[]> {
    const { stores, carrierObject } = this.#options;
    const [device, values, commands] = await Promise.all([
      stores.devices.get(endpoint),
      stores.lastValues.get(endpoint, `/${carrierObject}`),
      stores.commands.list({ endpoint, kind: 'carrier-switch', limit: 50 }),
    ]);
    if (device === undefined) throw new UnknownDeviceError(endpoint);
    const slots = new Set(this.#registeredSlots(device));
    for (const { path } of values) {
      const [object, instance] = pathIds(path) ?? [];
      if (object === carrierObject && instance !== undefined) slots.add(instance);
    }
    return [...slots]
      .sort((a, b) => a - b)
      .map((slot) => {
        const { lastCommand: _, ...said } = carrierValues({ object: carrierObject, instance: slot }, values);
        const ofSlot = commands.items.filter(({ parameters }) => parameters['slot'] === slot);
        // The oldest that is not final is the one that the device works on.
        const command = ofSlot.findLast(({ state }) => !isFinal(state)) ?? ofSlot[0];
        return { slot, ...said, ...(command === undefined ? {} : { command }) };
      });
  }

  get(id: string): Promise<Command | undefined> {
    return this.#options.stores.commands.get(id);
  }

  async cancel(id: string): Promise<Command | undefined> {
    const { stores, clock, onStep, onQueued } = this.#options;
    const before = await stores.commands.get(id);
    if (before === undefined) return undefined;
    const command = await stores.commands.transition({
      id,
      from: ['queued'],
      to: 'cancelled',
      at: Math.floor(clock.wallTime()),
      reason: 'cancelled before it was sent',
    });
    if (command === undefined) {
      const now = (await stores.commands.get(id))?.state ?? before.state;
      throw new ConflictError(
        isFinal(now) ? `the command has ended: ${now}` : 'the command is on its way to the device already',
      );
    }
    onStep(command);
    onQueued(command.endpoint);
    return command;
  }

  list(query: Parameters<CommandService['list']>[0]): ReturnType<CommandService['list']> {
    return this.#options.stores.commands.list(query);
  }

  /** SIM slots that the device lists in its registration; none where it is not registered, or lists no instances. */
  #registeredSlots({ registration }: Device): readonly number[] {
    const slots = new Set<number>();
    for (const { target } of registration?.links ?? []) {
      const [object, instance] = pathIds(target) ?? [];
      if (object === this.#options.carrierObject && instance !== undefined) slots.add(instance);
    }
    return [...slots].sort((a, b) => a - b);
  }

  /**
   * @param known carriers as last heard; a device that was never heard is asked
   * @throws RequestError the card has no such carrier
   */
  async #resolve(
    endpoint: string,
    slot: number,
    carrier: string | number,
    known: readonly CarrierOption[],
  ): Promise<CarrierOption> {
    const available = known.length > 0 ? known : await this.#asked(endpoint, slot);
    const found = available.find(({ id, name }) =>
      typeof carrier === 'number' ? id === carrier : name.toLowerCase() === carrier.toLowerCase(),
    );
    if (found !== undefined) return found;
    const names = available.map(({ id, name }) => `${name} (${id})`).join(', ');
    throw new RequestError(
      available.length === 0
        ? `device '${endpoint}' lists no carriers in slot ${slot}`
        : `the card has no carrier '${carrier}'; it has ${names}, and Disconnect`,
    );
  }

  /** The carriers of a slot's card as last heard; none of a device that was never heard. */
  async #listed(endpoint: string, slot: number): Promise<readonly CarrierOption[]> {
    const { stores, carrierObject } = this.#options;
    const values = await stores.lastValues.get(endpoint, `/${carrierObject}/${slot}`);
    return carrierValues({ object: carrierObject, instance: slot }, values).available;
  }

  /** The same as the device says it now. */
  async #asked(endpoint: string, slot: number): Promise<readonly CarrierOption[]> {
    const { requests, carrierObject } = this.#options;
    const { records } = await requests.read(endpoint, `/${carrierObject}/${slot}/1`);
    return carrierValues(
      { object: carrierObject, instance: slot },
      records.map((record) => ({ path: record.path, value: toApiValue(record.value) })),
    ).available;
  }
}

function isDisconnect(carrier: string | number): boolean {
  return typeof carrier === 'string'
    ? carrier.toLowerCase() === 'disconnect'
    : carrier === DISCONNECT_CARRIER_ID;
}

function isFinal(state: CommandState): boolean {
  return state !== 'queued' && state !== 'sent' && state !== 'accepted';
}
