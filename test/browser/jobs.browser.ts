import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ApiJob } from '../../server/api/schemas/jobs.ts';
import type { ApiDevicePage } from '../../server/api/schemas.ts';
import type { ProjectProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const away = 'away-modem';
const shots = process.env['SIMYARD_SHOTS'];

describe.skipIf(skipWithoutChromium)('jobs and commands, seen in a browser, of 20 modems', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;
  let stopped: ProjectProcess;

  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const answer = await fetch(`${system.origin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const switchAll = (name: string, carrier: string, options = {}): Promise<ApiJob> =>
    post('/api/jobs', {
      name,
      devices: { filter: { q: 'modem' } },
      operation: { kind: 'carrier-switch', carrier },
      options,
    });
  const registered = async (): Promise<number> =>
    (await system.api<ApiDevicePage>('/api/devices?state=registered&limit=1')).total;
  const chip = (label: string) =>
    page.locator('sy-job-page .chip', { hasText: new RegExp(`^\\s*${label}\\b`) });

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    stopped = system.startModem(away, '--rate', 'imu=0,gyro=0,temperature=0');
    system.startFleet(
      19,
      '--prefix',
      'modem-',
      '--rate',
      'imu=0,gyro=0,temperature=0',
      '--switch-latency',
      '400',
      '--attach-time',
      '50',
    );
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    await until('all are registered', async () => (await registered()) === 20, 60_000);
    await until(
      'all carriers are known',
      async () => {
        const { items } = await system.api<ApiDevicePage>('/api/devices?limit=100&fields=carrier');
        return items.filter((device) => 'carrier' in device).length === 20;
      },
      60_000,
    );
    await stopped.kill('SIGTERM');
    await until('one has left', async () => (await registered()) === 19, 60_000);
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('says what to do where there is none yet', async () => {
    await page.goto('/jobs');
    await page.getByText('No job was made yet.').waitFor();
    await page.goto('/commands');
    await page.getByText('No command was given yet.').waitFor();
  });

  it('shows a job as it goes: 19 modems are done, the one that is stopped is waited for', async () => {
    await page.goto('/jobs');
    const job = await switchAll('All to T-Mobile', 'T-Mobile', { atOnce: 5 });
    const row = page.locator('sy-jobs-page tbody tr', { hasText: 'All to T-Mobile' });
    await row.waitFor();
    await row.getByRole('link', { name: 'All to T-Mobile' }).click();
    expect(new URL(page.url()).pathname).toBe(`/jobs/${job.id}`);
    await eventually(() => chip('Done').textContent()).toContain('19');
    await eventually(() => chip('Queued').textContent()).toContain('1');
    expect(await page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('19');
    await chip('Queued').click();
    await eventually(() => page.locator('sy-job-page tbody tr').count()).toBe(1);
    expect(await page.locator('sy-job-page tbody th').innerText()).toBe(away);
    await chip('All').click();
    await eventually(() => page.locator('sy-job-page tbody tr').count()).toBe(20);
  });

  it('gives the results as CSV', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Results as CSV' }).click(),
    ]);
    const csv = await readFile(await download.path(), 'utf8');
    const lines = csv.trim().split('\r\n');
    expect(lines[0]).toBe('endpoint,state,reason,command,result,updatedAt');
    expect(lines).toHaveLength(21);
    expect(lines.filter((line) => line.includes(',done,'))).toHaveLength(19);
  });

  it('is paused, resumed and cancelled; what has not ended is named before', async () => {
    await page.getByRole('button', { name: 'Pause' }).click();
    await eventually(() => chip('Waiting').textContent()).toContain('1');
    await page.getByRole('button', { name: 'Resume' }).click();
    await eventually(() => chip('Queued').textContent()).toContain('1');
    await page.getByRole('button', { name: 'Cancel job' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.innerText()).toContain('1 device will not be asked any more.');
    await dialog.getByRole('button', { name: 'Cancel job' }).click();
    await eventually(() => chip('Cancelled').textContent()).toContain('1');
    await page.getByRole('button', { name: 'Retry 1' }).waitFor();
  });

  it('tries those again that were cancelled, and they are done when they come', async () => {
    await page.getByRole('button', { name: 'Retry 1' }).click();
    await eventually(() => chip('Queued').textContent()).toContain('1');
    system.startModem(away, '--rate', 'imu=0,gyro=0,temperature=0', '--switch-latency', '100');
    await eventually(() => chip('Done').textContent()).toContain('20');
    await page.getByRole('button', { name: 'Forget' }).waitFor();
  });

  it('lists commands by state, tells how each went, and takes back one that waits', async () => {
    await post(`/api/devices/${away}/requests`, { operation: 'read', path: '/3/0' });
    await page.goto('/commands');
    const items = page.locator('sy-command-list li');
    await eventually(() => items.count()).toBeGreaterThan(20);
    await page.locator('sy-command-list .chip', { hasText: 'Done' }).click();
    expect(new URL(page.url()).search).toBe('?state=done');
    const read = items.filter({ hasText: 'Read Device (/3/0)' });
    await read.waitFor();
    await read.getByRole('button', { name: /How it went/ }).click();
    await read.getByText('Answer of the device').waitFor();
    expect(await read.locator('sy-command-detail table tr').count()).toBeGreaterThan(3);
    const switched = items.filter({ hasText: 'Switch to T-Mobile' }).first();
    await switched.getByRole('button', { name: /How it went/ }).click();
    await switched.locator('sy-switch-timeline').waitFor();
    if (shots !== undefined) await page.screenshot({ path: `${shots}/commands-open.png` });
  });

  it('has the commands of one device in its tab, with cancel and retry', async () => {
    await fetch(`${system.origin}/api/devices/${away}`);
    await page.goto(`/devices/${away}/commands`);
    const items = page.locator('sy-command-list li');
    await eventually(() => items.count()).toBeGreaterThan(1);
    const { id } = await post<{ id: string }>(`/api/devices/${away}/requests`, {
      operation: 'execute',
      path: '/3/0/99',
    });
    const failed = items.filter({ hasText: '/3/0/99' });
    await failed.getByText('Failed').waitFor();
    await failed.getByRole('button', { name: /^Retry/ }).click();
    await eventually(() => failed.count()).toBe(2);
    expect(id).not.toBe('');
    expect(console.complaints).toEqual([]);
  });

  it.each(looks)('is usable by everybody: $name', async ({ theme, width }) => {
    await switchAll('Stops', 'No such carrier', { stopAfterFailures: 3, atOnce: 1 });
    const { page: other, context, complaints } = await openPage(browser, system.origin, { theme, width });
    const jobs = (await system.api<{ items: ApiJob[] }>('/api/jobs')).items;
    const first = jobs.find(({ name }) => name === 'All to T-Mobile');
    const last = jobs[0];
    for (const [name, path, ready] of [
      ['jobs', '/jobs', 'sy-jobs-page tbody tr'],
      ['job', `/jobs/${first?.id}`, 'sy-job-page tbody tr'],
      ['job-stopped', `/jobs/${last?.id}`, 'sy-job-page .reason'],
      ['commands', '/commands', 'sy-command-list li'],
      ['device-commands', `/devices/${away}/commands`, 'sy-command-list li'],
    ] as const) {
      await other.goto(path);
      await other.locator(ready).first().waitFor();
      if (name.endsWith('commands'))
        await other
          .getByRole('button', { name: /How it went/ })
          .first()
          .click();
      expect(await violations(other), name).toEqual([]);
      const scroll = await other.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      expect(scroll, `${name} is not wider than the window`).toBeLessThanOrEqual(0);
      if (shots !== undefined) await other.screenshot({ path: `${shots}/${name}-${theme}-${width}.png` });
    }
    expect(complaints).toEqual([]);
    await context.close();
  });
});
