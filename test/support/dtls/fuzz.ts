import { seededRandom } from '../coap/lossy-link.ts';
import { type FuzzStage, fuzzStages } from './fuzz-stages.ts';
import { mutate } from './mutations.ts';

/** Inputs to one stage before it is set up anew, and between two looks at it. */
const PER_STAGE = 1_000;
const PER_CHECK = 50;
/** How many turns promises get: as many as the longest chain of a handshake. */
const TURNS = 40;

export interface FuzzReport {
  readonly inputs: number;
  readonly stages: number;
  /** By the state's name. */
  readonly byState: Readonly<Record<string, number>>;
}

/**
 * Feeds so many changed datagrams to a server and a client in every state. Throws with the seed and the input where one
 * throws, or where something is then not as it has to be.
 */
export async function fuzzDtls(
  count: number,
  seed: number,
  onProgress: (inputs: number) => void = () => {},
): Promise<FuzzReport> {
  const random = seededRandom(seed);
  const byState: Record<string, number> = {};
  const doneOf = ([name, weight]: (typeof fuzzStages)[number]) => (byState[name] ?? 0) / weight;
  let inputs = 0;
  let stages = 0;
  while (inputs < count) {
    // The state that has had the least of its share.
    const state = fuzzStages.reduce((least, one) => (doneOf(one) < doneOf(least) ? one : least));
    const [name, , open] = state;
    const stage = await open();
    if (stage.corpus.length === 0) throw new Error(`nothing to send to ${name}`);
    const fed = await fuzzStage(stage, Math.min(PER_STAGE, count - inputs), random, `${name}, seed ${seed}`);
    byState[name] = (byState[name] ?? 0) + fed;
    inputs += fed;
    stages++;
    onProgress(inputs);
  }
  return { inputs, stages, byState };
}

async function fuzzStage(
  stage: FuzzStage,
  count: number,
  random: () => number,
  where: string,
): Promise<number> {
  for (let n = 0; n < count; n++) {
    const datagram = mutate(stage.corpus, random);
    try {
      stage.feed(datagram, n);
      // A handshake waits for lookups, and may be over after any input.
      const isLook = stage.inTime !== undefined || n % PER_CHECK === PER_CHECK - 1 || n === count - 1;
      if (!isLook) continue;
      for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
      stage.check();
      if (random() < 0.02) await stage.inTime?.clock.run(random() * 3_000);
    } catch (error) {
      const input = Buffer.from(datagram).toString('hex');
      throw new Error(`${where} + ${n}: ${input}`, { cause: error });
    }
    if (!stage.standing()) return n + 1;
  }
  return count;
}
