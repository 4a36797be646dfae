import { parseArgs } from 'node:util';
import { quantiles } from '../../bench/quantiles.ts';
import { runRollingRestart } from './rolling-restart.ts';

const help = `node scripts/run.mjs test/chaos/rolling-main.ts [flags]

Three server processes over one Redis, DTLS modems that send readings, and a restart of one node after the other.

  --modems N      how many (1000)
  --interval MS   between two Sends of a modem (2000)
  --pause MS      of traffic before, between and after the restarts (10000)
  --rebind MS     the NAT gives all modems new addresses so often (0: never)
  --kill          ends the nodes by SIGKILL, without a word: their sessions are lost
`;

const { values } = parseArgs({
  options: {
    modems: { type: 'string', default: '1000' },
    interval: { type: 'string', default: '2000' },
    pause: { type: 'string', default: '10000' },
    rebind: { type: 'string', default: '0' },
    kill: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const began = performance.now();
const print = (line: string): void => {
  process.stdout.write(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
};

if (values.help) {
  process.stdout.write(help);
} else {
  const modems = Number(values.modems);
  const outcome = await runRollingRestart(
    {
      modems,
      interval: Number(values.interval),
      pause: Number(values.pause),
      rebind: Number(values.rebind),
      signal: values.kill ? 'SIGKILL' : 'SIGTERM',
    },
    print,
  );
  const { p50, p99, max } = quantiles([...outcome.latencies]);
  print(
    `handshakes: ${outcome.handshakes} of ${modems} modems, ${outcome.handshakes - modems} of them anew; ended by an alert: ${outcome.closed}`,
  );
  print(`readings acknowledged: ${outcome.acknowledged}, refused or not answered: ${outcome.failed}`);
  print(`acknowledged and not in the log: ${outcome.missing}; twice in the log: ${outcome.twice}`);
  print(
    `time to the acknowledgement: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(0)} ms, longest ${max.toFixed(0)} ms`,
  );
  const isFine = outcome.missing === 0 && (values.kill || outcome.handshakes === modems);
  process.exitCode = isFine ? 0 : 1;
}
