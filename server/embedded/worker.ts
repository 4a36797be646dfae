import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type DatabaseOptions, lockFolder } from './database.ts';
import type { Opened, Reply, Request } from './messages.ts';
import { failureOf, Transactions } from './transactions.ts';

/** Requests that one transaction takes at most. */
const requestsPerTransaction = 64;

/**
 * The one thread that writes the database (or, started as a reader, one that only reads it). All requests
 * that wait go into one transaction.
 */
function serve(): void {
  const port = parentPort;
  if (port === null) throw new Error('server/embedded/worker.ts is started as a worker only');
  const options = workerData as DatabaseOptions;
  let lock: ReturnType<typeof lockFolder>;
  let transactions: Transactions;
  try {
    lock = options.reader === true ? undefined : lockFolder(options.path);
    transactions = new Transactions(options);
  } catch (error) {
    port.postMessage({ failure: failureOf(error) } satisfies Opened);
    port.close();
    return;
  }
  port.postMessage({ failure: undefined } satisfies Opened);
  port.on('message', (first: Request) => {
    const requests = [first];
    while (requests.length < requestsPerTransaction && requests.at(-1)?.close !== true) {
      const waiting = receiveMessageOnPort(port) as { readonly message: Request } | undefined;
      if (waiting === undefined) break;
      requests.push(waiting.message);
    }
    const reply = transactions.run(requests);
    port.postMessage(reply, transferables(reply));
    if (requests.at(-1)?.close === true) {
      transactions.close();
      lock?.close();
      port.close();
    }
  });
}

/** The memory that goes over with a reply instead of being copied. */
function transferables(reply: Reply): ArrayBuffer[] {
  const buffers = reply.batches.map((batch) => batch.buffer);
  for (const [, , value] of reply.outcomes) {
    if (typeof value !== 'object' || value === null) continue;
    for (const part of Object.values(value)) {
      if (part instanceof Float64Array) buffers.push(part.buffer as ArrayBuffer);
      if (!Array.isArray(part)) continue;
      for (const item of part) if (item instanceof Uint8Array) buffers.push(item.buffer as ArrayBuffer);
    }
  }
  return buffers;
}

serve();
