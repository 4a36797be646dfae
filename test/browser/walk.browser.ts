import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { root } from '../../scripts/root.ts';
import { until } from '../support/until.ts';
import { looks, violations } from './support/axe.ts';
import { launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { type Showcase, startShowcase } from './support/showcase.ts';
import { TestSystem } from './support/system.ts';

interface Stop {
  readonly name: string;
  readonly path: (showcase: Showcase) => string;
  /** Resolves when the view shows what it is for. */
  readonly ready: (page: Page, showcase: Showcase) => Promise<unknown>;
}

const device = (tab: string) => (showcase: Showcase) => `/devices/${showcase.main}${tab}`;
/** A text that is seen, wherever it stands: narrow views hide some of what wide ones show. */
const text =
  (what: string | RegExp, inside = 'main') =>
  (page: Page) =>
    page.locator(inside).getByText(what).filter({ visible: true }).first().waitFor();
const heading = (name: string | RegExp) => (page: Page) =>
  page
    .getByRole('heading', { name, exact: typeof name === 'string' })
    .first()
    .waitFor();

/** Every view of the console that has an address. What can be done in each is in the tests of its own. */
const stops: readonly Stop[] = [
  { name: 'overview', path: () => '/', ready: heading('Overview') },
  {
    name: 'devices',
    path: () => '/devices',
    ready: (page, { lost }) => page.getByRole('link', { name: lost }).waitFor(),
  },
  {
    name: 'devices-filtered',
    path: () => '/devices?state=lost',
    ready: (page, { lost }) => page.getByRole('link', { name: lost }).waitFor(),
  },
  { name: 'live', path: device(''), ready: (page) => page.locator('sy-reading-plot').nth(2).waitFor() },
  {
    name: 'carrier',
    path: device('/carrier'),
    ready: (page) => page.locator('sy-sim-card').first().waitFor(),
  },
  {
    name: 'objects',
    path: device('/objects/3/0/9'),
    ready: heading(/Battery Level/),
  },
  {
    name: 'commands',
    path: device('/commands'),
    ready: text(/Verizon/),
  },
  { name: 'events', path: device('/events'), ready: text(/regist/i, 'sy-device-events') },
  { name: 'trace', path: device('/trace'), ready: text(/2\.05/, 'sy-device-trace') },
  {
    name: 'lost-device',
    path: ({ lost }) => `/devices/${lost}`,
    ready: (page, { lost }) => page.getByRole('heading', { name: lost }).waitFor(),
  },
  {
    name: 'sleeping-device',
    path: ({ sleeper }) => `/devices/${sleeper}/carrier`,
    ready: (page) => page.locator('sy-sim-card').first().waitFor(),
  },
  { name: 'all-commands', path: () => '/commands', ready: heading('Commands') },
  { name: 'jobs', path: () => '/jobs', ready: heading('Jobs') },
  { name: 'cluster', path: () => '/cluster', ready: heading('Cluster') },
  { name: 'settings-objects', path: () => '/settings/objects', ready: heading(/Object definitions/) },
  { name: 'settings-policies', path: () => '/settings/policies', ready: heading(/Observation policies/) },
  { name: 'settings-webhooks', path: () => '/settings/webhooks', ready: heading(/Webhooks/) },
  { name: 'settings-server', path: () => '/settings/server', ready: heading(/Server/) },
  { name: 'not-found', path: () => '/nowhere/at/all', ready: heading(/no such|not found|nothing/i) },
];

/** Where the walk leaves what it saw, to be looked at. */
const pictures = join(root, 'test-results', 'walk');

describe.skipIf(skipWithoutChromium)('a walk through the whole console, with twenty modems behind it', () => {
  let system: TestSystem;
  let browser: Browser;
  let showcase: Showcase;

  beforeAll(async () => {
    await buildConsole();
    await mkdir(pictures, { recursive: true });
    system = await TestSystem.create();
    await system.startServer();
    showcase = await startShowcase(system);
    const post = async (endpoint: string, carrier: string) => {
      await fetch(`${system.origin}/api/devices/${endpoint}/carrier`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ carrier }),
      });
    };
    await post(showcase.main, 'Verizon');
    await post(showcase.refuser, 'AT&T');
    await until('a switch has ended well, and one badly', async () => {
      const { items } = await system.api<{ items: readonly { state: string }[] }>('/api/commands');
      const states = items.map(({ state }) => state);
      return states.includes('done') && states.includes('failed');
    });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it.each(looks)(
    'every view: shown, nothing complained of, nothing wider than the page, nothing that axe finds ($name)',
    async ({ theme, width }) => {
      const { page, context, complaints } = await openPage(browser, system.origin, { theme, width });
      const found: string[] = [];
      for (const { name, path, ready } of stops) {
        await page.goto(path(showcase));
        await ready(page, showcase);
        found.push(...(await violations(page)).map((violation) => `${name}: ${violation}`));
        const overflow = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (overflow > 0) found.push(`${name}: ${overflow} px wider than the page`);
        await page.screenshot({ path: join(pictures, `${name}-${theme}-${width}.png`) });
      }
      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );
});
