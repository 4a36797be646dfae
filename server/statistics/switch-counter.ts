import { type Command, finalCommandStates } from '../ports/command-queue.ts';
import type { SwitchCounts } from './metrics.ts';

/** Carrier switches that have ended since the start, by the card's word. */
export class SwitchCounter {
  readonly counts: SwitchCounts = { ack: 0, nack: 0, other: 0 };

  /** A command took a step. */
  step({ kind, state, result }: Command): void {
    if (kind !== 'carrier-switch' || !(finalCommandStates as readonly string[]).includes(state)) return;
    if (state === 'done') this.counts.ack += 1;
    else if (state === 'failed' && result?.['answer'] === 'NACK') this.counts.nack += 1;
    else this.counts.other += 1;
  }
}
