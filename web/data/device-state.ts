import type { ApiDevice } from './api-types.ts';

export type DeviceState = ApiDevice['state'];

export function isRegistered(device: Pick<ApiDevice, 'state'>): boolean {
  return device.state === 'awake' || device.state === 'asleep';
}

/** The state as time goes on: who listened when the server said so falls asleep at a time that it said too. */
export function stateNow(device: Pick<ApiDevice, 'state' | 'presence'>, now: number): DeviceState {
  const until = device.presence?.awakeUntil;
  return device.state === 'awake' && until !== undefined && until <= now ? 'asleep' : device.state;
}

export const stateWords: Readonly<Record<DeviceState, string>> = {
  awake: 'awake',
  asleep: 'asleep',
  lost: 'lost',
  left: 'left',
  known: 'not registered',
};

export const stateMeanings: Readonly<Record<DeviceState, string>> = {
  awake: 'Registered, and it listens now',
  asleep: 'Registered, and it sleeps (queue mode) until it speaks next',
  lost: 'Its registration ran out: it was not heard in time',
  left: 'It de-registered',
  known: 'Not registered',
};
