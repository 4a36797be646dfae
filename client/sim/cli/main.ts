import { systemClock } from '../../../protocol/clock.ts';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import { StateFileError } from '../../atomic-file.ts';
import { UsageError } from '../../flag-values.ts';
import type { CardAddress } from '../card-address.ts';
import { CardStatusError, CardTransportError } from '../card-transport.ts';
import { CardRefusalError } from '../carrier-card.ts';
import { Euicc } from '../euicc.ts';
import { toHex } from '../hex.ts';
import { hasHungCalls } from '../pcsc/hung-calls.ts';
import { loadPcsclite } from '../pcsc/pcsclite.ts';
import { appletOf, carrierLines, carriersAsJson, switchCarrier } from './carriers.ts';
import { help, parseSimCommandLine, type SimCommand } from './command-line.ts';
import { setFaults, tellFaults } from './faults.ts';
import { type OpenCard, type Tell, withCard } from './open.ts';
import { listReaders, tellReaders } from './readers.ts';
import { jsonOf, linesOf, profileLines, reportOf } from './report.ts';
import { serveVirtualCard } from './serve.ts';
import { switchProfile } from './switch.ts';

const tell = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
/** The transcript, and what is to be known besides, stand beside what a command says, so that that can be read by a program. */
const trace = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function onCard(
  address: CardAddress,
  transcript: Tell | undefined,
  work: (card: OpenCard) => Promise<void>,
): Promise<void> {
  return withCard(address, transcript, work, trace);
}

async function run(command: SimCommand): Promise<void> {
  switch (command.kind) {
    case 'readers':
      tellReaders(await listReaders(loadPcsclite(), systemClock), command.json, tell);
      break;
    case 'info':
      await onCard(command.card, command.traceApdu ? trace : undefined, async (card) => {
        const report = await reportOf(card);
        if (command.json) tell(jsonOf(report));
        else for (const [label, text] of linesOf(report)) tell(`${label.padEnd(18)}${text}`);
      });
      break;
    case 'profiles':
      await onCard(command.card, command.traceApdu ? trace : undefined, async (card) => {
        const applet = await appletOf(card);
        if (applet !== undefined) {
          if (command.json) tell(await carriersAsJson(applet));
          else for (const line of await carrierLines(applet)) tell(line);
          return;
        }
        const profiles = await new Euicc(card.session).listProfiles();
        if (command.json) {
          tell(
            JSON.stringify(profiles, (_, value) => (value instanceof Uint8Array ? toHex(value) : value), 2),
          );
        } else for (const line of profileLines(profiles)) tell(line);
      });
      break;
    case 'switch':
      await onCard(command.card, command.traceApdu ? trace : undefined, async (card) => {
        const applet = await appletOf(card);
        await (applet === undefined
          ? switchProfile(card, command.profile, tell)
          : switchCarrier(applet, command.profile, tell));
      });
      break;
    case 'trace':
      await onCard(command.card, tell, async (card) => {
        if (command.commands.length === 0) await reportOf(card);
        for (const apdu of command.commands) await card.transport.transmit(apdu);
      });
      break;
    case 'serve-virtual-card':
      await serveVirtualCard(command, tell, interrupted());
      break;
    case 'faults':
      if (command.set !== undefined) setFaults(command.file, command.set);
      tellFaults(command.file, tell);
      break;
  }
}

/** Ctrl-C, or a service manager's wish. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

/** What can be wrong with the machine, the card or the question, in a line; undefined: a bug. */
function reasonOf(error: unknown): string | undefined {
  const expected =
    error instanceof CardTransportError ||
    error instanceof CardStatusError ||
    error instanceof CardRefusalError ||
    error instanceof StateFileError ||
    error instanceof RequestError;
  if (expected) return error.message;
  return error instanceof DecodeError ? `the card's answer cannot be read: ${error.message}` : undefined;
}

/** Whoever read has seen enough, as `head` does. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

async function main(): Promise<void> {
  endWithReader();

  let command: SimCommand | 'help';
  try {
    command = parseSimCommandLine(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message} (--help tells more)\n`);
    process.exitCode = 2;
    return;
  }
  if (command === 'help') {
    tell(help);
    return;
  }
  try {
    await run(command);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    process.stderr.write(`${reason}\n`);
    process.exitCode = 1;
  }
}

await main();
if (hasHungCalls()) process.exit();
