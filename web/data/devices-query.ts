export type DeviceState = 'registered' | 'unregistered';

/** What the list of devices shows, as its address has it. */
export interface DevicesView {
  readonly search: string;
  readonly state: DeviceState | undefined;
}

export function parseDevicesQuery(query: string): DevicesView {
  const parameters = new URLSearchParams(query);
  const state = parameters.get('state');
  return {
    search: parameters.get('q') ?? '',
    state: state === 'registered' || state === 'unregistered' ? state : undefined,
  };
}

/** `parseDevicesQuery` of it gives the same view back. */
export function devicesQuery({ search, state }: DevicesView): string {
  const query = new URLSearchParams();
  if (search !== '') query.set('q', search);
  if (state !== undefined) query.set('state', state);
  return String(query);
}
