import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import type { ApiCarrierAnswer, ApiDevice } from '../../web/data/api-types.ts';
import { identifierText } from '../../web/data/identifiers.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

describe.skipIf(skipWithoutChromium)('the carrier tab', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;

  const device = (endpoint: string) => system.api<ApiDevice>(`/api/devices/${endpoint}`);
  const send = async (method: string, path: string, body: unknown) => {
    const answer = await fetch(`${system.origin}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  const profile = (name: string) =>
    page.getByRole('region', { name: 'Profiles' }).getByRole('row').filter({ hasText: name });
  const history = () => page.getByRole('region', { name: 'History of switches' }).getByRole('row');

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer();
    system.startModem('refusing', '--card-fault', 'policy');
    system.startModem('sleeping', '--queue-mode', '--rate', 'imu=0,gyro=0,temperature=0');
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    for (const endpoint of ['refusing', 'sleeping']) {
      await vi.waitUntil(
        async () =>
          (await fetch(`${system.origin}/api/devices/${endpoint}`)).ok && (await device(endpoint)).carrier,
        { timeout: 60_000, interval: 100 },
      );
    }
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('shows the SIM as a card, its profiles with the enabled one marked, and its identifiers in groups', async () => {
    await page.goto('/devices/refusing/carrier');
    const { slots } = await system.api<ApiCarrierAnswer>('/api/devices/refusing/carrier');
    const iccid = identifierText('iccid', slots[0]?.iccid ?? '');
    expect(iccid).toMatch(/^\d{4} \d{4} /);
    await page.locator('sy-sim-card').getByText(iccid).waitFor();
    await profile('AT&T').getByText('enabled').waitFor();
    await profile('AT&T').getByText(iccid).waitFor();
    await profile('Verizon').getByText('disabled').waitFor();
    expect(
      await profile('AT&T')
        .getByRole('button', { name: /Switch/ })
        .count(),
    ).toBe(0);
  });

  it('shows the refusal of the card with its reason, in the steps and in the history', async () => {
    await page.getByRole('button', { name: 'Switch to Verizon' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Switch to Verizon' }).click();
    const outcome = page.locator('sy-switch-timeline [data-outcome]');
    await outcome.getByText('NACK').waitFor();
    const entry = history().filter({ hasText: 'Verizon' });
    await entry.getByText('NACK').waitFor();
    const { slots } = await system.api<ApiCarrierAnswer>('/api/devices/refusing/carrier');
    const reason = slots[0]?.lastReason ?? '';
    expect(reason).not.toBe('');
    expect(await entry.innerText()).toContain(reason);
    expect(await entry.innerText()).toMatch(/\d\s(ms|s)/);
    await profile('AT&T').getByText('enabled').waitFor();
  });

  it('shows the ICCID of each profile, and why an operation on profiles failed', async () => {
    const answer = await system.api<{ items: { value: string }[] }>('/api/devices/refusing/objects/504/0/11');
    const iccids = answer.items.map(({ value }) => value);
    for (const [index, name] of ['AT&T', 'T-Mobile', 'Verizon'].entries()) {
      await profile(name)
        .getByText(identifierText('iccid', iccids[index] ?? ''))
        .waitFor();
    }
    await send('PUT', '/api/devices/refusing/objects/504/0/14', { value: iccids[1] });
    await expect(send('POST', '/api/devices/refusing/objects/504/0/4', { args: '1' })).rejects.toThrow(
      'refused by the profile policy',
    );
    const newest = page.locator('[data-fact=provisioning]');
    await newest.getByText('Enable failed').waitFor();
    expect(await newest.innerText()).toContain('refused by the profile policy');
  });

  it('says what a Disconnect does before it is done', async () => {
    await page.getByText('unreachable until it re-attaches after 10').first().waitFor();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    const dialog = page.getByRole('dialog', { name: 'Disconnect?' });
    await dialog.getByText('unreachable until it re-attaches after 10').waitFor();
    await dialog.getByRole('button', { name: 'Keep as it is' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await history().filter({ hasText: 'Disconnect' }).count()).toBe(0);
  });

  it('says of a device that sleeps when it is expected, and what goes out before the switch', async () => {
    await send('PUT', '/api/devices/sleeping/presence', { awakeTime: 1000 });
    await vi.waitUntil(async () => (await device('sleeping')).state === 'asleep', {
      timeout: 60_000,
      interval: 100,
    });
    await send('POST', '/api/devices/sleeping/requests', { operation: 'read', path: '/3/0/9' });
    await page.goto('/devices/sleeping/carrier');
    await page.getByRole('button', { name: 'Switch to T-Mobile' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/The device sleeps: .* by \d\d:\d\d:\d\d at the latest/).waitFor();
    await dialog.getByRole('button', { name: 'Switch to T-Mobile' }).click();
    await dialog.waitFor({ state: 'hidden' });
    // The dialog, which is closed now, says the same.
    const panel = page.locator('sy-carrier-panel').getByRole('region', { name: 'SIM' });
    await panel.getByText(/The device sleeps: .* by \d\d:\d\d:\d\d at the latest/).waitFor();
    await panel.getByText(/1 command\s+of this device goes\s+out before it/).waitFor();
    await page.locator('sy-sim-card').getByText('switch waits').waitFor();
    expect(await page.getByRole('button', { name: 'Switch to Verizon' }).isDisabled()).toBe(true);
  });

  it('takes back a switch that waits', async () => {
    await page.getByRole('button', { name: 'Cancel the switch' }).click();
    await history().filter({ hasText: 'T-Mobile' }).getByText('– Cancelled').waitFor();
    await eventually(() => page.getByRole('button', { name: 'Switch to Verizon' }).isDisabled()).toBe(false);
  });

  it.each(looks)('axe finds nothing in it ($name)', async ({ theme, width }) => {
    const look = await openPage(browser, system.origin, { theme, width });
    await look.page.goto('/devices/refusing/carrier');
    await look.page.getByRole('region', { name: 'History of switches' }).getByText('NACK').waitFor();
    expect(await violations(look.page)).toEqual([]);
    expect(look.complaints).toEqual([]);
    await look.context.close();
  });

  it('met no error', () => {
    expect(console.complaints).toEqual([]);
  });
});
