/**
 * `npm run screenshots`: the pictures of README and docs, taken of a system that runs, in both themes. The console must
 * be built with what is to be seen; the pictures are written to docs/images.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { buildConsole } from '../../scripts/build-console.ts';
import { root } from '../../scripts/root.ts';
import { launchChromium, openPage } from './support/chromium.ts';
import { type Showcase, startShowcase } from './support/showcase.ts';
import { TestSystem } from './support/system.ts';

interface Picture {
  readonly name: string;
  readonly path: string;
  /** Resolves when the page shows what the picture is for. */
  readonly ready: (page: Page) => Promise<unknown>;
}

function picturesOf({ main }: Showcase): readonly Picture[] {
  const device = `/devices/${main}`;
  return [
    {
      name: 'overview',
      path: '/',
      ready: (page) => page.getByRole('heading', { name: 'Overview' }).waitFor(),
    },
    { name: 'devices', path: '/devices', ready: (page) => page.getByText('meter-1').first().waitFor() },
    { name: 'device', path: device, ready: (page) => page.locator('sy-reading-plot').nth(2).waitFor() },
    {
      name: 'carrier',
      path: `${device}/carrier`,
      ready: (page) => page.getByText('ACK').first().waitFor(),
    },
    {
      name: 'objects',
      path: `${device}/objects/3/0`,
      ready: (page) => page.getByText('Battery Level').first().waitFor(),
    },
    { name: 'trace', path: `${device}/trace`, ready: (page) => page.getByText('Content').first().waitFor() },
  ];
}

/** Commands that ended well and badly, so that histories have something to show. */
async function switchSome(system: TestSystem, { main, refuser }: Showcase): Promise<void> {
  for (const [endpoint, carrier] of [
    [main, 'Verizon'],
    [refuser, 'AT&T'],
    [main, 'T-Mobile'],
  ] as const) {
    await fetch(`${system.origin}/api/devices/${endpoint}/carrier`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ carrier }),
    });
  }
}

async function main(): Promise<void> {
  const folder = join(root, 'docs', 'images');
  mkdirSync(folder, { recursive: true });
  await buildConsole();
  const system = await TestSystem.create();
  const browser = await launchChromium();
  try {
    await system.startServer();
    const showcase = await startShowcase(system);
    await switchSome(system, showcase);
    for (const theme of ['light', 'dark'] as const) {
      for (const { name, path, ready } of picturesOf(showcase)) {
        const { page, context } = await openPage(browser, system.origin, { theme, width: 1440, height: 900 });
        await page.goto(path);
        await ready(page);
        // What has come by now is drawn: sensors have a history of half a minute to be looked at.
        await page.waitForTimeout(name === 'device' ? 30_000 : 1_500);
        writeFileSync(join(folder, `${name}-${theme}.png`), await page.screenshot());
        console.log(`docs/images/${name}-${theme}.png`);
        await context.close();
      }
    }
  } finally {
    await browser.close();
    await system.close();
  }
}

await main();
