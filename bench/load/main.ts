/** A process of simulated devices, steered over IPC: `open` makes and registers them, `run` lets them work for a time, `pace` at a rate. */
import { answering } from '../answering.ts';
import { Fleet, type FleetOptions } from './fleet.ts';
import { defaults, type LoadReport, summed } from './load-report.ts';
import { alone, type Work } from './tally.ts';

export type LoadCommand =
  | ({
      readonly kind: 'open';
      /** Of one work; `mix` takes several. */
      readonly work?: Work;
      readonly devices: number;
      readonly readings: number;
      readonly port: number;
    } & Partial<FleetOptions>)
  /** As fast as the server answers, each device with one exchange under way. */
  | { readonly kind: 'run'; readonly milliseconds: number; readonly window?: number }
  /** `rate` exchanges a second in all, whatever the server does. */
  | { readonly kind: 'pace'; readonly milliseconds: number; readonly rate: number }
  /** The devices, who are not registered yet. */
  | { readonly kind: 'open-sockets'; readonly options: FleetOptions }
  /** `rate` of them a second; all at one instant unless told. */
  | { readonly kind: 'register'; readonly rate?: number }
  /** All deregister. */
  | { readonly kind: 'leave' }
  /** What is under way ends at once, and tells what it has done; nothing is begun after it. Not answered itself. */
  | { readonly kind: 'stop' };

export type { LoadReport };
export type PacedReport = LoadReport;

/** A device that nobody observes by itself. */
const plain = '</>;rt="oma.lwm2m";ct="112",</1/0>,</5/0>';
/** Devices a second that register before the work begins. */
const REGISTERED_PER_SECOND = 2_000;

let fleet: Fleet | undefined;

async function open(command: LoadCommand & { readonly kind: 'open' }): Promise<void> {
  const { kind: _kind, work, ...options } = command;
  const mix = work === undefined ? (options.mix ?? defaults.mix) : { [work]: 1 };
  const links =
    options.links ?? (mix.notify === undefined && mix.send === undefined ? plain : defaults.links);
  fleet = await Fleet.open({ ...defaults, ...options, mix, links });
  const needsNone = work !== undefined && alone.has(work);
  if (!needsNone) await fleet.register(REGISTERED_PER_SECOND);
}

function opened(): Fleet {
  if (fleet === undefined) throw new Error('the devices were not opened');
  return fleet;
}

async function perform(command: LoadCommand): Promise<LoadReport | 'open' | undefined> {
  switch (command.kind) {
    case 'open':
      await open(command);
      return 'open';
    case 'open-sockets':
      fleet = await Fleet.open(command.options);
      return 'open';
    case 'register':
      return summed(await opened().register(command.rate ?? Number.POSITIVE_INFINITY));
    case 'stop':
      fleet?.stop();
      return undefined;
    case 'leave':
      return summed(await opened().leave());
    case 'run':
      return summed(await opened().run(command.milliseconds, command.window));
    case 'pace':
      return summed(await opened().pace(command.milliseconds, command.rate));
  }
}

answering(perform, () => fleet?.progress());
