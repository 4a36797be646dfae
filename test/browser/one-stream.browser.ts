import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ProjectProcess } from '../support/server-process.ts';
import { launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

/** More than the six connections that a browser opens to one server. */
const tabs = 10;

describe.skipIf(skipWithoutChromium)('one event stream per browser', () => {
  let system: TestSystem;
  let server: ProjectProcess;
  let browser: Browser;
  let context: BrowserContext;
  let complaints: string[];
  const pages: Page[] = [];

  /** How many event streams are open at the server. */
  const streams = async (): Promise<number> => {
    const text = await (await fetch(`${system.origin}/metrics`)).text();
    return Number(/^simyard_http_event_streams (\d+)$/m.exec(text)?.[1]);
  };
  const latest = (page: Page) =>
    page.locator('sy-reading-plot').filter({ hasText: 'imu' }).locator('[data-fact=latest]').innerText();
  const isMoving = async (page: Page) => {
    const before = await latest(page);
    await eventually(() => latest(page)).not.toBe(before);
  };

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    server = await system.startServer();
    system.startModem('shared-a');
    system.startModem('shared-b');
    browser = await launchChromium();
    const console = await openPage(browser, system.origin);
    ({ context, complaints } = console);
    pages.push(console.page);
    while (pages.length < tabs) pages.push(await context.newPage());
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('serves ten tabs, each with what it shows, by one connection', async () => {
    await pages[0]?.goto('/devices');
    for (const name of ['shared-a', 'shared-b']) {
      const row = pages[0]?.getByRole('row').filter({ hasText: name });
      await row?.getByText('awake', { exact: true }).waitFor();
    }
    for (const [index, page] of pages.entries()) {
      if (index > 0) await page.goto(`/devices/shared-${index % 2 === 0 ? 'a' : 'b'}`);
    }
    for (const page of pages.slice(1)) await isMoving(page);
    await eventually(streams).toBe(1);
  });

  it('leaves room for requests: an eleventh tab loads, and shows what the others show', async () => {
    const page = await context.newPage();
    await page.goto('/devices/shared-a/carrier');
    await page.locator('sy-sim-card').getByText('AT&T').waitFor();
    await eventually(streams).toBe(1);
    await page.close();
  });

  it('resumes all of them when the server was killed and is back', async () => {
    await server.kill('SIGKILL');
    for (const page of pages) await page.locator('sy-live-bar').getByText('Not live').waitFor();
    await pages[3]
      ?.locator('sy-live-bar')
      .getByText(/Last event at \d\d:\d\d:\d\d/)
      .waitFor();
    server = await system.startServer();
    for (const page of pages)
      await page.locator('sy-live-bar').getByText('Not live').waitFor({ state: 'hidden' });
    for (const page of pages.slice(1)) await isMoving(page);
    await eventually(streams).toBe(1);
  });

  it('does without a shared worker where the browser has none, one stream a page', async () => {
    const lonely = await browser.newContext({ baseURL: system.origin });
    await lonely.addInitScript('delete globalThis.SharedWorker');
    const page = await lonely.newPage();
    await page.goto('/devices/shared-a');
    await isMoving(page);
    await eventually(streams).toBe(2);
    await lonely.close();
    await eventually(streams).toBe(1);
  });

  it('does without it where the worker cannot be started', async () => {
    const blocked = await browser.newContext({ baseURL: system.origin });
    await blocked.addInitScript(`
      const Real = SharedWorker;
      globalThis.SharedWorker = class extends Real {
        constructor(_url, options) { super('/assets/nothing.js', options); }
      };
    `);
    const page = await blocked.newPage();
    await page.goto('/devices/shared-a');
    await isMoving(page);
    await blocked.close();
  });

  it('ends the stream with the last tab', async () => {
    await context.close();
    await eventually(streams).toBe(0);
  });

  it('met no error but the requests that found no server', () => {
    expect(complaints.filter((complaint) => !/ERR_|Failed to load resource/.test(complaint))).toEqual([]);
  });
});
