import { mkdir } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const password = 'a long enough pass-phrase of a test';
const pictures = process.env['TENANT_PICTURES'];

/** A browser tells each refusal in its console: here they are what is wanted. */
const unwanted = (complaints: readonly string[]) =>
  complaints.filter((line) => !/status of 4\d\d/.test(line));

// One story, told in order: each test goes on where the one before it ended.
describe.skipIf(skipWithoutChromium)('tenants, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;
  let token = '';

  const press = (name: string, at = page) => at.getByRole('button', { name, exact: true }).click();
  const whose = (at = page) => at.locator('sy-device-tenant .whose');
  const rows = async (at = page) =>
    (await at.locator('sy-device-table .rows .row .endpoint a').allTextContents()).map((text) => text.trim());

  async function logIn(at: Page, name: string): Promise<void> {
    await at.getByLabel('User name').fill(name);
    await at.getByLabel('Password', { exact: true }).fill(password);
    await at.keyboard.press('Enter');
    await at.getByRole('navigation').first().waitFor();
  }

  async function post(path: string, body: object): Promise<Response> {
    return fetch(`${system.origin}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
  }

  async function picture(name: string, at = page): Promise<void> {
    if (pictures === undefined) return;
    await mkdir(pictures, { recursive: true });
    await at.screenshot({ path: `${pictures}/${name}.png` });
  }

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    await system.startServer('--login', 'required', '--admin-password', password);
    const login = await post('/api/login', { username: 'admin', password });
    token = ((await login.json()) as { token: string }).token;
    for (const [name, role, tenant] of [
      ['anna', 'administrator', 'acme'],
      ['vera', 'viewer', 'acme'],
    ]) {
      const user = { name, role, tenant, password, mustChangePassword: false };
      expect((await post('/api/users', user)).status).toBe(201);
    }
    system.startFleet(4, '--prefix', 'meter-', '--rate', 'imu=1,gyro=0,temperature=0');
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
    await page.goto('/devices');
    await logIn(page, 'admin');
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('are nothing to see while there are none, but on the device, where one can be given', async () => {
    await eventually(async () => (await rows()).length).toBe(4);
    expect(await page.getByRole('columnheader', { name: 'Tenant' }).count()).toBe(0);
    expect(await page.locator('sy-filter-chip[label="Tenant"]').count()).toBe(0);
    const [first = ''] = await rows();
    await page.goto(`/devices/${first}`);
    await whose().filter({ hasText: 'none' }).waitFor();
    await page.getByRole('button', { name: `Change the tenant of ${first}` }).click();
    const dialog = page.getByRole('dialog', { name: `Tenant of ${first}` });
    const field = dialog.getByLabel(/^Tenant/);
    await eventually(() => field.inputValue()).toBe('');
    expect(await dialog.getByRole('button', { name: 'Take back' }).isDisabled()).toBe(true);
    await field.fill('Not A Name');
    await dialog.getByRole('button', { name: 'Give' }).click();
    await dialog.getByRole('alert').getByText('A name of a to z').waitFor();
    await field.fill('acme');
    await picture('dialog');
    await dialog.getByRole('button', { name: 'Give' }).click();
    await whose().filter({ hasText: 'acme' }).waitFor();
    expect(await dialog.isVisible()).toBe(false);
    await picture('device');
  });

  it('are a column and a filter once there are any, and many devices are given at once', async () => {
    await page.goto('/devices');
    await page.getByRole('columnheader', { name: 'Tenant' }).waitFor();
    await eventually(async () => (await rows()).length).toBe(4);
    const names = await rows();
    for (const name of names.slice(1, 3)) await page.getByLabel(`Select ${name}`).check();
    await press('Give to tenant');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/^Tenant/).fill('other');
    await dialog.getByText('2 devices, with all that is known of them, are for tenant other').waitFor();
    await dialog.getByRole('button', { name: 'Give to tenant' }).click();
    await dialog.getByText('2 of 2').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await eventually(async () =>
      (await page.locator('sy-device-table .rows .row .tenant').allTextContents()).map((text) => text.trim()),
    ).toEqual(['acme', 'other', 'other', '–']);
    await page.locator('sy-filter-chip[label="Tenant"]').getByRole('button').first().click();
    await page.getByRole('checkbox', { name: /^other/ }).check();
    await page.keyboard.press('Escape');
    await eventually(() => rows()).toEqual(names.slice(1, 3));
    expect(new URL(page.url()).searchParams.get('tenant')).toBe('other');
    await picture('list-filtered');
    await page.goto('/devices?tenant=');
    await eventually(() => rows()).toEqual(names.slice(3));
    await page.goto('/devices');
    await eventually(async () => (await rows()).length).toBe(4);
    await picture('list');
  });

  it('have in the console what is theirs, and no word of others', async () => {
    const theirs = await openPage(browser, system.origin);
    const at = theirs.page;
    await at.goto('/devices');
    await logIn(at, 'anna');
    await eventually(async () => (await rows(at)).length).toBe(1);
    const [own = ''] = await rows(at);
    expect(await at.getByRole('columnheader', { name: 'Tenant' }).count()).toBe(0);
    await at.getByLabel(`Select ${own}`).check();
    expect(await at.getByRole('button', { name: 'Give to tenant' }).count()).toBe(0);
    await at.goto('/');
    await at.getByRole('link', { name: /^Registered/ }).waitFor();
    expect(await at.getByRole('list', { name: 'The fleet in figures' }).getByRole('listitem').count()).toBe(
      4,
    );
    await picture('overview-of-a-tenant', at);
    await at.goto(`/devices/${own}`);
    await whose(at).filter({ hasText: 'acme' }).waitFor();
    expect(await at.getByRole('button', { name: /^Change the tenant/ }).count()).toBe(0);
    for (const path of ['/', '/devices', '/commands', '/jobs', `/devices/${own}/events`, '/cluster']) {
      await at.goto(path);
      await at.getByRole('heading', { level: 1 }).first().waitFor();
      const text = await at.locator('sy-console-app').evaluate(everyText);
      for (const other of ['meter-1', 'meter-2', 'meter-3', 'meter-4']) {
        if (other !== own) expect([path, text.includes(other)]).toEqual([path, false]);
      }
    }
    expect(unwanted(theirs.complaints)).toEqual([]);
    await theirs.context.close();
  });

  it('show viewers identifiers masked, and search by name alone', async () => {
    const look = await openPage(browser, system.origin);
    const at = look.page;
    await at.goto('/devices');
    await logIn(at, 'vera');
    await eventually(async () => (await rows(at)).length).toBe(1);
    const [own = ''] = await rows(at);
    expect(await at.getByRole('searchbox').getAttribute('placeholder')).toBe('Endpoint');
    await at.goto(`/devices/${own}/carrier`);
    await at.locator('sy-identifier', { hasText: '•' }).first().waitFor();
    const texts = await at.locator('sy-identifier .text').allTextContents();
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.filter((text) => !text.includes('•'))).toEqual([]);
    expect(await at.locator('sy-identifier').getByRole('button').count()).toBe(0);
    await picture('carrier-of-a-viewer', at);
    expect(unwanted(look.complaints)).toEqual([]);
    await look.context.close();
  });

  it.each(looks)('can be used by everybody: $name', async ({ theme, width, name }) => {
    const look = await openPage(browser, system.origin, { theme, width });
    await look.page.goto('/devices');
    await logIn(look.page, 'admin');
    await eventually(async () => (await rows(look.page)).length).toBe(4);
    const [first = ''] = await rows(look.page);
    expect(await violations(look.page)).toEqual([]);
    await picture(`list ${name}`, look.page);
    await look.page.goto(`/devices/${first}`);
    await whose(look.page).filter({ hasText: 'acme' }).waitFor({ state: 'attached' });
    if (width < 600) await look.page.getByRole('button', { name: 'More of the device' }).click();
    await look.page.getByRole('button', { name: `Change the tenant of ${first}` }).click();
    await look.page
      .getByRole('dialog', { name: `Tenant of ${first}` })
      .getByLabel(/^Tenant/)
      .waitFor();
    expect(await violations(look.page)).toEqual([]);
    await picture(`dialog ${name}`, look.page);
    expect(unwanted(look.complaints)).toEqual([]);
    await look.context.close();
  });

  it('leave no complaint in the browser', () => {
    expect(unwanted(console.complaints)).toEqual([]);
  });
});

/** Run in the page: all text, within elements too. */
function everyText(root: { readonly shadowRoot?: unknown }): string {
  const textOf = (node: {
    readonly nodeType: number;
    readonly textContent: string | null;
    readonly childNodes: Iterable<never>;
    readonly shadowRoot?: { readonly childNodes: Iterable<never> } | null;
  }): string => {
    if (node.nodeType === 3) return node.textContent ?? '';
    const own = [...node.childNodes].map(textOf).join(' ');
    return node.shadowRoot ? `${own} ${[...node.shadowRoot.childNodes].map(textOf).join(' ')}` : own;
  };
  return textOf(root as never);
}
