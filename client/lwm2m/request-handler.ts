import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type { IncomingRequest, ObservationEnd, OutgoingResponse } from '../../protocol/coap/exchange.ts';
import { Code, OptionNumber } from '../../protocol/coap/message.ts';
import {
  accept,
  contentFormat,
  contentFormatOption,
  locationPathOptions,
  uintOption,
  uriPath,
  uriQuery,
} from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodeContent, supportedContentFormats } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { formatLinks, type Link } from '../../protocol/lwm2m/link-format.ts';
import { MAX_PATH_ID } from '../../protocol/lwm2m/path.ts';
import { TlvKind } from '../../protocol/lwm2m/tlv-decode.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { discoverTarget, registrationLinks } from './discover.ts';
import { decodeExecuteArguments } from './execute-arguments.ts';
import { announcedFormats, encodeRecords, negotiate } from './formats.ts';
import type { ObjectTree } from './object-tree.ts';
import { OperationError } from './operation-error.ts';
import type { PackSender } from './pack-sender.ts';
import { readTarget } from './read.ts';
import { encodeReading, type PackFormat, packFormatOf } from './sealed-pack.ts';
import type { ServerContext } from './server-context.ts';
import { findTarget, isExecutable, isReadable, type Target } from './target.ts';
import { type WriteMode, writeTarget } from './write.ts';

export interface RequestHandlerOptions {
  readonly tree: ObjectTree;
  readonly lookup: ResourceTypeLookup;
  /** Which of our servers this peer is; others get 4.01. */
  readonly serverOf: (peer: string) => ServerContext | undefined;
  /** An operation was carried out or declined, for people. */
  readonly onOperation?: (operation: string, path: string, code: Code, diagnostic: string) => void;
  /** An observation of that server has ended, and not because it asked for it in so many words. */
  readonly onLost: (server: ServerContext, reason: ObservationEnd) => void;
  /** An observation was established: of values, or in packs. */
  readonly onObserve?: (path: string, packs: boolean) => void;
}

interface Answer extends OutgoingResponse {
  readonly afterwards?: readonly (() => void)[];
}

const content = (format: number, payload: Uint8Array): Answer => ({
  code: Code.CONTENT,
  options: [contentFormatOption(format)],
  payload,
});

/** What the server may ask of a client: the Device Management and Information Reporting interfaces (§6.3, §6.4). */
export class RequestHandler {
  readonly #options: RequestHandlerOptions;

  constructor(options: RequestHandlerOptions) {
    this.#options = options;
  }

  /** Answers one request. An error that is nobody's answer is a bug, and passes on to the process. */
  handle(request: IncomingRequest): void {
    let segments: readonly string[] = [];
    let operation = 'Request';
    const decline = (error: unknown): void => {
      const refusal = toRefusal(error);
      this.#options.onOperation?.(operation, `/${segments.join('/')}`, refusal.code, refusal.diagnostic);
      request.respond(refusalAnswer(refusal));
    };
    const settle = (answer: Answer): void => {
      this.#options.onOperation?.(operation, `/${segments.join('/')}`, answer.code, '');
      request.respond(answer);
      for (const work of answer.afterwards ?? []) work();
    };
    try {
      const server = this.#options.serverOf(request.peer);
      if (server === undefined) throw new OperationError(Code.UNAUTHORIZED, 'not my server');
      segments = uriPath(request.options);
      const [name, work] = this.#operation(server, request, segments);
      operation = name;
      const answer = work();
      if (answer instanceof Promise) answer.then(settle, decline);
      else settle(answer);
    } catch (error) {
      decline(error);
    }
  }

  /** Which operation a request is (§6.3 table 6.3.-1), and how it is done. */
  #operation(
    server: ServerContext,
    request: IncomingRequest,
    segments: readonly string[],
  ): readonly [string, () => Answer | Promise<Answer>] {
    const { tree } = this.#options;
    if (segments[0] === '.well-known' && segments[1] === 'core' && segments.length === 2) {
      if (request.code !== Code.GET) throw new OperationError(Code.METHOD_NOT_ALLOWED, 'only GET');
      return ['Discover', () => links(registrationLinks(tree, announcedFormats(server.version)))];
    }
    if (request.code === Code.FETCH || request.code === Code.IPATCH || request.code === Code.PATCH) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'composite operations are not supported');
    }
    const target = findTarget(tree, segments);
    const format = contentFormat(request.options);
    switch (request.code) {
      case Code.GET:
        if (accept(request.options) === ContentFormat.LINK_FORMAT) {
          return ['Discover', () => links(discoverTarget(target, server.attributes))];
        }
        if (request.observe === 0) return ['Observe', () => this.#observe(server, request, target)];
        return ['Read', () => this.#read(server, request, target)];
      case Code.PUT:
        if (format === undefined && request.payload.length === 0) {
          return ['Write-Attributes', () => this.#writeAttributes(server, request, target)];
        }
        return ['Write', () => this.#write(request, target, 'replace')];
      case Code.POST:
        if (target.instance === undefined) return ['Create', () => this.#create(server, request, target)];
        if (target.resource === undefined) return ['Write', () => this.#write(request, target, 'update')];
        if (isExecutable(target.resource) && target.resourceInstance === undefined) {
          return ['Execute', () => this.#execute(request, target)];
        }
        if (target.resource.definition.multiple === true) {
          return ['Write', () => this.#write(request, target, 'update')];
        }
        throw new OperationError(
          Code.METHOD_NOT_ALLOWED,
          `${target.resource.definition.title} cannot be executed`,
        );
      case Code.DELETE:
        return ['Delete', () => this.#delete(server, target)];
      default:
        throw new OperationError(Code.METHOD_NOT_ALLOWED, 'no operation of LwM2M');
    }
  }

  #read(server: ServerContext, request: IncomingRequest, target: Target): Answer {
    const records = readTarget(target);
    const format = negotiate(accept(request.options), target, server.version);
    return content(format, encodeRecords(format, target, records, this.#options.lookup));
  }

  #observe(server: ServerContext, request: IncomingRequest, target: Target): Answer {
    const { lookup } = this.#options;
    const { observations, packs, version } = server;
    const wanted = accept(request.options);
    const stream = packs?.stream(target.path);
    const packFormat = stream === undefined ? undefined : packFormatOf(wanted, version);
    if (packs !== undefined && stream !== undefined && packFormat !== undefined) {
      const { time, value } = stream.takeNow();
      const first = encodeReading(target.path, time, value, packFormat);
      return this.#observePacks(server, request, target, packs, packFormat, first);
    }
    if (target.resource !== undefined && !isReadable(target.resource)) readTarget(target);
    const format = negotiate(wanted, target, version);
    const snapshot = (): { contentFormat: number; payload: Uint8Array } => ({
      contentFormat: format,
      payload: encodeRecords(format, target, readTarget(target), lookup),
    });
    const { payload } = snapshot();
    const observer = request.acceptObserve((reason) => {
      observations.ended(observer, reason);
      this.#options.onLost(server, reason);
    });
    this.#options.onObserve?.(target.path, false);
    return {
      ...content(format, payload),
      afterwards: [() => observations.add(target.path, observer, snapshot)],
    };
  }

  #observePacks(
    server: ServerContext,
    request: IncomingRequest,
    target: Target,
    packs: PackSender,
    format: PackFormat,
    first: { readonly contentFormat: number; readonly payload: Uint8Array },
  ): Answer {
    let ended = false;
    const observer = request.acceptObserve((reason) => {
      ended = true;
      packs.forget(target.path, observer, reason);
      this.#options.onLost(server, reason);
    });
    this.#options.onObserve?.(target.path, true);
    const begin = (): void => {
      // One stream of packs per sensor and server: of two observations the newer has it.
      if (!ended) packs.observe(target.path, observer, format)?.end();
    };
    return { ...content(first.contentFormat, first.payload), afterwards: [begin] };
  }

  async #write(request: IncomingRequest, target: Target, mode: WriteMode): Promise<Answer> {
    const paths = await writeTarget(target, this.#decode(request, target.path), mode);
    return { code: Code.CHANGED, afterwards: [() => this.#options.tree.changed(paths)] };
  }

  #decode(request: IncomingRequest, path: string): readonly LwM2mRecord[] {
    const format = contentFormat(request.options) ?? ContentFormat.TEXT;
    if (!supportedContentFormats.includes(format)) {
      throw new OperationError(Code.UNSUPPORTED_CONTENT_FORMAT, `content format ${format} is not supported`);
    }
    return decodeContent(format, path, request.payload, this.#options.lookup);
  }

  #writeAttributes(server: ServerContext, request: IncomingRequest, target: Target): Answer {
    const query = uriQuery(request.options);
    if (query.length === 0) throw new OperationError(Code.BAD_REQUEST, 'neither a value nor attributes');
    server.attributes.write(target.path, query);
    const { observations, packs } = server;
    return {
      code: Code.CHANGED,
      afterwards: [() => observations.reschedule(), () => packs?.wake()],
    };
  }

  async #execute(request: IncomingRequest, target: Target): Promise<Answer> {
    const format = contentFormat(request.options);
    if (format !== undefined && format !== ContentFormat.TEXT) {
      throw new OperationError(Code.UNSUPPORTED_CONTENT_FORMAT, 'arguments are plain text');
    }
    const afterwards: (() => void)[] = [];
    await target.resource?.handler.execute?.(decodeExecuteArguments(request.payload), {
      afterAnswer: (work) => afterwards.push(work),
    });
    return { code: Code.CHANGED, afterwards };
  }

  #create(server: ServerContext, request: IncomingRequest, target: Target): Answer {
    const { tree } = this.#options;
    const { create } = target.object.lifecycle;
    const objectId = target.object.definition.id;
    if (create === undefined) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, `no instance of /${objectId} can be created`);
    }
    let free = 0;
    while (target.object.instances.has(free) && free < MAX_PATH_ID) free++;
    // TLV may leave the instance out, and begin with its resources (§7.4.3).
    const isUnnamed = contentFormat(request.options) === ContentFormat.TLV && !startsWithInstance(request);
    const records = this.#decode(request, isUnnamed ? `${target.path}/${free}` : target.path);
    const named = new Set(records.map((record) => Number(record.path.split('/')[2])));
    if (named.size > 1) throw new OperationError(Code.BAD_REQUEST, 'one instance at a time');
    const [id = free] = named;
    if (target.object.instances.has(id)) {
      throw new OperationError(Code.BAD_REQUEST, `/${objectId}/${id} is there already`);
    }
    const created = create(id, records);
    server.created(created);
    tree.add(created);
    return { code: Code.CREATED, options: locationPathOptions(`/${objectId}/${id}`) };
  }

  #delete(server: ServerContext, target: Target): Answer {
    const { object, instance } = target;
    const remove = object.lifecycle.delete;
    if (instance === undefined || target.resource !== undefined || remove === undefined) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, `${target.path} cannot be deleted`);
    }
    remove(instance);
    this.#options.tree.remove(object.definition.id, instance.id);
    server.attributes.forget(instance.path);
    return { code: Code.DELETED };
  }
}

function startsWithInstance({ payload }: IncomingRequest): boolean {
  return (payload[0] ?? 0) >> 6 === TlvKind.OBJECT_INSTANCE;
}

function links(list: readonly Link[]): Answer {
  return content(ContentFormat.LINK_FORMAT, new TextEncoder().encode(formatLinks(list)));
}

/** Errors that are an answer; all others are bugs and are thrown on. */
function toRefusal(error: unknown): CoapResponseError {
  if (error instanceof CoapResponseError) return error;
  if (error instanceof DecodeError) return new OperationError(Code.BAD_REQUEST, error.message);
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
