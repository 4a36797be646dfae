/**
 * Why a download ended before it was whole. `uri`: there is nothing to be had at this URI; `protocol`: its
 * scheme is not one of ours; `connection`: the other side was not reached, or fell silent, which may be
 * better the next time; `changed`: what is there is no longer what the first part was of.
 */
export type DownloadFailure = 'uri' | 'protocol' | 'connection' | 'changed';

export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  readonly failure: DownloadFailure;

  constructor(failure: DownloadFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** What is to be had, and from which byte on. */
export interface DownloadRequest {
  readonly uri: URL;
  /** Bytes that are there already, of the representation with `entityTag`. */
  readonly offset: number;
  readonly entityTag: string | undefined;
  /** Ends the download; it rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** Where the bytes go. What it throws ends the download, and is what the download rejects with. */
export interface DownloadSink {
  /**
   * Before the first bytes: from where on they are (0, or the offset that was asked for), how many bytes
   * the whole has, and the tag that it can be known again by, where they are told.
   */
  begin(offset: number, total: number | undefined, entityTag: string | undefined): void;
  take(bytes: Uint8Array): void;
}

/** Fetches what is at a URI; resolves when all of it went to the sink. @throws DownloadError, what the sink throws */
export type Download = (request: DownloadRequest, sink: DownloadSink) => Promise<void>;

/** Downloads by their scheme, such as `coap:`. */
export type Downloads = Readonly<Record<string, Download>>;

/**
 * A Package URI as it can be fetched.
 * @throws DownloadError `uri` it is none; `protocol` its scheme is not among those of `downloads`
 */
export function parsePackageUri(text: string, downloads: Downloads): { uri: URL; download: Download } {
  const uri = URL.parse(text);
  if (uri === null || !/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new DownloadError('uri', `no URI: ${text}`);
  }
  const download = Object.hasOwn(downloads, uri.protocol) ? downloads[uri.protocol] : undefined;
  if (download === undefined) throw new DownloadError('protocol', `${uri.protocol}// is not supported`);
  // RFC 7252 §6.1: neither user nor fragment; a modem has no name and password for HTTP either.
  if (uri.hostname === '' || uri.username !== '' || uri.password !== '' || uri.hash !== '') {
    throw new DownloadError('uri', `no URI of a package: ${text}`);
  }
  return { uri, download };
}
