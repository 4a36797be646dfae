import { css } from 'lit';

/** Lists of people, tokens and sessions: what each is, and what can be done with it beside it. */
export const people = css`
  ul.entries {
    list-style: none;
    border-top: 1px solid var(--sy-rule);
  }
  .entry {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 4px 16px;
    padding: 12px 0;
    border-bottom: 1px solid var(--sy-rule);
  }
  .entry .name {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 12px;
  }
  .entry h2,
  .what,
  .how {
    overflow-wrap: anywhere;
  }
  .what {
    color: var(--sy-text-2);
  }
  .how {
    color: var(--sy-text-3);
  }
  .actions {
    grid-column: 2;
    grid-row: 1 / span 3;
    display: flex;
    flex-wrap: wrap;
    align-content: start;
    justify-content: flex-end;
    gap: 8px;
    max-width: 460px;
  }
  .empty {
    display: grid;
    gap: 8px;
    padding: 24px 0;
    border-top: 1px solid var(--sy-rule);
    color: var(--sy-text-2);
  }
  .bone {
    margin-bottom: 24px;
  }
  @media (max-width: 760px) {
    .entry {
      grid-template-columns: minmax(0, 1fr);
    }
    .actions {
      grid-column: 1;
      grid-row: auto;
      justify-content: flex-start;
      max-width: none;
      margin-top: 4px;
    }
  }
`;

/** Forms of users and tokens. */
export const peopleForms = css`
  form {
    display: grid;
    gap: 16px;
    max-width: 480px;
  }
  fieldset {
    display: grid;
    gap: 8px;
    min-width: 0;
    margin: 0;
    padding: 0;
    border: none;
  }
  legend {
    padding: 0;
    margin-bottom: 4px;
    color: var(--sy-text-2);
    font-size: var(--sy-small);
  }
  .choice {
    display: grid;
    grid-template-columns: 16px minmax(0, 1fr);
    gap: 2px 8px;
    align-items: start;
  }
  .choice input {
    margin-top: 2px;
  }
  .hint {
    color: var(--sy-text-3);
    font-size: var(--sy-small);
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
  }
`;
