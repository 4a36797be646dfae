/**
 * A process of simulated devices, steered over IPC by bench/main.ts: `open` makes and registers them,
 * `run` lets them work for a time and tells what they did.
 */
import { LoadDevice, type Work } from './device.ts';

export type LoadCommand =
  | {
      readonly kind: 'open';
      readonly work: Work;
      readonly devices: number;
      readonly readings: number;
      readonly port: number;
    }
  | { readonly kind: 'run'; readonly milliseconds: number };

export interface LoadReport {
  /** Exchanges that ended well while the work ran. */
  readonly done: number;
  readonly retransmissions: number;
  /** ms */
  readonly elapsed: number;
}

let devices: LoadDevice[] = [];

async function open(command: LoadCommand & { readonly kind: 'open' }): Promise<void> {
  devices = Array.from(
    { length: command.devices },
    (_, index) => new LoadDevice(`bench-${index}`, command.work, command.readings),
  );
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

function total(of: (device: LoadDevice) => number): number {
  return devices.reduce((sum, device) => sum + of(device), 0);
}

process.on('message', (command: LoadCommand) => {
  const work: Promise<LoadReport | 'open'> =
    command.kind === 'open' ? open(command).then(() => 'open' as const) : run(command.milliseconds);
  work.then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
