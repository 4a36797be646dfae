import { expect, test } from 'vitest';
import { isInstalled } from '../../scripts/requirements.ts';
import { runRollingRestart } from './rolling-restart.ts';

test.skipIf(!isInstalled('redis-server'))(
  'a rolling restart of three node processes under DTLS modems: no new handshake, no acknowledged reading lost',
  async () => {
    const lines: string[] = [];
    const modems = 24;
    const outcome = await runRollingRestart(
      { modems, interval: 300, pause: 1_500, rebind: 1_000, signal: 'SIGTERM' },
      (line) => lines.push(line),
    );
    if (outcome.handshakes !== modems || outcome.missing > 0) process.stderr.write(`${lines.join('\n')}\n`);
    expect(outcome).toMatchObject({ handshakes: modems, closed: 0, failed: 0, missing: 0, twice: 0 });
    // A run in which nothing was sent proves nothing.
    expect(outcome.acknowledged).toBeGreaterThan(modems * 10);
  },
);
