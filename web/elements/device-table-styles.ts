import { css } from 'lit';

/** Of sy-device-table: a grid per row, of fewer columns where there is less room, and two lines on a phone. */
export const deviceTableStyles = css`
  :host {
    display: grid;
    grid-template-rows: minmax(0, 1fr);
    min-height: 0;
  }
  .table {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    min-height: 0;
    border-top: 1px solid var(--sy-rule);
  }
  .row {
    display: grid;
    grid-template-columns:
      16px 116px minmax(200px, 2fr) minmax(120px, 1.2fr) minmax(90px, 1fr) 160px
      110px 110px minmax(70px, 120px);
    align-items: center;
    gap: 16px;
    width: 100%;
    height: var(--sy-row);
    padding: 0 16px;
    border-bottom: 1px solid var(--sy-rule);
  }
  .of-tenants .row {
    grid-template-columns:
      16px 116px minmax(180px, 2fr) minmax(100px, 1.2fr) minmax(80px, 1fr) 150px
      110px 100px minmax(60px, 100px) minmax(70px, 140px);
  }
  .row > * {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .head {
    height: 32px;
    background: var(--sy-surface);
    color: var(--sy-text-3);
    font-size: var(--sy-small);
  }
  /* As wide as the rows, beside which there is room for a scrollbar. */
  .heads {
    background: var(--sy-surface);
    scrollbar-gutter: stable;
    overflow: hidden;
  }
  .head button {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    max-width: 100%;
    margin: 0 -6px;
    padding: 4px 6px;
    border: none;
    border-radius: 4px;
    background: none;
    color: inherit;
    font: inherit;
    cursor: pointer;
  }
  .head button:hover,
  .head .sorted {
    color: var(--sy-text);
  }
  .head .sorted {
    font-weight: 600;
  }
  .head button:focus-visible {
    outline-offset: -2px;
  }
  .arrow {
    visibility: hidden;
  }
  .sorted .arrow,
  button:hover .arrow {
    visibility: visible;
  }
  .body {
    position: relative;
    min-height: 0;
    overflow: hidden auto;
    scrollbar-gutter: stable;
    overflow-anchor: none;
  }
  .rows {
    position: relative;
  }
  .rows .row {
    position: absolute;
    inset-inline: 0;
    cursor: pointer;
  }
  .rows .row:hover,
  .rows .row:focus-within {
    background: var(--sy-hover);
  }
  .rows .row.chosen {
    background: var(--sy-accent-weak);
  }
  .row .choose {
    overflow: visible;
    line-height: 0;
  }
  .choose input {
    width: 16px;
    height: 16px;
    margin: 0;
    accent-color: var(--sy-accent);
  }
  .rows .endpoint {
    font-weight: 550;
  }
  .gone > .carrier,
  .gone > .model {
    color: var(--sy-text-3);
  }
  .endpoint a {
    color: var(--sy-text);
  }
  .endpoint a:focus-visible,
  .row:focus-visible {
    outline-offset: -2px;
  }
  .busy {
    opacity: 0.6;
  }
  .bone {
    max-width: 120px;
  }
  .heard-too {
    display: none;
  }
  @media (max-width: 1180px) {
    .row {
      grid-template-columns: 16px 110px minmax(160px, 2fr) minmax(90px, 1fr) 150px 100px 100px;
    }
    .of-tenants .row {
      grid-template-columns: 16px 110px minmax(150px, 2fr) minmax(80px, 1fr) 140px 90px 90px minmax(60px, 110px);
    }
    .model,
    .node {
      display: none;
    }
  }
  @media (max-width: 760px) {
    :host {
      --sy-row: 64px;
    }
    .head {
      display: none;
    }
    .row,
    .of-tenants .row {
      grid-template:
        'choose endpoint endpoint endpoint' 22px
        'choose state carrier signal' 20px / 16px auto minmax(0, 1fr) auto;
      align-content: center;
      gap: 2px 12px;
    }
    .row .choose {
      grid-area: choose;
      align-self: center;
    }
    .endpoint {
      grid-area: endpoint;
    }
    .state {
      grid-area: state;
    }
    .carrier {
      grid-area: carrier;
      color: var(--sy-text-2);
    }
    .signal {
      grid-area: signal;
    }
    .signal sy-signal-meter::part(word),
    .heard,
    .left,
    .tenant {
      display: none;
    }
    .heard-too {
      display: inline;
    }
  }
`;
