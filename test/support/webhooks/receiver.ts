import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedMessage {
  readonly path: string;
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
  readonly body: any;
}

/** A receiver of webhooks on a real socket, whose answers the test gives. */
export class Receiver {
  readonly messages: ReceivedMessage[] = [];
  /** What it answers; undefined: nothing, ever. */
  answer: (
    message: ReceivedMessage,
  ) => number | { readonly status: number; readonly headers: Record<string, string> } | undefined = () => 204;
  connections = 0;
  readonly #server: Server;
  #wake: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(port = 0): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('connection', () => receiver.connections++);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const message = {
          path: request.url ?? '',
          id: String(request.headers['webhook-id']),
          headers: request.headers,
          text,
          body: JSON.parse(text),
        };
        receiver.messages.push(message);
        const answer = receiver.answer(message);
        if (typeof answer === 'number') response.writeHead(answer).end();
        else if (answer !== undefined) response.writeHead(answer.status, answer.headers).end();
        for (const wake of receiver.#wake.splice(0)) wake();
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/in`;
  }

  get ids(): string[] {
    return this.messages.map(({ id }) => id);
  }

  /** Resolves when so many messages have come. */
  async received(count: number): Promise<ReceivedMessage[]> {
    while (this.messages.length < count) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.messages;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What a receiver does, by its own lights: whether one of the signatures is of this secret. */
export function isSigned({ headers, text }: ReceivedMessage, secret: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  const expected = createHmac('sha256', key).update(signed).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((signature) => {
      const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
}
