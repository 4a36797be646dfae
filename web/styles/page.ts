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
