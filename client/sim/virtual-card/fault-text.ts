import { RequestError } from '../../../protocol/errors.ts';
import {
  type CardFault,
  type FaultKind,
  type FaultTarget,
  faultKinds,
  faultTargets,
  type RandomFaults,
} from './card-faults.ts';

/** Faults that were given together. */
export interface GivenFaults {
  readonly faults: readonly CardFault[];
  readonly random: RandomFaults | undefined;
}

const isRandom = (text: string): boolean => /^random(:|$)/.test(text);

/** Faults as a person writes them, one of them perhaps those by chance. @throws RequestError */
export function parseFaults(texts: readonly string[]): GivenFaults {
  const [random, another] = texts.filter(isRandom);
  if (another !== undefined) throw new RequestError('there can be one set of random faults');
  return {
    faults: texts.filter((text) => !isRandom(text)).map(parseFault),
    random: random === undefined ? undefined : parseRandomFaults(random),
  };
}

/**
 * A fault as a person writes it: `mute`, `removed:on=switch,when=after,delay=2000`, `slow:delay=500,times=3`.
 * @throws RequestError with what is wrong
 */
export function parseFault(text: string): CardFault {
  const { name, values } = split(text, ['on', 'times', 'when', 'delay']);
  return {
    kind: parseKind(name),
    ...(values.on === undefined ? {} : { on: parseTarget(values.on) }),
    ...(values.times === undefined ? {} : { times: parseCount('times', values.times, 1) }),
    ...(values.when === undefined ? {} : { when: parseWhen(values.when) }),
    ...(values.delay === undefined ? {} : { delay: parseCount('delay', values.delay, 0) }),
  };
}

/** Faults by chance: `random:seed=7,probability=0.01,kinds=mute+removed,on=switch,delay=50`. @throws RequestError */
export function parseRandomFaults(text: string): RandomFaults {
  const { name, values } = split(text, ['seed', 'probability', 'kinds', 'on', 'delay']);
  if (name !== 'random') throw new RequestError(`faults by chance begin with random: ${text}`);
  const probability = Number(values.probability ?? '0.01');
  if (!(probability >= 0 && probability <= 1)) {
    throw new RequestError(`probability is 0 to 1, not ${values.probability}`);
  }
  return {
    seed: parseCount('seed', values.seed ?? '1', 0),
    probability,
    ...(values.kinds === undefined ? {} : { kinds: values.kinds.split('+').map(parseKind) }),
    ...(values.on === undefined ? {} : { on: parseTarget(values.on) }),
    ...(values.delay === undefined ? {} : { delay: parseCount('delay', values.delay, 0) }),
  };
}

/** The inverse of `parseFault`. */
export function formatFault(fault: CardFault): string {
  return join(fault.kind, { on: fault.on, times: fault.times, when: fault.when, delay: fault.delay });
}

/** The inverse of `parseRandomFaults`. */
export function formatRandomFaults(faults: RandomFaults): string {
  return join('random', {
    seed: faults.seed,
    probability: faults.probability,
    kinds: faults.kinds?.join('+'),
    on: faults.on,
    delay: faults.delay,
  });
}

function join(name: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? name : `${name}:${given.map(([key, value]) => `${key}=${value}`).join(',')}`;
}

function split(
  text: string,
  keys: readonly string[],
): { readonly name: string; readonly values: Readonly<Record<string, string>> } {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const values: Record<string, string> = {};
  if (colon < 0) return { name, values };
  for (const part of text.slice(colon + 1).split(',')) {
    const [key = '', value] = part.split('=', 2);
    if (!keys.includes(key) || value === undefined) {
      throw new RequestError(`${part} in ${text}: ${keys.join(', ')} can be given, as ${keys[0]}=…`);
    }
    values[key] = value;
  }
  return { name, values };
}

function parseKind(text: string): FaultKind {
  if (Object.hasOwn(faultKinds, text)) return text as FaultKind;
  throw new RequestError(`no fault ${text}: ${Object.keys(faultKinds).join(', ')}`);
}

function parseTarget(text: string): FaultTarget {
  const target = faultTargets.find((known) => known === text);
  if (target === undefined) throw new RequestError(`on is one of ${faultTargets.join(', ')}, not ${text}`);
  return target;
}

function parseWhen(text: string): 'before' | 'after' {
  if (text === 'before' || text === 'after') return text;
  throw new RequestError(`when is before or after, not ${text}`);
}

function parseCount(what: string, text: string, least: number): number {
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= least)) throw new RequestError(`${what} is a whole number from ${least}, not ${text}`);
  return count;
}
