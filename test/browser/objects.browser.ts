import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { instance } from '../../client/lwm2m/object-tree.ts';
import { portfolioObject } from '../../objects/portfolio.ts';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ApiDevice, ApiObservationStatus, ApiReadResult } from '../../web/data/api-types.ts';
import { allTypesXml, firstValues } from '../interop/leshan/all-types.ts';
import { TypesClient } from '../interop/leshan/types-client.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { ObjectsTab } from './support/objects-tab.ts';
import { TestSystem } from './support/system.ts';

const modem = 'objects-modem';
const types = 'types-client';
const sleeper = 'types-sleeper';
const large = 'large-client';
const instances = 1000;

describe.skipIf(skipWithoutChromium)('the objects of a device, in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;
  const clients = new Map<string, TypesClient>();

  const client = async (
    endpoint: string,
    ...options: [Parameters<typeof TypesClient.start>[3]?, Parameters<typeof TypesClient.start>[4]?]
  ): Promise<TypesClient> => {
    const started = await TypesClient.start(system.coapUri, endpoint, firstValues, ...options);
    clients.set(endpoint, started);
    return started;
  };
  const device = (endpoint: string) => system.api<ApiDevice>(`/api/devices/${endpoint}`);
  const read = async (endpoint: string, path: string) =>
    (await system.api<ApiReadResult>(`/api/devices/${endpoint}/objects${path}`)).value;
  const registered = (endpoint: string) =>
    vi.waitUntil(async () => (await fetch(`${system.origin}/api/devices/${endpoint}`)).ok, {
      timeout: 60_000,
      interval: 100,
    });
  const wanted = async (endpoint: string, path: string) =>
    (await system.api<ApiObservationStatus>(`/api/devices/${endpoint}/observation-policy`)).wanted.find(
      ({ paths }) => paths.join() === path,
    );
  const address = () => new URL(page.url()).pathname;
  const tab = (endpoint: string) => new ObjectsTab(page, endpoint);
  const focusedPath = () =>
    page.evaluate<string | undefined>(
      '(function deepest(root) { const at = root.activeElement; return at?.shadowRoot ? deepest(at.shadowRoot) : at?.dataset?.path; })(document)',
    );

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    system.startModem(modem, '--version', '1.2', '--rate', 'imu=0,gyro=0,temperature=0');
    browser = await launchChromium();
    await registered(modem);
  });

  beforeEach(async () => {
    console = await openPage(browser, system.origin);
    page = console.page;
    return async () => {
      // What a device refuses is an answer with an error, which a browser tells of by itself.
      const complaints = console.complaints.filter(
        (text) => !/the server responded with a status of 4/.test(text),
      );
      const picture = process.env['SCREENSHOT'];
      if (picture !== undefined) await writeFile(picture, await page.screenshot({ fullPage: true }));
      expect(complaints).toEqual([]);
      await console.context.close();
    };
  });

  afterAll(async () => {
    await browser?.close();
    for (const each of clients.values()) await each.close();
    await system?.close();
  });

  describe('as a tree', () => {
    it('has names, versions, operations, values and their age, and is gone through by keys', async () => {
      const objects = tab(modem);
      await objects.open();
      // Before the definitions have come, an object has no name.
      await eventually(() => objects.row('/3').innerText()).toMatch(/Device\s*\/3\s*1\.2/);
      await objects.row('/1').focus();
      await page.keyboard.press('ArrowDown');
      expect(await focusedPath()).toBe('/3');
      await page.keyboard.press('ArrowRight');
      await objects.row('/3/0').waitFor();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      expect(await focusedPath()).toBe('/3/0/0');
      expect(await objects.row('/3/0/0').innerText()).toMatch(/Manufacturer\s*0\s*R\s*Simyard/);
      await page.keyboard.type('batt');
      expect(await focusedPath()).toBe('/3/0/9');
      await page.keyboard.press('End');
      expect(await focusedPath()).toBe('/42770');
      await page.keyboard.press('Home');
      expect(await focusedPath()).toBe('/1');
      await page.keyboard.type('devi');
      await page.keyboard.press('Enter');
      expect(address()).toBe(`/devices/${modem}/objects/3`);
      await objects.title('/3').waitFor();
      await page.keyboard.press('ArrowLeft');
      await eventually(() => objects.row('/3/0').count()).toBe(0);
      await expect(objects.row('/3').getAttribute('aria-expanded')).resolves.toBe('false');
    });

    it('has an address for every place, and back goes to the one before', async () => {
      const objects = tab(modem);
      await objects.open('/3/0/9');
      await expect(objects.row('/3/0/9').getAttribute('aria-selected')).resolves.toBe('true');
      await page
        .getByRole('navigation', { name: 'Where this is' })
        .getByRole('link', { name: 'Device' })
        .click();
      await objects.title('/3').waitFor();
      await page.goBack();
      await objects.title('/3/0/9').waitFor();
    });

    it('is filtered by names, ids and values', async () => {
      const objects = tab(modem);
      await objects.open();
      const filter = page.getByRole('searchbox', { name: 'Filter by name, id, path or value' });
      await filter.fill('SIM modem, sim');
      await objects.row('/3/0/1').waitFor();
      expect(await page.getByRole('treeitem').count()).toBe(3);
      await filter.fill('/4/0/2');
      await objects.row('/4/0/2').waitFor();
      await filter.fill('no such thing');
      await page.getByText('Nothing here is called “no such thing”').waitFor();
    });

    it('has what is defined and not shown by the device when it is asked for, and Discover tells', async () => {
      const objects = tab(modem);
      await objects.open('/6/0');
      await objects.row('/6/0').press('ArrowRight');
      const text = (path: string) => objects.row(path).getAttribute('class');
      await eventually(() => objects.row('/6/0/0').count()).toBe(1);
      await page.getByLabel('All defined').check();
      await eventually(() => text('/6/0/3')).toContain('unseen');
      expect(await objects.ask('Discover', 'Discover /6/0')).toContain('2.05 Content');
      await eventually(() => text('/6/0/5')).not.toContain('unseen');
    });

    it('draws only the rows in sight of a thousand instances', async () => {
      const many = await client(large);
      await registered(large);
      for (let id = 0; id < instances; id++)
        many.client.tree.add(
          instance(portfolioObject, id, { identity: { read: () => new Map([[0, `text ${id}`]]) } }),
        );
      await eventually(async () => (await device(large)).registration?.objects.length).toBeGreaterThan(
        instances,
      );
      const objects = tab(large);
      await objects.open();
      await objects.row('/16').click();
      await objects.row('/16/0').waitFor();
      expect(await page.getByRole('treeitem').count()).toBeLessThan(120);
      await objects.row('/16/0').focus();
      await page.keyboard.press('End');
      await eventually(focusedPath).toBe('/42771');
      await page.keyboard.press('ArrowUp');
      await eventually(focusedPath).toBe(`/16/${instances - 1}`);
      await expect(objects.row(`/16/${instances - 1}`).getAttribute('aria-setsize')).resolves.toBe(
        String(instances),
      );
      await page.keyboard.press('Enter');
      await objects.title(`/16/${instances - 1}`).waitFor();
      expect(await objects.ask('Read', `Read /16/${instances - 1}`)).toContain(`text ${instances - 1}`);
      await page.reload();
      await objects.row(`/16/${instances - 1}`).waitFor();
      await eventually(() => objects.row(`/16/${instances - 1}`).isVisible()).toBe(true);
    });
  });

  describe('of an object that nobody has defined', () => {
    it('goes by numbers, until its definition is uploaded', async () => {
      await client(types, { version: '1.2' });
      await registered(types);
      const objects = tab(types);
      await objects.open('/42771/0');
      await page.getByText('The server has no definition of object 42771').waitFor();
      expect(await objects.row('/42771').innerText()).toContain('no definition');
      expect(await objects.ask('Read', 'Read /42771/0')).toContain('2.05 Content');
      await objects.row('/42771/0').press('ArrowRight');
      await objects.row('/42771/0/1').click();
      await objects.title('/42771/0/1').waitFor();
      const answer = await fetch(`${system.origin}/api/object-models`, {
        method: 'POST',
        headers: { 'content-type': 'application/xml' },
        body: allTypesXml,
      });
      expect(answer.status).toBe(201);
      await eventually(() => objects.row('/42771').innerText()).toContain('All Types');
      await objects.title('/42771/0/1').getByText('Integer').waitFor();
    });
  });

  describe('by its operations', () => {
    let at: TypesClient;
    const written = (path: string) =>
      at.happened.filter(({ event, path: of }) => event === 'written' && of === path).at(-1)?.detail;

    beforeAll(async () => {
      at = clients.get(types) as TypesClient;
    });

    it.each([
      ['String', '/42771/0/0', 'Ein „Text“', 'Ein „Text“'],
      ['Integer', '/42771/0/1', '-9007199254740993', -9007199254740993n],
      ['Unsigned', '/42771/0/2', '18446744073709551614', 18446744073709551614n],
      ['Float', '/42771/0/3', '21.5', 21.5],
      ['Opaque', '/42771/0/5', 'de ad be ef', Uint8Array.of(0xde, 0xad, 0xbe, 0xef)],
      ['Time', '/42771/0/6', '2026-06-01T12:00:30', Date.parse('2026-06-01T12:00:30') / 1000],
      ['Object Link', '/42771/0/7', '3:0', { objectId: 3, instanceId: 0 }],
      ['Core Link', '/42771/0/8', '</3/0>', '</3/0>'],
    ] as const)('writes a %s, and shows what the device then has', async (_, path, text, value) => {
      const objects = tab(types);
      await objects.open(path);
      expect(await objects.write(text)).toContain('2.04 Changed');
      expect(written(path)).toEqual(value);
      expect(await objects.outcome(`Read ${path}`)).toContain('2.05 Content');
    });

    it('writes a boolean by choosing it', async () => {
      const objects = tab(types);
      await objects.open('/42771/0/4');
      await objects.section('Write').getByLabel('New value').selectOption('false');
      expect(await objects.ask('Write', 'Write /42771/0/4')).toContain('2.04 Changed');
      expect(written('/42771/0/4')).toBe(false);
    });

    it('writes the bytes of a file', async () => {
      const file = join(system.folder, 'bytes.bin');
      await writeFile(file, Uint8Array.of(1, 2, 3, 250));
      const objects = tab(types);
      await objects.open('/42771/0/5');
      await page.getByLabel('Take the bytes of a file').setInputFiles(file);
      await eventually(() => objects.section('Write').getByLabel('New value').inputValue()).toBe('010203fa');
      expect(await objects.ask('Write', 'Write /42771/0/5')).toContain('2.04 Changed');
      expect(written('/42771/0/5')).toEqual(Uint8Array.of(1, 2, 3, 250));
    });

    it('does not send what does not fit, and says why', async () => {
      const objects = tab(types);
      await objects.open('/42771/0/1');
      await objects.section('Write').getByLabel('New value').fill('many');
      await objects.button('Write').click();
      await objects.section('Write').getByRole('alert').getByText('Integer takes an integer').waitFor();
      expect(await objects.requests.count()).toBe(0);
    });

    it('keeps what is being typed, whatever the device reports meanwhile', async () => {
      const objects = tab(types);
      await objects.open('/42771/0/3');
      expect(await objects.ask('Observe', 'Observe /42771/0/3')).toContain('2.05 Content');
      const input = objects.section('Write').getByLabel('New value');
      await input.fill('99.5');
      at.set('/42771/0/3', 33.25);
      await page.locator('sy-place-head').getByText('33.25').waitFor();
      expect(await input.inputValue()).toBe('99.5');
    });

    it('writes the instances of a resource: some of them, or in the place of all', async () => {
      const objects = tab(types);
      await objects.open('/42771/0/10');
      expect(await objects.ask('Read', 'Read /42771/0/10')).toContain('3 values');
      const section = objects.section('Write');
      await section.getByLabel('Value of instance 7').fill('zwei');
      await section.getByRole('button', { name: 'Leave instance 65534 out' }).click();
      await section.getByRole('button', { name: 'Add instance' }).click();
      await section.getByLabel('Value of instance 1', { exact: true }).fill('eins');
      await section.getByLabel('Update these').check();
      expect(await objects.ask('Write instances', 'Write /42771/0/10')).toContain('2.04 Changed');
      expect(written('/42771/0/10')).toEqual(
        new Map([
          [0, 'one'],
          [1, 'eins'],
          [7, 'zwei'],
          [65534, 'three'],
        ]),
      );
      await section.getByLabel('Replace all').check();
      expect(await objects.ask('Write instances', 'Write /42771/0/10')).toContain('2.04 Changed');
      expect([...(written('/42771/0/10') as Map<number, string>).keys()]).toEqual([0, 1, 7]);
    });

    it('writes several resources of an instance at once', async () => {
      const objects = tab(types);
      await objects.open('/42771/0');
      await objects.ask('Read', 'Read /42771/0');
      await page.getByText('Write several resources at once').click();
      const section = objects.section('Write several');
      await section.getByLabel('Give String /0').check();
      await section.getByLabel('String /0', { exact: true }).fill('together');
      await section.getByLabel('Give Integer /1').check();
      await section.getByLabel('Integer /1', { exact: true }).fill('12');
      expect(await objects.ask('Write', 'Write /42771/0')).toContain('2.04 Changed');
      expect([written('/42771/0/0'), written('/42771/0/1')]).toEqual(['together', 12]);
      await objects.outcome('Read /42771/0');
      expect(await read(types, '/42771/0/21')).toBe('fixed');
    });

    it('executes with arguments', async () => {
      const objects = tab(types);
      await objects.open('/42771/0/20');
      await objects.button('Add argument').click();
      await page.getByLabel('Argument 0', { exact: true }).fill('first');
      await objects.button('Add argument').click();
      await page.getByLabel('Argument 1', { exact: true }).fill('not allowed');
      await objects.button('Execute').click();
      await page.getByText('Argument 1 may hold printable ASCII').waitFor();
      await page.getByLabel('Argument 1', { exact: true }).fill('2');
      expect(await objects.ask('Execute', 'Execute /42771/0/20')).toContain('2.04 Changed');
      const executed = at.happened.find(({ event, path }) => event === 'executed' && path === '/42771/0/20');
      expect(JSON.stringify(executed?.detail)).toContain('first');
    });

    it('asks before it reboots a device, and does nothing when the answer is no', async () => {
      const objects = tab(types);
      await objects.open('/3/0/4');
      await objects.button('Execute…').click();
      const dialog = page.getByRole('dialog', { name: `Reboot: ${types}?` });
      await dialog.getByText('The device restarts').waitFor();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'hidden' });
      expect(await objects.requests.count()).toBe(0);
      await objects.button('Execute…').click();
      await dialog.getByRole('button', { name: 'Reboot' }).click();
      expect(await objects.outcome('Execute /3/0/4')).toContain('2.04 Changed');
      expect(at.happened.some(({ path }) => path === '/3/0/4')).toBe(true);
    });

    it('creates an instance from its definition, and deletes it', async () => {
      const objects = tab(types);
      await objects.open('/42771');
      const section = objects.section('Create');
      await section.getByLabel('Give String /0').check();
      await section.getByLabel('String /0', { exact: true }).fill('new');
      await section.getByLabel('Give Integers /11').check();
      await section.getByRole('group', { name: 'Integers /11' }).getByLabel('Instance 0').fill('5');
      expect(await objects.ask('Create', 'Create /42771')).toContain('2.01 Created');
      await objects.requests.first().getByRole('link', { name: '/42771/1' }).click();
      await objects.title('/42771/1').waitFor();
      expect(await read(types, '/42771/1/0')).toBe('new');
      expect(await read(types, '/42771/1/11/0')).toBe(5);

      await objects.button('Delete…').click();
      const dialog = page.getByRole('dialog', { name: `Delete /42771/1 of ${types}?` });
      await dialog.getByRole('button', { name: 'Delete' }).click();
      expect(await objects.outcome('Delete /42771/1')).toContain('2.02 Deleted');
      expect(at.happened).toContainEqual({ event: 'deleted', path: '/42771/1' });
      await eventually(address).toBe(`/devices/${types}/objects/42771`);
      await eventually(() => objects.row('/42771/1').count()).toBe(0);
    });

    it('marks what a new instance must have', async () => {
      const objects = tab(modem);
      await objects.open('/16');
      const section = objects.section('Create');
      await section.getByText('Identity /0 (must be given)').waitFor();
      await section.getByLabel('Instance 0').fill('urn:example:7');
      expect(await objects.ask('Create', 'Create /16')).toContain('2.01 Created');
      expect(await read(modem, '/16/1/0/0')).toBe('urn:example:7');
    });

    it('shows links as links to the places that they name', async () => {
      const objects = tab(modem);
      await objects.open('/10/0/11');
      await objects.ask('Read', 'Read /10/0/11');
      await page.getByRole('table', { name: 'Values' }).getByRole('link', { name: '/11/0' }).click();
      await objects.title('/11/0').waitFor();
    });

    it('tells what the device refuses in its own words, with what helps', async () => {
      const objects = tab(modem);
      await objects.open('/1/0');
      await objects.button('Delete…').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      const outcome = await objects.outcome('Delete /1/0');
      expect(outcome).toContain('4.05 The device does not offer this operation there');
      expect(outcome).toContain('/1/0 cannot be deleted');
      await objects.row('/1/0').waitFor();
    });

    it('resets a modem to factory settings only after its name was typed', async () => {
      const objects = tab(modem);
      await objects.open('/3/0/15');
      expect(await objects.write('Europe/Berlin')).toContain('2.04 Changed');
      expect(await read(modem, '/3/0/15')).toBe('Europe/Berlin');
      await objects.open('/3/0/5');
      await objects.button('Execute…').click();
      const dialog = page.getByRole('dialog', { name: `Factory reset: ${modem}?` });
      const confirm = dialog.getByRole('button', { name: 'Factory reset' });
      await dialog.getByLabel('Type objects-modem to confirm').fill('objects-mode');
      expect(await confirm.isDisabled()).toBe(true);
      await dialog.getByLabel('Type objects-modem to confirm').fill(modem);
      await confirm.click();
      expect(await objects.outcome('Execute /3/0/5')).toContain('2.04 Changed');
      await eventually(async () => {
        const answer = await fetch(`${system.origin}/api/devices/${modem}/objects/3/0/15`);
        return answer.ok ? ((await answer.json()) as ApiReadResult).value : undefined;
      }).not.toBe('Europe/Berlin');
    });

    it('writes attributes that fit, and Discover shows them', async () => {
      const objects = tab(modem);
      await objects.open('/3/0/9');
      await page.getByText('Notification attributes').click();
      await page.getByLabel(/^pmin/).fill('5');
      await page.getByLabel(/^pmax/).fill('2');
      await objects.button('Write attributes').click();
      await page.getByRole('alert').getByText('pmax (2) is less than pmin (5)').waitFor();
      await page.getByLabel(/^pmax/).fill('60');
      expect(await objects.ask('Write attributes', 'Write-Attributes /3/0/9')).toContain('2.04 Changed');
      const shown = await objects.ask('Discover', 'Discover /3/0/9');
      expect(shown).toContain('pmin=5');
      expect(shown).toContain('pmax=60');
      await page.getByLabel(/^pmax/).fill('-');
      await page.getByLabel(/^pmin/).fill('');
      await objects.ask('Write attributes', 'Write-Attributes /3/0/9');
      await objects.button('Discover').click();
      await eventually(() => objects.requests.first().innerText()).toContain('pmin=5');
      expect(await objects.requests.first().innerText()).not.toContain('pmax');
      await objects.open('/3/0/1');
      await page.getByText('Notification attributes').click();
      await page.getByLabel(/^pmin/).waitFor();
      expect(await page.getByLabel(/^gt/).count()).toBe(0);
    });

    it('observes with attributes, says who wants it, and leaves it to the policies again', async () => {
      const objects = tab(modem);
      await objects.open('/3/0/10');
      const section = objects.section('Observation');
      await section.getByText('Nobody wants it observed').waitFor();
      await page.getByText('Notification attributes').click();
      await page.getByLabel(/^pmin/).fill('1');
      await page.getByLabel(/^pmax/).fill('30');
      expect(await objects.ask('Observe with these', 'Observe /3/0/10')).toContain('2.05 Content');
      await section.getByText('wanted by hand, with pmin=1 pmax=30').waitFor();
      expect(await wanted(modem, '/3/0/10')).toMatchObject({ state: 'observed', by: { kind: 'hand' } });
      expect(await objects.ask('End observation', 'End the observation of /3/0/10')).toContain('ended');
      await section.getByText(/Nobody wants it observed|Not observed/).waitFor();
      expect(await wanted(modem, '/3/0/10')).toBeUndefined();
    });

    it('reads, writes and observes three places together', async () => {
      const objects = tab(modem);
      await objects.open('/3/0/14');
      await page.getByLabel('Pick several').check();
      await objects.row('/6').click();
      const filter = page.getByRole('searchbox', { name: 'Filter by name, id, path or value' });
      await filter.fill('/1/0/1');
      await objects.row('/1/0/1').click();
      await filter.fill('');
      await page.getByText('3 picked').waitFor();
      const answer = await objects.ask('Read together', 'Read-Composite of 3 paths');
      expect(answer).toContain('2.05 Content · SenML');
      for (const path of ['/3/0/14', '/6/0/0', '/1/0/1']) expect(answer).toContain(path);

      await page.getByRole('textbox', { name: 'UTC Offset /3/0/14' }).fill('+02:00');
      await page.getByRole('textbox', { name: 'Lifetime /1/0/1' }).fill('420');
      expect(await objects.ask('Write together', 'Write-Composite of 2 paths')).toContain('2.04 Changed');
      expect(await read(modem, '/3/0/14')).toBe('+02:00');
      expect(await read(modem, '/1/0/1')).toBe(420);

      expect(await objects.ask('Observe together', 'Observe-Composite of 3 paths')).toContain('2.05 Content');
      const status = await system.api<ApiObservationStatus>(`/api/devices/${modem}/observation-policy`);
      expect(status.wanted.some(({ composite, paths }) => composite && paths.length === 3)).toBe(true);
      expect(await objects.ask('End that observation', 'End the observation of 3 paths')).toContain('ended');
    });

    it('has composite operations refused where the device is too old for them', async () => {
      system.startModem('old-modem', '--version', '1.0', '--rate', 'imu=0,gyro=0,temperature=0');
      await registered('old-modem');
      const objects = tab('old-modem');
      await objects.open('/3/0/9');
      await page.getByLabel('Pick several').check();
      await page.getByText('The device speaks LwM2M 1.0').waitFor();
      expect(await objects.button('Read together').isDisabled()).toBe(true);
    });

    it('asks in the format that was chosen', async () => {
      const objects = tab(modem);
      await objects.open('/3/0/9');
      await page.getByLabel('Format').selectOption('TLV');
      expect(await objects.ask('Read', 'Read /3/0/9')).toContain('2.05 Content · TLV');
    });
  });

  describe('of a device that sleeps', () => {
    let at: TypesClient;
    const asleep = () => eventually(async () => (await device(sleeper)).presence?.awake).toBe(false);

    beforeAll(async () => {
      at = await client(
        sleeper,
        { version: '1.1', account: { queueMode: true, lifetime: 3600 } },
        { awakeTime: 1500 },
      );
      await registered(sleeper);
      const base = `${system.origin}/api/devices/${sleeper}`;
      await fetch(`${base}/observations/42771/0/3`, { method: 'POST' });
      await fetch(`${base}/presence`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ awakeTime: 1000 }),
      });
    });

    it('holds a request until it wakes, and follows it to its end', async () => {
      await asleep();
      const objects = tab(sleeper);
      await objects.open('/42771/0/0');
      await page.getByText('The device sleeps').waitFor();
      await page.getByLabel('Hold until it wakes').check();
      await objects.section('Write').getByLabel('New value').fill('while it slept');
      await objects.button('Write').click();
      const request = objects.request('Write /42771/0/0');
      await request.getByText('held until the device is heard').waitFor();
      expect(at.happened).toEqual([]);
      at.set('/42771/0/3', Math.random());
      await eventually(() => request.getAttribute('class')).toBe('done');
      expect(at.happened).toEqual([{ event: 'written', path: '/42771/0/0', detail: 'while it slept' }]);
    });

    it('shows what a held Read has brought when it comes', async () => {
      await asleep();
      const objects = tab(sleeper);
      await objects.open('/42771/0/21');
      await page.getByLabel('Hold until it wakes').check();
      await objects.button('Read').click();
      await objects.requests.first().getByText('held until the device is heard').waitFor();
      at.set('/42771/0/3', Math.random());
      await page.locator('sy-value-text').getByText('fixed', { exact: true }).waitFor();
    });

    it('cancels what is held', async () => {
      await asleep();
      const objects = tab(sleeper);
      await objects.open('/42771/0/0');
      await page.getByLabel('Hold until it wakes').check();
      await objects.button('Read').click();
      const request = objects.request('Read /42771/0/0');
      await request.getByRole('button', { name: 'Cancel' }).click();
      await request.getByText('cancelled', { exact: true }).waitFor();
    });

    it('stops waiting for an answer when it is told to', async () => {
      await asleep();
      const objects = tab(sleeper);
      await objects.open('/42771/0/0');
      await page.getByLabel('Timeout').selectOption('300');
      await objects.button('Read').click();
      const request = objects.request('Read /42771/0/0');
      await request.getByText('in progress').waitFor();
      await request.getByRole('button', { name: 'Stop waiting' }).click();
      await request.getByText('not waited for any longer').waitFor();
    });
  });

  it.each(looks)('has nothing that axe objects to ($name)', async ({ theme, width }) => {
    const look = await openPage(browser, system.origin, { theme, width });
    page = look.page;
    const objects = tab(types);
    await objects.open();
    expect(await violations(page)).toEqual([]);
    await objects.open('/42771/0');
    await objects.ask('Read', 'Read /42771/0');
    await page.getByText('Write several resources at once').click();
    await page.getByText('Notification attributes').click();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Format').scrollIntoViewIfNeeded();
    for (const path of ['/42771', '/42771/0/5', '/42771/0/10', '/42771/0/20']) {
      await objects.open(path);
      expect(await violations(page)).toEqual([]);
    }
    await objects.open('/3/0/4');
    await objects.button('Execute…').click();
    await page.getByRole('dialog').waitFor();
    expect(await violations(page)).toEqual([]);
    await look.context.close();
  });

  it('of a device that is away shows what was heard last, and keeps a wish for when it is back', async () => {
    const at = clients.get(types) as TypesClient;
    const objects = tab(types);
    await objects.open('/42771/0/3');
    at.set('/42771/0/3', 44.25);
    expect(await objects.ask('Read', 'Read /42771/0/3')).toContain('44.25');
    clients.delete(types);
    await at.close();
    await page.getByText('The device is not registered: this is what was heard of it last').waitFor();
    expect(await objects.button('Read').isDisabled()).toBe(true);
    await page.locator('sy-place-head').getByText('44.25').waitFor();
    await objects.open('/42771/0/0');
    await objects.button('Observe when it is back').click();
    await objects.section('Observation').getByText('wanted by hand').waitFor();
    expect(await wanted(types, '/42771/0/0')).toMatchObject({ state: 'pending', by: { kind: 'hand' } });
    await objects.button('Leave it to the policies').click();
    await objects.section('Observation').getByText('Nobody wants it observed').waitFor();
  });
});
