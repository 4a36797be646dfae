import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { TestSystem } from './support/system.ts';

const place = '/settings/bootstrap';

// Profiles and a device that is bootstrapped, told in order: each test goes on where the one before it ended.
describe.skipIf(skipWithoutChromium)('bootstrap, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  const row = (name: string) => page.getByRole('listitem').filter({ hasText: name });
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();

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

  it('begins with the profile that the server brings along, and with no bootstrap', async () => {
    await page.goto(place);
    await row('This server').getByText('built in', { exact: true }).waitFor();
    await page.getByText('No device has been bootstrapped yet.').waitFor();
  });

  it('has profiles made by a form, which says first what has to be mended, or as JSON', async () => {
    await page.getByRole('link', { name: 'New profile' }).click();
    await page.getByLabel('Lifetime, s').fill('soon');
    await press('Create the profile');
    await page.getByText('Give it a name').waitFor();
    await page.getByText('A whole number from 0 to 2147483647').waitFor();
    await page.getByLabel('Id', { exact: true }).fill('meters');
    await page.getByLabel('Name', { exact: true }).fill('Meters');
    await page.getByLabel('Lifetime, s').fill('120');
    await page.getByLabel('Endpoint', { exact: true }).fill('booted-*');
    await page.getByLabel('Values to write, one in a line').fill('/3/0/15 = Europe/Berlin');
    await press('JSON');
    expect(await page.getByLabel('The profile, as the API takes it').inputValue()).toContain(
      '"lifetime": 120',
    );
    await press('Form');
    await press('Create the profile');
    await row('Meters').getByText('Devices whose name is booted-*').waitFor();
    await row('Meters').getByText("with a key of each device's own").waitFor();
  });

  it('shows what the server says against a profile', async () => {
    await page.getByRole('link', { name: 'Edit Meters' }).click();
    await page.getByLabel('Values to write, one in a line').fill('/9999/0/1 = 5');
    await press('Save the profile');
    await page.getByText(/nothing is known of this resource/).waitFor();
    await page.getByRole('link', { name: 'Cancel' }).click();
    await row('Meters').waitFor();
  });

  it('shows a bootstrap as it goes, and on the device step by step', async () => {
    await system.startBootstrapped('booted-1');
    const session = page.locator('sy-bootstrap-session').filter({ hasText: 'booted-1' });
    await session.getByText('finished', { exact: true }).waitFor();
    await session.locator('summary').click();
    await session.getByRole('link', { name: 'All bootstraps of booted-1' }).click();
    await page.getByText('Discover /', { exact: true }).waitFor();
    await page.getByText('Write /0/1', { exact: true }).waitFor();
    await page.getByText(/It gets Meters when it asks/).waitFor();
  });

  it('assigns a profile to the device, and has it come again', async () => {
    await page.getByLabel('Profile').selectOption({ label: 'This server' });
    await page.getByText(/It gets This server when it asks for a bootstrap\./).waitFor();
    await page.getByRole('button', { name: 'Bootstrap now' }).click();
    const sessions = page.locator('sy-bootstrap-session');
    await sessions.nth(1).waitFor();
    await sessions.first().getByText('This server').waitFor();
    await sessions.first().getByText('finished', { exact: true }).waitFor();
  });

  it.each(looks)('has nothing that keeps anybody out ($name)', async ({ theme, width }) => {
    const { page: other, context, complaints } = await openPage(browser, system.origin, { theme, width });
    const headings = [
      [place, 'Meters'],
      [`${place}?profile=meters`, 'Meters'],
      ['/devices/booted-1/bootstrap', 'Bootstraps'],
    ] as const;
    for (const [path, heading] of headings) {
      await other.goto(path);
      await other.getByRole('heading', { name: heading, exact: true }).waitFor();
      expect(await violations(other), path).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('is switched off, deleted, and of the server restored', async () => {
    await page.goto(place);
    await press('Switch off This server');
    await row('This server').getByText('built in, changed').waitFor();
    await press('Restore This server');
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await row('This server').getByText('built in', { exact: true }).waitFor();
    await press('Delete Meters');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await row('Meters').waitFor({ state: 'detached' });
    // That the server refused a profile was wanted.
    expect(console.complaints).toEqual([expect.stringContaining('status of 400')]);
  });
});
