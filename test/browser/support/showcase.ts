import type { ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import type { TestSystem } from './system.ts';

/** Twenty modems as an operator might have them: three carriers, some asleep, cards that refuse, one that was lost. */
export interface Showcase {
  /** The modem with all its sensors at their usual rates. */
  readonly main: string;
  /** Registered in queue mode, with a window so short that it is asleep nearly always. */
  readonly sleeper: string;
  /** Its card refuses every switch. */
  readonly refuser: string;
  /** Was killed; its registration has run out. */
  readonly lost: string;
  readonly size: number;
}

interface DevicePage {
  readonly total: number;
}

const groups: readonly (readonly [prefix: string, count: number, ...options: string[]])[] = [
  ['truck-', 7, '--carrier', 'AT&T'],
  ['camera-', 4, '--carrier', 'Verizon'],
  // They have nothing to say by themselves, and so they sleep.
  [
    ...([
      'meter-',
      5,
      '--carrier',
      'T-Mobile',
      '--queue-mode',
      '--awake-time',
      '1',
      '--lifetime',
      '3600',
    ] as const),
    ...(['--rate', 'imu=0,gyro=0,temperature=0'] as const),
  ],
  ['kiosk-', 2, '--carrier', 'Verizon', '--card-fault', 'policy'],
];

/** Starts them all beside a server that runs, and resolves when each is as it should be. */
export async function startShowcase(system: TestSystem): Promise<Showcase> {
  const size = groups.reduce((sum, [, count]) => sum + count, 2);
  const lost: ProjectProcess = system.startModem('depot-9', '--lifetime', '6', '--state', ':memory:');
  system.startModem('modem-1');
  for (const [prefix, count, ...options] of groups) {
    system.startFleet(count, '--prefix', prefix, '--quiet', ...options);
  }
  const count = async (query: string): Promise<number> =>
    (await system.api<DevicePage>(`/api/devices?limit=1&${query}`)).total;
  await until('all modems are registered', async () => (await count('state=registered')) === size, 60_000);
  await until('their carriers are known', async () => (await count('carrier=')) === 0, 60_000);
  for (let meter = 1; meter <= 5; meter++) {
    const answer = await fetch(`${system.origin}/api/devices/meter-${meter}/presence`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ awakeTime: 1_000 }),
    });
    if (!answer.ok) throw new Error(`meter-${meter}: ${answer.status} ${await answer.text()}`);
  }
  await until('the meters sleep', async () => (await count('state=asleep')) >= 3, 60_000);
  await lost.kill('SIGKILL');
  await until('one of them is lost', async () => (await count('state=lost')) === 1, 60_000);
  return { main: 'modem-1', sleeper: 'meter-1', refuser: 'kiosk-1', lost: 'depot-9', size };
}
