import { formatOption, type LeshanCall, type LeshanRequest, parameter, withoutLast } from './call.ts';
import { pathTexts } from './composite.ts';
import type { LeshanRouteOptions } from './dependencies.ts';
import { nodeAt, nodesAt } from './nodes.ts';
import { pathOf, placeOf } from './paths.ts';
import { LeshanRefusal } from './refusals.ts';
import type { LeshanContent } from './responses.ts';

type Needs = Pick<LeshanRouteOptions, 'requests' | 'clock' | 'stores'>;

/** Ended without a word to the device, which hears of it at its next notification: there is nothing to answer. */
export const ended = 'ended';

export function observe(
  { requests, clock }: Needs,
  { device, rest, query, registry }: LeshanCall,
): LeshanRequest {
  const path = placeOf(withoutLast(rest), 'Observe').text;
  return {
    operation: 'read',
    path,
    run: async (options) => {
      const asked = { ...options, ...formatOption(query, 'format') };
      const { records } = await requests.observe(device.endpoint, path, asked);
      return { content: nodeAt(path, records, registry, clock.wallTime()) };
    },
  };
}

/** @throws LeshanRefusal 404 where the device is to be told of the end of an observation that is not there */
export async function cancel(
  { requests, clock, stores }: Needs,
  { device, rest, query, registry }: LeshanCall,
): Promise<LeshanRequest | typeof ended> {
  const { endpoint } = device;
  const path = pathOf(withoutLast(rest)).text;
  if (parameter(query, 'active') === undefined) {
    await requests.cancelObservation(endpoint, path);
    return ended;
  }
  const stored = await stores.observations.byRegistration(device.registration.id);
  if (!stored.some(({ composite, paths }) => composite !== true && paths[0] === path)) {
    throw new LeshanRefusal(404, `no observation for path ${path} for  client '${endpoint}'`);
  }
  return {
    operation: 'read',
    run: async (options) => {
      let answer: LeshanContent = {};
      await requests.cancelObservation(endpoint, path, {
        ...options,
        active: true,
        onAnswer: ({ records }) => {
          answer = { content: nodeAt(path, records, registry, clock.wallTime()) };
        },
      });
      return answer;
    },
  };
}

/** @throws LeshanRefusal as cancel */
export async function cancelComposite(
  { requests, clock, stores }: Needs,
  { device, query, registry }: LeshanCall,
): Promise<LeshanRequest | typeof ended> {
  const { endpoint } = device;
  const paths = pathTexts(query);
  if (parameter(query, 'active') === undefined) {
    await requests.cancelComposite(endpoint, paths);
    return ended;
  }
  const stored = await stores.observations.byRegistration(device.registration.id);
  const isThis = (of: readonly string[]) =>
    of.length === paths.length && of.every((path) => paths.includes(path));
  if (!stored.some((observation) => observation.composite === true && isThis(observation.paths))) {
    throw new LeshanRefusal(
      404,
      `no composite observation for paths [${paths.join(', ')}] for  client '${endpoint}'`,
    );
  }
  return {
    operation: 'readComposite',
    run: async (options) => {
      let answer: LeshanContent = {};
      await requests.cancelComposite(endpoint, paths, {
        ...options,
        active: true,
        onAnswer: ({ records }) => {
          answer = { content: nodesAt(paths, records, registry, clock.wallTime()) };
        },
      });
      return answer;
    },
  };
}
