import { Counter, type Registry } from 'prom-client';
import type { GatewayCounts } from '../gateway/counts.ts';

/** What the gateway has counted; zeros where it is not open. */
export function registerGatewayMetrics(registry: Registry, counts: GatewayCounts): void {
  const byLabel = (
    name: string,
    help: string,
    label: string,
    read: () => Readonly<Record<string, number>>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
      },
    });
  };
  const single = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  byLabel(
    'simyard_gateway_datagrams_total',
    'Datagrams that came to the gateway, by what became of them',
    'outcome',
    () => counts.datagrams,
  );
  byLabel(
    'simyard_gateway_switches_total',
    'Carrier switches of devices behind the gateway, by what was heard of them',
    'outcome',
    () => counts.switches,
  );
  single(
    'simyard_gateway_switch_requests_total',
    'Requests to switch that went out by the gateway, repetitions included',
    () => counts.requests,
  );
  single(
    'simyard_gateway_lost_reports_total',
    'Packets that were given up because the store was away for too long',
    () => counts.lost,
  );
}
