import { html, LitElement } from 'lit';
export class DevicePage extends LitElement {
  override render() {
    return html`x`;
  }
}
customElements.define('sy-device-page', DevicePage);
