import type { Command } from '../ports/command-queue.ts';
import type { JobDevice, JobDeviceState } from '../ports/job-store.ts';
import type { Stores } from '../ports/stores.ts';

/** Devices that are looked at in one go. */
const PAGE = 500;

/**
 * Goes through the devices of a job in some states, with the newest command of each as the queue has it: undefined where
 * it is not kept any more. `onPage` is called between two pages, and at the end; true ends it.
 */
export async function reviewDevices(
  { jobs, commands }: Pick<Stores, 'jobs' | 'commands'>,
  job: string,
  states: readonly JobDeviceState[],
  look: (device: JobDevice, command: Command | undefined) => void,
  onPage: () => Promise<boolean>,
): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await jobs.devices(job, {
      states,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    // Read after the device: they are no older than it.
    const found = await Promise.all(
      page.items.map(({ command }) => (command === undefined ? undefined : commands.get(command))),
    );
    for (const [index, device] of page.items.entries()) look(device, found[index]);
    if (await onPage()) return;
    cursor = page.next;
  } while (cursor !== undefined);
}
