import { css } from 'lit';

/** A state with its dot: never colour alone. */
export const states = css`
  .state {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    white-space: nowrap;
    color: var(--look);
  }
  .state::before {
    content: '';
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: currentColor;
  }
  .good {
    --look: var(--sy-good);
  }
  .waiting {
    --look: var(--sy-waiting);
  }
  .bad {
    --look: var(--sy-bad);
  }
  .state.quiet {
    --look: var(--sy-text-3);
  }
`;

/** Links that look like the small buttons beside them. */
export const linkButtons = css`
  a.button {
    min-height: 28px;
    padding: 3px 8px;
    color: var(--sy-text);
    font-size: var(--sy-small);
  }
  a.button.new {
    min-height: 32px;
    padding: 5px 12px;
    border-color: var(--sy-accent);
    background: var(--sy-accent);
    color: var(--sy-on-accent);
    font-size: var(--sy-size);
  }
  a.button:hover {
    text-decoration: none;
  }
`;
