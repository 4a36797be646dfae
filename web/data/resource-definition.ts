import type { ResourceDefinition } from '../../objects/define-object.ts';
import type { ApiObjectModel } from './api-types.ts';

export type ApiResourceModel = ApiObjectModel['resources'][number];

/** A resource as the API tells it, in the form by which objects/values.ts checks what is written. */
export function definitionOf({
  name,
  operations,
  type,
  range,
  ...others
}: ApiResourceModel): ResourceDefinition {
  return {
    ...others,
    title: name,
    operations: operations as ResourceDefinition['operations'],
    type: type as ResourceDefinition['type'],
    ...(range === undefined ? {} : { range: [range.minimum, range.maximum] as const }),
  };
}

export function isReadable({ operations }: Pick<ApiResourceModel, 'operations'>): boolean {
  return operations.includes('R');
}

export function isWritable({ operations }: Pick<ApiResourceModel, 'operations'>): boolean {
  return operations.includes('W');
}

export function isExecutable({ operations }: Pick<ApiResourceModel, 'operations'>): boolean {
  return operations === 'E';
}

/** `read, write` */
export function operationsText({ operations }: Pick<ApiResourceModel, 'operations'>): string {
  if (operations === '') return 'for bootstrap alone';
  return operations === 'E'
    ? 'execute'
    : operations
        .split('')
        .map((letter) => (letter === 'R' ? 'read' : 'write'))
        .join(', ');
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'integer',
  unsigned: 'unsigned integer',
  float: 'float',
  boolean: 'boolean',
  opaque: 'opaque',
  time: 'time',
  objlnk: 'object link',
  corelnk: 'CoRE link',
  none: 'executable',
};

/** `unsigned integer, 0 to 100, mandatory` */
export function resourceTraits({ type, range, multiple, mandatory }: ApiResourceModel): string {
  const bounds = range === undefined ? '' : `${range.minimum} to ${range.maximum}`;
  const measured =
    ['string', 'opaque', 'corelnk'].includes(type) && bounds !== '' ? `length ${bounds}` : bounds;
  return [
    typeNames[type] ?? type,
    measured,
    multiple ? 'several instances' : '',
    mandatory ? 'mandatory' : 'optional',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
