import { Counter, Gauge, type Registry } from 'prom-client';
import type { DtlsServerPort, DtlsStatistics } from '../../protocol/dtls/types.ts';
import type { SessionCounts } from '../transport/session-counts.ts';

/** A DTLS port, and what is counted of it. */
export interface DtlsSource {
  readonly dtls: Pick<DtlsServerPort, 'statistics' | 'sessions' | 'handshakes'>;
  readonly counts: SessionCounts;
}

const counters = {
  datagramsIn: ['received_datagrams', 'Datagrams of DTLS received'],
  datagramsOut: ['sent_datagrams', 'Datagrams of DTLS sent'],
  cookiesSent: ['cookies', 'Cookies sent to those who began a handshake'],
  retransmissions: ['retransmissions', 'Flights of handshakes sent again'],
  moved: ['moves', 'Sessions that were heard from another address, by a record newer than all before'],
  forwarded: ['forwarded_datagrams', 'Datagrams handed to the node that has their session'],
  takenOver: ['taken_over_sessions', 'Sessions that were taken over from another process'],
  unsent: [
    'unsent_datagrams',
    'Datagrams that could not be sent in a session: none there, or nothing may be sent yet',
  ],
} as const satisfies Partial<Record<keyof DtlsStatistics, readonly [string, string]>>;

/** Metrics of DTLS, by port: `server` is that of devices, `bootstrap` that of the bootstrap server. */
export function registerDtlsMetrics(registry: Registry, ports: ReadonlyMap<string, DtlsSource>): void {
  const each = (take: (port: string, source: DtlsSource) => void): void => {
    for (const [port, source] of ports) take(port, source);
  };
  const counter = (
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (counter: Counter) => void,
  ) =>
    new Counter({
      name: `simyard_dtls_${name}_total`,
      help,
      labelNames: ['port', ...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        read(this);
      },
    });
  const gauge = (name: string, help: string, read: (source: DtlsSource) => number) =>
    new Gauge({
      name: `simyard_dtls_${name}`,
      help,
      labelNames: ['port'],
      registers: [registry],
      collect() {
        each((port, source) => this.set({ port }, read(source)));
      },
    });
  gauge('sessions', 'Sessions in memory', ({ dtls }) => dtls.sessions);
  gauge(
    'handshakes_under_way',
    'Handshakes that have shown their cookie and are not done',
    ({ dtls }) => dtls.handshakes,
  );
  for (const [key, [name, help]] of Object.entries(counters)) {
    counter(name, help, [], (metric) => {
      each((port, { dtls }) => metric.inc({ port }, dtls.statistics[key as keyof typeof counters]));
    });
  }
  counter('handshakes', 'Handshakes by how they ended', ['outcome'], (metric) => {
    each((port, { dtls: { statistics }, counts }) => {
      const full = statistics.handshakesDone - statistics.handshakesResumed;
      metric.inc({ port, outcome: 'established' }, full);
      metric.inc({ port, outcome: 'resumed' }, statistics.handshakesResumed);
      for (const [outcome, count] of counts.failed) metric.inc({ port, outcome }, count);
    });
  });
  counter('closed_sessions', 'Sessions by why they ended', ['reason'], (metric) => {
    each((port, { counts }) => {
      for (const [reason, count] of counts.closed) metric.inc({ port, reason }, count);
    });
  });
  counter('dropped_records', 'Records that were dropped', ['reason'], (metric) => {
    each((port, { dtls: { statistics } }) => {
      const { dropped, forged, replayed } = statistics;
      metric.inc({ port, reason: 'forged' }, forged);
      metric.inc({ port, reason: 'replayed' }, replayed);
      metric.inc({ port, reason: 'other' }, Math.max(0, dropped - forged - replayed));
    });
  });
}
