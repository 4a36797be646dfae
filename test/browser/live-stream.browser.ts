import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ApiReadResult } from '../../web/data/api-types.ts';
import type { ProjectProcess } from '../support/server-process.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const endpoint = 'live-modem';

describe.skipIf(skipWithoutChromium)('a device, live', () => {
  let system: TestSystem;
  let server: ProjectProcess;
  let modem: ProjectProcess;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  const plot = (kind: string) => page.locator('sy-reading-plot').filter({ hasText: kind });
  const latest = () => plot('imu').locator('[data-fact=latest]').innerText();
  const picture = () =>
    plot('imu')
      .locator('canvas')
      .evaluate((canvas: { toDataURL(): string }) => canvas.toDataURL());

  const exported = async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export CSV' }).click(),
    ]);
    const text = await readFile(await download.path(), 'utf8');
    return { name: download.suggestedFilename(), lines: text.trim().split('\r\n') };
  };

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    server = await system.startServer();
    modem = system.startModem(endpoint);
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    await page.goto('/devices');
    await page.getByRole('link', { name: endpoint }).click();
    await plot('imu').locator('[data-fact=latest]').waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('holds the time while it is paused, and goes back to live', async () => {
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('❚❚ held').waitFor();
    await page.getByText(/\d\u202fs behind/).waitFor();
    // What was on its way when it was paused may still be drawn; then it stands still, whatever comes.
    let held = '';
    for (let tries = 0; held === '' && tries < 10; tries++) {
      const before = await picture();
      const meanwhile = await latest();
      await eventually(latest).not.toBe(meanwhile);
      if ((await picture()) === before) held = before;
    }
    expect(held).not.toBe('');
    await page.getByRole('button', { name: 'Back to live' }).click();
    await eventually(picture).not.toBe(held);
  });

  it('looks closer at what is dragged over, and leaves it with Escape', async () => {
    await page.getByRole('button', { name: '10 s', exact: true }).click();
    const box = await plot('gyro').locator('canvas').boundingBox();
    if (box === null) throw new Error('no plot');
    const middle = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.6, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, middle, { steps: 4 });
    await page.mouse.up();
    await page.getByText('❚❚ held').waitFor();
    await page.locator('.plots').focus();
    await page.keyboard.press('Escape');
    await page.getByText('● live').waitFor();
  });

  it('exports what is shown, with the times at which it was taken', async () => {
    const { name, lines } = await exported();
    expect(name).toMatch(/^live-modem-[\d-]+\.csv$/);
    expect(lines[0]).toBe('taken_at,path,sensor,value,unit');
    expect(lines.length).toBeGreaterThan(50);
    const imu = lines.filter((line) => line.includes(',/42770/0/2,imu,'));
    const times = imu.map((line) => line.split(',')[0] ?? '');
    expect(times).toEqual([...times].sort());
    expect(new Set(times).size).toBe(times.length);
    expect(imu[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{6}Z,\/42770\/0\/2,imu,-?[\d.]+,m\/s2$/);
  });

  it('has a sensor read at another rate, and shows it when the device has said so', async () => {
    const rate = page.getByRole('combobox', { name: 'Sampling rate of gyro' });
    await eventually(() => rate.inputValue()).toBe('50');
    await rate.selectOption('100');
    await eventually(() => rate.inputValue()).toBe('100');
    const { value } = await system.api<ApiReadResult>(`/api/devices/${endpoint}/objects/42770/1/7`);
    expect(value).toBe(10_000);
    // As long as ten seconds, of which the last are at the new rate.
    await eventually(() => plot('gyro').locator('.range').innerText()).toMatch(/· (9\d|100)\.?\d*\/s/);
  });

  it('says that it is not live when the server is gone, and goes on when it is back', async () => {
    await server.kill('SIGKILL');
    const bar = page.locator('sy-live-bar');
    await bar.getByText('Not live').waitFor();
    await bar.getByText(/Last event at \d\d:\d\d:\d\d/).waitFor();
    await bar.getByRole('button', { name: 'Try now' }).click();
    await bar.getByText('Not live').waitFor();
    server = await system.startServer();
    await bar.getByText('Not live').waitFor({ state: 'hidden' });
    const before = await latest();
    await eventually(latest).not.toBe(before);
    // The requests that found no server are the browser's to complain about, and nothing else is.
    expect(console.complaints.filter((complaint) => !/ERR_|Failed to load resource/.test(complaint))).toEqual(
      [],
    );
  });

  it('refuses politely where nobody can be reached', async () => {
    await page.getByRole('link', { name: 'Carrier', exact: true }).click();
    await page.getByRole('button', { name: 'T-Mobile' }).waitFor();
    await server.kill('SIGKILL');
    await page.getByRole('button', { name: 'T-Mobile' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Switch to T-Mobile' }).click();
    await dialog.getByText('The server does not answer').waitFor();
    server = await system.startServer();
    // The same decision again: it has one key, however often it is sent.
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.locator('sy-switch-history tbody tr').getByText('ACK').waitFor({ timeout: 60_000 });
    expect(await page.locator('sy-switch-history tbody tr').count()).toBe(1);
  });

  it('has every reading in its place, those too that were taken while no server listened', async () => {
    await page.getByRole('link', { name: 'Live', exact: true }).click();
    await page.getByRole('button', { name: '10 min', exact: true }).click();
    await eventually(async () => {
      const { lines } = await exported();
      const times = lines
        .filter((line) => line.includes(',/42770/0/2,imu,'))
        .map((line) => Date.parse(line.split(',')[0] ?? ''));
      // The server was gone twice for seconds each; the sensor was read each 20 ms all the while.
      expect(times.length).toBeGreaterThan(250);
      return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    }).toBeLessThan(100);
  });

  it('tries a part that failed again when the server is back, and says no more that it failed', async () => {
    const panels = page.locator('sy-device-page').getByText('The server does not answer');
    await page.route('**/api/**/carrier', (route) => route.abort());
    await page.goto(`/devices/${endpoint}/carrier`);
    await panels.first().waitFor();
    await page.unroute('**/api/**/carrier');
    await server.kill('SIGKILL');
    await page.locator('sy-live-bar').getByText('Not live').waitFor();
    expect(await panels.count()).toBeGreaterThan(0);
    server = await system.startServer();
    await eventually(() => panels.count()).toBe(0);
    await page.locator('sy-sim-card').getByText('T-Mobile').waitFor();
  });

  it('does not call live what nothing can come from', async () => {
    await page.goto(`/devices/${endpoint}`);
    await plot('imu').locator('[data-fact=latest]').waitFor();
    await page.getByText('● live').waitFor();
    await modem.kill('SIGTERM');
    await page.locator('sy-readings-board').getByText('○ not registered').waitFor();
    await page.locator('sy-readings-board').getByText('last reading').waitFor();
    expect(await page.getByText('● live').count()).toBe(0);
  });
});
