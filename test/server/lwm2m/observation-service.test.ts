import { expect, test } from 'vitest';
import { createLog } from '../../../server/log.ts';
import {
  ObservationService,
  type ObservationServiceOptions,
} from '../../../server/lwm2m/observation-service.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a device that is heard at ever new addresses has one of them stored at a time, and the newest next', async () => {
  const stored: { readonly to: string; readonly done: (error?: Error) => void }[] = [];
  const service = new ObservationService({
    clock: new ManualClock(),
    log: createLog('silent'),
    node: 'node',
    onMoved: () => undefined,
    registrations: {
      move: (_: string, to: string) =>
        new Promise((resolve, reject) => {
          stored.push({ to, done: (error) => (error === undefined ? resolve(undefined) : reject(error)) });
        }),
    },
  } as unknown as ObservationServiceOptions);
  const device = { id: 'id', endpoint: 'a', address: 'device:0' };
  for (let number = 1; number <= 100; number++) service.heardAt(device, `device:${number}`);
  service.heardAt({ ...device, id: 'other' }, 'other:1');
  await turn();
  expect(stored.map(({ to }) => to)).toEqual(['device:1', 'other:1']);
  stored[0]?.done(new StoreUnavailableError('the disk is full'));
  await turn();
  expect(stored.map(({ to }) => to)).toEqual(['device:1', 'other:1', 'device:100']);
  stored[2]?.done();
  await turn();
  service.heardAt(device, 'device:101');
  expect(stored.map(({ to }) => to).at(-1)).toBe('device:101');
});
