import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type { IncomingRequest, ObservationEnd, OutgoingResponse } from '../../protocol/coap/exchange.ts';
import { Code, OptionNumber } from '../../protocol/coap/message.ts';
import { accept, contentFormat, uintOption, uriPath } from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { BootstrapOperation } from './bootstrap-handler.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { discover, linksAnswer, registrationLinks } from './discover.ts';
import { execute } from './execute.ts';
import { announcedFormats } from './formats.ts';
import type { ObjectTree } from './object-tree.ts';
import { observe } from './observe.ts';
import { observeComposite } from './observe-composite.ts';
import type { Answer, OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { read } from './read.ts';
import { readComposite } from './read-composite.ts';
import type { ServerContext } from './server-context.ts';
import { findTarget, notFound } from './target.ts';
import { write } from './write.ts';
import { writeAttributes } from './write-attributes.ts';
import { writeComposite } from './write-composite.ts';

export interface RequestHandlerOptions {
  readonly tree: ObjectTree;
  readonly lookup: ResourceTypeLookup;
  /** Where our objects are, as in `/lwm2m`; default `/`. */
  readonly rootPath?: string;
  /** Which of our servers this peer is; others get 4.01. */
  readonly serverOf: (peer: string) => ServerContext | undefined;
  /** The operation of a request that is the bootstrap server's; undefined for one that is not. @throws OperationError */
  readonly bootstrap?: (request: IncomingRequest) => BootstrapOperation | undefined;
  /** An operation was carried out or declined, for people. */
  readonly onOperation?: (operation: string, path: string, code: Code, diagnostic: string) => void;
  /** An observation of that server has ended, and not because it asked for it in so many words. */
  readonly onLost: (server: ServerContext, reason: ObservationEnd) => void;
  /** An observation was established: of values, or in packs. */
  readonly onObserve?: (path: string, packs: boolean) => void;
  /** A bug, which showed after the handler had returned: the server gets 5.00. */
  readonly onFault: (error: unknown) => void;
}

/** An operation by its name, ready to be carried out. */
type Operation = readonly [name: string, carryOut: () => Answer | Promise<Answer>];

/** What the server may ask of a client: the Device Management and Information Reporting interfaces (§6.3, §6.4). */
export class RequestHandler {
  readonly #options: RequestHandlerOptions;
  readonly #rootPath: string;
  readonly #root: readonly string[];

  constructor(options: RequestHandlerOptions) {
    this.#options = options;
    this.#rootPath = options.rootPath ?? '/';
    this.#root = this.#rootPath.split('/').filter((segment) => segment !== '');
  }

  /** Answers one request. @throws what is nobody's answer: a bug */
  handle(request: IncomingRequest): void {
    let segments: readonly string[] = [];
    let name = 'Request';
    let answered = false;
    const respond = (answer: OutgoingResponse): void => {
      answered = true;
      request.respond(answer);
    };
    const decline = (error: unknown): void => {
      const refusal = toRefusal(error);
      this.#options.onOperation?.(name, `/${segments.join('/')}`, refusal.code, refusal.diagnostic);
      respond(refusalAnswer(refusal));
    };
    const settle = (answer: Answer): void => {
      this.#options.onOperation?.(name, `/${segments.join('/')}`, answer.code, '');
      respond(answer);
      for (const work of answer.afterwards ?? []) work();
    };
    const fault = (error: unknown): void => {
      this.#options.onFault(error);
      if (!answered) respond({ code: Code.INTERNAL_SERVER_ERROR });
    };
    try {
      const bootstrap = this.#options.bootstrap?.(request);
      if (bootstrap !== undefined) {
        name = bootstrap.name;
        segments = uriPath(request.options);
        const answer = bootstrap.carryOut();
        if (answer instanceof Promise) answer.then(settle, decline).catch(fault);
        else settle(answer);
        return;
      }
      const server = this.#options.serverOf(request.peer);
      if (server === undefined) throw new OperationError(Code.UNAUTHORIZED, 'not my server');
      segments = uriPath(request.options);
      const [operation, carryOut] = this.#operation(server, request, segments);
      name = operation;
      const answer = carryOut();
      if (answer instanceof Promise) answer.then(settle, decline).catch(fault);
      else settle(answer);
    } catch (error) {
      decline(error);
    }
  }

  /** Which operation a request is (OMA-TS-LightweightM2M_Transport §6.4, table 6.4.-1). */
  #operation(server: ServerContext, request: IncomingRequest, segments: readonly string[]): Operation {
    const { tree, lookup, onLost, onObserve } = this.#options;
    const rootPath = this.#rootPath;
    if (segments[0] === '.well-known' && segments[1] === 'core' && segments.length === 2) {
      if (request.code !== Code.GET) throw new OperationError(Code.METHOD_NOT_ALLOWED, 'only GET');
      const { version } = server;
      const formats = announcedFormats(version);
      return ['Discover', () => linksAnswer(registrationLinks(tree, formats, { rootPath, version }))];
    }
    const context: OperationContext = {
      server,
      request,
      tree,
      lookup,
      rootPath,
      onLost: (reason) => onLost(server, reason),
      onObserve: (path, packs) => onObserve?.(path, packs),
    };
    const { code } = request;
    if (code === Code.FETCH || code === Code.IPATCH) return this.#composite(context, segments);
    return ofOneTarget(context, this.#belowRoot(segments));
  }

  /** Composite operations came with 1.1, and are of the root. */
  #composite(context: OperationContext, segments: readonly string[]): Operation {
    const { request, server } = context;
    if (server.version === '1.0') {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'LwM2M 1.0 has no composite operations');
    }
    // The root of the CoAP server is taken for that of LwM2M.
    if (segments.length > 0 && this.#belowRoot(segments).length > 0) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'composite operations are of the root');
    }
    if (request.code === Code.IPATCH) return ['Write-Composite', () => writeComposite(context)];
    if (request.observe === 0) return ['Observe-Composite', () => observeComposite(context)];
    const name = request.observe === 1 ? 'Cancel-Composite' : 'Read-Composite';
    return [name, () => readComposite(context)];
  }

  /** @throws OperationError 4.04 */
  #belowRoot(segments: readonly string[]): readonly string[] {
    if (this.#root.some((segment, index) => segments[index] !== segment)) {
      throw notFound(`/${segments.join('/')}`);
    }
    return segments.slice(this.#root.length);
  }
}

function ofOneTarget(context: OperationContext, segments: readonly string[]): Operation {
  const { request, tree } = context;
  const target = findTarget(tree, segments);
  const { instance, resource } = target;
  switch (request.code) {
    case Code.GET:
      if (accept(request.options) === ContentFormat.LINK_FORMAT) {
        return ['Discover', () => discover(context, target)];
      }
      if (request.observe === 0) return ['Observe', () => observe(context, target)];
      return [request.observe === 1 ? 'Cancel' : 'Read', () => read(context, target)];
    case Code.PUT:
      if (contentFormat(request.options) === undefined && request.payload.length === 0) {
        return ['Write-Attributes', () => writeAttributes(context, target)];
      }
      return ['Write', () => write(context, target, 'replace')];
    case Code.POST:
      if (instance === undefined) return ['Create', () => create(context, target)];
      if (resource === undefined || resource.definition.multiple === true) {
        return ['Write', () => write(context, target, 'update')];
      }
      return ['Execute', () => execute(context, target)];
    case Code.DELETE:
      return ['Delete', () => remove(context, target)];
    default:
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'no operation of LwM2M');
  }
}

/** Errors that are an answer; all others are bugs and are thrown on. */
function toRefusal(error: unknown): CoapResponseError {
  if (error instanceof CoapResponseError) return error;
  if (error instanceof DecodeError) return new OperationError(Code.BAD_REQUEST, error.message);
  // A disk that is full, or gone: nothing of it was done.
  if (error instanceof Error && 'syscall' in error && 'code' in error) {
    return new OperationError(Code.INTERNAL_SERVER_ERROR, `it cannot be kept: ${String(error.code)}`);
  }
  throw error;
}

function refusalAnswer(refusal: CoapResponseError): OutgoingResponse {
  const seconds = refusal instanceof OperationError ? refusal.maxAge : undefined;
  return {
    code: refusal.code,
    ...(seconds === undefined ? {} : { options: [uintOption(OptionNumber.MAX_AGE, seconds)] }),
    payload: new TextEncoder().encode(refusal.diagnostic),
  };
}
