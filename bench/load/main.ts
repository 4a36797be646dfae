/**
 * A process of simulated devices, steered over IPC by bench/main.ts: `open` makes and registers them,
 * `run` lets them work for a time, `pace` at a rate, and tells what they did.
 */
import { type Quantiles, quantiles } from '../quantiles.ts';
import { LoadDevice, type Work } from './device.ts';

export type LoadCommand =
  | {
      readonly kind: 'open';
      readonly work: Work;
      readonly devices: number;
      readonly readings: number;
      readonly port: number;
      /** What their endpoint names begin with; `bench-` unless told. */
      readonly prefix?: string;
      /** So many of them, the last ones, update their registration instead. */
      readonly updating?: number;
    }
  | { readonly kind: 'run'; readonly milliseconds: number }
  /** `rate` exchanges a second in all, whatever the server does. */
  | { readonly kind: 'pace'; readonly milliseconds: number; readonly rate: number };

export interface LoadReport {
  /** Exchanges that ended well while the work ran. */
  readonly done: number;
  readonly retransmissions: number;
  /** ms */
  readonly elapsed: number;
}

export interface PacedReport extends LoadReport {
  /** Exchanges that were due while the device's last one was still under way. */
  readonly skipped: number;
  /** ms until the acknowledgement. */
  readonly latency: Quantiles;
}

/** How often devices get their turn, ms. */
const TICK = 5;

let devices: LoadDevice[] = [];

async function open(command: LoadCommand & { readonly kind: 'open' }): Promise<void> {
  devices = Array.from({ length: command.devices }, (_, index) => {
    const updates = index >= command.devices - (command.updating ?? 0);
    return new LoadDevice(
      `${command.prefix ?? 'bench-'}${index}`,
      updates ? 'update' : command.work,
      command.readings,
    );
  });
  const retransmit = setInterval(() => {
    const now = performance.now();
    for (const device of devices) device.tick(now);
  }, 500);
  retransmit.unref();
  for (const device of devices) await device.open(command.port);
}

async function run(milliseconds: number): Promise<LoadReport> {
  const doneBefore = total((device) => device.done);
  const retransmissionsBefore = total((device) => device.retransmissions);
  const start = performance.now();
  for (const device of devices) device.start();
  await new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  const report: LoadReport = {
    done: total((device) => device.done) - doneBefore,
    retransmissions: total((device) => device.retransmissions) - retransmissionsBefore,
    elapsed: performance.now() - start,
  };
  for (const device of devices) device.stop();
  return report;
}

async function pace(milliseconds: number, rate: number): Promise<PacedReport> {
  const doneBefore = total((device) => device.done);
  const retransmissionsBefore = total((device) => device.retransmissions);
  const latencies: number[] = [];
  for (const device of devices) device.onDone = (elapsed) => latencies.push(elapsed);
  const start = performance.now();
  let due = 0;
  let skipped = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = Math.min(performance.now() - start, milliseconds);
      for (const target = Math.floor((elapsed * rate) / 1000); due < target; due++) {
        if (devices[due % devices.length]?.step() !== true) skipped++;
      }
      if (elapsed < milliseconds) return;
      clearInterval(timer);
      resolve();
    }, TICK);
  });
  const elapsed = performance.now() - start;
  while (devices.some((device) => device.isUnderWay))
    await new Promise((resolve) => setTimeout(resolve, TICK));
  return {
    done: total((device) => device.done) - doneBefore,
    retransmissions: total((device) => device.retransmissions) - retransmissionsBefore,
    elapsed,
    skipped,
    latency: quantiles(latencies),
  };
}

function total(of: (device: LoadDevice) => number): number {
  return devices.reduce((sum, device) => sum + of(device), 0);
}

function perform(command: LoadCommand): Promise<LoadReport | 'open'> {
  switch (command.kind) {
    case 'open':
      return open(command).then(() => 'open' as const);
    case 'run':
      return run(command.milliseconds);
    case 'pace':
      return pace(command.milliseconds, command.rate);
  }
}

process.on('message', (command: LoadCommand) => {
  perform(command).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
