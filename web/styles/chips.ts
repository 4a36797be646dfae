import { css } from 'lit';

/** Filters side by side, one of them pressed. */
export const chips = css`
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-height: 28px;
    padding: 3px 10px;
    border: 1px solid var(--sy-rule);
    border-radius: 14px;
    color: var(--sy-text-2);
    font-size: 13px;
    font-weight: 500;
  }
  a.chip:hover {
    background: var(--sy-hover);
    text-decoration: none;
  }
  .chip[aria-current='true'],
  .chip[aria-pressed='true'] {
    background: var(--sy-accent-weak);
    border-color: var(--sy-accent);
    color: var(--sy-accent);
  }
  .chip .count {
    color: var(--sy-text-3);
    font-variant-numeric: tabular-nums;
  }
  .chip[aria-pressed='true'] .count {
    color: inherit;
  }
`;
