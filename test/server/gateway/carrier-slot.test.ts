import { beforeEach, describe, expect, test } from 'vitest';
import { CarrierState } from '../../../objects/carrier.ts';
import { BusyError } from '../../../protocol/errors.ts';
import { FlowCarrier, flowCarrierNames, SwitchStatus } from '../../../protocol/flow/names.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { CarrierSlot, noSwitchYet } from '../../../server/gateway/carrier-slot.ts';
import type { SwitchRules } from '../../../server/gateway/device-file.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const { ATT, T_MOBILE, VERIZON, DISCONNECT } = FlowCarrier;
const rules: SwitchRules = { repeatAfter: [3_000, 9_000, 21_000], patience: 60_000 };

let clock: FakeClock;
let slot: CarrierSlot;
/** What went out, and when, ms. */
let sent: (readonly [number, number])[];
/** What is in the log. */
let values: Map<string, LwM2mRecord['value']>;
/** How switches ended. */
let ends: string[];
let faults: unknown[];
let store: { isAway: boolean; isOwn: boolean };

function newSlot(given: Partial<SwitchRules> = {}): CarrierSlot {
  const take = (records: readonly LwM2mRecord[]): void => {
    for (const { path, value } of records) values.set(path, value);
  };
  return new CarrierSlot({
    carrierObject: 42769,
    carriers: flowCarrierNames,
    rules: { ...rules, ...given },
    clock,
    record: async (records) => {
      if (store.isAway) throw new StoreUnavailableError('away');
      take(records);
    },
    report: take,
    send: (carrier) => sent.push([carrier, clock.now()]),
    isOwn: async () => {
      if (store.isAway) throw new StoreUnavailableError('away');
      return store.isOwn;
    },
    onEnded: (end) => ends.push(end),
    onFault: (error) => faults.push(error),
  });
}

beforeEach(() => {
  clock = new FakeClock();
  sent = [];
  values = new Map();
  ends = [];
  faults = [];
  store = { isAway: false, isOwn: true };
  slot = newSlot();
});

const state = () => values.get('/42769/0/4');
const reason = () => values.get('/42769/0/6');
const current = () => values.get('/42769/0/0');
const carriers = () => sent.map(([carrier]) => carrier);
const ack = (carrier: number) =>
  slot.answered({ kind: 'carrier-switch-ack', status: SwitchStatus.ACK, carrier });
const nack = (carrier: number) =>
  slot.answered({ kind: 'carrier-switch-ack', status: SwitchStatus.NACK, carrier });

describe('a switch', () => {
  test('is in the log before the request goes out', async () => {
    let logged: unknown;
    const begun = slot.begin(VERIZON, 7, async () => {
      logged = state();
    });
    expect(sent).toEqual([]);
    await begun;
    expect(logged).toBeUndefined();
    expect(Object.fromEntries(values)).toEqual({
      '/42769/0/2': VERIZON,
      '/42769/0/4': CarrierState.SWITCHING,
      '/42769/0/6': '',
      '/42769/0/10': 7,
    });
    expect(carriers()).toEqual([VERIZON]);
  });

  test('does not go out where the log does not take it, or who asks takes it back', async () => {
    store.isAway = true;
    await expect(slot.begin(VERIZON, 7, undefined)).rejects.toThrow(StoreUnavailableError);
    store.isAway = false;
    await expect(slot.begin(VERIZON, 7, () => Promise.reject(new Error('withdrawn')))).rejects.toThrow(
      'withdrawn',
    );
    await clock.run(120_000);
    expect(sent).toEqual([]);
    await slot.begin(VERIZON, 7, undefined);
    expect(carriers()).toEqual([VERIZON]);
  });

  test('ends with the ACK of its carrier', async () => {
    await slot.begin(VERIZON, 7, undefined);
    ack(VERIZON);
    expect(Object.fromEntries(values)).toEqual({
      '/42769/0/0': 'Verizon',
      '/42769/0/2': VERIZON,
      '/42769/0/4': CarrierState.SUCCEEDED,
      '/42769/0/5': 0,
      '/42769/0/6': '',
      '/42769/0/9': Math.floor(clock.wallTime() / 1000),
      '/42769/0/10': 7,
    });
    await clock.run(120_000);
    expect(carriers()).toEqual([VERIZON]);
    expect(ends).toEqual(['acknowledged']);
  });

  test('ends with a NACK, and says on which carrier the card is', async () => {
    await slot.begin(VERIZON, 7, undefined);
    nack(ATT);
    expect(state()).toBe(CarrierState.FAILED);
    expect(values.get('/42769/0/5')).toBe(1);
    expect(reason()).toBe('the card refused; it is on AT&T');
    expect(current()).toBe('AT&T');
    await clock.run(120_000);
    expect(sent).toHaveLength(1);
  });

  test('to nothing ends with the ACK of nothing', async () => {
    await slot.begin(DISCONNECT, 7, undefined);
    ack(DISCONNECT);
    expect(state()).toBe(CarrierState.SUCCEEDED);
    expect(current()).toBe('');
    await slot.begin(VERIZON, 8, undefined);
    nack(DISCONNECT);
    expect(reason()).toBe('the card refused; it is disconnected');
  });

  test('is asked for again while nothing is heard, never after an answer', async () => {
    await slot.begin(VERIZON, 7, undefined);
    await clock.run(10_000);
    expect(sent).toEqual([
      [VERIZON, 0],
      [VERIZON, 3_000],
      [VERIZON, 9_000],
    ]);
    ack(VERIZON);
    await clock.run(120_000);
    expect(sent).toHaveLength(3);
  });

  test('is asked for once where the device must not be asked twice', async () => {
    slot = newSlot({ repeatAfter: [] });
    await slot.begin(VERIZON, 7, undefined);
    await clock.run(59_000);
    expect(sent).toHaveLength(1);
    expect(state()).toBe(CarrierState.SWITCHING);
    await clock.run(2_000);
    expect(state()).toBe(CarrierState.UNKNOWN);
  });

  test('is unknown where nothing is heard', async () => {
    await slot.begin(VERIZON, 7, undefined);
    ack(VERIZON);
    await slot.begin(ATT, 8, undefined);
    await clock.run(61_000);
    expect(sent.filter(([carrier]) => carrier === ATT)).toHaveLength(4);
    expect(state()).toBe(CarrierState.UNKNOWN);
    expect(reason()).toBe('neither ACK nor NACK came within 60 s');
    expect(values.get('/42769/0/10')).toBe(8);
    expect(current()).toBe('Verizon');
    expect(ends).toEqual(['acknowledged', 'unanswered']);
  });

  test('that was unknown is known when its ACK comes after all', async () => {
    await slot.begin(VERIZON, 7, undefined);
    await clock.run(61_000);
    ack(T_MOBILE);
    expect(state()).toBe(CarrierState.UNKNOWN);
    expect(current()).toBe('T-Mobile');
    ack(VERIZON);
    expect(state()).toBe(CarrierState.SUCCEEDED);
    expect(current()).toBe('Verizon');
  });

  test('is not ended by the ACK of another carrier, which may answer an earlier request', async () => {
    await slot.begin(VERIZON, 7, undefined);
    ack(T_MOBILE);
    expect(state()).toBe(CarrierState.SWITCHING);
    expect(current()).toBe('T-Mobile');
    ack(VERIZON);
    expect(state()).toBe(CarrierState.SUCCEEDED);
  });

  test('has failed where the card acknowledges another carrier, and nothing else comes', async () => {
    await slot.begin(VERIZON, 7, undefined);
    ack(T_MOBILE);
    await clock.run(61_000);
    expect(state()).toBe(CarrierState.FAILED);
    expect(reason()).toBe('the card acknowledged, and is on T-Mobile');
  });

  test('has succeeded where the card refuses the carrier that it is on: its ACK was lost', async () => {
    await slot.begin(VERIZON, 7, undefined);
    await clock.run(3_000);
    nack(VERIZON);
    expect(state()).toBe(CarrierState.SUCCEEDED);
    expect(reason()).toBe('the card refused, and is on this carrier');
  });

  test('is not ended by answers to repetitions of the one before', async () => {
    await slot.begin(VERIZON, 7, undefined);
    await clock.run(10_000);
    // Three requests went out, and the first answer ends the switch.
    ack(VERIZON);
    await slot.begin(ATT, 8, undefined);
    nack(VERIZON);
    nack(VERIZON);
    expect(state()).toBe(CarrierState.SWITCHING);
    nack(VERIZON);
    expect(state()).toBe(CarrierState.FAILED);
  });

  test('is refused while another one has not ended', async () => {
    await slot.begin(VERIZON, 7, undefined);
    await expect(slot.begin(ATT, 8, undefined)).rejects.toThrow(BusyError);
    expect(carriers()).toEqual([VERIZON]);
  });

  test('of a number that was had goes out no second time, a lower one is refused', async () => {
    await slot.begin(VERIZON, 7, undefined);
    await slot.begin(VERIZON, 7, undefined);
    ack(VERIZON);
    await slot.begin(VERIZON, 7, undefined);
    await expect(slot.begin(ATT, 6, undefined)).rejects.toThrow(/4\.09/);
    expect(carriers()).toEqual([VERIZON]);
  });

  test('to a carrier that there is not is refused', async () => {
    await expect(slot.begin(9, 7, undefined)).rejects.toThrow(/4\.00/);
    expect(sent).toEqual([]);
  });

  test('goes on where the store was away meanwhile', async () => {
    await slot.begin(VERIZON, 7, undefined);
    store.isAway = true;
    await clock.run(5_000);
    expect(sent).toHaveLength(1);
    expect(faults.length).toBeGreaterThan(0);
    store.isAway = false;
    await clock.run(5_000);
    expect(sent.length).toBeGreaterThan(1);
  });

  test('is left to the node that has the device now', async () => {
    await slot.begin(VERIZON, 7, undefined);
    store.isOwn = false;
    await clock.run(120_000);
    expect(sent).toHaveLength(1);
    expect(state()).toBe(CarrierState.SWITCHING);
    expect(ends).toEqual([]);
  });

  test('executed by hand is of no command', async () => {
    await slot.begin(VERIZON, undefined, undefined);
    ack(VERIZON);
    expect(values.get('/42769/0/10')).toBe(0);
    expect(state()).toBe(CarrierState.SUCCEEDED);
  });
});

describe('a switch that another process has asked for', () => {
  const asked = { ...noSwitchYet, state: CarrierState.SWITCHING, requested: VERIZON, lastCommand: 7 };

  test('ends with its answer, and is asked for no second time', async () => {
    slot.load(asked, 5_000);
    await clock.run(30_000);
    ack(VERIZON);
    expect(state()).toBe(CarrierState.SUCCEEDED);
    expect(values.get('/42769/0/10')).toBe(7);
    expect(sent).toEqual([]);
  });

  test('is unknown when its time is over', async () => {
    slot.load(asked, 50_000);
    await clock.run(9_000);
    expect(state()).toBeUndefined();
    await clock.run(2_000);
    expect(state()).toBe(CarrierState.UNKNOWN);
    expect(values.get('/42769/0/10')).toBe(7);
    expect(sent).toEqual([]);
  });
});

test('a switch that is being begun is not forgotten for what the store has known before', async () => {
  await slot.begin(VERIZON, 7, async () => slot.load(noSwitchYet, 0));
  expect(carriers()).toEqual([VERIZON]);
  ack(VERIZON);
  expect(state()).toBe(CarrierState.SUCCEEDED);
});

test('what is heard without a switch is where the card is', () => {
  ack(T_MOBILE);
  expect(current()).toBe('T-Mobile');
  ack(7);
  expect(current()).toBe('Carrier 7');
  nack(DISCONNECT);
  expect(current()).toBe('');
  expect(state()).toBeUndefined();
});
