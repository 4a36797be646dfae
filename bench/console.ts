/**
 * The console before a large fleet, in Chromium, from the server as it ships on a data folder that seed-fleet.ts has
 * filled: until the first rows are seen, until a search shows its rows, and how long a row is empty where the
 * scroll bar is let go. `npm run build:web`, then `node bench/console.ts [folder=./data]`
 */
import { chromium } from 'playwright-core';
import { BenchProcess } from './process.ts';

const [folder = './data'] = process.argv.slice(2);
const TIMES = 10;

const server = new BenchProcess('./targets/simyard.ts', [folder]);
const { http } = await server.next<{ readonly http: string }>();
// The server counts its fleet when it has started: what is measured is a reader who comes then.
await fetch(`${http}/api/overview`);
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});

function tell(name: string, times: number[]): void {
  times.sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  console.log(
    `${name.padEnd(48)}${median.toFixed(0).padStart(6)} ms   worst ${(times.at(-1) ?? 0).toFixed(0)} ms`,
  );
}

/** In the page: ms until the condition holds, looked at in every frame. */
const until = (condition: string): string =>
  `new Promise((resolve) => {
    const begun = performance.now();
    const table = () => document.querySelector('sy-console-app').shadowRoot.querySelector('sy-devices-page')?.shadowRoot.querySelector('sy-device-table')?.shadowRoot;
    const look = () => (${condition}) ? resolve(performance.now() - begun) : requestAnimationFrame(look);
    look();
  })`;
const loaded =
  "table()?.querySelectorAll('.rows .row a').length > 10 && table().querySelectorAll('.rows .bone').length === 0";

for (const [name, path] of [
  ['first view: overview', '/'],
  ['first view: devices', '/devices'],
  ['first view: devices, filtered and sorted', '/devices?state=asleep&carrier=AT%26T&sort=-lastSeen'],
] as const) {
  const times: number[] = [];
  for (let turn = 0; turn < TIMES; turn++) {
    // Nothing is cached: a reader who was never here.
    const context = await browser.newContext({ baseURL: http, viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const begun = performance.now();
    await page.goto(path, { waitUntil: 'commit' });
    await page
      .locator(path === '/' ? 'sy-overview-page .value' : '.rows .row a')
      .first()
      .waitFor();
    times.push(performance.now() - begun);
    await context.close();
  }
  tell(name, times);
}

const page = await browser.newPage({ baseURL: http, viewport: { width: 1440, height: 900 } });
await page.goto('/devices');
await page.locator('.rows .row a').first().waitFor();

const jumps: number[] = [];
for (let turn = 0; turn < TIMES * 2; turn++) {
  await page.locator('sy-device-table .body').evaluate(
    (body: { scrollTop: number; scrollHeight: number }, share) => {
      body.scrollTop = body.scrollHeight * share;
    },
    ((turn * 37) % 100) / 101,
  );
  jumps.push(await page.evaluate<number>(until(loaded)));
}
tell('the scroll bar is dragged to any place', jumps);

const begun = performance.now();
const empty = await page.evaluate<number>(`new Promise((resolve) => {
  const table = document.querySelector('sy-console-app').shadowRoot.querySelector('sy-devices-page').shadowRoot.querySelector('sy-device-table').shadowRoot;
  const body = table.querySelector('.body');
  body.scrollTop = 400000;
  let frames = 0;
  let empty = 0;
  const step = () => {
    body.scrollTop += 120;
    frames += 1;
    if (frames > 30 && table.querySelectorAll('.rows .bone').length > 0) empty += 1;
    if (frames < 400) requestAnimationFrame(step);
    else resolve(empty);
  };
  requestAnimationFrame(step);
})`);
const seconds = (performance.now() - begun) / 1000;
console.log(
  `scrolled by 3 rows a frame for ${seconds.toFixed(1)} s: ${empty} of 370 frames with a row that was not loaded`,
);

const searches: number[] = [];
for (const text of ['356942', 'meter-1', '99877', '31041000012', '8901410321', 'zzz', 'urn', '729433']) {
  const answered = page.waitForResponse((response) => response.url().includes(`q=${text}`));
  await page.getByRole('searchbox').fill(text);
  const response = await answered;
  await response.finished();
  searches.push(response.request().timing().responseEnd);
}
tell('search: asked until answered', searches);
await browser.close();
await server.stop();
