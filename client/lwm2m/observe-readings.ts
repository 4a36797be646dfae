import type { Observer } from '../../protocol/coap/exchange.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { Observed } from './observation.ts';
import { type Answer, content, type OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import type { PackSender } from './pack-sender.ts';
import { encodeReading, type PackFormat } from './sealed-pack.ts';

/**
 * Observe of a sensor's value: all its readings are told, in packs, as long as nothing says which of them are
 * worth telling. With gt, lt, st or edge in force, written before or later, each that is goes out by itself.
 * @throws OperationError
 */
export function observeReadings(
  context: OperationContext,
  observed: Omit<Observed, 'observer'>,
  packs: PackSender,
  format: PackFormat,
): Answer {
  const { server, request, rootPath } = context;
  const { observations, attributes } = server;
  const [path = ''] = observed.paths;
  const conditions = observations.conditionsOf(observed);
  // Declines where this server may not read it.
  const records = observed.read();
  const now = packs.stream(path)?.takeNow();
  const name = rootPath === '/' ? path : rootPath + path;
  const first =
    now === undefined
      ? { contentFormat: observed.contentFormat, payload: observed.encode(records) }
      : encodeReading(name, now.time, now.value, format);
  let told: 'nothing yet' | 'packs' | 'values' | 'no more' = 'nothing yet';
  const accepted = request.acceptObserve((reason) => {
    if (told === 'values') observations.ended(observer, reason);
    packs.forget(path, observer, reason);
    over();
    context.onLost(reason);
  });
  const over = (): void => {
    told = 'no more';
    unwatch();
  };
  // However it ends, it has no say in who is told then.
  const observer: Observer = {
    get peer() {
      return accepted.peer;
    },
    token: accepted.token,
    notify: (...notification) => accepted.notify(...notification),
    end() {
      accepted.end();
      over();
    },
  };
  const arrange = (): void => {
    const wanted = conditions.hasValueConditions(path) ? 'values' : 'packs';
    if (told === wanted || told === 'no more') return;
    if (told === 'values') {
      observations.ended(observer, 'deregistered');
      packs.skip(path);
    }
    const toldLast = told === 'packs' ? valuesNow(observed, records) : records;
    told = wanted;
    // One stream of packs per sensor and server: of two observations the newer has it.
    const former =
      wanted === 'packs' ? packs.observe(path, observer, format, conditions) : packs.withhold(path, observer);
    if (former !== observer) former?.end();
    if (wanted === 'values') observations.add({ ...observed, observer }, toldLast);
  };
  const unwatch = attributes.watch(arrange);
  context.onObserve(path, !conditions.hasValueConditions(path));
  return { ...content(first.contentFormat, first.payload), afterwards: [arrange] };
}

/** What the packs have told last, or are about to. Where it may not be read any more, the first telling says so. */
function valuesNow(
  observed: Omit<Observed, 'observer'>,
  otherwise: readonly LwM2mRecord[],
): readonly LwM2mRecord[] {
  try {
    return observed.read();
  } catch (error) {
    if (error instanceof OperationError) return otherwise;
    throw error;
  }
}
