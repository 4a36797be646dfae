import { css } from 'lit';

/** Every element starts from this: the box, the focus ring, links, what only screen readers get. */
export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host([hidden]) {
    display: none;
  }
  a {
    color: var(--sy-accent);
    text-decoration: none;
  }
  a:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 2px solid var(--sy-accent);
    outline-offset: 2px;
    border-radius: 3px;
  }
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ol,
  ul {
    margin: 0;
    padding: 0;
  }
  h2 {
    font-size: var(--sy-size);
    line-height: var(--sy-line);
    font-weight: 600;
  }
  .quiet {
    color: var(--sy-text-3);
  }
  .mono {
    font-family: var(--sy-mono);
    font-size: 13px;
  }
  .only-spoken {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

/** Buttons and chips, native ones. */
export const controls = css`
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-height: 32px;
    padding: 5px 12px;
    border: 1px solid var(--sy-edge);
    border-radius: var(--sy-radius);
    background: var(--sy-raised);
    color: var(--sy-text);
    font: inherit;
    font-weight: 500;
    cursor: pointer;
    transition: background var(--sy-quick);
  }
  button:hover:not(:disabled) {
    background: var(--sy-hover);
  }
  button:disabled {
    cursor: default;
    border-color: var(--sy-rule);
    color: var(--sy-text-3);
  }
  button.primary {
    border-color: var(--sy-accent);
    background: var(--sy-accent);
    color: var(--sy-on-accent);
  }
  button.primary:hover:not(:disabled) {
    background: color-mix(in srgb, var(--sy-accent) 88%, var(--sy-text));
  }
  button.danger:not(:disabled) {
    border-color: var(--sy-bad);
    color: var(--sy-bad);
  }
  button.bare {
    border-color: transparent;
    background: transparent;
    color: var(--sy-text-2);
  }
  button.bare:hover {
    background: var(--sy-hover);
    color: var(--sy-text);
  }
  button.small {
    min-height: 28px;
    padding: 3px 8px;
    font-size: var(--sy-small);
  }
  button[aria-pressed='true'] {
    border-color: var(--sy-accent);
    background: var(--sy-accent-weak);
    color: var(--sy-accent);
  }
  .segments {
    display: inline-flex;
  }
  .segments button {
    border-radius: 0;
    margin-left: -1px;
  }
  .segments button:first-child {
    margin-left: 0;
    border-radius: var(--sy-radius) 0 0 var(--sy-radius);
  }
  .segments button:last-child {
    border-radius: 0 var(--sy-radius) var(--sy-radius) 0;
  }
  .segments button[aria-pressed='true'],
  .segments button:focus-visible {
    position: relative;
    z-index: 1;
  }
`;

/** What a device says of itself may be as long as it likes: two lines of it are shown. */
export const clamps = css`
  .clamp {
    display: -webkit-box;
    min-width: 0;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    line-clamp: 2;
    overflow: hidden;
    overflow-wrap: anywhere;
    white-space: normal;
  }
`;

/** Grey bars where something is still to come, of the size that it will have: no jump. */
export const skeletons = css`
  .bone {
    display: block;
    height: 12px;
    border-radius: 3px;
    background: var(--sy-rule);
    animation: breathe 1.6s ease-in-out infinite;
  }
  @keyframes breathe {
    50% {
      opacity: 0.45;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .bone {
      animation: none;
    }
  }
`;

/** Fields of forms, native ones: a label above its control, what is wrong below. */
export const fields = css`
  input:not([type='checkbox'], [type='radio'], [type='file']),
  select,
  textarea {
    width: 100%;
    min-height: 32px;
    padding: 5px 8px;
    border: 1px solid var(--sy-edge);
    border-radius: var(--sy-radius);
    background: var(--sy-raised);
    color: var(--sy-text);
    font: inherit;
  }
  textarea {
    resize: vertical;
  }
  input::placeholder,
  textarea::placeholder {
    color: var(--sy-text-3);
    opacity: 1;
  }
  input[aria-invalid='true'],
  select[aria-invalid='true'],
  textarea[aria-invalid='true'] {
    border-color: var(--sy-bad);
  }
  input[type='checkbox'],
  input[type='radio'] {
    width: 16px;
    height: 16px;
    margin: 0;
    accent-color: var(--sy-accent);
  }
  .field {
    display: grid;
    gap: 4px;
    min-width: 0;
  }
  .field > label,
  .field > .label {
    color: var(--sy-text-2);
    font-size: var(--sy-small);
  }
  .fault {
    color: var(--sy-bad);
    font-size: var(--sy-small);
    overflow-wrap: anywhere;
  }
`;
