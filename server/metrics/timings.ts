import { Counter, Histogram, type Registry } from 'prom-client';
import type { CoapEndpoint, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import { type Command, type CommandState, finalCommandStates } from '../ports/command-queue.ts';
import type { TelemetryLog } from '../ports/telemetry-log.ts';

const seconds = (milliseconds: number): number => milliseconds / 1000;
const now = (): number => performance.now();

type DeviceEndpoint = Pick<CoapEndpoint, 'request' | 'ping'>;

/**
 * How long things take and how they end: told by what does them, through wrappers that keep those who are measured
 * free of it.
 */
export class Timings {
  readonly #append;
  readonly #appendFailures;
  /** By operation: looked up once. */
  readonly #registrations;
  readonly #request;
  readonly #webhook;
  readonly #commands;
  readonly #switches;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#append = new Histogram({
      name: 'simyard_telemetry_append_duration_seconds',
      help: 'Time until a pack of readings is durable in the log; devices wait for it',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    });
    this.#appendFailures = new Counter({
      name: 'simyard_telemetry_append_failures_total',
      help: 'Packs of readings that the log did not take',
      registers,
    });
    const registration = new Histogram({
      name: 'simyard_registration_duration_seconds',
      help: 'Time from a Register, an Update or a De-register to its answer',
      labelNames: ['operation'],
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    });
    this.#request = new Histogram({
      name: 'simyard_device_request_duration_seconds',
      help: 'Time from a CoAP request to a device to its answer, retransmissions included, waiting for it to wake not',
      labelNames: ['outcome'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
      registers,
    });
    this.#webhook = new Histogram({
      name: 'simyard_webhook_request_duration_seconds',
      help: 'Time that receivers of webhooks take for their answer',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
      registers,
    });
    this.#commands = new Counter({
      name: 'simyard_commands_ended_total',
      help: 'Commands that came to their end, by kind and state',
      labelNames: ['kind', 'state'],
      registers,
    });
    this.#switches = new Counter({
      name: 'simyard_carrier_switches_total',
      help: 'Carrier switches by outcome: ack: the card has done it; nack: the card, or the device, would not',
      labelNames: ['outcome'],
      registers,
    });
    for (const state of finalCommandStates) {
      for (const kind of ['carrier-switch', 'request']) this.#commands.inc({ kind, state }, 0);
      this.#switches.inc({ outcome: switchOutcome(state) }, 0);
    }
    for (const operation of ['register', 'update', 'deregister']) registration.zero({ operation });
    this.#registrations = {
      register: registration.labels('register'),
      update: registration.labels('update'),
      deregister: registration.labels('deregister'),
    };
    for (const outcome of ['answered', 'timeout', 'failed']) this.#request.zero({ outcome });
  }

  log(log: TelemetryLog): TelemetryLog {
    const append: TelemetryLog['append'] = (entry, done) => {
      const begun = now();
      log.append(entry, (error, position, duplicate) => {
        if (error === undefined) this.#append.observe(seconds(now() - begun));
        else this.#appendFailures.inc();
        done(error, position, duplicate);
      });
    };
    return { ...log, append };
  }

  /** Of the registration interface. @param duration ms */
  registration(code: Code, duration: number): void {
    const operation = operationOf(code);
    if (operation !== undefined) this.#registrations[operation].observe(seconds(duration));
  }

  /** Of requests to devices. */
  endpoint(endpoint: CoapEndpoint): DeviceEndpoint {
    return {
      ping: (peer, options) => endpoint.ping(peer, options),
      request: (peer, request) => {
        let sentAt: number | undefined;
        const onSent: NonNullable<OutgoingRequest['onSent']> = (...told) => {
          sentAt ??= now();
          request.onSent?.(...told);
        };
        const ended = (outcome: string): void => {
          if (sentAt !== undefined) this.#request.observe({ outcome }, seconds(now() - sentAt));
        };
        return endpoint.request(peer, { ...request, onSent }).then(
          (response) => {
            ended('answered');
            return response;
          },
          (error: unknown) => {
            ended(error instanceof TimeoutError ? 'timeout' : 'failed');
            throw error;
          },
        );
      },
    };
  }

  /** @param duration s */
  webhook(duration: number): void {
    this.#webhook.observe(duration);
  }

  /** After each step of a command's life. */
  command({ kind, state }: Command): void {
    if (!(finalCommandStates as readonly CommandState[]).includes(state)) return;
    this.#commands.inc({ kind, state });
    if (kind === 'carrier-switch') this.#switches.inc({ outcome: switchOutcome(state) });
  }
}

/** Which operation an answer of success is for, by its code (OMA-TS-LightweightM2M_Transport §6.4.3); undefined: refused. */
function operationOf(code: Code): 'register' | 'update' | 'deregister' | undefined {
  if (code === Code.CREATED) return 'register';
  if (code === Code.CHANGED) return 'update';
  return code === Code.DELETED ? 'deregister' : undefined;
}

function switchOutcome(state: CommandState): string {
  if (state === 'done') return 'ack';
  return state === 'failed' ? 'nack' : state;
}
