import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiCommand, ApiDevice, ApiDevicePage } from '../../server/api/schemas.ts';
import type { Findings } from './findings.ts';
import type { ServerNode } from './nodes.ts';

/** The server answers within 10 s; what takes longer than this is not answered at all, ms. */
const patience = 20_000;
/** A switch is asked for again, with its key, at any node, until it is known; then it is given up, ms. */
const switchPatience = 120_000;
const carriers = ['AT&T', 'T-Mobile', 'Verizon'] as const;

/** An answer that was promised: 202 or 200 with a command. */
export interface AcceptedCommand {
  readonly id: string;
  readonly endpoint: string;
  readonly number: number;
}

type Answer<T> =
  | { readonly kind: 'ok'; readonly body: T }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** No answer: the node was killed meanwhile, or is not there. */
  | { readonly kind: 'lost' };

/** REST requests to nodes by chance, as operators and programs make them. */
export class Traffic {
  readonly commands: AcceptedCommand[] = [];
  /** Requests by what became of them. */
  readonly outcomes = new Map<string, number>();
  /** ms of the answers that came. */
  readonly latencies: number[] = [];
  readonly #nodes: readonly ServerNode[];
  readonly #endpoints: readonly string[];
  readonly #findings: Findings;
  readonly #pause: number;
  #stopping = false;
  #callers: Promise<void>[] = [];

  constructor(
    nodes: readonly ServerNode[],
    endpoints: readonly string[],
    findings: Findings,
    options: { readonly callers: number; readonly pause: number },
  ) {
    this.#nodes = nodes;
    this.#endpoints = endpoints;
    this.#findings = findings;
    this.#pause = options.pause;
    this.#callers = Array.from({ length: options.callers }, () => this.#call());
  }

  /** Resolves when all that was begun has come to an end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#callers);
  }

  async #call(): Promise<void> {
    while (!this.#stopping) {
      const endpoint = pick(this.#endpoints);
      const device = `/api/devices/${encodeURIComponent(endpoint)}`;
      const chance = Math.random();
      if (chance < 0.3) await this.#device(device, endpoint);
      else if (chance < 0.45) await this.#list();
      else if (chance < 0.75) await this.ask('GET', `${device}/objects/3/0/1`);
      else if (chance < 0.9) await this.#switch(device, endpoint);
      else await this.#command();
      await sleep(this.#pause);
    }
  }

  async #device(path: string, endpoint: string): Promise<void> {
    const answer = await this.ask<ApiDevice>('GET', path);
    if (answer.kind === 'ok' && answer.body.endpoint !== endpoint) {
      this.#findings.add('answers with something else', `${path}: ${answer.body.endpoint}`);
    }
  }

  async #list(): Promise<void> {
    const answer = await this.ask<ApiDevicePage>('GET', '/api/devices?limit=50');
    if (answer.kind !== 'ok') return;
    const endpoints = answer.body.items.map(({ endpoint }) => endpoint);
    if (new Set(endpoints).size !== endpoints.length) {
      this.#findings.add('devices twice in a page', endpoints.join(' '));
    }
  }

  async #switch(device: string, endpoint: string): Promise<void> {
    const key = randomUUID();
    const carrier = pick(carriers);
    const end = performance.now() + switchPatience;
    for (let repeated = false; performance.now() < end; repeated = true) {
      const answer = await this.ask<ApiCommand>('POST', `${device}/carrier`, { carrier }, key, repeated);
      if (answer.kind === 'ok') {
        const { id, number } = answer.body;
        this.commands.push({ id, endpoint, number });
        return;
      }
      const final = answer.kind === 'refused' && ![503, 504].includes(answer.status);
      if (final && !(repeated && answer.code === 'request_under_way')) return;
      await sleep(500);
    }
    this.#findings.add('switches that no node took', `${endpoint} for ${switchPatience} ms`);
  }

  /** A command that was accepted is known by every node. */
  async #command(): Promise<void> {
    if (this.commands.length === 0) return;
    const { id, endpoint } = pick(this.commands);
    const answer = await this.ask<ApiCommand>('GET', `/api/commands/${id}`);
    if (answer.kind === 'ok' && answer.body.endpoint !== endpoint) {
      this.#findings.add('answers with something else', `command ${id}: ${answer.body.endpoint}`);
    }
  }

  /** One request to one node by chance. What must not be is noted. */
  async ask<T>(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
    repeated = false,
  ): Promise<Answer<T>> {
    const node = pick(this.#nodes);
    const began = performance.now();
    const wasUp = node.isUp;
    try {
      const response = await fetch(`${node.http}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(patience),
      });
      const text = await response.text();
      this.latencies.push(performance.now() - began);
      if (response.ok) {
        this.#count('answered');
        return { kind: 'ok', body: JSON.parse(text) as T };
      }
      return this.#refused(node, `${method} ${path}`, response.status, text, repeated);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      if (wasUp && node.wasUpSince(began)) {
        const cause = error.cause instanceof Error ? error.cause.message : error.message;
        this.#findings.add(
          'requests that a living node did not answer',
          `${node.name} ${method} ${path}: ${cause}`,
        );
      }
      this.#count('node was killed');
      return { kind: 'lost' };
    }
  }

  #refused<T>(node: ServerNode, what: string, status: number, text: string, repeated: boolean): Answer<T> {
    let code = '';
    try {
      const problem = JSON.parse(text) as { code?: unknown; title?: unknown };
      if (typeof problem.code === 'string' && typeof problem.title === 'string') code = problem.code;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    this.#count(`${status} ${code}`);
    // The repetition of a request whose first node may have died with it: docs/errors.md says to ask again.
    const askAgain = code === 'request_under_way' && repeated;
    if (((status !== 503 && status !== 504) || code === '') && !askAgain) {
      this.#findings.add(
        'REST errors that are neither timeouts nor 503 with a cause',
        `${node.name} ${what}: ${status} ${text}`,
      );
    }
    return { kind: 'refused', status, code };
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }
}

function pick<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)] as T;
}
