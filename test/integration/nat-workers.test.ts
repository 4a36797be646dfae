import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiCommand, ApiDevice } from '../../server/api/schemas.ts';
import { type ModemOnPort, PortSharers } from '../support/port-sharers.ts';
import { UdpMiddlebox } from '../support/udp-middlebox.ts';
import { until } from '../support/until.ts';

/** ms between changes of all addresses, and their number: `10000` and `60` for a long run by hand. */
const PERIOD = Number(process.env['NAT_PERIOD'] ?? 2_000);
const CHANGES = Number(process.env['NAT_CHANGES'] ?? 8);
const MODEMS = 12;
const CARRIERS = ['T-Mobile', 'Verizon', 'AT&T'];
const LIMIT = 60_000;

let sharers: PortSharers;
let nat: UdpMiddlebox;
afterEach(async () => {
  await sharers.close();
  await nat.close();
});

/** Switches, and says how many ms it took until the modem had taken the command. */
async function switchTo({ name }: ModemOnPort, carrier: string): Promise<number> {
  const { id } = await sharers.api.post<ApiCommand>(`/api/devices/${name}/carrier`, { carrier });
  const ended = await until(
    'the switch has ended',
    async () => {
      const command = await sharers.api.get<ApiCommand>(`/api/commands/${id}`);
      return ['queued', 'sent', 'accepted'].includes(command.state) ? undefined : command;
    },
    LIMIT,
  );
  expect(ended).toMatchObject({ state: 'done' });
  const at = (...states: readonly string[]): number => {
    const step = ended.history.find(({ state }) => states.includes(state));
    return step?.at ?? Number.NaN;
  };
  // Its result may come before the answer to the Execute.
  return at('accepted', 'done') - at('queued');
}

describe('modems behind a NAT, at two workers on one port', () => {
  it(
    'that get another port again and again come to the other worker, keep their registration, have each switch, and lose no reading',
    async () => {
      sharers = await PortSharers.open();
      const { modems } = sharers;
      await sharers.startServer('--workers', '2', '--node', 'node');
      nat = await UdpMiddlebox.open([`127.0.0.1:${sharers.coapPort}`]);
      for (let index = 0; index < MODEMS; index++) await sharers.startModem(nat.address);
      await until('all are observed', () => modems.every(({ port }) => port.acknowledged.length > 0), LIMIT);
      await until('their carriers are known', async () => {
        const { items } = await sharers.api.get<{ items: { carrier?: unknown }[] }>('/api/devices');
        return items.length === MODEMS && items.every(({ carrier }) => carrier !== undefined);
      });

      const times: string[] = [];
      const owners = new Set<string>();
      for (let change = 0; change < CHANGES; change++) {
        const next = sleep(PERIOD);
        const modem = modems[change % MODEMS] as ModemOnPort;
        nat.rebind();
        // What acknowledges it is lost: the modem says nothing until it sends it again, after 2 to 3 s.
        const { waits } = modem.port;
        const time = await switchTo(modem, CARRIERS[change % 3] as string);
        times.push(`${time}${waits ? ' (it waited for an ACK)' : ''}`);
        for (const { name } of modems) {
          const { registration } = await sharers.api.get<ApiDevice>(`/api/devices/${name}`);
          owners.add(`${name} ${registration?.node}`);
        }
        await next;
      }

      // Some at least were heard by both: with so many changes not to be would be chance of one in millions.
      expect(owners.size).toBeGreaterThan(MODEMS);
      expect(modems.map(({ registrations }) => registrations)).toEqual(modems.map(() => 1));
      expect(await sharers.discrepancies()).toEqual([]);
      expect(nat.errors).toEqual([]);
      expect(sharers.faults()).toEqual([]);
      if (CHANGES > 8) console.log(`ms until a switch was taken: ${times.join(', ')}`);
    },
    4 * LIMIT + 2 * CHANGES * PERIOD,
  );
});
