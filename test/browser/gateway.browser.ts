import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ApiCarrierAnswer } from '../../web/data/api-types.ts';
import { freePort } from '../support/server-process.ts';
import { violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const endpoint = 'field-1';

describe.skipIf(skipWithoutChromium)('a device behind the gateway, in the console', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    const devices = join(system.folder, 'devices.json');
    writeFileSync(devices, JSON.stringify({ devices: [{ endpoint, sources: ['127.0.0.1'] }] }));
    const port = await freePort();
    await system.startServer('--gateway-port', String(port), '--gateway-devices', devices);
    system.startFlowDevice(
      '--server',
      `127.0.0.1:${port}`,
      '--rate',
      'imu=4,gyro=4,temp=4',
      '--refuse',
      'T-Mobile',
    );
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    await vi.waitUntil(
      async () => {
        const { slots } = await system.api<ApiCarrierAnswer>(`/api/devices/${endpoint}/carrier`);
        return slots[0]?.available.length === 3;
      },
      { timeout: 60_000, interval: 100 },
    );
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('is in the list as any other', async () => {
    await page.goto('/devices');
    const row = page.getByRole('row').filter({ hasText: endpoint });
    await row.getByText('awake', { exact: true }).waitFor();
  });

  it('has its three sensors charted live', async () => {
    await page.goto(`/devices/${endpoint}`);
    await page.getByText('by the gateway').waitFor();
    for (const kind of ['imu', 'gyro', 'temp']) {
      const plot = page.locator('sy-reading-plot').filter({ hasText: kind });
      await plot.waitFor();
      const values = new Set<string>();
      const pictures = new Set<string>();
      await eventually(async () => {
        values.add(await plot.locator('[data-fact=latest]').innerText());
        pictures.add(
          await plot.locator('canvas').evaluate((canvas: { toDataURL(): string }) => canvas.toDataURL()),
        );
        return Math.min(values.size, pictures.size);
      }).toBeGreaterThanOrEqual(3);
    }
    expect(await violations(page)).toEqual([]);
  });

  const switchTo = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: `Switch to ${name}` }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: `Switch to ${name}` })
      .click();
  };
  const history = () => page.getByRole('region', { name: 'History of switches' }).getByRole('row');

  it('is switched to another carrier, and shows the ACK', async () => {
    await page.goto(`/devices/${endpoint}/carrier`);
    await switchTo('Verizon');
    await page.locator('sy-switch-timeline [data-outcome]').getByText('ACK').waitFor();
    await page.locator('sy-sim-card').getByText('Verizon').waitFor();
    await history().filter({ hasText: 'Verizon' }).getByText('ACK').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('shows the NACK of its card, and the carrier that it is on still', async () => {
    await switchTo('T-Mobile');
    await page.locator('sy-switch-timeline [data-outcome]').getByText('NACK').waitFor();
    const refused = history().filter({ hasText: 'T-Mobile' });
    await refused.getByText('the card refused; it is on Verizon').waitFor();
    await page.locator('sy-sim-card').getByText('Verizon').waitFor();
  });

  it('has nothing go wrong in the browser', () => {
    expect(console.complaints).toEqual([]);
  });
});
