/** What is asked before an Execute that is hard to take back. */
export interface Danger {
  readonly verb: string;
  readonly effect: string;
  /** It cannot be undone: the endpoint's name is to be typed. */
  readonly final: boolean;
}

/** By object and resource. */
const dangers: Readonly<Record<string, Danger>> = {
  '/3/4': {
    verb: 'Reboot',
    effect: 'The device restarts. It is away meanwhile, and what it measures in that time is lost.',
    final: false,
  },
  '/3/5': {
    verb: 'Factory reset',
    effect:
      'The device forgets what was set in it, its accounts on servers perhaps too: it may not come back by itself.',
    final: true,
  },
  '/1/4': {
    verb: 'Disable',
    effect: 'The device leaves this server for its Disable Timeout, and cannot be reached meanwhile.',
    final: false,
  },
  '/5/2': {
    verb: 'Update firmware',
    effect: 'The device installs the package that it has, and restarts with it.',
    final: false,
  },
  '/9/4': { verb: 'Install', effect: 'The device installs the software package that it has.', final: false },
  '/9/6': { verb: 'Uninstall', effect: 'The device removes this software.', final: false },
};

/** What an Execute of this path does that a reader should know before; undefined where nothing is known to. */
export function dangerOf(path: string): Danger | undefined {
  const [object, , resource] = path.split('/').slice(1);
  return dangers[`/${object}/${resource}`];
}
