import { css, html, LitElement } from 'lit';
import { type CommandFilterName, commandFilterOf } from '../data/command-words.ts';
import { hrefOf } from '../data/routes.ts';
import { navigate } from '../navigation.ts';
import { base } from '../styles/shared.ts';
import './sy-command-list.ts';

/** What was asked of one device, and how it ended. */
export class DeviceCommands extends LitElement {
  static override properties = { endpoint: { type: String }, query: { type: String } };

  static override styles = [
    base,
    css`
      :host {
        display: block;
        max-width: 1200px;
        padding: 16px 16px 48px;
      }
    `,
  ];

  declare endpoint: string;
  declare query: string;

  constructor() {
    super();
    this.endpoint = '';
    this.query = '';
  }

  override render() {
    const { endpoint } = this;
    return html`<sy-command-list
      .endpoint=${endpoint}
      .filter=${commandFilterOf(this.query)}
      @filtered=${({ detail }: CustomEvent<CommandFilterName>) =>
        navigate(
          hrefOf({
            name: 'device',
            endpoint,
            tab: 'commands',
            ...(detail === 'all' ? {} : { query: `state=${detail}` }),
          }),
        )}
    ></sy-command-list>`;
  }
}

customElements.define('sy-device-commands', DeviceCommands);
