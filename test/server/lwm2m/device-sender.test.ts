import { expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { pathOptions } from '../../../protocol/coap/options.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { DeviceReach, NotSentError } from '../../../server/lwm2m/device-reach.ts';
import { DeviceSender } from '../../../server/lwm2m/device-sender.ts';
import { registrationOf } from '../../support/api/api-harness.ts';
import { World } from '../../support/coap/world.ts';

it('tells what never went out, because others were before it, from what the device may have had', async () => {
  const world = new World();
  const endpoint = world.endpoint('server');
  const device = world.raw('device', 'server');
  const reach = new DeviceReach({ clock: world.clock });
  const sender = new DeviceSender({ endpoint, reach, timeout: 60_000 });
  const registration = registrationOf('d', { address: 'device' });
  const execute = { code: Code.POST, options: pathOptions('/3/0/4') };
  const beforeSend = async (): Promise<void> => undefined;
  const failed = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);
  // The first has the place of NSTART; the others wait for it.
  const errors = [
    failed(sender.send(registration, { ...execute, beforeSend }, true)),
    failed(sender.send(registration, { ...execute, beforeSend }, true)),
    failed(sender.send(registration, { ...execute, beforeSend, timeout: 5_000 }, true)),
  ];
  await world.clock.run(10);
  errors.push(failed(sender.send(registration, { ...execute, timeout: 5_000 }, true)));
  await world.clock.run(10_000);
  reach.replaced(registration, { ...registration, id: 'anew' });
  const [had, ended, late, read] = await Promise.all(errors);
  expect(had).toBeInstanceOf(TimeoutError);
  expect(ended).toBeInstanceOf(NotSentError);
  expect(late).toBeInstanceOf(NotSentError);
  expect(read).toBeInstanceOf(TimeoutError);
  expect(new Set(device.received.map(({ messageId }) => messageId)).size).toBe(1);
});
