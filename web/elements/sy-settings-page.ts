import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { meContext } from '../contexts.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { codeMissing } from '../data/problem.ts';
import { hrefOf, type SettingsSection, sectionTitles } from '../data/routes.ts';
import { settingsSectionEntries } from '../settings-sections.ts';
import { base } from '../styles/shared.ts';
import './sy-no-permission.ts';
import './sy-not-found.ts';
import './sy-problem-panel.ts';

/** The settings: their sections at the side, the one that the address names beside them. */
export class SettingsPage extends LitElement {
  static override properties = {
    section: { type: String },
    query: { type: String },
    fault: { state: true },
  };

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        grid-template-columns: 200px minmax(0, 1fr);
        min-height: 100%;
      }
      nav {
        padding: 16px 8px;
        border-right: 1px solid var(--sy-rule);
      }
      nav ul {
        position: sticky;
        top: 16px;
        display: grid;
        gap: 2px;
        list-style: none;
      }
      nav a {
        display: block;
        padding: 6px 8px;
        border-radius: var(--sy-radius);
        color: var(--sy-text-2);
        font-weight: 500;
      }
      nav a:hover {
        background: var(--sy-hover);
        color: var(--sy-text);
        text-decoration: none;
      }
      nav a[aria-current] {
        background: var(--sy-accent-weak);
        color: var(--sy-accent);
      }
      .problem {
        padding: 16px;
      }
      @media (max-width: 760px) {
        :host {
          display: block;
        }
        nav {
          position: sticky;
          top: 0;
          z-index: 3;
          padding: 8px;
          border-right: none;
          border-bottom: 1px solid var(--sy-rule);
          background: var(--sy-page);
          overflow-x: auto;
          scrollbar-width: none;
        }
        nav ul {
          position: static;
          display: flex;
        }
        nav a {
          white-space: nowrap;
        }
      }
    `,
  ];

  declare section: SettingsSection;
  declare query: string;
  /** The code of a section could not be loaded. */
  declare fault: ApiProblem | undefined;
  readonly #loaded = new Set<SettingsSection>();
  readonly #me = new ContextConsumer(this, { context: meContext, subscribe: true });

  constructor() {
    super();
    this.section = 'objects';
    this.query = '';
    this.fault = undefined;
  }

  get #entry() {
    return settingsSectionEntries.find(({ section }) => section === this.section);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('section')) this.#load();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('section')) return;
    // Of sections that stand side by side, as on a phone, the one that is shown may be out of sight.
    const here = this.renderRoot.querySelector('nav a[aria-current]');
    here?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }

  async #load(): Promise<void> {
    const entry = this.#entry;
    this.fault = undefined;
    if (entry === undefined || this.#loaded.has(entry.section)) return;
    try {
      await entry.load();
      this.#loaded.add(entry.section);
    } catch (error) {
      this.fault = codeMissing(error).problem;
    }
    this.requestUpdate();
  }

  override render() {
    return html`<nav aria-label="Settings">
        <ul>
          ${settingsSectionEntries
            .filter((entry) => this.#isAllowed(entry.needs) || entry.section === this.section)
            .map(
              ({ section }) =>
                html`<li>
                <a
                  href=${hrefOf({ name: 'settings', section })}
                  aria-current=${section === this.section ? 'page' : nothing}
                  >${sectionTitles[section]}</a
                >
              </li>`,
            )}
        </ul>
      </nav>
      ${this.#body()}`;
  }

  #isAllowed(needs: 'operate' | 'administer' | undefined): boolean {
    return needs === undefined || this.#me.value?.may.includes(needs) === true;
  }

  #body() {
    const entry = this.#entry;
    if (entry !== undefined && !this.#isAllowed(entry.needs)) {
      return html`<sy-no-permission .needs=${entry.needs} .what=${sectionTitles[entry.section]}></sy-no-permission>`;
    }
    if (entry === undefined) return html`<sy-not-found .what=${location.pathname}></sy-not-found>`;
    if (this.fault !== undefined) {
      return html`<div class="problem">
        <sy-problem-panel .problem=${this.fault} retry @retried=${() => location.reload()}></sy-problem-panel>
      </div>`;
    }
    return this.#loaded.has(entry.section) ? entry.view(this.query) : html`<div></div>`;
  }
}

customElements.define('sy-settings-page', SettingsPage);
