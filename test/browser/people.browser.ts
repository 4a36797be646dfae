import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { looks, violations } from './support/axe.ts';
import { type ConsolePage, launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { TestSystem } from './support/system.ts';

const first = 'first-to-be-changed';
const admin = 'what the boss says';
const viewer = 'viewers own words';
const endpoint = 'people-modem';

/** A browser tells each refusal in its console: here they are what is wanted. */
const unwanted = (complaints: readonly string[]) =>
  complaints.filter((line) => !/status of 4\d\d/.test(line));

// One story, told in order: each test goes on where the one before it ended.
describe.skipIf(skipWithoutChromium)('people, seen in a browser', () => {
  let system: TestSystem;
  let browser: Browser;
  let console: ConsolePage;
  let page: Page;
  let viewerPassword = '';

  const press = (name: string, at = page) => at.getByRole('button', { name, exact: true }).click();
  const entry = (name: string) => page.getByRole('listitem').filter({ hasText: name });

  async function login(at: Page, name: string, password: string): Promise<void> {
    await at.getByLabel('User name').fill(name);
    await at.getByLabel('Password', { exact: true }).fill(password);
    await at.keyboard.press('Enter');
  }

  async function choosePassword(at: Page, current: string, password: string): Promise<void> {
    await at.getByRole('heading', { name: 'Choose a password' }).waitFor();
    await at.getByLabel('Present password').fill(current);
    await at.getByLabel('New password', { exact: true }).fill(password);
    await at.getByLabel('New password, again').fill(password);
    await press('Change the password', at);
  }

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    const server = await system.startServer('--login', 'required', '--admin-password', first);
    expect(server.output).not.toContain(first);
    system.startModem(endpoint);
    browser = await launchChromium();
    console = await openPage(browser, system.origin);
    page = console.page;
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('are asked who they are, told no more than that it is wrong, and led to where they wanted to go', async () => {
    await page.goto('/devices?q=people');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await eventually(() => page.evaluate('document.activeElement?.tagName')).toBe('SY-CONSOLE-APP');
    expect(await page.getByRole('navigation').count()).toBe(0);
    await login(page, 'admin', 'not the password');
    await page.getByRole('alert').getByText('The user name or the password is wrong').first().waitFor();
    await login(page, 'Admin', first);
    await page.getByRole('link', { name: endpoint }).first().waitFor();
    expect(new URL(page.url()).search).toBe('?q=people');
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  it('change their password, and see who they are', async () => {
    await press('Account: admin');
    await page.getByText('administrator', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Your account, password' }).click();
    await page.getByLabel('Present password').fill(first);
    await page.getByLabel('New password', { exact: true }).fill('too short');
    await page.getByLabel('New password, again').fill('another');
    await press('Change the password');
    await page.getByText('The new password is not twice the same').waitFor();
    await page.getByLabel('New password, again').fill('too short');
    await press('Change the password');
    await page
      .getByText(/at least 12 characters/)
      .first()
      .waitFor();
    await page.getByLabel('New password', { exact: true }).fill(admin);
    await page.getByLabel('New password, again').fill(admin);
    await press('Change the password');
    await page.getByText('The password is changed.').first().waitFor();
  });

  it('make others, whose password is shown once', async () => {
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('link', { name: 'New user' }).click();
    await page.getByLabel('User name').fill('Vera V');
    await press('Create the user');
    await page.getByText(/beginning with a letter or digit/).waitFor();
    await page.getByLabel('User name').fill('vera');
    await press('Create the user');
    const shown = page.getByRole('region', { name: 'Password of vera' });
    viewerPassword = (await shown.locator('code').textContent()) ?? '';
    expect(viewerPassword).toMatch(/^[a-z2-9-]{23}$/);
    await press('I have kept it');
    await entry('vera').getByText('Never logged in · has to change the password').waitFor();
  });

  it('are always administered by somebody', async () => {
    await press('Disable admin');
    await page.getByText(/is the last administrator/).waitFor();
  });

  it('who only look choose their password first, and then have no action to try in vain', async () => {
    const look = await openPage(browser, system.origin);
    await look.page.goto(`/devices/${endpoint}/carrier`);
    await login(look.page, 'vera', viewerPassword);
    await choosePassword(look.page, viewerPassword, viewer);
    const button = look.page.getByRole('button', { name: /^Switch to / }).first();
    await button.waitFor();
    expect(await button.isDisabled()).toBe(true);
    expect(await button.getAttribute('title')).toBe('It takes an operator');
    await look.page.goto(`/devices/${endpoint}/objects/3/0/14`);
    await look.page.getByRole('button', { name: 'Read', exact: true }).first().waitFor();
    expect(await look.page.getByRole('button', { name: 'Write', exact: true }).isDisabled()).toBe(true);
    await look.page.goto('/settings/people');
    await look.page.getByText(/You may not see this. It takes an administrator/).waitFor();
    const sections = await look.page
      .getByRole('navigation', { name: 'Settings' })
      .getByRole('link')
      .allTextContents();
    expect(sections).not.toContain('Audit log');
    expect(unwanted(look.complaints)).toEqual([]);
    await look.context.close();
  });

  it('see who is logged in, and end it', async () => {
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page
      .getByText(/Chrome on Linux at 127\.0\.0\.1/)
      .first()
      .waitFor();
    expect(await page.getByText('this browser').count()).toBe(1);
    await press('End the session of vera at 127.0.0.1');
    await eventually(() => entry('vera').count()).toBe(0);
  });

  it('make tokens for programs, shown once, and remove them', async () => {
    await page.getByRole('link', { name: 'API tokens' }).click();
    await page.getByRole('link', { name: 'New token' }).click();
    await press('Make the token');
    await page.getByText('Say what it is for').waitFor();
    await page.getByLabel('What it is for').fill('Night shift');
    await press('Make the token');
    const shown = page.getByRole('region', { name: 'Token Night shift' });
    const token = (await shown.locator('code').textContent()) ?? '';
    const ask = () =>
      fetch(`${system.origin}/api/devices`, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask()).status).toBe(200);
    await press('I have kept it');
    expect(await page.content()).not.toContain(token);
    await entry('Night shift')
      .getByText(/last used/)
      .waitFor();
    await press('Remove Night shift');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('There is no token yet.', { exact: false }).waitFor();
    expect((await ask()).status).toBe(401);
  });

  it('find what was done, and by whom', async () => {
    await page.getByRole('link', { name: 'Audit log' }).click();
    const row = page.getByRole('row').filter({ hasText: 'remove token' }).first();
    await row.getByText('done').waitFor();
    await page.getByLabel('Operation').fill('login');
    await page.getByLabel('Outcome').selectOption('refused');
    await press('Search');
    await page.getByText('nobody (as admin)').waitFor();
    expect(new URL(page.url()).search).toBe('?action=login&outcome=refused');
    await page.getByLabel('On what').fill('no such thing');
    await press('Search');
    await page.getByText('Nothing fits.').waitFor();
    await page.goBack();
    await page.getByText('nobody (as admin)').waitFor();
  });

  it('whose log-in ends in the middle of their work log in again, and find it as it was, and live', async () => {
    await page.goto(`/devices/${endpoint}`);
    await page.getByText(endpoint).first().waitFor();
    const { items } = await asAdmin<{ items: { id: string; user: string; isPresent: boolean }[] }>(
      'GET',
      '/api/sessions',
    );
    for (const { id, isPresent } of items) if (!isPresent) await asAdmin('DELETE', `/api/sessions/${id}`);
    await page.getByRole('link', { name: 'Objects' }).first().click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.getByText('Your log-in has ended').waitFor();
    await login(page, 'admin', admin);
    await page.getByRole('heading', { name: 'Log in' }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).pathname).toBe(`/devices/${endpoint}/objects`);
    await eventually(() => page.getByText('Not live').count()).toBe(0);
    await page.getByRole('treeitem').first().waitFor();
  });

  it('log out', async () => {
    await press('Account: admin');
    await press('Log out');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.goto('/devices');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    expect(unwanted(console.complaints)).toEqual([]);
  });

  it.each(looks)('axe finds nothing in it ($name)', async ({ theme, width }) => {
    const look = await openPage(browser, system.origin, { theme, width });
    await look.page.goto('/settings/people');
    await look.page.getByRole('heading', { name: 'Log in' }).waitFor();
    expect(await violations(look.page)).toEqual([]);
    await login(look.page, 'admin', admin);
    const settled: Readonly<Record<string, string>> = {
      '/settings/people': 'vera',
      '/settings/people?user=vera': 'Save',
      '/settings/tokens': 'There is no token yet. Make one for each program, with as little as it needs.',
      '/settings/tokens?token=new': 'Make the token',
      '/settings/sessions': 'this browser',
      '/settings/account': 'Change the password',
      '/settings/audit': 'When',
    };
    await look.page.getByText('vera', { exact: true }).first().waitFor();
    for (const [path, text] of Object.entries(settled)) {
      await look.page.goto(path);
      await look.page.getByText(text, { exact: true }).first().waitFor({ state: 'attached' });
      expect([path, await violations(look.page)]).toEqual([path, []]);
    }
    expect(unwanted(look.complaints)).toEqual([]);
    await look.context.close();
  });

  /** As a program of the administrator's. */
  async function asAdmin<T>(method: string, path: string): Promise<T> {
    const answer = await fetch(`${system.origin}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: admin }),
    });
    const { token } = (await answer.json()) as { readonly token: string };
    const done = await fetch(`${system.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
    expect(done.ok).toBe(true);
    return (done.status === 204 ? undefined : await done.json()) as T;
  }
});
