import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const endpoint = 'settings-modem';
const model = (name: string, resource: string) => `<?xml version="1.0" encoding="utf-8"?>
<LWM2M>
  <Object ObjectType="MODefinition">
    <Name>${name}</Name>
    <ObjectID>32999</ObjectID>
    <ObjectURN>urn:oma:lwm2m:x:32999</ObjectURN>
    <MultipleInstances>Multiple</MultipleInstances>
    <Mandatory>Optional</Mandatory>
    <Resources>
      <Item ID="1"><Name>Level</Name><Operations>R</Operations><MultipleInstances>Single</MultipleInstances>
      <Mandatory>Mandatory</Mandatory><Type>${resource}</Type><RangeEnumeration>0..100</RangeEnumeration><Units>%</Units></Item>
    </Resources>
  </Object>
</LWM2M>
`;

describe.skipIf(skipWithoutChromium)('cluster and settings, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  const wanted = async () => {
    const { wanted } = await system.api<{ wanted: { paths: string[]; state: string }[] }>(
      `/api/devices/${endpoint}/observation-policy`,
    );
    return wanted.filter(({ state }) => state === 'observed').flatMap(({ paths }) => paths);
  };

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    system.startModem(endpoint);
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    await vi.waitUntil(async () => (await fetch(`${system.origin}/api/devices/${endpoint}`)).ok, {
      timeout: 60_000,
      interval: 100,
    });
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('shows the node with its devices and its load, and the store', async () => {
    await page.goto('/cluster');
    const node = page.getByRole('row').filter({ hasText: 'this node' });
    await node.getByText('up', { exact: true }).waitFor();
    await node.getByText(/\d\.\d\d of \d+ cores?/).waitFor();
    await node.getByText(/ms late/).waitFor();
    await eventually(() => node.getByRole('link').innerText()).toBe('1');
    const store = page.getByRole('region', { name: 'Store' });
    await store.getByText('ready', { exact: true }).waitFor();
    await store.getByText(/^embedded, .*, durable$/).waitFor();
    await store.getByText(/\d\s[kM]B$/).waitFor();
  });

  it('is reached with the keyboard from everywhere', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'Object definitions' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/settings/objects');
    await page.keyboard.press('?');
    await page
      .getByRole('dialog', { name: 'Keys' })
      .getByText(/s Settings/)
      .waitFor();
    await page.keyboard.press('Escape');
  });

  it('finds a definition, and shows it with its resources', async () => {
    await page.getByRole('searchbox').fill('device manag');
    await page.getByText(/No definition matches/).waitFor();
    await page.getByRole('searchbox').fill('connectivity mon');
    await page.getByText(/^4 of \d+$/).waitFor();
    await page.getByRole('link', { name: 'Connectivity Monitoring' }).last().click();
    await page.getByRole('heading', { name: '4 · Connectivity Monitoring' }).waitFor();
    await page
      .getByRole('row')
      .filter({ hasText: 'Radio Signal Strength' })
      .getByText('read', { exact: true })
      .waitFor();
    await page.getByRole('link', { name: '1.0', exact: true }).click();
    await eventually(() => page.getByRole('heading', { level: 1 }).locator('xpath=..').innerText()).toContain(
      '1.0',
    );
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download XML' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('4-1.0.xml');
  });

  it('takes a definition in, says by the line what is wrong with another, and lets it go again', async () => {
    const [good, bad] = [join(system.folder, 'tank.xml'), join(system.folder, 'broken.xml')];
    await writeFile(good, model('Tank', 'Integer'));
    await writeFile(bad, model('Tank', 'Integer').replace('</ObjectURN>', ''));
    await page.goto('/settings/objects');
    await page.locator('input[type=file]').setInputFiles([bad, good]);
    const files = page.getByRole('list', { name: 'Files' }).getByRole('listitem');
    await files.filter({ hasText: 'broken.xml' }).getByText('refused', { exact: true }).waitFor();
    expect(await files.filter({ hasText: 'broken.xml' }).innerText()).toMatch(/line \d+/);
    await files.filter({ hasText: 'tank.xml' }).getByText('added', { exact: true }).waitFor();
    await files.getByRole('link', { name: '32999 · Tank 1.0' }).click();
    await page.getByRole('row').filter({ hasText: 'Level' }).getByText('0 … 100').waitFor();
    await page.getByRole('button', { name: 'Remove…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'Remove the uploaded definition 32999 · Tank 1.0?' }).waitFor();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('heading', { name: 'Object definitions' }).waitFor();
    expect((await fetch(`${system.origin}/api/object-models/32999`)).status).toBe(404);
  });

  it('makes a policy by its form, which says first what has to be mended', async () => {
    await page.goto('/settings/policies');
    await page.getByRole('link', { name: 'New policy' }).click();
    await page.getByRole('button', { name: 'Create the policy' }).click();
    await page.getByText('Give it a name').waitFor();
    await page.getByLabel('Name').fill('Batteries');
    await page.getByLabel('Endpoint').fill('settings-*');
    await page.getByLabel('Paths').fill('3/0/9');
    await page.getByRole('button', { name: 'Create the policy' }).click();
    await page.getByText('3/0/9 is no path', { exact: false }).waitFor();
    await page.getByLabel('Paths').fill('/3/0/9');
    await page.getByLabel('pmin, s', { exact: true }).fill('5');
    await page.getByRole('button', { name: 'Create the policy' }).click();
    const policy = page.getByRole('listitem').filter({ hasText: 'Batteries' });
    await policy.getByText('For endpoint settings-*').waitFor();
    await policy.getByText('/3/0/9 (pmin 5)').waitFor();
    await eventually(wanted).toContain('/3/0/9');
  });

  it('changes it as JSON, and shows what the server refuses', async () => {
    await page.getByRole('link', { name: 'Edit Batteries' }).click();
    await page.getByRole('button', { name: 'JSON' }).click();
    const json = page.getByLabel('The policy, as the API takes it');
    const text = await json.inputValue();
    await json.fill(text.replace('"pmin"', 'pmin'));
    await page.getByRole('button', { name: 'Save the policy' }).click();
    await page
      .getByRole('alert')
      .getByText(/^Line \d+: /)
      .waitFor();
    await json.fill(text.replace('"pmin": 5', '"pmin": 9, "pmax": 3'));
    await page.getByRole('button', { name: 'Save the policy' }).click();
    await page.locator('sy-policy-form sy-problem-panel').getByRole('alert').waitFor();
    await json.fill(text.replace('"pmin": 5', '"pmin": 7'));
    await page.getByRole('button', { name: 'Form' }).click();
    expect(await page.getByLabel('pmin, s', { exact: true }).inputValue()).toBe('7');
    await page.getByRole('button', { name: 'Save the policy' }).click();
    await page.getByText('/3/0/9 (pmin 7)').waitFor();
  });

  it('switches it off and on, deletes it, and restores a built-in one', async () => {
    await page.getByRole('button', { name: 'Switch off Batteries' }).click();
    await eventually(wanted).not.toContain('/3/0/9');
    await page.getByRole('button', { name: 'Switch on Batteries' }).click();
    await eventually(wanted).toContain('/3/0/9');
    await page.getByRole('button', { name: 'Delete Batteries' }).click();
    await page.getByRole('dialog').getByText('no longer observed').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Delete Batteries' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Batteries', exact: true }).waitFor({ state: 'hidden' });
    await eventually(wanted).not.toContain('/3/0/9');

    const signal = page.getByRole('listitem').filter({ hasText: 'Signal strength' });
    await signal.getByRole('button', { name: 'Switch off' }).click();
    await signal.getByText('built-in, changed').waitFor();
    await signal.getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await signal.getByText('built-in', { exact: true }).waitFor();
  });

  it('shows the settings in force, and what programs read', async () => {
    await page.goto('/settings/server');
    await page
      .getByRole('row')
      .filter({ hasText: 'SIMYARD_HTTP_PORT' })
      .getByText(String(system.httpPort))
      .waitFor();
    await page.getByRole('button', { name: /^All \(\d+\)$/ }).click();
    await page
      .getByRole('row')
      .filter({ hasText: 'SIMYARD_LIFETIME_GRACE' })
      .getByText('5000', { exact: true })
      .waitFor();
    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await page.evaluate<string>('document.documentElement.dataset.theme')).toBe('dark');
    await page.getByRole('button', { name: 'As the system' }).click();
    await page.getByRole('link', { name: 'API documentation' }).click();
    await page.waitForURL('**/docs**');
  });

  it('says that there is no such definition, policy or section', async () => {
    await page.goto('/settings/objects?object=31999');
    await page.getByRole('heading', { name: 'There is no such definition' }).waitFor();
    await page.goto('/settings/policies?policy=nothing');
    await page.getByRole('heading', { name: 'There is no such policy' }).waitFor();
    await page.goto('/settings/weather');
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  });

  it('says what failed, and tries again', async () => {
    await page.route('**/api/cluster', (route) => route.abort());
    await page.goto('/cluster');
    await page.getByRole('alert').getByText('The server does not answer').waitFor();
    await page.unroute('**/api/cluster');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('region', { name: 'Store' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('met no error but those that it was given', () => {
    const own = /ERR_FAILED|status of 4\d\d|Failed to load resource/;
    expect(console.complaints.filter((complaint) => !own.test(complaint))).toEqual([]);
  });

  it.each(looks)('axe finds nothing in them ($name)', async ({ theme, width }) => {
    const look = await openPage(browser, system.origin, { theme, width });
    const settled: Readonly<Record<string, string>> = {
      '/cluster': 'this node',
      '/settings/objects': 'built-in',
      '/settings/objects?object=3': '23 resources',
      '/settings/policies': 'Sensor values',
      '/settings/policies?policy=default-sensors': 'Save the policy',
      '/settings/server': 'Settings in force',
    };
    for (const [path, text] of Object.entries(settled)) {
      await look.page.goto(path);
      await look.page.getByText(text).first().waitFor();
      expect(await violations(look.page)).toEqual([]);
    }
    expect(look.complaints).toEqual([]);
    await look.context.close();
  });
});
