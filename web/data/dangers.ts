import type { Confirmation } from './confirmation.ts';
import type { DeviceOperation } from './device-operations.ts';

/** What is asked before an Execute that is hard to take back. */
interface Danger {
  readonly verb: string;
  readonly effect: string;
  /** It cannot be undone: the endpoint's name is to be typed. */
  readonly final?: true;
}

/** By object and resource. */
export const dangers: Readonly<Record<string, Danger>> = {
  '/1/4': {
    verb: 'Disable',
    effect:
      'The device de-registers from this server and stays away for its Disable Timeout: it cannot be reached meanwhile.',
  },
  '/3/4': {
    verb: 'Reboot',
    effect: 'The device restarts. It is away meanwhile, and what it measures in that time is lost.',
  },
  '/3/5': {
    verb: 'Factory reset',
    effect:
      'The device forgets what was set in it, its accounts on servers perhaps too: it may not come back by itself.',
    final: true,
  },
  '/5/2': {
    verb: 'Update firmware',
    effect: 'The device installs the package that it has, and restarts with it.',
  },
  '/8/3': {
    verb: 'Wipe',
    effect: 'The device erases what it keeps. It cannot be brought back.',
    final: true,
  },
  '/9/4': { verb: 'Install', effect: 'The device installs the software package that it has.' },
  '/9/6': { verb: 'Uninstall', effect: 'The device removes this software.' },
};

/** What an Execute of this path does that a reader should know before; undefined where nothing is known to. */
export function dangerOf(path: string): Danger | undefined {
  const [object, , resource] = path.split('/').slice(1);
  return dangers[`/${object}/${resource}`];
}

/** What is asked before a request goes to a device; undefined where it is easily taken back. */
export function questionBefore(
  { kind, paths: [path = ''] }: Pick<DeviceOperation, 'kind' | 'paths'>,
  endpoint: string,
): Confirmation | undefined {
  if (kind === 'delete') {
    return {
      title: `Delete ${path} of ${endpoint}?`,
      effect: 'The device removes it with all that it holds. It cannot be brought back.',
      verb: 'Delete',
    };
  }
  const danger = kind === 'execute' ? dangerOf(path) : undefined;
  if (danger === undefined) return undefined;
  return {
    title: `${danger.verb}: ${endpoint}?`,
    effect: danger.effect,
    verb: danger.verb,
    ...(danger.final ? { typed: endpoint } : {}),
  };
}
