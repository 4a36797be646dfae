import { html, LitElement } from 'lit';
import {
  type CommandFilterName,
  type CommandKind,
  commandFilterOf,
  commandKindOf,
  commandQuery,
} from '../data/command-words.ts';
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
    const filter = commandFilterOf(this.query);
    const kind = commandKindOf(this.query);
    return html`<div class="page">
      <div class="head"><h1>Commands</h1></div>
      <sy-command-list
        kinds
        .filter=${filter}
        .kind=${kind}
        @filtered=${({ detail }: CustomEvent<CommandFilterName>) => this.#go(detail, kind)}
        @kind-chosen=${({ detail }: CustomEvent<CommandKind | undefined>) => this.#go(filter, detail)}
      ></sy-command-list>
    </div>`;
  }

  #go(filter: CommandFilterName, kind: CommandKind | undefined): void {
    navigate(hrefOf({ name: 'commands', query: commandQuery(filter, kind) }));
  }
}

customElements.define('sy-commands-page', CommandsPage);
