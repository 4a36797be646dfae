import { beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../server/log.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { RollUps } from '../../../server/telemetry/roll-ups.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const MINUTE = 60_000;

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

describe('roll-ups', () => {
  it('are made once a minute of what has ended two minutes ago, and not after their end', async () => {
    const asked: number[] = [];
    const rollUps = new RollUps(
      {
        rollUp: async (before) => {
          asked.push(before / 1000 - clock.wallTime());
        },
      },
      clock,
      createLog('silent'),
    );
    rollUps.start();
    for (let minute = 1; minute <= 3; minute++) {
      await clock.run(MINUTE);
      expect(asked).toEqual(new Array(minute).fill(-2 * MINUTE));
    }
    await rollUps.close();
    expect(clock.pending).toBe(0);
  });

  it('are tried again when the store could not', async () => {
    let tries = 0;
    const rollUps = new RollUps(
      {
        rollUp: async () => {
          tries += 1;
          if (tries === 1) throw new StoreUnavailableError('the disk is full');
        },
      },
      clock,
      createLog('silent'),
    );
    rollUps.start();
    await clock.run(MINUTE);
    await clock.run(MINUTE);
    expect(tries).toBe(2);
    await rollUps.close();
  });
});
