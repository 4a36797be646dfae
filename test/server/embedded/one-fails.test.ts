import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { Registration } from '../../../server/ports/registration-store.ts';
import { aRegistration } from '../../contract/engine.ts';
import { append, readAll } from '../../contract/telemetry-log.ts';
import { temporaryFolder } from './folder.ts';

const entry = (key: string) => ({ endpoint: 'a', key, receivedAt: 1, body: new Uint8Array([1]) });

test.each(['on disk', 'in memory'])(
  'of what goes into one transaction %s, what cannot be stored fails alone, and the rest is there once',
  async (where) => {
    const folder = where === 'on disk' ? await temporaryFolder() : undefined;
    const stores = await openEmbeddedStores({ path: folder ?? ':memory:' });
    const impossible = { ...aRegistration('bad'), lifetime: {} } as unknown as Registration;
    const [one, bad, two, first, second] = await Promise.allSettled([
      stores.registrations.register(aRegistration('one')),
      stores.registrations.register(impossible),
      stores.registrations.register({ ...aRegistration('two'), address: '127.0.0.1:2' }),
      append(stores.log, entry('k1')),
      append(stores.log, entry('k2')),
    ]);
    expect(bad).toMatchObject({ status: 'rejected' });
    expect(one).toMatchObject({ status: 'fulfilled', value: { replaced: undefined, fence: 1 } });
    expect(two).toMatchObject({ status: 'fulfilled', value: { replaced: undefined, fence: 1 } });
    expect([first, second]).toMatchObject([
      { status: 'fulfilled', value: { duplicate: false } },
      { status: 'fulfilled', value: { duplicate: false } },
    ]);
    expect(await stores.registrations.count()).toBe(2);
    expect(await stores.registrations.byEndpoint('bad')).toBeUndefined();
    expect(await readAll(stores.log, 0, 10)).toHaveLength(2);
    const { items } = await stores.devices.list({ limit: 10, now: 0 });
    expect(items.map(({ endpoint }) => endpoint).sort()).toEqual(['one', 'two']);
    await stores.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  },
);
