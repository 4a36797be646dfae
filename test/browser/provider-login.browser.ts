import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { clientId, clientSecret, TestIdentityProvider } from '../support/people/identity-provider.ts';
import { looks, violations } from './support/axe.ts';
import { launchChromium, openPage, skipWithoutChromium } from './support/chromium.ts';
import { TestSystem } from './support/system.ts';

describe.skipIf(skipWithoutChromium)('log-in at an identity provider, seen in a browser', () => {
  let system: TestSystem;
  let provider: TestIdentityProvider;
  let browser: Browser;

  beforeAll(async () => {
    await buildConsole();
    system = await TestSystem.create();
    provider = await TestIdentityProvider.start(system.origin);
    provider.people.set('olga', { roles: ['ops'] });
    provider.people.set('nina', { roles: [] });
    await system.startServer(
      ...['--login', 'required', '--oidc-issuer', provider.issuer, '--oidc-client-id', clientId],
      ...['--oidc-client-secret', clientSecret, '--oidc-roles', 'ops=operator'],
      ...['--oidc-label', 'Our directory', '--public-url', system.origin],
    );
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await system?.close();
    await provider?.close();
  });

  async function goThere(name: string) {
    const { page, context } = await openPage(browser, system.origin);
    await page.goto('/devices?q=meter');
    await page.getByRole('link', { name: 'Our directory' }).click();
    await page.locator('input[name=login]').fill(name);
    await page.locator('input[name=password]').fill('any');
    await page.locator('button[type=submit]').click();
    await page.locator('button[type=submit]', { hasText: 'Continue' }).click();
    return { page, context };
  }

  it('leads there, and back to the page that was wanted', async () => {
    const { page, context } = await goThere('olga');
    await page.getByRole('button', { name: 'Account: olga' }).click();
    await page.getByText('operator', { exact: true }).waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/devices?q=meter');
    await context.close();
  });

  it('says who was not let in, and lets him try again', async () => {
    const { page, context } = await goThere('nina');
    await page
      .getByRole('alert')
      .getByText('Our directory did not let you in here', { exact: false })
      .waitFor();
    await page.getByRole('link', { name: 'Our directory' }).waitFor();
    await context.close();
  });

  it.each(looks)('axe finds nothing in it ($name)', async ({ theme, width }) => {
    const { page, context } = await openPage(browser, system.origin, { theme, width });
    await page.goto('/?login=refused');
    await page.getByRole('link', { name: 'Our directory' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: `/tmp/people-shots/login-${theme}-${width}.png` });
    await context.close();
  });
});
