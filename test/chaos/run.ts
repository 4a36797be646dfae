import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../client/modem/signals.ts';
import type { ApiCommand } from '../../server/api/schemas.ts';
import { BalancerProcess } from './balancer-process.ts';
import { check, type Figures } from './check.ts';
import { Findings } from './findings.ts';
import { ModemGroup } from './modem-group.ts';
import type { ModemsOptions } from './modems.ts';
import { embeddedStore, ServerNode, type StoreUnderTest } from './nodes.ts';
import { redisClusterStore, redisStore } from './redis-store.ts';
import type { ChaosSettings, Victim } from './settings.ts';
import { Traffic } from './traffic.ts';

export interface Verdict {
  readonly findings: Findings;
  readonly figures: Figures;
  /** Requests by what became of them. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly kills: Readonly<Record<Victim, number>>;
  /** ms */
  readonly latencies: readonly number[];
  /** ms that each killed node was away. */
  readonly outages: readonly number[];
  readonly folder: string;
}

/** ms until a load balancer's health check finds a dead node out. */
const balancerNotices = 1_000;
const readingsPerPack = 10;
/** Long enough that a modem which is heard every few seconds never runs out while a server is away. */
const lifetime = 3_600;
const mayflyLifetime = 20;
/** Modems that are begun a second, in all. */
const ramp = 250;
/** In the end everything has so long to come to rest, ms: exchanges, back-offs and lifetimes included. */
const restLimit = 300_000;
/** Every so many groups reports by Send, the others by notifications. */
const sendingEvery = 5;

/** Runs the chaos, then checks. `print` gets lines for a person. */
export async function runChaos(settings: ChaosSettings, print: (line: string) => void): Promise<Verdict> {
  const folder = settings.folder ?? mkdtempSync(join(tmpdir(), 'simyard-chaos-'));
  mkdirSync(folder, { recursive: true });
  const run = new Run(settings, folder, print);
  try {
    return await run.run();
  } finally {
    await run.close();
    if (settings.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

class Run {
  readonly #settings: ChaosSettings;
  readonly #folder: string;
  readonly #print: (line: string) => void;
  readonly #findings = new Findings();
  readonly #nodes: ServerNode[] = [];
  readonly #groups: ModemGroup[] = [];
  readonly #outages: number[] = [];
  readonly #kills = { node: 0, modems: 0, redis: 0 };
  readonly #random: () => number;
  #mayflies: ModemGroup | undefined;
  #balancer: BalancerProcess | undefined;
  #store: StoreUnderTest | undefined;
  #traffic: Traffic | undefined;

  constructor(settings: ChaosSettings, folder: string, print: (line: string) => void) {
    this.#settings = settings;
    this.#folder = folder;
    this.#print = print;
    this.#random = seededRandom(settings.seed);
  }

  async run(): Promise<Verdict> {
    const { seconds, callers, callerPause, seed } = this.#settings;
    this.#print(`seed ${seed}, ${this.#folder}`);
    await this.#startNodes();
    await this.#startModems();
    const endpoints = this.#groups.flatMap((group) => group.endpoints);
    const traffic = new Traffic(this.#nodes, endpoints, this.#findings, { callers, pause: callerPause });
    this.#traffic = traffic;
    await this.#rage(performance.now() + seconds * 1_000);
    this.#print('no more kills; requests come to an end');
    await traffic.stop();
    const evidence = await this.#comeToRest(traffic);
    await this.#endAll();
    this.#print('reading the store');
    const stores = await (this.#store as StoreUnderTest).open();
    try {
      const figures = await check(stores, evidence, this.#findings);
      return {
        findings: this.#findings,
        figures,
        outcomes: traffic.outcomes,
        kills: this.#kills,
        latencies: traffic.latencies,
        outages: this.#outages,
        folder: this.#folder,
      };
    } finally {
      await stores.close();
    }
  }

  async close(): Promise<void> {
    await this.#traffic?.stop();
    await Promise.all([...this.#groups, this.#mayflies].map((group) => group?.kill()));
    await Promise.all(this.#nodes.map((node) => node.kill()));
    await this.#balancer?.close();
    await this.#store?.close();
  }

  async #startNodes(): Promise<void> {
    const { nodes, store, front } = this.#settings;
    const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`);
    this.#store =
      store === 'embedded'
        ? embeddedStore(this.#folder, names[0] as string)
        : await (store === 'redis' ? redisStore() : redisClusterStore());
    for (const name of names) this.#nodes.push(await ServerNode.create(name, this.#folder));
    if (front === 'balancer') {
      this.#balancer = await BalancerProcess.start(this.#nodes.map(({ coapPort }) => coapPort));
    }
    const shared =
      this.#balancer === undefined ? [] : ['--coap-address', `coap://127.0.0.1:${this.#balancer.port}`];
    for (const node of this.#nodes) node.flags = [...this.#store.flags, ...shared];
    await Promise.all(this.#nodes.map((node) => node.start()));
    this.#print(`${nodes} ${nodes === 1 ? 'node is' : 'nodes are'} up`);
  }

  async #startModems(): Promise<void> {
    const { modems, group, packInterval, mayflies } = this.#settings;
    const ledgers = join(this.#folder, 'ledgers');
    mkdirSync(ledgers);
    const options = (first: number, count: number, change: Partial<ModemsOptions>) =>
      new ModemGroup(
        {
          folder: join(this.#folder, 'modems'),
          prefix: 'chaos-',
          first,
          count,
          servers:
            this.#balancer === undefined
              ? this.#nodes.map(({ coap }) => coap)
              : [`127.0.0.1:${this.#balancer.port}`],
          lifetime,
          report: 'observe',
          rate: (readingsPerPack * 1_000) / packInterval,
          packInterval,
          ramp,
          ...change,
        },
        ledgers,
      );
    for (let first = 0; first < modems; first += group) {
      const report = this.#groups.length % sendingEvery === sendingEvery - 1 ? 'send' : 'observe';
      this.#groups.push(options(first, Math.min(group, modems - first), { report }));
    }
    for (const each of this.#groups) {
      each.start();
      // One after the other: all at once they would only wait for the same processors.
      await each.begun();
    }
    if (mayflies > 0) {
      this.#mayflies = options(0, mayflies, { prefix: 'mayfly-', lifetime: mayflyLifetime });
      this.#mayflies.start();
      await this.#mayflies.begun();
    }
    await this.#wait('all modems are registered', async () => (await this.#unregistered()).length === 0);
    this.#print(`${modems} modems are registered, in ${this.#groups.length} processes`);
    await this.#mayflies?.kill();
  }

  /** Kills one after the other, until the time is over. */
  async #rage(end: number): Promise<void> {
    const { kill, killEvery } = this.#settings;
    const pending: Promise<void>[] = [];
    for (let turn = 0; performance.now() + killEvery * 1_000 < end; turn++) {
      await sleep(killEvery * 1_000);
      const victim = kill[turn % kill.length] as Victim;
      const done = this.#kill(victim);
      pending.push(done);
      // What fails is thrown below; nobody is to call it unhandled before that.
      done.catch(() => undefined);
    }
    await sleep(Math.max(0, end - performance.now()));
    await Promise.all(pending);
  }

  async #kill(victim: Victim): Promise<void> {
    this.#kills[victim]++;
    // Some come back at once, some after others have noticed.
    const pause = this.#random() * 6_000;
    switch (victim) {
      case 'node': {
        const node = this.#choose(this.#nodes.filter(({ isUp }) => isUp));
        if (node === undefined) return;
        this.#print(`kill -9 ${node.name}, for ${(pause / 1_000).toFixed(1)} s`);
        await node.kill();
        // Its health check fails a moment later.
        await sleep(Math.min(pause, balancerNotices));
        this.#balancer?.set(node.coapPort, false);
        await sleep(Math.max(0, pause - balancerNotices));
        await node.start();
        this.#balancer?.set(node.coapPort, true);
        this.#outages.push(node.lastOutage);
        return;
      }
      case 'modems': {
        const group = this.#choose(this.#groups);
        if (group === undefined) return;
        this.#print(`kill -9 modems ${group.endpoints[0]} to ${group.endpoints.at(-1)}`);
        await group.kill();
        group.start();
        await group.begun();
        return;
      }
      case 'redis':
        this.#print('kill -9 Redis');
        await this.#store?.restart?.();
    }
  }

  #choose<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.#random() * all.length)];
  }

  /** Nothing new is made; waits until all that is under way has ended. What never ends is a finding. */
  async #comeToRest(traffic: Traffic): Promise<Parameters<typeof check>[1]> {
    for (const group of this.#groups) group.quiet();
    await this.#settle('modems not registered', () => this.#unregistered());
    await this.#settle('modems whose readings nobody takes', () => this.#waiting());
    await this.#settle('commands that do not end', () => this.#openCommands(traffic));
    const mayflies = this.#mayflies?.endpoints ?? [];
    await this.#settle('devices that do not expire', () => this.#notExpired(mayflies));
    const reports = await Promise.all(this.#groups.map((group) => group.report()));
    const dropped = reports.reduce((sum, report) => sum + report.dropped, 0);
    if (dropped > 0) this.#print(`${dropped} readings were dropped by full queues of modems`);
    return {
      ledgers: [...this.#groups, this.#mayflies].flatMap((group) => group?.ledgers ?? []),
      commands: traffic.commands,
      locations: new Map(reports.flatMap(({ locations }) => locations)),
      mayflies,
      eventsAfter: 0,
    };
  }

  /** Waits until there are none; those that are left are findings. */
  async #settle(kind: string, left: () => Promise<readonly string[]>): Promise<void> {
    this.#findings.expectNone(kind);
    const end = performance.now() + restLimit;
    let remaining = await left();
    for (let told = performance.now(); remaining.length > 0 && performance.now() < end; ) {
      await sleep(500);
      remaining = await left();
      if (performance.now() - told > 10_000) {
        told = performance.now();
        this.#print(`${kind}: ${remaining.length}`);
      }
    }
    for (const one of remaining) this.#findings.add(kind, one);
  }

  async #unregistered(): Promise<string[]> {
    const groups = this.#mayflies?.kills === 0 ? [...this.#groups, this.#mayflies] : this.#groups;
    const reports = await Promise.all(groups.map((group) => group.report()));
    return reports
      .flatMap(({ locations }) => locations)
      .filter(([, location]) => location === '')
      .map(([endpoint]) => endpoint);
  }

  async #waiting(): Promise<string[]> {
    const reports = await Promise.all(this.#groups.map((group) => group.report()));
    return reports
      .flatMap(({ pending }) => pending)
      .map(([endpoint, readings]) => `${endpoint}: ${readings} wait`);
  }

  readonly #ended = new Set<string>();

  async #openCommands(traffic: Traffic): Promise<string[]> {
    const open: string[] = [];
    for (const { id, endpoint } of traffic.commands) {
      if (this.#ended.has(id)) continue;
      const answer = await traffic.ask<ApiCommand>('GET', `/api/commands/${id}`);
      const state = answer.kind === 'ok' ? answer.body.state : answer.kind;
      if (['queued', 'sent', 'accepted', 'refused', 'lost'].includes(state))
        open.push(`${endpoint} ${id}: ${state}`);
      else this.#ended.add(id);
    }
    return open;
  }

  async #notExpired(mayflies: readonly string[]): Promise<string[]> {
    const left: string[] = [];
    for (const endpoint of mayflies) {
      const answer = await (this.#traffic as Traffic).ask<{ registration?: unknown }>(
        'GET',
        `/api/devices/${endpoint}`,
      );
      if (answer.kind !== 'ok' || (answer.body.registration ?? null) !== null) left.push(endpoint);
    }
    return left;
  }

  async #endAll(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.kill()));
    for (const node of this.#nodes) {
      this.#findings.expectNone('nodes that do not end well');
      if (node.died) this.#findings.add('nodes that ended by themselves', node.name);
      const how = await node.stop();
      if (how !== 0)
        this.#findings.add('nodes that do not end well', `${node.name}: ${how}, see ${node.logFile}`);
    }
  }

  async #wait(what: string, ask: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + restLimit;
    while (!(await ask())) {
      if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
      await sleep(250);
    }
  }
}
