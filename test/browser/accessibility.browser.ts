import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { looks, violations } from './support/axe.ts';
import { launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { TestSystem } from './support/system.ts';

describe.skipIf(skipWithoutChromium)('accessibility', () => {
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

  it.each(looks)(
    'finds nothing in the empty list and in pages that are not there ($name)',
    async ({ theme, width }) => {
      const { page, context } = await openPage(browser, system.origin, { theme, width });
      await page.goto('/devices');
      await page.getByRole('heading', { name: 'No device yet' }).waitFor();
      expect(await violations(page)).toEqual([]);
      await page.goto('/devices/nobody');
      await page.getByRole('heading', { name: 'There is no such device' }).waitFor();
      expect(await violations(page)).toEqual([]);
      await context.close();
    },
  );

  describe('with a modem', () => {
    beforeAll(() => {
      system.startModem('axe-modem');
    });

    it.each(looks)(
      'finds nothing in the list, on a device, and in its dialogs ($name)',
      async ({ theme, width }) => {
        const { page, context, complaints } = await openPage(browser, system.origin, { theme, width });
        await page.goto('/devices');
        const row = page.getByRole('row').filter({ hasText: 'axe-modem' });
        await row.getByText('awake', { exact: true }).waitFor();
        expect(await violations(page)).toEqual([]);

        await row.getByRole('link').click();
        await page.locator('sy-reading-plot').nth(2).waitFor();
        await page.getByText(/observed as wanted/).waitFor();
        expect(await violations(page)).toEqual([]);
        await page.getByRole('link', { name: 'Carrier', exact: true }).click();
        await page.getByRole('button', { name: 'Disconnect' }).waitFor();
        expect(await violations(page)).toEqual([]);

        await page.getByRole('button', { name: 'Disconnect' }).click();
        await page.getByRole('dialog').getByText('unreachable until it re-attaches after 10').waitFor();
        expect(await violations(page)).toEqual([]);
        await page.getByRole('button', { name: 'Keep as it is' }).click();

        await page.keyboard.press('?');
        await page.getByRole('dialog', { name: 'Keys' }).waitFor();
        expect(await violations(page)).toEqual([]);
        expect(complaints).toEqual([]);
        await context.close();
      },
    );
  });
});
