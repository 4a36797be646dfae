import { writeFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const endpoint = 'observed-modem';

describe.skipIf(skipWithoutChromium)('observations, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;
  let panel: Locator;

  const put = async (path: string, body: unknown): Promise<void> => {
    const answer = await fetch(`${system.origin}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    system.startModem(endpoint);
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    panel = page.locator('sy-observations-panel');
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('shows that all that is wanted is observed, folded away', async () => {
    await eventually(async () =>
      (await fetch(`${system.origin}/api/devices/${endpoint}`)).ok ? 'there' : 'not yet',
    ).toBe('there');
    await page.goto(`/devices/${endpoint}`);
    await eventually(() => panel.locator('header .quiet').innerText()).toMatch(/^(\d+) of \1 observed$/);
    await panel.getByText(/observed as wanted/).click();
    await panel.getByText('/42769/0', { exact: true }).waitFor();
    expect(await panel.getByText('Carriers').count()).toBeGreaterThan(0);
  });

  it('shows, as it happens, what a new policy wants and the device refuses', async () => {
    await put('/api/observation-policies/odd', {
      name: 'Odd resources',
      observations: [{ paths: ['/3/0/999'], attributes: { pmin: 5 } }, { paths: ['/3/0/9'] }],
    });
    const refused = panel.locator('li.refused');
    await refused.waitFor();
    expect(await refused.innerText()).toContain('/3/0/999');
    expect(await refused.innerText()).toContain('4.04');
    expect(await refused.innerText()).toContain('Odd resources');
    await panel.getByText('Device · Battery Level').waitFor();
  });

  it('has all of them renewed', async () => {
    const before = await observedSince();
    await panel.getByRole('button', { name: 'Renew' }).click();
    await eventually(observedSince).toBeGreaterThan(before);
    await panel.getByRole('button', { name: 'Renew', exact: true }).waitFor();
    await panel.locator('li.refused').waitFor();
  });

  async function observedSince(): Promise<number> {
    const { wanted } = await system.api<{ wanted: { paths: string[]; real?: { since: number } }[] }>(
      `/api/devices/${endpoint}/observation-policy`,
    );
    return wanted.find(({ paths }) => paths[0] === '/3/0/9')?.real?.since ?? 0;
  }

  it('met no error, and asked nothing of another origin', async () => {
    const picture = process.env['SCREENSHOT'];
    if (picture !== undefined) await writeFile(picture, await page.screenshot({ fullPage: true }));
    expect(console.complaints).toEqual([]);
  });
});
