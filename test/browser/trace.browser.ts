import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { until } from '../support/until.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const endpoint = 'traced-modem';

describe.skipIf(skipWithoutChromium)('the trace and the events of a device, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    system.startModem(endpoint);
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    await until(
      'the modem is registered',
      async () => (await fetch(`${system.origin}/api/devices/${endpoint}`)).ok,
    );
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  const row = (text: string | RegExp) => page.getByRole('option').filter({ hasText: text });
  const count = () => page.locator('.counts').innerText();

  it('shows what has passed before anybody looked, the registration first', async () => {
    await page.goto(`/devices/${endpoint}/trace?q=ep%3D${endpoint}`);
    await row('/rd').first().waitFor();
    expect(await row('/rd').first().innerText()).toContain('POST');
    await row('/rd').first().click();
    const message = page.getByRole('region', { name: 'Message' });
    await message.getByRole('heading', { name: /CON 0\.02 POST \/rd/ }).waitFor();
    await message.getByText('application/link-format').waitFor();
    await message.getByText('/42769/0').first().waitFor();
    // Version 1, CON, a token of eight bytes; POST.
    expect(await message.getByLabel('Bytes of the datagram').innerText()).toMatch(/^0000\s+48 02 /);
    expect(new URL(page.url()).searchParams.get('message')).toMatch(/^\d+$/);
    // Its answer is one press away, although the filter does not show it.
    await message.getByRole('button', { name: /ACK 2\.01 Created/ }).click();
    await message.getByRole('heading', { name: /ACK 2\.01 Created \/rd/ }).waitFor();
    await message.getByText('Answered after').waitFor();
  });

  it('shows a carrier switch as it passes: the Execute, its answer, and the new carrier with its identifiers', async () => {
    await page.goto(`/devices/${endpoint}/trace?q=42769`);
    await row('/42769/0').first().waitFor();
    await fetch(`${system.origin}/api/devices/${endpoint}/carrier`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ carrier: 'T-Mobile' }),
    });
    await row('/42769/0/3').first().waitFor();
    await row(/\/42769\/0\/3/)
      .filter({ hasText: 'Changed' })
      .first()
      .waitFor();
    await page.getByRole('searchbox').fill('T-Mobile');
    const told = row(/notification.*values/).last();
    await told.waitFor();
    await told.click();
    const message = page.getByRole('region', { name: 'Message' });
    await message.getByText('Current Carrier').waitFor();
    await eventually(() => message.locator('sy-identifier').count()).toBeGreaterThan(0);
  });

  it('is filtered by direction, type and trouble, in the address too', async () => {
    await page.goto(`/devices/${endpoint}/trace`);
    await row('notification').first().waitFor();
    await page.getByRole('button', { name: 'ACK', exact: true }).click();
    await page.getByRole('button', { name: 'Out →' }).click();
    await eventually(() => row('notification').count()).toBe(0);
    await row('Acknowledgement').first().waitFor();
    expect(page.url()).toMatch(/direction=out&type=ACK$/);
    await page.getByRole('button', { name: 'Trouble' }).click();
    await page.getByRole('heading', { name: 'No message fits the filter' }).waitFor();
    await fetch(`${system.origin}/api/devices/${endpoint}/objects/3/0/99`);
    await page.goto(`/devices/${endpoint}/trace?trouble=1`);
    await row('4.04').first().waitFor();
    await page.getByRole('button', { name: 'Trouble' }).click();
    await row('notification').first().waitFor();
  });

  it('is held and goes on by Space, moved through by arrows, and opened by Enter', async () => {
    await row('notification').last().focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: /^Resume \(\d+ new\)$/ }).waitFor();
    const before = await count();
    await page.getByRole('button', { name: /^Resume \((?!1 )\d+ new\)$/ }).waitFor();
    expect(await count()).toBe(before);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    const message = page.getByRole('region', { name: 'Message' });
    await message.waitFor();
    const first = await message.getByRole('heading').first().innerText();
    // The partner in the exchange: notification and acknowledgement.
    await page.keyboard.press(first.includes('Acknowledgement') ? 'ArrowLeft' : 'ArrowRight');
    await eventually(() => message.getByRole('heading').first().innerText()).not.toBe(first);
    await page.keyboard.press('Escape');
    await eventually(() => message.count()).toBe(0);
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await eventually(count).not.toBe(before);
  });

  it('is put away, and is a file', async () => {
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'pcapng' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/\.pcapng$/);
    expect((await readFile(await file.path())).readUInt32LE(0)).toBe(0x0a0d0d0a);
    await page.getByRole('button', { name: 'Clear' }).click();
    await eventually(count).toMatch(/^\d{1,2} messages?/);
  });

  it('has in its events the life of the device in words, with what is behind them', async () => {
    await page.goto(`/devices/${endpoint}/events`);
    await page.getByRole('heading', { name: 'Today' }).waitFor();
    const registered = page.getByRole('button', { name: /Registered from 127/ });
    await registered.click();
    await page.getByText('Lifetime', { exact: true }).waitFor();
    await page.getByRole('button', { name: /Switch to T-Mobile done · ACK/ }).waitFor();
    await fetch(`${system.origin}/api/devices/${endpoint}/server/update-trigger`, { method: 'POST' });
    await page
      .getByRole('button', { name: /Registration renewed/ })
      .first()
      .waitFor();
  });

  it('shows the events of a kind alone, and says that there is no trouble', async () => {
    await page.getByRole('button', { name: 'Commands', exact: true }).click();
    await eventually(() => page.getByRole('button', { name: /Registered from/ }).count()).toBe(0);
    expect(page.url()).toMatch(/\?about=commands$/);
    await page.getByRole('button', { name: 'Trouble' }).click();
    await page.getByRole('heading', { name: 'No trouble' }).waitFor();
    await page.getByRole('button', { name: 'Show all events' }).click();
    await page.getByRole('button', { name: /Registered from/ }).waitFor();
  });

  it.each(looks)('axe finds nothing in either ($name)', async ({ theme, width }) => {
    const own = await openPage(browser, system.origin, { theme, width });
    const found: string[] = [];
    await own.page.goto(`/devices/${endpoint}/trace?q=notification`);
    await own.page.getByRole('option').last().waitFor();
    await own.page.getByRole('button', { name: 'Pause' }).click();
    await own.page.getByRole('option').last().click();
    await own.page.getByRole('region', { name: 'Message' }).waitFor();
    found.push(...(await violations(own.page)));
    await own.page.goto(`/devices/${endpoint}/events`);
    await own.page.getByRole('button', { name: /Registered from/ }).click();
    found.push(...(await violations(own.page)));
    expect(found).toEqual([]);
    expect(own.complaints).toEqual([]);
    await own.context.close();
  });

  it('met no error, and asked nothing of another origin', () => {
    expect(console.complaints.filter((line) => !line.includes('404'))).toEqual([]);
  });
});
