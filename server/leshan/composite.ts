import { formatOption, type LeshanCall, type LeshanQuery, type LeshanRequest, parameter } from './call.ts';
import type { LeshanRouteOptions } from './dependencies.ts';
import { compositeChangesOf } from './node-bodies.ts';
import { nodesAt } from './nodes.ts';
import { pathsOf } from './paths.ts';

type Needs = Pick<LeshanRouteOptions, 'requests' | 'clock'>;

/** The answer's format goes before that of the list of paths: the server gives both by one. */
function formatsOf(query: LeshanQuery) {
  return { ...formatOption(query, 'pathformat'), ...formatOption(query, 'nodeformat') };
}

/** The paths of a composite request, as texts. @throws LeshanRefusal */
export function pathTexts(query: LeshanQuery): readonly string[] {
  return pathsOf(parameter(query, 'paths')).map(({ text }) => text);
}

export function readComposite(
  { requests, clock }: Needs,
  { device, query, registry }: LeshanCall,
): LeshanRequest {
  const paths = pathTexts(query);
  return {
    operation: 'readComposite',
    run: async (options) => {
      const { records } = await requests.readComposite(device.endpoint, paths, {
        ...options,
        ...formatsOf(query),
      });
      return { content: nodesAt(paths, records, registry, clock.wallTime()) };
    },
  };
}

export function observeComposite(
  { requests, clock }: Needs,
  { device, query, registry }: LeshanCall,
): LeshanRequest {
  const paths = pathTexts(query);
  return {
    operation: 'readComposite',
    run: async (options) => {
      const { records } = await requests.observeComposite(device.endpoint, paths, {
        ...options,
        ...formatsOf(query),
      });
      return { content: nodesAt(paths, records, registry, clock.wallTime()) };
    },
  };
}

export function writeComposite(
  { requests }: Needs,
  { device, query, body, registry }: LeshanCall,
): LeshanRequest {
  const changes = compositeChangesOf(body, registry);
  return {
    operation: 'writeComposite',
    run: async (options) => {
      await requests.writeComposite(device.endpoint, changes, {
        ...options,
        ...formatOption(query, 'nodeformat'),
      });
      return {};
    },
  };
}
