import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { hrefOf } from '../data/routes.ts';
import { type SavedView, SavedViews } from '../data/saved-views.ts';
import { navigate } from '../navigation.ts';
import { ownStorage } from '../own-storage.ts';
import { placeBeside, popovers } from '../styles/popover.ts';
import { base, controls, fields } from '../styles/shared.ts';

/** Views of the list of devices that the reader has named: opened, kept and removed. */
export class ViewMenu extends LitElement {
  static override properties = {
    query: { type: String },
    views: { state: true },
    name: { state: true },
    fault: { state: true },
  };

  static override styles = [
    base,
    controls,
    fields,
    popovers,
    css`
      ul {
        display: grid;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        border-radius: 4px;
      }
      li:hover {
        background: var(--sy-hover);
      }
      li a {
        flex: 1;
        min-width: 0;
        padding: 6px 8px;
        color: var(--sy-text);
        overflow-wrap: anywhere;
      }
      li a[aria-current] {
        font-weight: 600;
        color: var(--sy-accent);
      }
      li button {
        min-height: 28px;
        padding: 2px 8px;
      }
      form {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 8px;
        align-items: end;
        margin-top: 8px;
        padding-top: 8px;
        border-top: 1px solid var(--sy-rule);
      }
      .fault {
        grid-column: 1 / -1;
      }
      .note {
        padding: 8px;
        color: var(--sy-text-3);
      }
      .opener {
        max-width: 200px;
      }
      .opener span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
    `,
  ];

  /** Of the list that is shown. */
  declare query: string;
  declare views: readonly SavedView[];
  declare name: string;
  declare fault: string;
  readonly #saved = new SavedViews(ownStorage());

  constructor() {
    super();
    this.query = '';
    this.views = this.#saved.list();
    this.name = '';
    this.fault = '';
  }

  override render() {
    const current = this.views.find(({ query }) => query === this.query);
    return html`<button class="opener" popovertarget="menu" aria-haspopup="dialog">
        <span>${current?.name ?? 'Views'}</span> <span aria-hidden="true">▾</span>
      </button>
      <div id="menu" popover="auto" role="dialog" aria-label="Saved views" @toggle=${this.#toggled}>
        ${
          this.views.length === 0
            ? html`<p class="note">No view is saved in this browser yet. Filter and sort the list, and give it a name.</p>`
            : html`<ul>
              ${this.views.map(({ name, query }) => {
                const href = hrefOf({ name: 'devices', query });
                return html`<li>
                  <a
                    href=${href}
                    aria-current=${query === this.query ? 'page' : nothing}
                    @click=${(event: MouseEvent) => this.#opened(event, href)}
                    >${name}</a
                  ><button class="bare" aria-label=${`Remove the view ${name}`} @click=${() => this.#remove(name)}>✕</button>
                </li>`;
              })}
            </ul>`
        }
        <form @submit=${this.#save}>
          <div class="field">
            <label for="name">Save what is shown as</label>
            <input
              id="name"
              maxlength="60"
              autocomplete="off"
              .value=${this.name}
              @input=${(event: Event) => {
                this.name = (event.target as HTMLInputElement).value;
              }}
            />
          </div>
          <button ?disabled=${this.name.trim() === ''}>Save</button>
          ${this.fault === '' ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`}
        </form>
      </div>`;
  }

  #opened(event: MouseEvent, href: string): void {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigate(href);
    this.#menu?.hidePopover();
  }

  #save(event: Event): void {
    event.preventDefault();
    const name = this.name.trim();
    if (name === '') return;
    const kept = this.#saved.save({ name, query: this.query });
    this.fault = kept ? '' : 'This browser does not keep it: its storage is closed or full';
    this.views = this.#saved.list();
    if (!kept) return;
    this.name = '';
    announce(`The view ${name} is saved`);
    this.#menu?.hidePopover();
  }

  #remove(name: string): void {
    this.#saved.remove(name);
    this.views = this.#saved.list();
  }

  #toggled(event: ToggleEvent): void {
    if (event.newState !== 'open' || this.#menu === null) return;
    // Another tab may have saved one.
    this.views = this.#saved.list();
    const button = this.renderRoot.querySelector<HTMLElement>('.opener');
    if (button !== null) placeBeside(this.#menu, button);
  }

  get #menu(): HTMLElement | null {
    return this.renderRoot.querySelector('#menu');
  }
}

customElements.define('sy-view-menu', ViewMenu);
