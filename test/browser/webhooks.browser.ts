import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { isSigned, Receiver } from '../support/webhooks/receiver.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const place = '/settings/webhooks';

// One life of one webhook, told in order: each test goes on where the one before it ended.
describe.skipIf(skipWithoutChromium)('webhooks, seen in a browser', () => {
  let system: TestSystem;
  let receiver: Receiver;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;
  let secret = '';

  const hook = () => page.getByRole('listitem').filter({ hasText: 'Operations' });
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    receiver = await Receiver.open();
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
  });

  afterAll(async () => {
    await browser?.close();
    await receiver?.close();
    await system?.close();
  });

  it('says what to do where there is none', async () => {
    await page.goto(place);
    await page.getByText('There is no webhook yet.').waitFor();
  });

  it('is made by its form, which says first what has to be mended, and shows the secret once', async () => {
    await page.getByRole('link', { name: 'New webhook' }).click();
    await press('Create the webhook');
    await page.getByText('Give it a name').waitFor();
    await page.getByText('An address that begins with https:// or http://').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Operations');
    await page.getByLabel('URL', { exact: true }).fill(receiver.url);
    await page.getByLabel('Registration updated').check();
    await press('Create the webhook');
    const shown = page.getByRole('region', { name: 'Secret of the webhook' });
    secret = (await shown.getByText(/^whsec_/).textContent()) ?? '';
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await press('I have kept it');
    await hook().getByText('active', { exact: true }).waitFor();
    await hook().getByText('Nothing delivered yet').waitFor();
    expect(await page.content()).not.toContain('whsec_');
  });

  it('is tried out, and the result is told', async () => {
    await press('Test Operations');
    await hook().getByText('The test arrived').waitFor();
    expect(receiver.messages.map((message) => isSigned(message, secret))).toEqual([true]);
    receiver.answer = () => 503;
    await press('Test Operations');
    await hook().getByText('The test did not arrive').waitFor();
    await hook()
      .getByText(/answered 503/)
      .waitFor();
  });

  it('shows by itself that it fails, and what was sent, which is sent again by hand', async () => {
    system.startModem('hooked-modem');
    await hook().getByText('retrying', { exact: true }).waitFor();
    await hook()
      .getByText(/Failed .*: answered 503/)
      .waitFor();
    await page.getByRole('link', { name: 'Deliveries of Operations' }).click();
    const row = page.getByRole('row').filter({ hasText: 'hooked-modem' }).first();
    await row.getByText('retrying', { exact: true }).waitFor();
    receiver.answer = () => 204;
    await row.getByRole('button', { name: /again/ }).click();
    await row.getByText('delivered', { exact: true }).waitFor();
    await press('failed');
    await page.getByRole('row').filter({ hasText: 'test' }).waitFor();
    await press('retrying');
    await page.getByText(/None of the newest \d+ is retrying/).waitFor();
    await page.getByRole('link', { name: '← All webhooks' }).click();
    await hook().getByText('active', { exact: true }).waitFor();
    await hook()
      .getByText(/Last delivery/)
      .waitFor();
  });

  it('is paused and goes on, gets a new secret, and is changed', async () => {
    await press('Pause Operations');
    await hook().getByText('paused', { exact: true }).waitFor();
    await press('Go on Operations');
    await hook().getByText('active', { exact: true }).waitFor();
    await press('New secret Operations');
    await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click();
    const next =
      (await hook()
        .getByText(/^whsec_/)
        .textContent()) ?? '';
    expect(next).not.toBe(secret);
    await press('I have kept it');
    await press('Test Operations');
    await hook().getByText('The test arrived').waitFor();
    const last = receiver.messages.at(-1);
    expect(last && [isSigned(last, secret), isSigned(last, next)]).toEqual([true, true]);
    await page.getByRole('link', { name: 'Edit Operations' }).click();
    await page.getByLabel('Only of these devices').fill('meter-*');
    await press('Save the webhook');
    await hook()
      .getByText(/of meter-\*/)
      .waitFor();
  });

  it.each(looks)('axe finds nothing in it ($name)', async ({ theme, width }) => {
    const look = await openPage(browser, system.origin, { theme, width });
    const { items } = await system.api<{ items: { id: string }[] }>('/api/webhooks');
    const settled: Readonly<Record<string, string>> = {
      [place]: 'active',
      [`${place}?webhook=${items[0]?.id}`]: 'Save the webhook',
      [`${place}?deliveries=${items[0]?.id}`]: 'delivered',
    };
    for (const [path, text] of Object.entries(settled)) {
      await look.page.goto(path);
      await look.page.getByText(text, { exact: true }).first().waitFor();
      expect(await violations(look.page)).toEqual([]);
    }
    expect(look.complaints).toEqual([]);
    await look.context.close();
  });

  it('is deleted, by name', async () => {
    await page.goto(place);
    await press('Delete Operations');
    await page.getByRole('dialog').getByRole('heading', { name: 'Delete the webhook Operations?' }).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There is no webhook yet.').waitFor();
    await page.goto(`${place}?webhook=nothing`);
    await page.getByRole('heading', { name: 'There is no such webhook' }).waitFor();
  });

  it('says what failed, and tries again', async () => {
    await page.route('**/api/webhooks', (route) => route.abort());
    await page.goto(place);
    await page.getByRole('alert').getByText('The server does not answer').waitFor();
    await page.unroute('**/api/webhooks');
    await press('Try again');
    await page.getByText('There is no webhook yet.').waitFor();
    await eventually(() => page.getByRole('alert').count()).toBe(0);
    const own = /ERR_FAILED|Failed to load resource/;
    expect(console.complaints.filter((complaint) => !own.test(complaint))).toEqual([]);
  });
});
