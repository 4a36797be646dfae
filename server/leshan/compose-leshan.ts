import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { allowHosts } from '../api/allowed-hosts.ts';
import type { Config } from '../config.ts';
import { listenAt } from '../listen.ts';
import type { LeshanDependencies } from './dependencies.ts';
import { LeshanFeed } from './feed.ts';
import { buildLeshanApi } from './index.ts';

export interface LeshanParts {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** Takes what ends a part: the part that was started last ends first. */
  readonly onClose: (step: () => Promise<unknown>) => void;
}

/** The feed of the Leshan-compatible interface, where that is switched on: whoever hears of devices tells it. */
export function composeLeshanFeed({ config, clock, onClose }: LeshanParts): LeshanFeed | undefined {
  if (!config.leshan.enabled) return undefined;
  const feed = new LeshanFeed(clock);
  onClose(async () => feed.close());
  return feed;
}

/**
 * Opens the interface, where there is a feed for it; resolves with its address.
 * @throws ConfigError one line that names the setting, where the port cannot be had
 */
export async function composeLeshan(
  { config, log, clock, onClose }: LeshanParts,
  feed: LeshanFeed | undefined,
  needs: Pick<
    LeshanDependencies,
    'stores' | 'requests' | 'listening' | 'live' | 'lookupFor' | 'coapAddress' | 'coapsAddress'
  >,
): Promise<string | undefined> {
  if (feed === undefined) return undefined;
  const { host, port, token } = config.leshan;
  const api = await buildLeshanApi({
    ...needs,
    log: log.child({ part: 'leshan' }),
    clock,
    feed,
    allowedHosts: allowHosts({ listenHost: host, names: config.allowedHosts }),
    token,
  });
  onClose(() => api.close());
  const address = await listenAt(api, host, port, 'SIMYARD_LESHAN_PORT', config.reusePort);
  log.info({ leshan: address, token: token !== undefined }, 'the Leshan-compatible interface is open');
  return address;
}
