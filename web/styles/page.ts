import { css } from 'lit';

/** The head of a page, its sections, tables and forms. */
export const pageParts = css`
  .page {
    display: grid;
    gap: 24px;
    align-content: start;
    max-width: 1200px;
    padding: 16px 16px 48px;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
    min-height: 32px;
  }
  .head .end {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-left: auto;
  }
  h1 {
    font-size: var(--sy-large);
    line-height: 28px;
    font-weight: 650;
  }
  .lead {
    max-width: 72ch;
    color: var(--sy-text-2);
  }
`;

/** Plain tables: a rule under each row, heads small and quiet. */
export const tables = css`
  .scroll {
    overflow-x: auto;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    border-top: 1px solid var(--sy-rule);
  }
  th,
  td {
    padding: 8px 16px 8px 0;
    border-bottom: 1px solid var(--sy-rule);
    font-weight: inherit;
    text-align: left;
    vertical-align: top;
  }
  thead th {
    padding-block: 6px;
    color: var(--sy-text-3);
    font-size: var(--sy-small);
    white-space: nowrap;
  }
  .number {
    text-align: right;
    white-space: nowrap;
  }
`;

/** Names with their values. */
export const facts = css`
  dl.facts {
    display: flex;
    flex-wrap: wrap;
    gap: 12px 32px;
  }
  dl.facts dt {
    color: var(--sy-text-3);
    font-size: var(--sy-small);
    line-height: 16px;
  }
  dl.facts dd {
    overflow-wrap: anywhere;
  }
`;

/** Fields that people fill in, native ones. */
export const forms = css`
  label,
  .label {
    display: block;
    margin-bottom: 4px;
    color: var(--sy-text-2);
    font-size: var(--sy-small);
    font-weight: 500;
  }
  input:not([type='checkbox'], [type='radio'], [type='file']),
  select,
  textarea {
    width: 100%;
    min-height: 32px;
    padding: 5px 10px;
    border: 1px solid var(--sy-edge);
    border-radius: var(--sy-radius);
    background: var(--sy-raised);
    color: var(--sy-text);
    font: inherit;
  }
  input::placeholder,
  textarea::placeholder {
    color: var(--sy-text-3);
    opacity: 1;
  }
  input[aria-invalid='true'],
  textarea[aria-invalid='true'] {
    border-color: var(--sy-bad);
  }
  textarea {
    resize: vertical;
    font-family: var(--sy-mono);
    font-size: 13px;
  }
  .hint {
    margin-top: 4px;
    color: var(--sy-text-3);
    font-size: var(--sy-small);
  }
  .fault {
    margin-top: 4px;
    color: var(--sy-bad);
    font-size: var(--sy-small);
  }
  .check {
    display: flex;
    align-items: center;
    gap: 8px;
    margin: 0;
    color: var(--sy-text);
    font-size: var(--sy-size);
    font-weight: 400;
  }
  .check input {
    width: 16px;
    height: 16px;
    margin: 0;
    accent-color: var(--sy-accent);
  }
`;

/** Dialogs, native ones. */
export const dialogs = css`
  dialog {
    width: min(480px, calc(100vw - 32px));
    max-height: calc(100dvh - 32px);
    padding: 24px;
    border: 1px solid var(--sy-rule);
    border-radius: 8px;
    background: var(--sy-raised);
    color: var(--sy-text);
    box-shadow: 0 16px 48px var(--sy-shadow);
    overscroll-behavior: contain;
  }
  dialog::backdrop {
    background: var(--sy-scrim);
  }
  dialog h2 {
    margin-bottom: 12px;
    font-size: 16px;
    overflow-wrap: anywhere;
  }
  dialog .actions {
    display: flex;
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: 8px;
    margin-top: 24px;
  }
`;
