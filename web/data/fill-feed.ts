import type { SensorFeed } from './sensor-feed.ts';
import type { Sensor } from './sensors.ts';
import type { TimeWindow } from './time-window.ts';

/** Points that are asked for of a range: for each half pixel one, within bounds. */
const pointsPerPixel = 2;
const leastPoints = 300;
const mostPoints = 4_000;

/** What is shown, and how wide, CSS pixels. */
export interface FeedWish {
  readonly window: TimeWindow;
  readonly following: boolean;
  readonly width: number;
  readonly now: number;
}

/** Whether a window is drawn of the readings themselves, and not of what the server makes of them. */
export function isDrawnOfReadings(
  feed: SensorFeed,
  sensor: Sensor | undefined,
  { from }: TimeWindow,
  now: number,
): boolean {
  const period = sensor?.samplingPeriod === undefined ? undefined : sensor.samplingPeriod / 1000;
  return feed.isWithinReach(from, now, period);
}

/** Fetches what a feed lacks of what is to be shown; false where it lacked nothing. */
export async function fillFeed(
  feed: SensorFeed,
  sensor: Sensor | undefined,
  wish: FeedWish,
): Promise<boolean> {
  const { window, following, width, now } = wish;
  if (isDrawnOfReadings(feed, sensor, window, now)) {
    if (feed.hasAllSince(window.from)) return false;
    await feed.fill(window.from);
    return true;
  }
  if (feed.past.has(window, following, now)) return false;
  const points = Math.min(mostPoints, Math.max(leastPoints, Math.ceil(width * pointsPerPixel)));
  await feed.past.load({ window, following, points, now });
  return true;
}
