import type { IncomingNotification, NotificationHandler } from '../../../protocol/coap/exchange.ts';
import { Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import type { CoapParameters } from '../../../protocol/coap/parameters.ts';
import type { Draft } from './raw-peer.ts';
import { World } from './world.ts';

/** The Observe option of a notification. */
export const seq = (value: number) => uintOption(OptionNumber.OBSERVE, value);
/** That was observed. */
export const request = { code: Code.GET, options: pathOptions('/t') };
export const TOKEN = 'a1b2c3d4';

/** A client that took an observation of /t up again, and the server that notifies it. */
export function restoredObservation(
  onNotification?: NotificationHandler,
  options: { followPeer?: boolean; parameters?: Partial<CoapParameters> } = {},
) {
  const world = new World();
  const seen: IncomingNotification[] = [];
  const { parameters = {}, followPeer = false } = options;
  const endpoint = world.endpoint('client', { parameters });
  const server = world.raw('server', 'client');
  const handler: NotificationHandler = (one) => {
    seen.push(one);
    if (onNotification === undefined) one.accept();
    else onNotification(one);
  };
  const observation = endpoint.restoreObservation({ token: TOKEN, peer: 'server', request }, handler, {
    followPeer,
  });
  let messageId = 100;
  const notify = (value: number | undefined, fields: Draft = {}, from = server) => {
    from.send({
      code: Code.CONTENT,
      messageId: messageId++,
      token: TOKEN,
      options: value === undefined ? [] : [seq(value)],
      ...fields,
    });
    world.clock.advance(20);
  };
  return { world, endpoint, server, seen, observation, notify, handler };
}
