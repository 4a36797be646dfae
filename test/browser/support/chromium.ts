import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** A browser of the machine's own: none is downloaded. */
const candidates = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export const chromiumPath: string | undefined = candidates.find(
  (path) => path !== undefined && existsSync(path),
);

/** On a laptop without a browser these tests are skipped; in CI they fail, for there it is installed. */
export const skipWithoutChromium: boolean = chromiumPath === undefined && (process.env['CI'] ?? '') === '';

/** Closed to the world: it speaks with the page that it is given, and with nobody else. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined)
    throw new Error('no Chromium here: install one, or name it in CHROMIUM_PATH');
  return await chromium.launch({ executablePath: chromiumPath, args: quiet });
}

export interface ConsolePage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong in the page or was asked of another origin; empty if all is well. */
  readonly complaints: string[];
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

/** A page in a context of its own that writes down every error, and every request that leaves the console's origin. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: PageOptions = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.theme ?? 'light',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol.startsWith('http') && asked !== origin) complaints.push(`asked elsewhere: ${request.url()}`);
  });
  return { page, context, complaints };
}
