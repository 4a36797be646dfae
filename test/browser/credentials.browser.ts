import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const place = '/settings/credentials';
const key = '000102030405060708090a0b0c0d0e0f';
const shots = process.env['CREDENTIAL_SHOTS'];

// One story, told in order: each test goes on where the one before it ended.
describe.skipIf(skipWithoutChromium)('credentials, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  const row = (text: string) => page.getByRole('listitem').filter({ hasText: text });
  const result = () => page.getByRole('region', { name: 'Result' });
  const press = (name: string | RegExp) => page.getByRole('button', { name, exact: true }).click();
  const shot = async (name: string): Promise<void> => {
    if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  };
  const importFile = async (contents: string): Promise<void> => {
    await page
      .getByLabel('CSV file of devices')
      .setInputFiles({ name: 'devices.csv', mimeType: 'text/csv', buffer: Buffer.from(contents) });
  };

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('says what to do where there is none', async () => {
    await page.goto(place);
    await page.getByText('No device is enrolled yet.').waitFor();
    await shot('empty');
  });

  it('enrols a device by a form, which says first what has to be mended, and shows the key once', async () => {
    await page.getByRole('link', { name: 'Enrol a device' }).click();
    await press('Enrol the device');
    await page.getByText('The name that the device registers under', { exact: true }).waitFor();
    await page.getByLabel('Endpoint name').fill('meter-1');
    await page.getByLabel('Key', { exact: true }).fill('xyz');
    await press('Enrol the device');
    await page.getByText('Hex digits, two for each byte').waitFor();
    await shot('form');
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Key', { exact: true }).fill('');
    await press('Enrol the device');
    const shown = page.getByRole('region', { name: 'Key of the device' });
    expect(await shown.getByText(/^[\da-f]{32}$/).textContent()).toMatch(/^[\da-f]{32}$/);
    await shown.getByRole('button', { name: 'Copy: the key' }).waitFor();
    await shot('key');
    expect(await violations(page)).toEqual([]);
    await press('I have kept it');
    await row('meter-1').getByText('never used').waitFor();
    expect(await page.getByText(/^[\da-f]{32}$/).count()).toBe(0);
  });

  it('tells of a name that is taken', async () => {
    await page.getByRole('link', { name: 'Enrol a device' }).click();
    await page.getByLabel('Endpoint name').fill('meter-1');
    await press('Enrol the device');
    await page.getByText(/has a credential for this account already/).waitFor();
    await page.getByRole('link', { name: 'Cancel' }).click();
  });

  it('looks at a file before it imports it, and shows every bad row', async () => {
    await page.getByRole('link', { name: 'Import a file' }).click();
    const head = 'endpoint,IMEI,colour,identity,key\n';
    await importFile(
      `${head}pump-1,490154203237518,red,pump-1,${key}\npump-2,12,blue,pump-2,${key}\npump-3,,,pump-3,xyz\n`,
    );
    await result().getByText('1 device can be enrolled, 2 rows are bad').waitFor();
    await page
      .getByRole('row')
      .filter({ hasText: 'pump-2' })
      .getByText('the IMEI is not 14 to 16 digits')
      .waitFor();
    await page
      .getByRole('row')
      .filter({ hasText: 'pump-3' })
      .getByText('the key is not hex digits in pairs')
      .waitFor();
    await page.getByText('Passed over: “colour”').waitFor();
    expect(await page.getByRole('button', { name: /^Enrol/ }).count()).toBe(0);
    await shot('import-bad');
    expect(await violations(page)).toEqual([]);
    await importFile(`${head}pump-1,490154203237518,red,pump-1,${key}\npump-2,,blue,pump-2,${key}\n`);
    await press('Enrol all 2');
    await result().getByText('2 devices were enrolled').waitFor();
    await shot('import-done');
    await page.getByRole('link', { name: 'Show the credentials' }).click();
    await row('pump-1').getByText('IMEI').waitFor();
  });

  it('finds what is looked for, and links to it', async () => {
    await page.getByLabel('Search').fill('4901542');
    await row('pump-1').waitFor();
    await expect
      .poll(() => page.getByRole('list', { name: 'Credentials' }).getByRole('listitem').count())
      .toBe(1);
    expect(page.url()).toContain('search=4901542');
    await page.getByLabel('State').selectOption('revoked');
    await page.getByText('No credential matches.').waitFor();
    await page.getByRole('link', { name: 'Show all' }).click();
    await row('meter-1').waitFor();
    expect(await page.getByLabel('State').inputValue()).toBe('');
    expect(await page.getByLabel('Search').inputValue()).toBe('');
  });

  it('gives a new key, which is shown once beside the former one', async () => {
    await press(/^New key pump-1/);
    await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
    await page.getByRole('region', { name: 'Key of the device' }).waitFor();
    await row('being replaced').waitFor();
    await shot('rotated');
    expect(await violations(page)).toEqual([]);
    await press('I have kept it');
  });

  it('cuts a device off when its name is typed, and shows how it was secured', async () => {
    system.startModem('plain-modem');
    await eventually(async () => (await fetch(`${system.origin}/api/devices/plain-modem`)).status).toBe(200);
    await page.goto('/devices/plain-modem');
    await page.getByText('Security', { exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'none', exact: true }).click();
    await page.getByText('No credential matches.').waitFor();
    await page.goto(place);
    await press(/^Revoke meter-1/);
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('button', { name: 'Revoke' }).isDisabled()).toBe(true);
    await shot('revoke');
    await dialog.getByLabel(/to confirm/).fill('meter-1');
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await row('meter-1').getByText('revoked', { exact: true }).waitFor();
    await press(/^Delete meter-1/);
    await dialog.getByLabel(/to confirm/).fill('meter-1');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => row('meter-1').count()).toBe(0);
  });

  it('exports the states, without keys', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('credentials.csv');
    let text = '';
    for await (const part of await download.createReadStream()) text += String(part);
    expect(text).toContain('pump-2,server,psk,pump-2,active');
    expect(text).not.toContain(key);
  });

  it('says what failed, and tries again', async () => {
    await page.route('**/api/credentials?*', (route) => route.abort());
    await page.goto(place);
    await page.getByText('The server does not answer').waitFor();
    await shot('error');
    await page.unroute('**/api/credentials?*');
    await press('Try again');
    await row('pump-1').first().waitFor();
    console.complaints.length = 0;
  });

  it.each(looks)('is usable by everybody ($name)', async ({ theme, width }) => {
    const looked = await openPage(browser, system.origin, { theme, width });
    for (const path of [place, `${place}?new`, `${place}?import`]) {
      await looked.page.goto(path);
      await looked.page.getByRole('heading', { level: 1 }).waitFor();
      if (path === place) await looked.page.getByRole('listitem').filter({ hasText: 'pump-2' }).waitFor();
      if (shots !== undefined) {
        const name = `${path.split('?')[1] ?? 'list'}-${theme}-${width}`;
        await looked.page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
      }
      expect(await violations(looked.page)).toEqual([]);
    }
    expect(looked.complaints).toEqual([]);
    await looked.context.close();
  });

  it('has complained of nothing', () => {
    expect(console.complaints).toEqual([]);
  });
});
