import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { TestSystem } from './support/system.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary: string }[];
}

/** What axe-core finds against WCAG 2.2 AA and its own best practices, in words that lead to the place. */
async function violations(page: Page): Promise<string[]> {
  // Evaluated by the debugger and not put into the page: the content policy allows no script of others.
  await page.evaluate(axe);
  const found = await page.evaluate<Violation[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then((results) => results.violations)",
  );
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id}: ${help} at ${JSON.stringify(target)}\n${failureSummary}`,
    ),
  );
}

const looks = (['light', 'dark'] as const).flatMap((theme) =>
  [1440, 390].map((width) => ({ theme, width, name: `${theme}, ${width} px` })),
);

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
      await page.goto('/');
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
        await row.getByText('registered', { exact: true }).waitFor();
        expect(await violations(page)).toEqual([]);

        await row.getByRole('link').click();
        await page.locator('sy-reading-plot').nth(2).waitFor();
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
