import type { Locator, Page } from 'playwright-core';
import { eventually } from './eventually.ts';

/** The objects tab of a device, as a reader uses it. */
export class ObjectsTab {
  readonly page: Page;
  readonly endpoint: string;

  constructor(page: Page, endpoint: string) {
    this.page = page;
    this.endpoint = endpoint;
  }

  /** Goes to a place by its address, and waits until it is shown. */
  async open(path = ''): Promise<void> {
    await this.page.goto(`/devices/${this.endpoint}/objects${path}`);
    // On narrow screens it is out of sight while a place is shown.
    await this.page.locator('[role=tree]').waitFor({ state: 'attached' });
    if (path !== '') await this.title(path).waitFor();
  }

  title(path: string): Locator {
    return this.page.locator('sy-place-head h2').filter({ hasText: new RegExp(`${path}\\s*$`) });
  }

  row(path: string): Locator {
    return this.page.locator(`[role=treeitem][data-path="${path}"]`);
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  section(name: string): Locator {
    return this.page.getByRole('region', { name, exact: true });
  }

  /** Requests as the log has them, newest first. */
  get requests(): Locator {
    return this.page.locator('sy-request-log li');
  }

  request(title: string): Locator {
    return this.requests.filter({ has: this.page.locator('.title', { hasText: title }) }).first();
  }

  /** Waits until a request has ended, and gives what the log says of it. */
  async outcome(title: string): Promise<string> {
    const request = this.request(title);
    await eventually(() => request.getAttribute('class')).not.toMatch(/running/);
    return (await request.innerText()).replaceAll('\u202f', ' ');
  }

  /** Presses a button that asks the device, and gives how that ended. */
  async ask(button: string, title: string): Promise<string> {
    await this.button(button).click();
    return this.outcome(title);
  }

  async write(text: string): Promise<string> {
    const [, path = ''] = /\/objects((?:\/\d+)+)$/.exec(new URL(this.page.url()).pathname) ?? [];
    await this.section('Write').getByLabel('New value').fill(text);
    return this.ask('Write', `Write ${path}`);
  }
}
