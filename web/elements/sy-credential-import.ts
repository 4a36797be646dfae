import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiCredential, ApiCredentialImport, ApiProblem } from '../data/api-types.ts';
import { accountNames, importCredentials, importWords, shownBadRows } from '../data/credentials.ts';
import { formatBytes } from '../data/numbers.ts';
import { asProblem } from '../data/problem.ts';
import { pageParts, tables } from '../styles/page.ts';
import { base, controls, fields } from '../styles/shared.ts';
import './sy-problem-panel.ts';

/**
 * Enrols the devices of a CSV file: the file is looked at first, and what is wrong with it is told by line; it can be
 * imported when nothing is. Stays on the result.
 */
export class CredentialImportElement extends LitElement {
  static override properties = {
    back: { type: String },
    account: { state: true },
    file: { state: true },
    result: { state: true },
    problem: { state: true },
    busy: { state: true },
    over: { state: true },
  };

  static override styles = [
    base,
    controls,
    pageParts,
    tables,
    fields,
    css`
      .back {
        display: inline-block;
        margin-bottom: 8px;
      }
      .zone {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        padding: 16px;
        border: 1px dashed var(--sy-edge);
        border-radius: var(--sy-radius);
        color: var(--sy-text-2);
      }
      .over {
        border-color: var(--sy-accent);
        background: var(--sy-accent-weak);
      }
      input[type='file'] {
        display: none;
      }
      .field {
        max-width: 240px;
      }
      .result {
        display: grid;
        gap: 16px;
      }
      .outcome {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
      }
      .good {
        color: var(--sy-good);
      }
      .bad {
        color: var(--sy-bad);
      }
      td {
        overflow-wrap: anywhere;
      }
      td.number {
        width: 1%;
      }
      pre {
        padding: 12px 16px;
        border-left: 3px solid var(--sy-rule);
        color: var(--sy-text-2);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare back: string;
  declare account: ApiCredential['account'];
  declare file: File | undefined;
  declare result: ApiCredentialImport | undefined;
  declare problem: ApiProblem | undefined;
  declare busy: boolean;
  declare over: boolean;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    this.back = '/';
    this.account = 'server';
    this.file = undefined;
    this.result = undefined;
    this.problem = undefined;
    this.busy = false;
    this.over = false;
  }

  override render() {
    return html`<div class="page">
      <div>
        <a class="back" href=${this.back}>← All credentials</a>
        <h1>Import devices</h1>
      </div>
      <p class="lead">
        A CSV file with a line for each device. The first line names the columns: endpoint, identity and key (hex), and,
        where there are, serial number, MAC, IMEI and ICCID. It is looked at before anything is stored.
      </p>
      <pre>endpoint,serial number,IMEI,identity,key
meter-1,SN-0001,490154203237518,meter-1,000102030405060708090a0b0c0d0e0f</pre>
      <div class="field">
        <label for="account">Credentials for</label>
        <select id="account" ?disabled=${this.busy} @change=${this.#accountChosen}>
          ${Object.entries(accountNames).map(
            ([value, name]) =>
              html`<option value=${value} .selected=${this.account === value}>${name}</option>`,
          )}
        </select>
      </div>
      <div
        class=${this.over ? 'zone over' : 'zone'}
        @dragover=${this.#dragged}
        @dragleave=${() => {
          this.over = false;
        }}
        @drop=${this.#dropped}
      >
        <input type="file" accept=".csv,text/csv" @change=${this.#chosen} aria-label="CSV file of devices" />
        <button ?disabled=${this.busy} @click=${() => this.renderRoot.querySelector('input')?.click()}>
          ${this.file === undefined ? 'Choose a file…' : 'Choose another file…'}
        </button>
        <span>
          ${this.file === undefined ? 'or drop it here' : `${this.file.name}, ${formatBytes(this.file.size)}`}
        </span>
      </div>
      <sy-problem-panel .problem=${this.problem}></sy-problem-panel>
      ${this.busy ? html`<p role="status">${this.result === undefined ? 'Looking at the file…' : 'Importing…'}</p>` : this.#result()}
    </div>`;
  }

  #result() {
    const { result } = this;
    if (result === undefined) return nothing;
    const { dryRun, errors, imported, ignoredColumns } = result;
    const isClean = errors.length === 0;
    return html`<section class="result" aria-label="Result">
      <div class="outcome">
        <strong class=${isClean ? 'good' : 'bad'}>${importWords(result)}</strong>
        ${
          dryRun && isClean && imported > 0
            ? html`<button class="primary" @click=${() => this.#run(false)}>Enrol ${imported === 1 ? 'it' : `all ${imported}`}</button>`
            : nothing
        }
        ${dryRun ? nothing : html`<a href=${this.back}>Show the credentials</a>`}
      </div>
      ${
        ignoredColumns.length === 0
          ? nothing
          : html`<p class="quiet">Passed over: ${ignoredColumns.map((name) => `“${name}”`).join(', ')}</p>`
      }
      ${isClean ? nothing : this.#badRows(result)}
    </section>`;
  }

  #badRows({ errors, dryRun }: ApiCredentialImport) {
    const shown = errors.slice(0, shownBadRows);
    return html`<p>${dryRun ? 'Nothing is stored. Mend the file, and choose it again.' : 'These were not stored.'}</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Bad rows">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">Line</th>
              <th scope="col">Device</th>
              <th scope="col">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            ${shown.map(
              ({ line, endpoint, reason }) => html`<tr>
                <td class="number">${line}</td>
                <td>${endpoint ?? '–'}</td>
                <td>${reason}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${errors.length > shown.length ? html`<p class="quiet">and ${errors.length - shown.length} more</p>` : nothing}`;
  }

  #accountChosen(event: Event): void {
    this.account = (event.target as HTMLSelectElement).value as ApiCredential['account'];
    if (this.file !== undefined) void this.#run(true);
  }

  #dragged(event: DragEvent): void {
    event.preventDefault();
    this.over = true;
  }

  #dropped(event: DragEvent): void {
    event.preventDefault();
    this.over = false;
    this.#take(event.dataTransfer?.files[0]);
  }

  #chosen(event: Event): void {
    const input = event.target as HTMLInputElement;
    this.#take(input.files?.[0]);
    // The same file again, once it is mended, is a choice too.
    input.value = '';
  }

  #take(file: File | undefined): void {
    if (file === undefined || this.busy) return;
    this.file = file;
    this.result = undefined;
    void this.#run(true);
  }

  async #run(dryRun: boolean): Promise<void> {
    const api = this.#api.value;
    const { file, account } = this;
    if (api === undefined || file === undefined) return;
    this.busy = true;
    this.problem = undefined;
    try {
      this.result = await importCredentials(api, file, { dryRun, account });
      announce(importWords(this.result));
    } catch (error) {
      this.result = undefined;
      this.problem = asProblem(error);
    }
    this.busy = false;
  }
}

customElements.define('sy-credential-import', CredentialImportElement);
