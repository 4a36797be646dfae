import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiCarrierAnswer } from '../../web/data/api-types.ts';
import { identifierText } from '../../web/data/identifiers.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const endpoint = 'browser-modem';

describe.skipIf(skipWithoutChromium)('npm start, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  beforeAll(async () => {
    system = await TestSystem.create();
    const address = await system.startAll(endpoint);
    expect(address).toBe(`${system.origin}/`);
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('lists the modem as registered', async () => {
    await page.goto('/devices');
    const row = page.getByRole('row').filter({ hasText: endpoint });
    await row.getByText('awake', { exact: true }).waitFor();
    await row.getByText('AT&T').waitFor();
    expect(await page.title()).toBe('Devices · Simyard');
  });

  it('opens the modem at an address of its own', async () => {
    await page.getByRole('link', { name: endpoint }).click();
    await page.getByRole('heading', { name: endpoint }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/devices/${endpoint}`);
    expect(await page.title()).toBe(`${endpoint} · Simyard`);
  });

  it('shows three sensors moving in the charts', async () => {
    for (const kind of ['imu', 'gyro', 'temperature']) {
      const plot = page.locator('sy-reading-plot').filter({ hasText: kind });
      await plot.waitFor();
      const values = new Set<string>();
      const pictures = new Set<string>();
      await eventually(async () => {
        values.add(await plot.locator('[data-fact=latest]').innerText());
        pictures.add(
          await plot.locator('canvas').evaluate((canvas: { toDataURL(): string }) => canvas.toDataURL()),
        );
        return Math.min(values.size, pictures.size);
      }).toBeGreaterThanOrEqual(3);
      // A number, and the unit that the device tells.
      await eventually(() => plot.locator('[data-fact=latest]').innerText()).toMatch(
        /^−?[\d.]+\u202f(m\/s²|rad\/s|°C)$/,
      );
    }
  });

  it('switches to T-Mobile: asked, in progress, then the ACK of the card and its new ICCID', async () => {
    await page.getByRole('link', { name: 'Carrier', exact: true }).click();
    expect(new URL(page.url()).pathname).toBe(`/devices/${endpoint}/carrier`);
    const card = page.locator('sy-sim-card');
    const iccid = card.locator('[data-fact=iccid] .text');
    await eventually(() => card.locator('[data-fact=carrier]').innerText()).toBe('AT&T');
    const before = await iccid.innerText();

    await page.getByRole('button', { name: 'T-Mobile' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('leaves AT&T').waitFor();
    expect(await card.locator('[data-fact=carrier]').innerText()).toBe('AT&T');

    const outcome = page.locator('sy-switch-timeline [data-outcome]');
    await Promise.all([
      outcome.getByText('In progress').waitFor(),
      dialog.getByRole('button', { name: 'Switch to T-Mobile' }).click(),
    ]);
    await outcome.getByText('ACK').waitFor();
    await eventually(() => card.locator('[data-fact=carrier]').innerText()).toBe('T-Mobile');
    await eventually(() => iccid.innerText()).not.toBe(before);

    const { slots } = await system.api<ApiCarrierAnswer>(`/api/devices/${endpoint}/carrier`);
    expect(slots[0]).toMatchObject({ current: 'T-Mobile', lastResult: 'ACK' });
    expect(await iccid.innerText()).toBe(identifierText('iccid', slots[0]?.iccid ?? ''));

    const step = page.locator('sy-switch-timeline li').nth(3);
    expect(await step.innerText()).toContain('ACK');
    await page
      .locator('sy-switch-history tbody tr')
      .filter({ hasText: 'T-Mobile' })
      .getByText('ACK')
      .waitFor();
  });

  it('goes back to the list, which knows the new carrier', async () => {
    await page.goBack();
    await page.locator('sy-readings-board').waitFor();
    await page.goBack();
    const row = page.getByRole('row').filter({ hasText: endpoint });
    await row.getByText('T-Mobile').waitFor();
    expect(new URL(page.url()).pathname).toBe('/devices');
  });

  it('has had no error, and asked nobody but the server for anything', () => {
    expect(console.complaints).toEqual([]);
  });
});
