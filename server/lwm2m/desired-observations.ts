import { RequestError } from '../../protocol/errors.ts';
import {
  attributeQueries,
  attributeRules,
  contradiction,
  type NotificationAttributeName,
  type NotificationAttributes,
  notificationAttributeNames,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { MAX_PATH_ID, pathIds } from '../../protocol/lwm2m/path.ts';
import type { DeviceAttributes } from '../ports/device-store.ts';
import type {
  DeviceSelector,
  ObservationChoice,
  ObservationPolicy,
  WantedObservation,
} from '../ports/observation-policy-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import { globMatches, isExact } from './glob.ts';
import { type ObservationTarget, targetKey } from './observation-target.ts';
import { type LwM2mVersion, speaks } from './versions.ts';

/** Paths that are observed of one device at the most, however much it lists and whoever wants them. */
export const MAX_DESIRED_PATHS = 256;
/** Paths of composite observations that are ruled out, or rule out, which are written out for one device. */
const MAX_EXPANDED = 8192;
/** Observations that are shown as ruled out. */
const MAX_SUPPRESSED = 1024;

/** One observation that a device should have. */
export interface DesiredObservation extends ObservationTarget {
  /** Of the target (targetKey): what is desired of a device has each key once. */
  readonly key: string;
  /** Who wants it; absent: a person chose it for this device. */
  readonly policy?: ObservationPolicy;
  /** Since when it is wanted, ms since the epoch. */
  readonly since: number;
}

/** An observation that a weaker policy wants, and that a person or a stronger policy has ruled out. */
export interface SuppressedObservation extends ObservationTarget {
  readonly key: string;
  /** Which rules it out; absent: a person. */
  readonly policy?: ObservationPolicy;
}

/** What is desired of one device. */
export interface DesiredState {
  readonly wanted: readonly DesiredObservation[];
  readonly suppressed: readonly SuppressedObservation[];
  /** How many more were wanted than a device is asked for. */
  readonly beyondLimit: number;
}

const nothing: DesiredState = { wanted: [], suppressed: [], beyondLimit: 0 };

/** What counts of a device. */
export type PolicySubject = Pick<Registration, 'endpoint' | 'version' | 'links'> &
  Pick<DeviceAttributes, 'manufacturer' | 'model'>;

/** A path template, read. */
interface Template {
  readonly object: number;
  readonly instance: number | '*' | undefined;
  readonly below: readonly number[];
  /** What is below the instance: `/2/0`. */
  readonly end: string;
  /** Canonical. */
  readonly text: string;
}

interface Wanted {
  readonly observation: WantedObservation;
  readonly templates: readonly Template[];
  /** What is the same of all that want, or rule out, the same. */
  readonly shape: string;
  /** Whether a template has a `*`: what names its instances is narrower. */
  readonly wide: boolean;
}

interface Compiled {
  readonly policy: ObservationPolicy;
  readonly wanted: readonly Wanted[];
}

/**
 * Policies, and what they want of a device: the union of all that are for it, each target once. Where two
 * want the same, or one wants what the other rules out, the stronger one counts as a whole: what a person
 * chose for the device; then policies by how narrow they are (one endpoint, glob of endpoints, model,
 * manufacturer, object, all), of equal ones that which was changed last; then what the server brings
 * along. Within a policy, paths that name their instance count before those with `*`.
 */
export class PolicySet {
  /** Enabled ones, the strongest first. */
  readonly #policies: readonly Compiled[];
  /** Whether manufacturer and model must be known to tell what is desired. */
  readonly needsAttributes: boolean;

  /**
   * @param builtIn ids of the policies that the server brings along
   * @throws RequestError a template that is none
   */
  constructor(policies: readonly ObservationPolicy[], builtIn: ReadonlySet<string>) {
    const enabled = policies.filter((policy) => policy.enabled);
    this.needsAttributes = enabled.some(
      ({ devices }) => devices.manufacturer !== undefined || devices.model !== undefined,
    );
    this.#policies = enabled
      .toSorted(
        (a, b) =>
          Number(builtIn.has(a.id)) - Number(builtIn.has(b.id)) ||
          narrowness(b.devices) - narrowness(a.devices) ||
          b.updatedAt - a.updatedAt ||
          (a.id < b.id ? -1 : 1),
      )
      .map((policy) => ({ policy, wanted: compile(policy.observations) }));
  }

  /** Names of policies that are for the device, the strongest first. */
  matching(subject: PolicySubject): readonly ObservationPolicy[] {
    const listed = listedObjects(subject);
    return this.#policies.flatMap(({ policy }) => (isFor(policy.devices, subject, listed) ? [policy] : []));
  }

  desired(subject: PolicySubject, choices: readonly ObservationChoice[] = []): DesiredState {
    let collected: Collection | undefined;
    for (const choice of choices) {
      collected ??= new Collection(subject);
      collected.choose(choice);
    }
    const listed = listedObjects(subject);
    for (const { policy, wanted } of this.#policies) {
      if (!isFor(policy.devices, subject, listed)) continue;
      for (const each of wanted) {
        // Of most devices most policies want nothing.
        if (each.templates.some((template) => countOf(template, listed) > 0)) {
          collected ??= new Collection(subject);
          collected.want(policy, each, listed);
        }
      }
    }
    return collected?.state() ?? nothing;
  }
}

/** Gathers what is desired of one device, the strongest first. */
class Collection {
  readonly #subject: PolicySubject;
  readonly #wanted = new Map<string, DesiredObservation>();
  readonly #ruledOut = new Map<string, ObservationPolicy | undefined>();
  readonly #suppressed = new Map<string, SuppressedObservation>();
  /** By template, or templates: what is ruled out wherever it is. */
  readonly #ruledOutShapes = new Map<string, ObservationPolicy>();
  readonly #byShape = new Map<string, Set<string>>();
  /** What was wanted or ruled out already: nothing comes of it a second time. */
  readonly #seen = new Set<string>();
  #paths = 0;
  #expanded = 0;
  #beyondLimit = 0;

  constructor(subject: PolicySubject) {
    this.#subject = subject;
  }

  choose({ paths, composite, wanted, attributes, contentFormat, chosenAt }: ObservationChoice): void {
    for (const target of this.#targets(paths, composite)) {
      const key = targetKey(target);
      if (wanted) this.#add({ ...target, key, since: chosenAt }, attributes, contentFormat);
      else this.#ruleOut(key, undefined);
    }
  }

  /** Costs little more than looking at each template, however much the device lists. */
  want(policy: ObservationPolicy, wanted: Wanted, listed: Listed): void {
    const { observation, templates } = wanted;
    const composite = observation.composite === true || observation.paths.length > 1;
    if (composite && speaks(this.#subject, '1.1')) this.#wantTogether(policy, wanted, listed);
    else for (const template of templates) this.#wantEach(policy, observation, template, listed);
  }

  #wantTogether(policy: ObservationPolicy, { observation, templates, shape }: Wanted, listed: Listed): void {
    const exclude = observation.exclude === true;
    if (!this.#isNew(`${exclude ? 'not ' : ''}together ${shape}`)) return;
    const count = templates.reduce((sum, template) => sum + countOf(template, listed), 0);
    if (count === 0) return;
    if (count > MAX_DESIRED_PATHS) {
      if (!exclude) this.#beyondLimit++;
      return;
    }
    const by = this.#ruledOutShapes.get(`together ${shape}`);
    if (exclude) this.#ruledOutShapes.set(`together ${shape}`, policy);
    const isRuledOut = this.#ruledOutShapes.has(`together ${shape}`);
    if (!isRuledOut && this.#ruledOut.size === 0 && this.#paths >= MAX_DESIRED_PATHS) {
      this.#beyondLimit++;
      return;
    }
    if (isRuledOut || this.#paths + count > MAX_DESIRED_PATHS) {
      if (this.#expanded + count > MAX_EXPANDED) {
        if (!isRuledOut) this.#beyondLimit++;
        return;
      }
      this.#expanded += count;
    }
    const paths = [...new Set(templates.flatMap((template) => expand(template, listed)))];
    this.#take(policy, observation, { paths, composite: true }, by);
  }

  #wantEach(
    policy: ObservationPolicy,
    observation: WantedObservation,
    template: Template,
    listed: Listed,
  ): void {
    const count = countOf(template, listed);
    if (count === 0) return;
    const { text, instance } = template;
    const exclude = observation.exclude === true;
    if (!this.#isNew(`${exclude ? 'not ' : ''}${text}`)) return;
    if (instance !== '*') {
      this.#take(policy, observation, { paths: [text] }, this.#ruledOutShapes.get(shapeOf(text)));
      return;
    }
    if (exclude) {
      if (!this.#ruledOutShapes.has(text)) this.#ruledOutShapes.set(text, policy);
      return;
    }
    const by = this.#ruledOutShapes.get(text);
    const looked = new Set<string>();
    for (const id of listed.get(template.object) ?? []) {
      // What is left is only counted; what is ruled out is shown as far as there is room.
      const full =
        by === undefined ? this.#paths >= MAX_DESIRED_PATHS : this.#suppressed.size >= MAX_SUPPRESSED;
      if (full) break;
      const path = `/${template.object}/${id}${template.end}`;
      looked.add(path);
      this.#take(policy, observation, { paths: [path] }, by);
    }
    if (by !== undefined || looked.size === count) return;
    // Of what was not looked at, some is there already, or ruled out by name.
    const isLeft = (key: string): boolean =>
      !looked.has(key) && listed.get(template.object)?.has(Number(key.split('/', 3)[2])) === true;
    const known = [...(this.#byShape.get(text) ?? [])].filter(isLeft).length;
    this.#beyondLimit += count - looked.size - known;
  }

  #take(
    policy: ObservationPolicy,
    observation: WantedObservation,
    target: ObservationTarget,
    ruledOutBy: ObservationPolicy | undefined,
  ): void {
    const key = targetKey(target);
    if (this.#wanted.has(key)) return;
    if (observation.exclude === true) {
      if (!this.#ruledOut.has(key)) this.#ruleOut(key, policy);
    } else if (this.#ruledOut.has(key) || ruledOutBy !== undefined) {
      if (this.#suppressed.size >= MAX_SUPPRESSED) return;
      const by = this.#ruledOut.has(key) ? this.#ruledOut.get(key) : ruledOutBy;
      this.#suppressed.set(key, { ...target, key, ...(by === undefined ? {} : { policy: by }) });
    } else if (this.#isFull(target)) {
      this.#beyondLimit++;
    } else {
      const { attributes, contentFormat } = observation;
      this.#add({ ...target, key, policy, since: policy.updatedAt }, attributes, contentFormat);
    }
  }

  #ruleOut(key: string, policy: ObservationPolicy | undefined): void {
    this.#ruledOut.set(key, policy);
    this.#note(key);
  }

  /** By `*` in place of its instance, so that what is left of a template can be counted. */
  #note(key: string): void {
    const shape = shapeOf(key);
    const keys = this.#byShape.get(shape);
    if (keys === undefined) this.#byShape.set(shape, new Set([key]));
    else keys.add(key);
  }

  #isNew(what: string): boolean {
    if (this.#seen.has(what)) return false;
    this.#seen.add(what);
    return true;
  }

  state(): DesiredState {
    return {
      wanted: [...this.#wanted.values()],
      suppressed: [...this.#suppressed.values()],
      beyondLimit: this.#beyondLimit,
    };
  }

  /** LwM2M 1.0 has no composite operations: there each path is observed by itself. */
  #targets(paths: readonly string[], composite: boolean): readonly ObservationTarget[] {
    if (!composite) return paths.map((path) => ({ paths: [path] }));
    if (!speaks(this.#subject, '1.1')) return paths.map((path) => ({ paths: [path] }));
    return [{ paths, composite: true }];
  }

  #isFull({ paths }: ObservationTarget): boolean {
    return this.#paths + paths.length > MAX_DESIRED_PATHS;
  }

  #add(
    observation: DesiredObservation,
    attributes: NotificationAttributes | undefined,
    contentFormat: number | undefined,
  ): void {
    if (this.#wanted.has(observation.key)) return;
    if (this.#isFull(observation)) {
      this.#beyondLimit++;
      return;
    }
    this.#paths += observation.paths.length;
    if (observation.composite !== true) this.#note(observation.key);
    const known = attributes === undefined ? undefined : knownAttributes(attributes, this.#subject);
    this.#wanted.set(observation.key, {
      ...observation,
      ...(known === undefined ? {} : { attributes: known }),
      ...(contentFormat === undefined ? {} : { contentFormat }),
    });
  }
}

/** Those that the device's LwM2M version has; undefined where none is left. */
function knownAttributes(
  attributes: NotificationAttributes,
  subject: PolicySubject,
): NotificationAttributes | undefined {
  const known: { [Name in NotificationAttributeName]?: number } = {};
  for (const name of notificationAttributeNames) {
    const value = attributes[name];
    if (value !== undefined && speaks(subject, attributeRules[name].since as LwM2mVersion))
      known[name] = value;
  }
  return Object.keys(known).length === 0 ? undefined : (known as NotificationAttributes);
}

/** Instances by object, as the device lists them; an object without instances has none. */
type Listed = ReadonlyMap<number, ReadonlySet<number>>;

const listedByLinks = new WeakMap<PolicySubject['links'], Listed>();

function listedObjects({ links }: Pick<PolicySubject, 'links'>): Listed {
  let listed = listedByLinks.get(links);
  if (listed === undefined) {
    listed = readObjects(links);
    listedByLinks.set(links, listed);
  }
  return listed;
}

function readObjects(links: PolicySubject['links']): Listed {
  const listed = new Map<number, Set<number>>();
  for (const { target } of links) {
    const ids = pathIds(target);
    const object = ids?.[0];
    // A link that is no path of an object or an instance is the device's own business.
    if (ids === undefined || object === undefined || ids.length > 2) continue;
    let instances = listed.get(object);
    if (instances === undefined) {
      instances = new Set();
      listed.set(object, instances);
    }
    const instance = ids[1];
    if (instance !== undefined) instances.add(instance);
  }
  return listed;
}

function expand({ object, instance, end, text }: Template, listed: Listed): readonly string[] {
  const instances = listed.get(object);
  if (instances === undefined) return [];
  if (instance !== '*') return instance === undefined || instances.has(instance) ? [text] : [];
  return [...instances].map((id) => `/${object}/${id}${end}`);
}

/** How many paths `expand` gives. */
function countOf({ object, instance }: Template, listed: Listed): number {
  const instances = listed.get(object);
  if (instances === undefined) return 0;
  if (instance === '*') return instances.size;
  return instance === undefined || instances.has(instance) ? 1 : 0;
}

/** The template with `*` that a path is of: `*` for the instance; a path of an object is its own. */
function shapeOf(path: string): string {
  return path.replace(/^(\/\d+)\/\d+/, '$1/*');
}

function isFor(devices: DeviceSelector, subject: PolicySubject, listed: Listed): boolean {
  const { endpoint, manufacturer, model, object } = devices;
  return (
    (object === undefined || listed.has(object)) &&
    (endpoint === undefined || globMatches(endpoint, subject.endpoint)) &&
    (manufacturer === undefined || fits(manufacturer, subject.manufacturer)) &&
    (model === undefined || fits(model, subject.model))
  );
}

function fits(glob: string, text: string | undefined): boolean {
  return text !== undefined && globMatches(glob.toLowerCase(), text.toLowerCase());
}

function narrowness({ endpoint, manufacturer, model, object }: DeviceSelector): number {
  const byName = endpoint === undefined ? 0 : isExact(endpoint) ? 16 : 8;
  return (
    byName +
    (model === undefined ? 0 : 4) +
    (manufacturer === undefined ? 0 : 2) +
    (object === undefined ? 0 : 1)
  );
}

function compile(observations: readonly WantedObservation[]): readonly Wanted[] {
  return observations
    .map((observation) => {
      const templates = observation.paths.map(parseTemplate);
      const shape = [...new Set(templates.map(({ text }) => text))].sort().join(' ');
      return { observation, templates, shape, wide: templates.some(({ instance }) => instance === '*') };
    })
    .toSorted((a, b) => Number(a.wide) - Number(b.wide));
}

/** @throws RequestError */
export function parseTemplate(text: string): Template {
  const match = /^\/(\d{1,5})(?:\/(\*|\d{1,5})(?:\/(\d{1,5})(?:\/(\d{1,5}))?)?)?$/.exec(text);
  const [, object, instance, resource, resourceInstance] = match ?? [];
  const ids = [object, instance === '*' ? undefined : instance, resource, resourceInstance]
    .filter((id) => id !== undefined)
    .map(Number);
  if (object === undefined || ids.some((id) => id > MAX_PATH_ID)) {
    throw new RequestError(
      `'${text.slice(0, 64)}' is no path template: /object, /object/instance, /object/instance/resource or one of its instances, with * for any instance`,
    );
  }
  const below = [resource, resourceInstance].flatMap((id) => (id === undefined ? [] : [Number(id)]));
  const end = below.map((id) => `/${id}`).join('');
  const at = instance === undefined || instance === '*' ? instance : Number(instance);
  return {
    object: Number(object),
    instance: at,
    below,
    end,
    text: `/${Number(object)}${at === undefined ? '' : `/${at}`}${end}`,
  };
}

/**
 * Checks what a policy or a person wants to be observed.
 * @throws RequestError attributes that cannot be, or contradict each other
 */
export function checkAttributes(attributes: NotificationAttributes): void {
  attributeQueries(attributes);
  const fault = contradiction(attributes);
  if (fault !== undefined) throw new RequestError(fault);
}
