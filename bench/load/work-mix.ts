import { type Work, works } from './tally.ts';

/** How often each work is done, relative to the others. */
export type WorkMix = Partial<Record<Work, number>>;

/**
 * `notify`, or `notify:90,update:9,register:1`.
 * @throws RangeError where it is neither
 */
export function parseWorkMix(text: string): WorkMix {
  const mix: WorkMix = {};
  for (const part of text.split(',')) {
    const [name = '', weight = '1'] = part.split(':');
    const work = works.find((known) => known === name);
    if (work === undefined)
      throw new RangeError(`--work knows ${works.join(', ')}, not ${JSON.stringify(name)}`);
    if (!/^\d+$/.test(weight) || weight === '0')
      throw new RangeError(`${part}: a weight is a whole number above 0`);
    mix[work] = Number(weight);
  }
  return mix;
}

/** Which work is next: by turns, each as often as its weight says, and spread evenly. */
export function turnsOf(mix: WorkMix): () => Work {
  const entries = Object.entries(mix).map(([work, weight]) => ({ work: work as Work, weight, credit: 0 }));
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  const [only] = entries;
  if (only === undefined) throw new RangeError('a mix has at least one work');
  if (entries.length === 1) return () => only.work;
  return () => {
    let next = only;
    for (const entry of entries) {
      entry.credit += entry.weight;
      if (entry.credit > next.credit) next = entry;
    }
    next.credit -= total;
    return next.work;
  };
}
