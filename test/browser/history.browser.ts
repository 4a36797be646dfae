import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { seedMonth, silence } from './support/month-of-readings.ts';
import { TestSystem } from './support/system.ts';

const endpoint = 'month-modem';
const day = 86_400_000;

describe.skipIf(skipWithoutChromium)('a month of readings', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;
  /** ms */
  let end: number;

  const plot = (kind: string) => page.locator('sy-reading-plot').filter({ hasText: kind });
  const extent = (kind: string) => plot(kind).locator('.range').innerText();
  const show = (label: string) => page.getByRole('button', { name: label, exact: true }).click();

  /** How many columns of a stretch of the plot have anything of the line's colour. */
  const inked = async (kind: string, from: number, to: number): Promise<number> => {
    const share = (at: number) => (at - (end - 30 * day)) / (30 * day);
    return plot(kind)
      .locator('canvas')
      .evaluate(
        (
          canvas: { width: number; height: number; clientWidth: number; getContext(kind: '2d'): Pixels },
          [left, right],
        ) => {
          const ratio = canvas.width / canvas.clientWidth;
          const [start, end] = [64 * ratio, canvas.width - 16 * ratio];
          const first = Math.ceil(start + (end - start) * (left as number));
          const last = Math.floor(start + (end - start) * (right as number));
          const { data, width } = canvas.getContext('2d').getImageData(first, 0, last - first, canvas.height);
          let count = 0;
          for (let x = 0; x < width; x++) {
            for (let at = x * 4; at < data.length; at += width * 4) {
              const [red = 0, green = 0, blue = 0, alpha = 0] = data.slice(at, at + 4);
              // Violet, and nothing grey.
              if (alpha > 0 && blue - green > 60 && blue - red > 40) {
                count++;
                break;
              }
            }
          }
          return count / width;
        },
        [share(from), share(to)] as const,
      );
  };

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    end = Math.floor(Date.now() / 1000) * 1000;
    await seedMonth(join(system.folder, 'server'), endpoint, end * 1000);
    await system.startServer();
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    await page.goto(`/devices/${endpoint}`);
    await plot('temperature').waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('is drawn as mean and extent of steps, with its silence as a gap', async () => {
    await show('30 d');
    await eventually(() => extent('temperature')).toMatch(
      /^9\.4\d* to 26\.5\d* · mean and extent of 30\u202fmin/,
    );
    await eventually(() => extent('humidity')).toMatch(
      /^43\.0\d* to 77?6?\.\d* · mean and extent of 30\u202fmin/,
    );
    for (const kind of ['temperature', 'humidity']) {
      await eventually(() =>
        inked(kind, end - 29 * day, end - silence.from / 1000 - 0.1 * day),
      ).toBeGreaterThan(0.99);
      expect(await inked(kind, end - silence.to / 1000 + 0.1 * day, end - 0.1 * day)).toBeGreaterThan(0.99);
      expect(
        await inked(kind, end - silence.from / 1000 + 0.1 * day, end - silence.to / 1000 - 0.1 * day),
      ).toBe(0);
    }
    expect(await page.getByText('are not shown here').count()).toBe(0);
  });

  it('is looked into down to single readings, and left again', async () => {
    await show('30 d');
    const box = await plot('temperature').locator('canvas').boundingBox();
    if (box === null) throw new Error('no plot');
    const middle = box.y + box.height / 2;
    const across = box.x + 64 + (box.width - 80) * 0.25;
    await page.mouse.move(across, middle);
    await page.mouse.down();
    await page.mouse.move(across + 40, middle, { steps: 4 });
    await page.mouse.up();
    await page.getByText('❚❚ held').waitFor();
    await eventually(() => extent('temperature')).toMatch(/ · mean and extent of (\d+\u202fs|1\u202fmin)/);
    await page.locator('.plots').focus();
    const seen: string[] = [];
    for (let press = 0; press < 8; press++) {
      await page.keyboard.press('+');
      await eventually(() => page.locator('sy-readings-board .note').innerText()).toBe('');
      seen.push(await extent('temperature'));
    }
    // From day to seconds: steps that get shorter, then the readings themselves.
    await eventually(() => extent('temperature')).not.toContain('mean');
    expect(seen.some((text) => /of \d+\u202fs/.test(text))).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByText('● live').waitFor();
    await eventually(() => extent('temperature')).toMatch(/30\u202fmin/);
  });

  it('tells mean, extent and time of the step that is pointed at', async () => {
    await show('30 d');
    await eventually(() => extent('temperature')).toMatch(/30\u202fmin/);
    const box = await plot('temperature').locator('canvas').boundingBox();
    if (box === null) throw new Error('no plot');
    await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2);
    await plot('humidity')
      .getByText(/^mean of [\d.]+ to [\d.]+$/)
      .waitFor();
    await plot('temperature')
      .getByText(/^around \d+ \w{3} \d\d:\d\d:\d\d$/)
      .waitFor();
    await page.mouse.move(0, 0);
  });

  it('is exported by the server where it is more than the page has', async () => {
    await show('7 d');
    await eventually(() => extent('temperature')).toContain('mean and extent');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export CSV' }).click(),
    ]);
    expect(download.url()).toContain('/api/readings/export?');
    const text = await readFile(await download.path(), 'utf8');
    const lines = text.split('\r\n');
    expect(lines[0]).toBe('endpoint,path,taken_at,received_at,value,claimed_at');
    expect(lines[1]).toMatch(/^month-modem,\/42770\/0\/2,\d{4}-\d\d-\d\dT[\d:]+\.000000Z,/);
    // A week of one reading a second and of one in ten, but for what has passed since they were made.
    const whole = 7 * 86_400 * 1.1;
    expect(lines.length).toBeGreaterThan(whole - 1000);
    expect(lines.length).toBeLessThanOrEqual(whole + 3);
  });

  it('goes on with what comes live', async () => {
    const latest = () => plot('temperature').locator('[data-fact=latest]').innerText();
    await show('1 min');
    const before = await latest();
    // The same name, at another address: its sensors' readings go on where the month's ended.
    const modem = system.startModem(endpoint);
    await eventually(latest).not.toBe(before);
    await eventually(() => extent('temperature')).toMatch(/\/s/);
    await show('30 d');
    await eventually(() => extent('temperature')).toMatch(/30\u202fmin/);
    const during = await latest();
    await eventually(latest).not.toBe(during);
    await modem.kill('SIGTERM');
  });

  it.each(looks)('is well formed for everybody: $name', async ({ theme, width }) => {
    const other = await openPage(browser, system.origin, { theme, width });
    await other.page.goto(`/devices/${endpoint}`);
    await other.page.getByRole('button', { name: '30 d', exact: true }).click();
    await other.page
      .getByText(/mean and extent/)
      .first()
      .waitFor();
    expect(await violations(other.page)).toEqual([]);
    const overflow = await other.page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBeLessThanOrEqual(0);
    expect(other.complaints).toEqual([]);
    await other.context.close();
  });

  it('had nothing to complain about', () => {
    // That pixels are read is this test's doing.
    expect(console.complaints.filter((complaint) => !complaint.includes('getImageData'))).toEqual([]);
  });
});

/** What a canvas has that this test reads; the page's own types are not known here. */
interface Pixels {
  getImageData(
    x: number,
    y: number,
    width: number,
    height: number,
  ): { readonly data: Uint8ClampedArray; readonly width: number };
}
