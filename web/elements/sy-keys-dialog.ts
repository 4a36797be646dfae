import { css, html, LitElement } from 'lit';
import { pages } from '../pages.ts';
import { base, controls } from '../styles/shared.ts';

const keys = [
  ['/', 'Search devices'],
  ['↑ ↓', 'Move through a table or the tree of objects; Home and End to its ends'],
  ['← →', 'In the tree of objects: close and open'],
  ['Enter', 'Open the device'],
  ['x', 'Select the row; with Shift all rows from the one before'],
  ['← →', 'In a chart: move through time'],
  ['+ −', 'In a chart: zoom'],
  ['Esc', 'In a chart: back to live. In a dialog: close'],
  ['Space', 'In a trace: pause, and go on. ← → move through an exchange'],
  ['g …', `Go to: ${goKeys()}`],
  ['1 … 6', 'On a device: its tabs'],
  ['?', 'This list'],
] as const;

/** `d Devices, c Commands`, as far as there are pages. */
function goKeys(): string {
  return pages
    .flatMap(({ navigation }) => (navigation === undefined ? [] : [`${navigation.key} ${navigation.label}`]))
    .join(', ');
}

/** The list of keys. */
export class KeysDialog extends LitElement {
  static override styles = [
    base,
    controls,
    css`
      dialog {
        width: min(480px, calc(100vw - 32px));
        padding: 24px;
        border: 1px solid var(--sy-rule);
        border-radius: 8px;
        background: var(--sy-raised);
        color: var(--sy-text);
        box-shadow: 0 16px 48px var(--sy-shadow);
      }
      dialog::backdrop {
        background: var(--sy-scrim);
      }
      h2 {
        font-size: 16px;
        margin-bottom: 16px;
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 8px 24px;
        margin-bottom: 24px;
      }
      dt {
        font-family: var(--sy-mono);
        white-space: nowrap;
      }
      kbd {
        padding: 2px 6px;
        border: 1px solid var(--sy-rule);
        border-radius: 4px;
        background: var(--sy-surface);
        font: inherit;
      }
    `,
  ];

  show(): void {
    const dialog = this.renderRoot.querySelector('dialog');
    if (dialog?.open === false) dialog.showModal();
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Keys</h2>
      <dl>${keys.map(([key, meaning]) => html`<dt><kbd>${key}</kbd></dt><dd>${meaning}</dd>`)}</dl>
      <form method="dialog"><button autofocus>Close</button></form>
    </dialog>`;
  }
}

customElements.define('sy-keys-dialog', KeysDialog);
