import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ApiServer } from '../../web/data/api-types.ts';
import { looks, violations } from './support/axe.ts';
import { launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const fleetSize = 20;

describe.skipIf(skipWithoutChromium)('the overview', () => {
  let system: TestSystem;
  let browser: Browser;

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('says how to connect a device while there is none', async () => {
    const { page, context, complaints } = await openPage(browser, system.origin);
    await page.goto('/');
    await page.getByRole('heading', { name: 'No device yet' }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  describe('with a fleet', () => {
    beforeAll(async () => {
      system.startFleet(fleetSize, '--prefix', 'fleet-', '--quiet');
      await vi.waitUntil(
        async () => (await system.api<ApiServer>('/api/server')).devices.registered === fleetSize,
        { timeout: 60_000, interval: 200 },
      );
    });

    it('tells the fleet in figures, each a way to the list behind it, and what it was a week ago, or why not', async () => {
      const { page, context, complaints } = await openPage(browser, system.origin);
      await page.goto('/');
      const tile = page.getByRole('link', { name: /^Registered/ });
      await tile.getByText(String(fleetSize), { exact: true }).waitFor();
      await tile.getByText('Nothing was counted at this time a week ago').waitFor({ state: 'attached' });
      await page.getByRole('link', { name: /^Readings per second/ }).waitFor();
      await tile.click();
      await page.getByRole('heading', { name: 'Devices' }).waitFor();
      expect(page.url()).toBe(`${system.origin}/devices?state=registered`);
      await page.getByText(`${fleetSize} match`).waitFor();
      await page.goBack();
      await page.getByRole('link', { name: /AT&T/ }).click();
      await page.getByRole('button', { name: 'Take off the filter Carrier' }).waitFor();
      await page.getByText(`${fleetSize} match`).waitFor();
      expect(complaints).toEqual([]);
      await context.close();
    });

    it('tells of trouble when it happens, and leads to the device', async () => {
      const { page, context, complaints } = await openPage(browser, system.origin);
      await page.goto('/');
      await page.getByText('None. Registrations that run out').waitFor();
      // The battery level cannot be written: the device says so.
      await fetch(`${system.origin}/api/devices/fleet-3/requests`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ operation: 'execute', path: '/3/0/9' }),
      });
      const trouble = page.getByRole('region', { name: 'Latest trouble' });
      await trouble.getByText(/a request failed/).waitFor();
      await trouble.getByRole('link', { name: 'fleet-3', exact: true }).click();
      await eventually(() => new URL(page.url()).pathname).toBe('/devices/fleet-3/commands');
      expect(complaints).toEqual([]);
      await context.close();
    });

    it.each(looks)('is usable by all ($name)', async ({ theme, width }) => {
      const { page, context, complaints } = await openPage(browser, system.origin, { theme, width });
      await page.goto('/');
      await page.getByRole('link', { name: /^Registered/ }).waitFor();
      await page.getByRole('region', { name: 'Latest trouble' }).waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      await page.goto('/devices?state=awake,lost&sort=-lastSeen');
      await page.getByRole('link', { name: 'fleet-1', exact: true }).waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Carrier', exact: true }).first().click();
      await page.getByRole('checkbox', { name: /AT&T/ }).waitFor();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('checkbox', { name: 'Select fleet-1', exact: true }).click();
      await page.getByText('1 selected').waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Write', exact: true }).click();
      await page.getByRole('dialog', { name: 'Write: 1 device' }).waitFor();
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    });
  });
});
