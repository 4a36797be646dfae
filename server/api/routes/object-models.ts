import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { decodeXml } from '../../../objects/xml.ts';
import { ConflictError } from '../../errors.ts';
import type { ObjectModel } from '../../lwm2m/object-models.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentModel, presentModelEntry } from '../model-presenters.ts';
import { ProblemError } from '../problems.ts';
import { answerErrors } from '../request-errors.ts';
import { noContent, problemResponses } from '../route-schemas.ts';
import {
  ObjectModelListSchema,
  ObjectModelSchema,
  ObjectModelsLoadedSchema,
} from '../schemas/object-models.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['object-models'];
const ModelParams = Type.Object({
  object: Type.String({ pattern: '^[0-9]{1,5}$', description: 'Object id' }),
});
const version = Type.String({ pattern: '^[0-9]{1,3}\\.[0-9]{1,3}$', description: 'The newest where absent' });
const OneVersion = Type.Object({ version: Type.Optional(version) }, { additionalProperties: false });

const NOT_XML =
  "an object definition file is XML and has to say so: curl -H 'content-type: application/xml' --data-binary @file.xml";

/** Object definitions: what is known, and what people add to it. */
export const objectModelRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { models }) => {
  const find = (object: string, wanted: string | undefined): ObjectModel => {
    const model = models.get(Number(object), wanted);
    if (model === undefined) throw unknownModel(object, wanted);
    return model;
  };

  app.addHook('preValidation', async ({ method, body }) => {
    if (method === 'POST' && body !== undefined && body !== null && typeof body !== 'string') {
      throw new ProblemError('unsupported_media_type', NOT_XML);
    }
  });
  app.setErrorHandler((error, request, reply) => {
    const { code } = error as { readonly code?: unknown };
    const notXml = request.method === 'POST' && code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
    answerErrors(
      notXml ? new ProblemError('unsupported_media_type', NOT_XML) : (error as Error),
      request,
      reply,
    );
  });

  // Here alone a body is XML. No page elsewhere can send it without asking first, as with JSON.
  for (const type of ['application/xml', 'text/xml']) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
      decodeXml(body),
    );
  }

  app.get(
    '/api/object-models',
    {
      config: { tenants: 'shared' },
      schema: {
        operationId: 'listObjectModels',
        summary: 'Object definitions that the server knows, in all their versions',
        tags,
        response: { 200: ref(ObjectModelListSchema), ...problemResponses },
      },
    },
    async () => ({
      items: models.list().map(presentModelEntry),
      problems: models.problems.map(({ file, detail }) => ({ file, detail })),
    }),
  );

  app.post(
    '/api/object-models',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'uploadObjectModels',
        summary: 'Take in the objects of an OMA XML file, all or none; they count at once',
        description:
          'One of the same object and version is replaced, a built-in one too; it counts again when the uploaded ' +
          'one is removed.',
        tags,
        consumes: ['application/xml', 'text/xml'],
        body: Type.String({
          description: 'An object definition file as OMA has them, with one object or more',
        }),
        response: { 201: ref(ObjectModelsLoadedSchema), ...problemResponses },
      },
    },
    async ({ body }, reply) => {
      const loaded = await models.upload(body);
      const items = loaded.map((model) => ({
        ...presentModelEntry(model),
        ...(model.replaces === undefined ? {} : { replaces: model.replaces }),
      }));
      return reply.code(201).send({ items });
    },
  );

  app.get(
    '/api/object-models/:object',
    {
      config: { tenants: 'shared' },
      schema: {
        operationId: 'getObjectModel',
        summary: 'One object definition, with its resources',
        tags,
        params: ModelParams,
        querystring: OneVersion,
        response: { 200: ref(ObjectModelSchema), ...problemResponses },
      },
    },
    async ({ params: { object }, query }) =>
      presentModel(find(object, query.version), models.versions(Number(object))),
  );

  app.get(
    '/api/object-models/:object/xml',
    {
      config: { tenants: 'shared' },
      schema: {
        operationId: 'getObjectModelXml',
        summary: 'One object definition as OMA XML: as it was uploaded, or written from the definition',
        tags,
        params: ModelParams,
        querystring: OneVersion,
        produces: ['application/xml'],
        response: { 200: Type.String({ description: 'An object definition file' }), ...problemResponses },
      },
    },
    async ({ params: { object }, query }, reply) => {
      const model = find(object, query.version);
      const name = `${object}-${model.definition.version}.xml`;
      return reply
        .type('application/xml; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(models.xml(model));
    },
  );

  app.delete(
    '/api/object-models/:object',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'removeObjectModel',
        summary: 'Remove a definition that was uploaded; what it replaced counts again',
        tags,
        params: ModelParams,
        querystring: Type.Object(
          { version: Type.Optional({ ...version, description: 'The only one uploaded where absent' }) },
          { additionalProperties: false },
        ),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { object }, query }, reply) => {
      const wanted = query.version ?? onlyUploaded(models, Number(object));
      if (!(await models.remove(Number(object), wanted))) throw unknownModel(object, wanted);
      return reply.code(204).send(null);
    },
  );
};

/** @throws ConflictError several versions were uploaded, or none; ProblemError the object is not known */
function onlyUploaded(models: ApiDependencies['models'], object: number): string {
  const versions = models.versions(object);
  const uploaded = versions.filter((version) => models.get(object, version)?.source === 'uploaded');
  const [only] = uploaded;
  if (only !== undefined && uploaded.length === 1) return only;
  if (versions.length === 0) throw unknownModel(`${object}`, undefined);
  throw new ConflictError(
    uploaded.length === 0
      ? `no version of object ${object} was uploaded`
      : `several versions of object ${object} were uploaded: give ?version=, one of ${uploaded.join(', ')}`,
  );
}

function unknownModel(object: string, version: string | undefined): ProblemError {
  const what = version === undefined ? `object ${object}` : `object ${object} in version ${version}`;
  return new ProblemError('unknown_object_model', `no definition of ${what} is known`);
}
