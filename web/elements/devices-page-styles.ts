import { css } from 'lit';

/** Of sy-devices-page. */
export const devicesPageStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100%;
  }
  .top {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
    padding: 16px 16px 8px;
  }
  h1 {
    font-size: var(--sy-large);
    line-height: 28px;
    font-weight: 650;
  }
  .counts {
    color: var(--sy-text-2);
  }
  .tools {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
    margin-left: auto;
  }
  .search {
    position: relative;
    width: 384px;
    max-width: 100%;
  }
  .search input {
    padding: 0 32px 0 12px;
  }
  .search kbd {
    position: absolute;
    right: 8px;
    top: 6px;
    padding: 0 6px;
    border: 1px solid var(--sy-rule);
    border-radius: 4px;
    color: var(--sy-text-3);
    font: 12px / 18px var(--sy-mono);
    pointer-events: none;
  }
  .search input:focus + kbd,
  .search input:not(:placeholder-shown) + kbd {
    display: none;
  }
  .sorting {
    display: none;
  }
  sy-device-filters {
    padding: 0 16px 12px;
  }
  sy-device-table {
    flex: 1;
    min-height: 0;
  }
  .problem {
    padding: 0 16px 16px;
  }
  .none {
    padding: 64px 24px;
    text-align: center;
    color: var(--sy-text-2);
  }
  .none button {
    margin-top: 16px;
  }
  .none h2 {
    color: var(--sy-text);
    font-size: 16px;
    overflow-wrap: anywhere;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
    padding: 8px 16px;
    border-top: 1px solid var(--sy-accent);
    background: var(--sy-surface);
  }
  .actions .count {
    font-weight: 600;
  }
  .verbs {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-left: auto;
  }
  @media (max-width: 760px) {
    .top {
      padding: 12px 16px 8px;
    }
    .tools,
    .search {
      width: 100%;
    }
    .search kbd {
      display: none;
    }
    .sorting {
      display: block;
      flex: 1;
    }
    .verbs {
      flex-wrap: nowrap;
      margin: 0;
      max-width: 100%;
      overflow-x: auto;
      scrollbar-width: none;
    }
    .verbs button {
      flex: none;
    }
  }
`;
