import { html, LitElement } from 'lit';
import { type CommandFilterName, commandFilterOf } from '../data/command-words.ts';
import { hrefOf } from '../data/routes.ts';
import { navigate } from '../navigation.ts';
import { pageParts } from '../styles/page.ts';
import { base } from '../styles/shared.ts';
import './sy-command-list.ts';

/** All commands that were given to devices. */
export class CommandsPage extends LitElement {
  static override properties = { query: { type: String } };
  static override styles = [base, pageParts];

  declare query: string;

  constructor() {
    super();
    this.query = '';
  }

  override render() {
    return html`<div class="page">
      <div class="head"><h1>Commands</h1></div>
      <sy-command-list
        .filter=${commandFilterOf(this.query)}
        @filtered=${({ detail }: CustomEvent<CommandFilterName>) =>
          navigate(hrefOf({ name: 'commands', ...(detail === 'all' ? {} : { query: `state=${detail}` }) }))}
      ></sy-command-list>
    </div>`;
  }
}

customElements.define('sy-commands-page', CommandsPage);
