import { css, html, LitElement, nothing } from 'lit';
import type { ApiCluster, ApiClusterNode } from '../data/api-types.ts';
import { fetchCluster } from '../data/cluster.ts';
import { formatBytes, formatCount, thinSpace } from '../data/numbers.ts';
import { hrefOf } from '../data/routes.ts';
import { Loaded } from '../loaded.ts';
import { facts, pageParts, tables } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import './sy-problem-panel.ts';
import './sy-time-text.ts';

const renewMs = 5000;
/** An event loop that comes so late is a server that answers devices late, ms. */
const lateMs = 100;

/** The nodes that the server consists of, and the store beneath them. */
export class ClusterPage extends LitElement {
  static override styles = [
    base,
    controls,
    skeletons,
    pageParts,
    tables,
    facts,
    css`
      h2 {
        margin-bottom: 8px;
      }
      .bone {
        margin-bottom: 16px;
      }
      .state {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        white-space: nowrap;
      }
      .dot {
        width: 10px;
        height: 10px;
        border-radius: 50%;
        background: var(--sy-good);
      }
      .draining .dot {
        background: var(--sy-waiting);
      }
      .not-ready .dot {
        border-radius: 2px;
        background: var(--sy-bad);
      }
      .not-ready {
        color: var(--sy-bad);
      }
      .name {
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .tag {
        margin-left: 8px;
        padding: 1px 6px;
        border: 1px solid var(--sy-rule);
        border-radius: 10px;
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        font-weight: 400;
        white-space: nowrap;
      }
      .load {
        display: grid;
        gap: 4px;
        min-width: 112px;
      }
      .bar {
        display: block;
        height: 4px;
        border-radius: 2px;
        background: var(--sy-rule);
        overflow: hidden;
      }
      .bar i {
        display: block;
        height: 100%;
        background: var(--sy-good);
      }
      .late {
        color: var(--sy-waiting);
      }
      .late .bar i,
      .bar.late i {
        background: var(--sy-waiting);
      }
      .addresses {
        white-space: nowrap;
      }
      .stale {
        opacity: 0.55;
      }
      .reason {
        padding: 8px 12px;
        border-left: 3px solid var(--sy-bad);
        background: var(--sy-bad-weak);
        margin-bottom: 12px;
      }
      @media (max-width: 760px) {
        table,
        tbody,
        tr,
        td,
        tbody th {
          display: block;
        }
        thead {
          display: none;
        }
        tr {
          display: grid;
          grid-template-columns: 1fr 1fr;
          gap: 8px 16px;
          padding: 12px 0;
          border-bottom: 1px solid var(--sy-rule);
        }
        td,
        tbody th {
          min-width: 0;
          padding: 0;
          border: none;
          text-align: left;
          white-space: normal;
        }
        td.number {
          text-align: left;
        }
        td[data-label]::before {
          content: attr(data-label);
          display: block;
          color: var(--sy-text-3);
          font-size: var(--sy-small);
          line-height: 16px;
        }
        .wide {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  readonly #cluster = new Loaded<ApiCluster>(this, fetchCluster, { every: renewMs });

  override render() {
    const { value, problem } = this.#cluster;
    return html`<div class="page">
      <div class="head">
        <h1>Cluster</h1>
        ${value === undefined ? nothing : html`<span class="quiet">${summary(value)}</span>`}
      </div>
      ${
        problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#cluster.load()}></sy-problem-panel>`
      }
      ${value === undefined ? (problem === undefined ? this.#bones() : nothing) : this.#body(value, problem !== undefined)}
    </div>`;
  }

  #bones() {
    return html`<div role="img" aria-busy="true" aria-label="Loading the cluster">
      ${[0, 1, 2, 3].map(() => html`<i class="bone"></i>`)}
    </div>`;
  }

  #body({ nodes, store }: ApiCluster, stale: boolean) {
    return html`<section class=${stale ? 'stale' : ''} aria-label="Nodes">
        <h2>Nodes</h2>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">State</th>
                <th scope="col" class="number">Devices</th>
                <th scope="col">Processor</th>
                <th scope="col" class="number">Memory</th>
                <th scope="col" class="number">Event loop</th>
                <th scope="col">Started</th>
                <th scope="col">Version</th>
                <th scope="col">Addresses</th>
              </tr>
            </thead>
            <tbody>${nodes.map((node) => this.#node(node))}</tbody>
          </table>
        </div>
      </section>
      <section class=${stale ? 'stale' : ''} aria-label="Store">
        <h2>Store</h2>
        ${store.reason === undefined ? nothing : html`<p class="reason" role="alert">${store.reason}</p>`}
        <dl class="facts">
          ${fact(
            'State',
            store.ready
              ? html`<span class="state"><i class="dot"></i>ready</span>`
              : html`<span class="state not-ready"><i class="dot"></i>takes no writes</span>`,
          )}
          ${fact('Kind', store.description)}
          ${fact('Survives a power cut', store.durable ? 'yes' : 'no')}
          ${store.size === undefined ? nothing : fact('Size', formatBytes(store.size))}
          ${fact('History behind by', store.lag === 0 ? 'nothing' : `${formatCount(store.lag)} log entries`)}
        </dl>
      </section>`;
  }

  #node(node: ApiClusterNode) {
    const { load, cores } = node;
    const share = Math.min(1, load.cpu / Math.max(1, cores));
    const late = load.eventLoopDelay >= lateMs;
    return html`<tr>
      <th scope="row" class="name wide">${node.name}${node.self ? html`<span class="tag">this node</span>` : nothing}</th>
      <td data-label="State"><span class="state ${node.state === 'draining' ? 'draining' : ''}"><i class="dot"></i>${node.state}</span></td>
      <td class="number" data-label="Devices">
        <a href=${hrefOf({ name: 'devices', query: `state=registered&node=${encodeURIComponent(node.name)}` })}
          >${formatCount(node.devices)}</a
        >
      </td>
      <td data-label="Processor">
        <span class="load"
          ><span>${load.cpu.toFixed(2)} of ${cores} ${cores === 1 ? 'core' : 'cores'}</span
          ><span class=${share > 0.8 ? 'bar late' : 'bar'} aria-hidden="true"
            ><i .style=${`width: ${(share * 100).toFixed(1)}%`}></i></span
        ></span>
      </td>
      <td class="number" data-label="Memory">${formatBytes(load.memory)}</td>
      <td class="number ${late ? 'late' : ''}" data-label="Event loop">
        <span title="How late it comes to what is due: the 99th percentile of the last ten seconds"
          >${late ? '▲ ' : ''}${load.eventLoopDelay.toFixed(1)}${thinSpace}ms late</span
        >
      </td>
      <td data-label="Started"><sy-time-text mode="plain" .at=${node.startedAt}></sy-time-text></td>
      <td data-label="Version">${node.version}</td>
      <td class="addresses mono wide" data-label="Addresses">${node.coap}<br />${node.http}</td>
    </tr>`;
  }
}

function fact(name: string, value: unknown) {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function summary({ nodes }: ApiCluster): string {
  const devices = nodes.reduce((sum, node) => sum + node.devices, 0);
  return `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} · ${formatCount(devices)} registered ${devices === 1 ? 'device' : 'devices'}`;
}

customElements.define('sy-cluster-page', ClusterPage);
