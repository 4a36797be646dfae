import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ApiServer } from '../../web/data/api-types.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const fleetSize = 250;

describe.skipIf(skipWithoutChromium)('the list of devices', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  const address = () => {
    const { pathname, search } = new URL(page.url());
    return pathname + search;
  };
  /** Endpoints of the rows that exist, from the top. */
  const shown = () => page.locator('[role=row][data-index] .endpoint').allInnerTexts();
  const focused = () =>
    page.evaluate<string>(
      "document.activeElement ? (function deepest(element) { return element.shadowRoot?.activeElement ? deepest(element.shadowRoot.activeElement) : element.textContent.trim(); })(document.activeElement) : ''",
    );
  const search = () => page.getByRole('searchbox');

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    system.startFleet(fleetSize, '--prefix', 'fleet-', '--ramp', '200', '--quiet');
    await vi.waitUntil(
      async () => (await system.api<ApiServer>('/api/server')).devices.registered === fleetSize,
      { timeout: 60_000, interval: 200 },
    );
    browser = await launchChromium();
  });

  beforeEach(async () => {
    console = await openPage(browser, system.origin);
    page = console.page;
    return async () => {
      expect(console.complaints).toEqual([]);
      await console.context.close();
    };
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('counts all devices, has rows for those in view only, and loads on as it is scrolled', async () => {
    await page.goto('/devices');
    await page.getByText(`${fleetSize} known · ${fleetSize} registered`).waitFor();
    await eventually(shown).toContain('fleet-1');
    expect((await shown()).length).toBeLessThan(100);
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(fleetSize + 1));

    const rows = page.locator('sy-device-table .body');
    await eventually(async () => {
      await rows.evaluate((list: { scrollTop: number; scrollHeight: number }) => {
        list.scrollTop = list.scrollHeight;
      });
      return page.locator(`[role=row][aria-rowindex="${fleetSize + 1}"]`).count();
    }).toBe(1);
  });

  it('is where it was left when the reader comes back to it', async () => {
    await page.goto('/devices');
    await eventually(shown).toContain('fleet-1');
    // By the arrow keys' big sister: far down, over what a page of the API holds.
    await page.keyboard.press('ArrowDown');
    await eventually(focused).toBe('fleet-1');
    await eventually(async () => {
      await page.keyboard.press('End');
      return focused();
    }).toBe('fleet-99');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'fleet-99' }).waitFor();
    await page.goBack();
    await eventually(shown).toContain('fleet-99');
    expect(await shown()).not.toContain('fleet-1');
  });

  it('searches on the server, says so in the address, and finds its way back', async () => {
    await page.goto('/devices');
    await eventually(shown).toContain('fleet-1');
    await page.keyboard.press('/');
    await page.keyboard.type('FLEET-77');
    await eventually(shown).toEqual(['fleet-77']);
    expect(address()).toBe('/devices?q=FLEET-77');
    await page.getByText('1 match').waitFor();
    await page.goBack();
    await eventually(shown).toContain('fleet-1');
    expect(await search().inputValue()).toBe('');
    await page.goForward();
    await eventually(shown).toEqual(['fleet-77']);
    await page.reload();
    await eventually(shown).toEqual(['fleet-77']);
    expect(await search().inputValue()).toBe('FLEET-77');
  });

  it('filters by what there is, says so in the address, and leads out of a search without a result', async () => {
    await page.goto('/devices');
    await page.getByRole('button', { name: 'State', exact: true }).click();
    const menu = page.getByRole('dialog', { name: 'Filter by state' });
    // Each choice with how many it would give.
    await menu.getByText('not registered').waitFor();
    expect(await menu.locator('label', { hasText: /^\s*registered/ }).innerText()).toMatch(/250/);
    await menu.getByRole('checkbox', { name: 'not registered' }).check();
    await page.getByRole('heading', { name: 'No device matches these filters' }).waitFor();
    expect(address()).toBe('/devices?state=unregistered');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Take off the filter State' }).click();
    await eventually(shown).toContain('fleet-1');
    expect(address()).toBe('/devices');
    await search().fill('nothing like it');
    await page.getByRole('heading', { name: 'No device matches “nothing like it”' }).waitFor();
    await page.getByRole('button', { name: 'Show all devices' }).click();
    await eventually(shown).toContain('fleet-1');
    expect(address()).toBe('/devices');
  });

  it('sorts by a column, and turns it round', async () => {
    await page.goto('/devices?q=fleet-20');
    await eventually(async () => (await shown())[0]).toBe('fleet-20');
    await page.getByRole('button', { name: 'Endpoint' }).click();
    await eventually(async () => (await shown())[0]).toBe('fleet-209');
    expect(address()).toBe('/devices?q=fleet-20&sort=-endpoint');
    expect(await page.getByRole('columnheader', { name: 'Endpoint' }).getAttribute('aria-sort')).toBe(
      'descending',
    );
    await page.getByRole('columnheader', { name: 'Last heard' }).getByRole('button').click();
    await eventually(address).toBe('/devices?q=fleet-20&sort=-lastSeen');
    await page.goBack();
    await eventually(async () => (await shown())[0]).toBe('fleet-209');
  });

  it('keeps a view under a name, in this browser', async () => {
    await page.goto('/devices?state=awake&sort=-signal');
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByLabel('Save what is shown as').fill('Loudest');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Loudest' }).waitFor();
    await page.goto('/devices');
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('link', { name: 'Loudest' }).click();
    await eventually(address).toBe('/devices?state=awake&sort=-signal');
    await page.getByRole('button', { name: 'Loudest' }).click();
    await page.getByRole('button', { name: 'Remove the view Loudest' }).click();
    await page.getByText('No view is saved in this browser yet').waitFor();
  });

  it('selects rows, ranges and all that match, and does one thing on them with its progress', async () => {
    await page.goto('/devices?q=fleet-20');
    await eventually(async () => (await shown()).length).toBe(11);
    const box = (name: string) => page.getByRole('checkbox', { name: `Select ${name}`, exact: true });
    await box('fleet-200').click();
    await box('fleet-203').click({ modifiers: ['Shift'] });
    await page.getByText('4 selected').waitFor();
    await box('fleet-201').click();
    await page.getByText('3 selected').waitFor();
    await page.getByRole('link', { name: 'fleet-208' }).focus();
    await page.keyboard.press('x');
    await page.getByText('4 selected').waitFor();

    await page.getByRole('button', { name: 'Select all 11 that match' }).click();
    await page.getByText('All 11 that match').waitFor();
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Read: 11 devices' });
    await dialog.getByRole('button', { name: 'Read', exact: true }).click();
    await dialog.getByText('A path, such as /3/0/9').waitFor();
    await dialog.getByLabel('Path of an object, an instance or a resource').fill('/3/0/0');
    await dialog.getByRole('button', { name: 'Read', exact: true }).click();
    await page.getByText('11 of 11: 11 done').waitFor();
    const link = page.getByRole('link', { name: 'What became of each device' });
    expect(await link.getAttribute('href')).toMatch(/^\/jobs\/.+/);
    await page.getByRole('button', { name: 'Close' }).click();
    // Another search is another selection.
    await search().fill('fleet-77');
    await eventually(shown).toEqual(['fleet-77']);
    expect(await page.getByRole('region', { name: 'Selected devices' }).count()).toBe(0);
  });

  it('asks twice before it forgets, and does not forget what is registered', async () => {
    await page.goto('/devices?q=fleet-19');
    await eventually(shown).toContain('fleet-190');
    await page.getByRole('checkbox', { name: 'Select all that match' }).check();
    await page.getByRole('button', { name: 'Forget', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Forget: 11 devices' });
    expect(await dialog.getByRole('button', { name: 'Forget' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Type 11 to confirm').fill('11');
    await dialog.getByRole('button', { name: 'Forget' }).click();
    await page.getByText('11 of 11: 11 failed').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await eventually(shown).toContain('fleet-190');
  });

  it('is walked through and opened with the keyboard', async () => {
    await page.goto('/devices?q=fleet-20');
    await eventually(shown).toEqual([
      'fleet-20',
      ...Array.from({ length: 10 }, (_, index) => `fleet-20${index}`),
    ]);
    await page.keyboard.press('/');
    await page.keyboard.press('ArrowDown');
    await eventually(focused).toBe('fleet-20');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await eventually(focused).toBe('fleet-201');
    await page.keyboard.press('ArrowUp');
    await eventually(focused).toBe('fleet-200');
    await page.keyboard.press('End');
    await eventually(focused).toBe('fleet-209');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'fleet-209' }).waitFor();
    expect(address()).toBe('/devices/fleet-209');
    await page.keyboard.press('/');
    await eventually(() =>
      search().evaluate((input: { matches(what: string): boolean }) => input.matches(':focus')),
    ).toBe(true);
    expect(address()).toBe('/devices');
  });

  it('shows a device that registers, and that it has left, while it is looked at', async () => {
    await page.goto('/devices?q=visitor');
    await page.getByRole('heading', { name: 'No device matches “visitor”' }).waitFor();
    const visitor = system.startModem('visitor-1', '--state', ':memory:');
    const row = page.getByRole('row').filter({ hasText: 'visitor-1' });
    await row.getByText('awake', { exact: true }).waitFor();
    await row.getByText('AT&T').waitFor();
    await visitor.kill('SIGTERM');
    await row.getByText('left', { exact: true }).waitFor();
  });

  it('remembers the theme that the reader has chosen', async () => {
    await page.goto('/devices');
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const light = await background();
    await page.getByRole('button', { name: 'Theme: system. Change to light' }).click();
    await page.getByRole('button', { name: 'Theme: light. Change to dark' }).click();
    expect(await background()).not.toBe(light);
    await page.reload();
    expect(await background()).not.toBe(light);
    await page.getByRole('button', { name: 'Theme: dark. Change to system' }).click();
    expect(await background()).toBe(light);
  });

  it('loads no more than it may: 150 kB of JavaScript, compressed, for both views together', async () => {
    const sizes: Promise<number>[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('.js'))
        sizes.push(
          response
            .request()
            .sizes()
            .then((size) => size.responseBodySize),
        );
    });
    await page.goto('/devices?q=fleet-77');
    await page.getByRole('link', { name: 'fleet-77' }).click();
    await page.getByRole('heading', { name: 'fleet-77' }).waitFor();
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(20_000);
    expect(total).toBeLessThan(150_000);
  });
});
