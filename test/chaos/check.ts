import type { CommandState } from '../../server/ports/command-queue.ts';
import { decodePack } from '../../server/telemetry/pack.ts';
import type { Findings } from './findings.ts';
import { readLedger } from './ledger.ts';
import type { CheckedStores } from './nodes.ts';
import type { AcceptedCommand } from './traffic.ts';

/** What the outside knows, to be held against the store. */
export interface Evidence {
  readonly ledgers: readonly string[];
  readonly commands: readonly AcceptedCommand[];
  /** Where each modem that lives is registered, by endpoint: its Location-Path. */
  readonly locations: ReadonlyMap<string, string>;
  /** Endpoints of modems that were killed for good, and whose lifetime is over. */
  readonly mayflies: readonly string[];
  /** Events before this one are not of the run. */
  readonly eventsAfter: number;
}

export interface Figures {
  acknowledged: number;
  logged: number;
  entries: number;
  commands: number;
  executed: number;
  registrations: number;
}

const finalStates: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled', 'expired', 'unknown']);
const pageSize = 1_000;
const sensorValue = /^\/42770\/\d+\/2$/;

/** Values by time taken, by path, by endpoint. */
type Readings = Map<string, Map<string, Map<number, number>>>;

/** Holds what was acknowledged, accepted and registered against what the store has. */
export async function check(stores: CheckedStores, evidence: Evidence, findings: Findings): Promise<Figures> {
  findings.expectNone(
    'acknowledged readings missing',
    'readings in the log twice',
    'readings of another value',
    'commands lost',
    'commands executed twice',
    'commands that did not end in one final state',
    'commands that ended without done or failed',
    'devices forgotten',
    'devices registered twice',
    'devices that did not expire exactly once',
  );
  const figures: Figures = {
    acknowledged: 0,
    logged: 0,
    entries: 0,
    commands: evidence.commands.length,
    executed: 0,
    registrations: await stores.registrations.count(),
  };
  const logged = await readLog(stores, figures, findings);
  const executions = checkLedgers(evidence.ledgers, logged, figures, findings);
  await checkCommands(stores, evidence, executions, findings);
  await checkRegistrations(stores, evidence, findings);
  return figures;
}

async function readLog(stores: CheckedStores, figures: Figures, findings: Findings): Promise<Readings> {
  const logged: Readings = new Map();
  for (let after = 0; ; ) {
    const entries = await stores.log.read(after, pageSize);
    for (const { endpoint, receivedAt, body, position } of entries) {
      if (position <= after) findings.add('entries of the log out of order', `${position} after ${after}`);
      after = position;
      figures.entries++;
      const paths = entry(logged, endpoint, () => new Map<string, Map<number, number>>());
      for (const { path, takenAt, values } of decodePack(endpoint, receivedAt, body).series) {
        const readings = entry(paths, path, () => new Map<number, number>());
        for (const [index, time] of takenAt.entries()) {
          figures.logged++;
          // Of a sensor every reading has its own time; other values may be told again with the time of the first.
          if (readings.has(time) && sensorValue.test(path)) {
            findings.add('readings in the log twice', `${endpoint} ${path} ${time} at ${position}`);
          }
          readings.set(time, Number(values[index]));
        }
      }
    }
    if (entries.length === 0) return logged;
  }
}

/** Returns how often each command was executed, by `endpoint number`. */
function checkLedgers(
  ledgers: readonly string[],
  logged: Readings,
  figures: Figures,
  findings: Findings,
): Map<string, number> {
  const executions = new Map<string, number>();
  for (const ledger of ledgers) {
    for (const line of readLedger(ledger)) {
      if (line.kind === 'executed') {
        const key = `${line.endpoint} ${line.command}`;
        const times = (executions.get(key) ?? 0) + 1;
        executions.set(key, times);
        figures.executed++;
        if (times === 2) findings.add('commands executed twice', key);
        continue;
      }
      const { endpoint, path, times, values } = line;
      const readings = logged.get(endpoint)?.get(path);
      for (const [index, time] of times.entries()) {
        figures.acknowledged++;
        const value = readings?.get(time);
        if (value === undefined) findings.add('acknowledged readings missing', `${endpoint} ${path} ${time}`);
        else if (value !== values[index]) {
          findings.add(
            'readings of another value',
            `${endpoint} ${path} ${time}: ${value}, not ${values[index]}`,
          );
        }
      }
    }
  }
  return executions;
}

async function checkCommands(
  stores: CheckedStores,
  { commands, eventsAfter }: Evidence,
  executions: ReadonlyMap<string, number>,
  findings: Findings,
): Promise<void> {
  const ends = await endsOfCommands(stores, eventsAfter);
  const seen = new Map<string, string>();
  for (const { id, endpoint, number } of commands) {
    const command = await stores.commands.get(id);
    const name = `${endpoint} ${number} (${id})`;
    if (command === undefined) {
      findings.add('commands lost', `${name}: unknown`);
      continue;
    }
    const twin = seen.get(`${endpoint} ${number}`);
    if (twin !== undefined && twin !== id) findings.add('commands of one number', `${name} and ${twin}`);
    seen.set(`${endpoint} ${number}`, id);
    const finals = command.history.filter(({ state }) => finalStates.has(state)).map(({ state }) => state);
    const told = ends.get(id) ?? [];
    if (finals.length !== 1 || finals[0] !== command.state) {
      findings.add(
        'commands that did not end in one final state',
        `${name}: ${command.state}, ${finals.join(' ')}`,
      );
    } else if (told.length > 1 || (told.length === 1 && told[0] !== command.state)) {
      findings.add(
        'commands whose end was told twice, or not as it was',
        `${name}: ${command.state}, told: ${told.join(' ')}`,
      );
    }
    const times = executions.get(`${endpoint} ${number}`) ?? 0;
    checkEnd(
      command.state,
      times,
      `${name}: ${command.state} ${command.reason ?? ''}, executed ${times} times`,
      findings,
    );
  }
}

function checkEnd(state: CommandState, executed: number, what: string, findings: Findings): void {
  if (state === 'done' && executed === 0) findings.add('commands done that no modem executed', what);
  // A modem that was killed in between lets the card decide; then there is a reason. All else is no end for ours.
  if (state !== 'done' && state !== 'failed' && finalStates.has(state)) {
    findings.add('commands that ended without done or failed', what);
  }
}

/** Final states that events told, by command. */
async function endsOfCommands(stores: CheckedStores, eventsAfter: number): Promise<Map<string, string[]>> {
  const ends = new Map<string, string[]>();
  for await (const { type, data } of eventsOf(stores, eventsAfter)) {
    if (type !== 'command') continue;
    const { id, state } = data['command'] as { id: string; state: string };
    if (finalStates.has(state)) entry(ends, id, () => [] as string[]).push(state);
  }
  return ends;
}

async function* eventsOf(stores: CheckedStores, after: number) {
  for (let last = after; ; ) {
    const events = await stores.events.read({ after: last, limit: pageSize });
    yield* events;
    const newest = events.at(-1);
    if (newest === undefined) return;
    last = newest.id;
  }
}

async function checkRegistrations(
  stores: CheckedStores,
  evidence: Evidence,
  findings: Findings,
): Promise<void> {
  const { locations, mayflies, eventsAfter } = evidence;
  for (const [endpoint, location] of locations) {
    const registration = await stores.registrations.byEndpoint(endpoint);
    const id = location.slice(location.lastIndexOf('/') + 1);
    if (registration === undefined) findings.add('devices forgotten', `${endpoint}, which is at ${location}`);
    else if (registration.id !== id) {
      findings.add(
        'devices registered twice',
        `${endpoint} is at ${location}, the store has ${registration.id}`,
      );
    }
  }
  const count = await stores.registrations.count();
  if (count !== locations.size) {
    findings.add('devices registered twice', `${count} registrations of ${locations.size} modems`);
  }
  const listed = new Map<string, number>();
  for (let cursor: string | undefined; ; ) {
    const page = await stores.devices.list({
      now: Date.now(),
      limit: 500,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { endpoint } of page.items) listed.set(endpoint, (listed.get(endpoint) ?? 0) + 1);
    if (page.next === undefined) break;
    cursor = page.next;
  }
  for (const endpoint of [...locations.keys(), ...mayflies]) {
    const times = listed.get(endpoint) ?? 0;
    if (times !== 1) findings.add('devices not listed once', `${endpoint}: ${times} times`);
  }
  const expired = new Map<string, number>();
  for await (const { type, endpoint } of eventsOf(stores, eventsAfter)) {
    if (type === 'expired' && endpoint !== undefined) expired.set(endpoint, (expired.get(endpoint) ?? 0) + 1);
  }
  for (const endpoint of mayflies) {
    const times = expired.get(endpoint) ?? 0;
    if (times !== 1) findings.add('devices that did not expire exactly once', `${endpoint}: ${times} times`);
  }
  for (const [endpoint, times] of expired) {
    if (locations.has(endpoint)) findings.add('living devices that expired', `${endpoint}: ${times} times`);
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
