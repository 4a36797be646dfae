import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { noteAudit } from '../auditing.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentUser } from '../people-presenters.ts';
import { ProblemError } from '../problems.ts';
import { noContent, problemResponses } from '../route-schemas.ts';
import {
  MadePasswordSchema,
  NewUserAnswerSchema,
  NewUserSchema,
  PasswordResetSchema,
  UserBodySchema,
  UserSchema,
  UsersAnswerSchema,
} from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['people'];
const NameParams = Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) });
const config = { needs: 'administer' } as const;

/** The people who may log in. */
export const userRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (app, { people }) => {
  app.get(
    '/api/users',
    {
      config,
      schema: {
        operationId: 'listUsers',
        summary: 'Who may log in',
        tags,
        response: { 200: ref(UsersAnswerSchema), ...problemResponses },
      },
    },
    async () => ({ items: (await people.users()).map(presentUser) }),
  );

  app.post(
    '/api/users',
    {
      config: { ...config, keepsNothing: true },
      schema: {
        operationId: 'createUser',
        summary: 'Make a user',
        description:
          'Without a password one is made, and told in the answer; he has to change it at his first log-in.',
        tags,
        body: ref(NewUserSchema),
        response: { 201: ref(NewUserAnswerSchema), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { name, role, tenant, password, mustChangePassword } = request.body;
      noteAudit(request, { target: name, detail: { role, ...(tenant !== undefined && { tenant }) } });
      const made = await people.addUser({
        name,
        role,
        ...(tenant !== undefined && { tenant }),
        ...(password !== undefined && { password }),
        ...(mustChangePassword !== undefined && { mustChange: mustChangePassword || password === undefined }),
      });
      return reply
        .code(201)
        .header('location', `/api/users/${encodeURIComponent(name)}`)
        .send({
          user: presentUser(made.user),
          ...(made.password !== undefined && { password: made.password }),
        });
    },
  );

  app.get(
    '/api/users/:name',
    {
      config,
      schema: {
        operationId: 'getUser',
        summary: 'One user',
        tags,
        params: NameParams,
        response: { 200: ref(UserSchema), ...problemResponses },
      },
    },
    async ({ params: { name } }) => {
      const user = await people.user(name);
      if (user === undefined) throw unknownUser(name);
      return presentUser(user);
    },
  );

  app.put(
    '/api/users/:name',
    {
      config,
      schema: {
        operationId: 'replaceUser',
        summary: 'Change what a user may do, or disable him',
        description: 'It holds from his next request on. Who is disabled is logged out.',
        tags,
        params: NameParams,
        body: ref(UserBodySchema),
        response: { 200: ref(UserSchema), ...problemResponses },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { role, tenant, enabled } = request.body;
      noteAudit(request, { detail: { role, enabled, ...(tenant !== undefined && { tenant }) } });
      const user = await people.changeUser(name, { role, tenant: tenant ?? null, enabled });
      if (user === undefined) throw unknownUser(name);
      return presentUser(user);
    },
  );

  app.delete(
    '/api/users/:name',
    {
      config,
      schema: {
        operationId: 'removeUser',
        summary: 'Remove a user, with his sessions and tokens',
        tags,
        params: NameParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { name } }, reply) => {
      if (!(await people.removeUser(name))) throw unknownUser(name);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/users/:name/password',
    {
      config: { ...config, keepsNothing: true },
      schema: {
        operationId: 'resetPassword',
        summary: 'Give a user a password, which he has to change',
        description: 'Without one it is made, and told in the answer. His sessions end.',
        tags,
        params: NameParams,
        body: ref(PasswordResetSchema),
        response: { 200: ref(MadePasswordSchema), ...problemResponses },
      },
    },
    async ({ params: { name }, body: { password } }) => {
      const reset = await people.resetPassword(name, password);
      if (reset === undefined) throw unknownUser(name);
      return reset;
    },
  );
};

function unknownUser(name: string): ProblemError {
  return new ProblemError('unknown_user', `there is no user '${name}'`);
}
