import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext } from '../contexts.ts';
import type { ApiObjectModelsLoaded, ApiProblem } from '../data/api-types.ts';
import { formatBytes } from '../data/numbers.ts';
import { largestFile, modelQuery, uploadObjectModels } from '../data/object-models.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { Permission } from '../permission.ts';
import { base, controls } from '../styles/shared.ts';

/** One file on its way. */
interface Upload {
  readonly file: File;
  readonly state: 'waiting' | 'sending' | 'taken' | 'refused';
  readonly loaded?: ApiObjectModelsLoaded['items'];
  readonly problem?: ApiProblem;
}

/** Takes OMA XML, dropped or chosen, and sends it file by file. Fires `models-loaded` after each that was taken. */
export class ModelUpload extends LitElement {
  static override properties = {
    uploads: { state: true },
    over: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
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
      input {
        display: none;
      }
      ul {
        margin-top: 8px;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: 20px minmax(0, 1fr) auto;
        gap: 0 8px;
        padding: 8px 0;
        border-bottom: 1px solid var(--sy-rule);
      }
      .name {
        overflow-wrap: anywhere;
      }
      .taken .mark,
      .taken .state {
        color: var(--sy-good);
      }
      .refused .mark,
      .refused .state {
        color: var(--sy-bad);
      }
      .sending .mark {
        color: var(--sy-waiting);
      }
      .more {
        grid-column: 2 / -1;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      progress {
        width: 100%;
        height: 4px;
        margin-top: 8px;
        accent-color: var(--sy-accent);
      }
    `,
  ];

  declare uploads: readonly Upload[];
  declare over: boolean;
  readonly #api = new ContextConsumer(this, { context: apiContext });

  readonly #permission = new Permission(this);

  constructor() {
    super();
    this.uploads = [];
    this.over = false;
  }

  override render() {
    const done = this.uploads.filter(({ state }) => state === 'taken' || state === 'refused').length;
    return html`<div
        class=${this.over ? 'zone over' : 'zone'}
        @dragover=${this.#dragged}
        @dragleave=${() => {
          this.over = false;
        }}
        @drop=${this.#dropped}
      >
        <input data-needs="administer" type="file" multiple accept=".xml,application/xml,text/xml" @change=${this.#chosen} aria-label="OMA XML files" />
        <button data-needs="administer" @click=${() => this.renderRoot.querySelector('input')?.click()}>Choose files…</button>
        <span>or drop OMA XML here. What is added counts at once, and replaces the same object and version.</span>
      </div>
      ${
        done === this.uploads.length
          ? nothing
          : html`<progress max=${this.uploads.length} .value=${done} aria-label="Files sent"></progress>`
      }
      ${this.uploads.length === 0 ? nothing : html`<ul aria-label="Files">${this.uploads.map((upload) => this.#upload(upload))}</ul>`}`;
  }

  #upload({ file, state, loaded = [], problem }: Upload) {
    const mark = { waiting: '○', sending: '◌', taken: '✓', refused: '✕' }[state];
    const word = { waiting: 'waits', sending: 'is sent…', taken: 'added', refused: 'refused' }[state];
    return html`<li class=${state}>
      <span class="mark" aria-hidden="true">${mark}</span>
      <span class="name">${file.name} <span class="quiet">${formatBytes(file.size)}</span></span>
      <span class="state">${word}</span>
      ${problem === undefined ? nothing : html`<span class="more"><strong>${problem.title}.</strong> ${problem.detail}</span>`}
      ${loaded.map(
        ({ objectId, name, version, replaces }) => html`<span class="more"
          ><a href=${hrefOf({ name: 'settings', section: 'objects', query: modelQuery({ object: objectId, version }) })}
            >${objectId} · ${name} ${version}</a
          >${replaces === undefined ? nothing : `, in place of the ${replaces} one`}</span
        >`,
      )}
    </li>`;
  }

  #dragged(event: DragEvent): void {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    this.over = true;
  }

  #dropped(event: DragEvent): void {
    event.preventDefault();
    this.over = false;
    if (!this.#permission.may('administer')) return;
    this.#send([...(event.dataTransfer?.files ?? [])]);
  }

  #chosen(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // The same file again, once it is mended, is a change too.
    input.value = '';
    this.#send(files);
  }

  async #send(files: readonly File[]): Promise<void> {
    const api = this.#api.value;
    if (api === undefined || this.uploads.some(({ state }) => state === 'waiting' || state === 'sending'))
      return;
    this.uploads = files.map((file) => ({ file, state: 'waiting' }));
    for (const file of files) {
      this.#set(file, { file, state: 'sending' });
      try {
        if (file.size > largestFile)
          throw new RangeError(
            `It has ${formatBytes(file.size)}; a file may have ${formatBytes(largestFile)}.`,
          );
        const { items } = await uploadObjectModels(api, file);
        this.#set(file, { file, state: 'taken', loaded: items });
        announce(`${file.name} was added`);
        this.dispatchEvent(new Event('models-loaded'));
      } catch (error) {
        const problem =
          error instanceof RangeError
            ? { ...asProblem(error), title: 'The file is too large' }
            : asProblem(error);
        this.#set(file, { file, state: 'refused', problem });
        announce(`${file.name} was refused: ${problem.detail ?? problem.title}`);
      }
    }
  }

  #set(file: File, upload: Upload): void {
    this.uploads = this.uploads.map((other) => (other.file === file ? upload : other));
  }
}

customElements.define('sy-model-upload', ModelUpload);
