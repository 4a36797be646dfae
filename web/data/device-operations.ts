import type { ApiValue } from './api-types.ts';
import type { AttributeChanges, NotificationAttributes } from './notification-attributes.ts';

export type OperationKind =
  | 'read'
  | 'write'
  | 'execute'
  | 'create'
  | 'delete'
  | 'discover'
  | 'write-attributes'
  | 'observe'
  | 'cancel'
  | 'read-composite'
  | 'write-composite'
  | 'observe-composite'
  | 'cancel-composite';

/** One request to a device, as the REST API takes it. */
export interface DeviceOperation {
  readonly kind: OperationKind;
  /** What it is about: one place, or those of a composite operation. */
  readonly paths: readonly string[];
  /** `Read /3/0/9` */
  readonly title: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path and query. */
  readonly url: string;
  readonly body?: unknown;
  /** What the device answers where it does it (OMA-TS-LightweightM2M_Core §6). */
  readonly success: string;
}

export interface OperationOptions {
  /** A content format by name; the server's choice where absent. */
  readonly format?: string;
  /** ms */
  readonly timeout?: number;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The requests to one device. */
export class DeviceOperations {
  readonly #base: string;

  constructor(endpoint: string) {
    this.#base = `/api/devices/${encodeURIComponent(endpoint)}`;
  }

  read(path: string, options: OperationOptions = {}): DeviceOperation {
    return {
      kind: 'read',
      paths: [path],
      title: `Read ${path}`,
      method: 'GET',
      url: this.#url(`objects${path}`, options),
      success: '2.05 Content',
    };
  }

  write(path: string, value: ApiValue, options: OperationOptions = {}): DeviceOperation {
    return this.#write(path, { value }, options);
  }

  /** Several values below a path; `update` keeps what is not named. */
  writeMany(
    path: string,
    values: Readonly<Record<string, ApiValue>>,
    mode: 'replace' | 'update',
    options: OperationOptions = {},
  ): DeviceOperation {
    return this.#write(path, { values }, options, mode);
  }

  execute(path: string, args: readonly string[], { timeout }: OperationOptions = {}): DeviceOperation {
    return {
      kind: 'execute',
      paths: [path],
      title: `Execute ${path}`,
      method: 'POST',
      url: this.#url(`objects${path}`, { timeout }),
      ...(args.length === 0 ? {} : { body: { arguments: args } }),
      success: '2.04 Changed',
    };
  }

  /** `path`: of the object, or of the instance that is to be. */
  create(
    path: string,
    values: Readonly<Record<string, ApiValue>>,
    options: OperationOptions = {},
  ): DeviceOperation {
    return {
      kind: 'create',
      paths: [path],
      title: `Create ${path}`,
      method: 'POST',
      url: this.#url(`objects${path}`, options),
      body: { values },
      success: '2.01 Created',
    };
  }

  delete(path: string, { timeout }: OperationOptions = {}): DeviceOperation {
    const url = this.#url(`objects${path}`, { timeout });
    return {
      kind: 'delete',
      paths: [path],
      title: `Delete ${path}`,
      method: 'DELETE',
      url,
      success: '2.02 Deleted',
    };
  }

  discover(path: string, depth: number | undefined, { timeout }: OperationOptions = {}): DeviceOperation {
    const url = this.#url(`discover${path}`, { depth, timeout });
    return {
      kind: 'discover',
      paths: [path],
      title: `Discover ${path}`,
      method: 'GET',
      url,
      success: '2.05 Content',
    };
  }

  writeAttributes(
    path: string,
    changes: AttributeChanges,
    { timeout }: OperationOptions = {},
  ): DeviceOperation {
    return {
      kind: 'write-attributes',
      paths: [path],
      title: `Write-Attributes ${path}`,
      method: 'PUT',
      url: this.#url(`attributes${path}`, { timeout }),
      body: changes,
      success: '2.04 Changed',
    };
  }

  observe(path: string, attributes: NotificationAttributes, options: OperationOptions = {}): DeviceOperation {
    return {
      kind: 'observe',
      paths: [path],
      title: `Observe ${path}`,
      method: 'POST',
      url: this.#url(`observations${path}`, options),
      ...(Object.keys(attributes).length === 0 ? {} : { body: { attributes } }),
      success: '2.05 Content',
    };
  }

  /** `active` tells the device at once. */
  cancel(path: string, active: boolean, { timeout }: OperationOptions = {}): DeviceOperation {
    const url = this.#url(`observations${path}`, { active: active || undefined, timeout });
    return {
      kind: 'cancel',
      paths: [path],
      title: `End the observation of ${path}`,
      method: 'DELETE',
      url,
      success: 'ended',
    };
  }

  readComposite(paths: readonly string[], options: OperationOptions = {}): DeviceOperation {
    const url = this.#url('composite', { paths: paths.join(','), ...options });
    return {
      kind: 'read-composite',
      paths,
      title: `Read-Composite of ${paths.length} paths`,
      method: 'GET',
      url,
      success: '2.05 Content',
    };
  }

  writeComposite(
    values: Readonly<Record<string, ApiValue>>,
    options: OperationOptions = {},
  ): DeviceOperation {
    return {
      kind: 'write-composite',
      paths: Object.keys(values),
      title: `Write-Composite of ${Object.keys(values).length} paths`,
      method: 'PUT',
      url: this.#url('composite', options),
      body: { values },
      success: '2.04 Changed',
    };
  }

  observeComposite(paths: readonly string[], options: OperationOptions = {}): DeviceOperation {
    const url = this.#url('composite-observations', { paths: paths.join(','), ...options });
    return {
      kind: 'observe-composite',
      paths,
      title: `Observe-Composite of ${paths.length} paths`,
      method: 'POST',
      url,
      success: '2.05 Content',
    };
  }

  cancelComposite(
    paths: readonly string[],
    active: boolean,
    { timeout }: OperationOptions = {},
  ): DeviceOperation {
    const query = { paths: paths.join(','), active: active || undefined, timeout };
    return {
      kind: 'cancel-composite',
      paths,
      title: `End the observation of ${paths.length} paths together`,
      method: 'DELETE',
      url: this.#url('composite-observations', query),
      success: 'ended',
    };
  }

  #write(
    path: string,
    body: unknown,
    options: OperationOptions,
    mode?: 'replace' | 'update',
  ): DeviceOperation {
    return {
      kind: 'write',
      paths: [path],
      title: `Write ${path}`,
      method: 'PUT',
      url: this.#url(`objects${path}`, { mode: mode === 'update' ? mode : undefined, ...options }),
      body,
      success: '2.04 Changed',
    };
  }

  #url(path: string, query: Query | OperationOptions): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    // Commas and slashes may stand in a query as they are, and are easier to read so.
    const text = parameters.toString().replaceAll('%2C', ',').replaceAll('%2F', '/');
    return `${this.#base}/${path}${text === '' ? '' : `?${text}`}`;
  }
}

/** The command that does the same from a shell. `held`: it waits for the device to be heard. */
export function curlOf({ method, url, body }: DeviceOperation, origin: string, held = false): string {
  const parts = ['curl', ...(method === 'GET' ? [] : ['-X', method])];
  if (held) parts.push('-H', quoted('prefer: respond-async'));
  if (body !== undefined)
    parts.push('-H', quoted('content-type: application/json'), '-d', quoted(JSON.stringify(body)));
  return [...parts, quoted(`${origin}${url}`)].join(' ');
}

/** One word to a POSIX shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
