import { type Static, Type } from 'typebox';

const role = Type.Union([Type.Literal('viewer'), Type.Literal('operator'), Type.Literal('administrator')], {
  description: 'What he may do: look; act on devices too; administer the server too',
});

const scope = Type.Union(
  [Type.Literal('metrics'), Type.Literal('read'), Type.Literal('operate'), Type.Literal('administer')],
  { description: '`administer` takes in `operate`, that `read`, and that `metrics`' },
);

/** As far as a date goes (ECMA-262 §21.4.1.1). */
const LAST_TIME = 8_640_000_000_000_000;
const time = (description: string) =>
  Type.Integer({ maximum: LAST_TIME, description: `${description}, ms since the epoch` });

const tenant = Type.String({
  pattern: '^[a-z0-9-]{1,64}$',
  description: 'Whose devices he sees; absent: all',
});

/** Lower-case, for nobody is to be taken for another by the case of his letters. */
export const userName = Type.String({
  pattern: '^[a-z0-9][a-z0-9._@+-]{0,63}$',
  description: 'Lower-case letters, digits, `.`, `_`, `@`, `+` and `-`',
});

const password = Type.String({ minLength: 1, maxLength: 1024 });

export const LoginBodySchema = Type.Object(
  { username: Type.String({ minLength: 1, maxLength: 64 }), password },
  { $id: 'LoginBody', additionalProperties: false },
);

export const LoginWaysSchema = Type.Object(
  {
    password: Type.Boolean({ description: 'By name and password' }),
    provider: Type.Optional(
      Type.String({ description: 'What the identity provider is called: `/api/login/provider` leads there' }),
    ),
  },
  { $id: 'LoginWays' },
);
export type ApiLoginWays = Static<typeof LoginWaysSchema>;

export const MeSchema = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('user'),
      Type.Literal('token'),
      Type.Literal('local'),
      Type.Literal('oidc'),
    ]),
    name: Type.String(),
    role,
    tenant: Type.Optional(tenant),
    scopes: Type.Optional(Type.Array(scope, { description: 'Of a token' })),
    may: Type.Array(Type.Union([Type.Literal('read'), Type.Literal('operate'), Type.Literal('administer')]), {
      description: 'What the role and the scopes come to',
    }),
    loginRequired: Type.Optional(
      Type.Boolean({ description: 'False: whoever is on this machine may do everything without a log-in' }),
    ),
    mustChangePassword: Type.Boolean({ description: 'Nothing else is done before the password is changed' }),
    session: Type.Optional(Type.String({ description: 'Id of the session; absent for who is in none' })),
    endsAt: Type.Optional(time('When the session ends if nothing is asked till then')),
  },
  { $id: 'Me', description: 'Who makes the request' },
);
export type ApiMe = Static<typeof MeSchema>;

export const LoginAnswerSchema = Type.Object(
  {
    token: Type.String({
      description:
        'For `Authorization: Bearer`, where no cookie is kept. It is the session’s own: told this once',
    }),
    expiresAt: time('When the session ends if nothing is asked till then'),
    user: MeSchema,
  },
  { $id: 'LoginAnswer' },
);

export const PasswordChangeSchema = Type.Object(
  { current: password, password },
  { $id: 'PasswordChange', additionalProperties: false },
);

export const PasswordResetSchema = Type.Object(
  {
    password: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1024, description: 'Absent: one is made' }),
    ),
  },
  { $id: 'PasswordReset', additionalProperties: false },
);

export const MadePasswordSchema = Type.Object(
  {
    password: Type.Optional(
      Type.String({ description: 'That was made, and has to be changed. It is not told again' }),
    ),
  },
  { $id: 'MadePassword' },
);

export const UserSchema = Type.Object(
  {
    name: Type.String(),
    role,
    tenant: Type.Optional(tenant),
    enabled: Type.Boolean({ description: 'False: he may not log in, and his tokens are void' }),
    mustChangePassword: Type.Boolean(),
    createdAt: time('When he was made'),
    updatedAt: time('The last change'),
    passwordChangedAt: time('When the password was set'),
    lastLoginAt: Type.Optional(time('The last log-in')),
  },
  { $id: 'User' },
);
export type ApiUser = Static<typeof UserSchema>;

export const UsersAnswerSchema = Type.Object({ items: Type.Array(UserSchema) }, { $id: 'UsersAnswer' });

export const NewUserSchema = Type.Object(
  {
    name: userName,
    role,
    tenant: Type.Optional(tenant),
    password: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description: 'Absent: one is made, and told in the answer',
      }),
    ),
    mustChangePassword: Type.Optional(
      Type.Boolean({ description: 'Whether he has to change it at his first log-in; true where absent' }),
    ),
  },
  { $id: 'NewUser', additionalProperties: false },
);
export type ApiNewUser = Static<typeof NewUserSchema>;

export const NewUserAnswerSchema = Type.Object(
  {
    user: UserSchema,
    password: Type.Optional(Type.String({ description: 'That was made. It is not told again' })),
  },
  { $id: 'NewUserAnswer' },
);

export const UserBodySchema = Type.Object(
  { role, tenant: Type.Optional(tenant), enabled: Type.Boolean() },
  { $id: 'UserBody', additionalProperties: false },
);
export type ApiUserBody = Static<typeof UserBodySchema>;

export const SessionSchema = Type.Object(
  {
    id: Type.String(),
    user: Type.String(),
    kind: Type.Union([Type.Literal('user'), Type.Literal('oidc')]),
    isPresent: Type.Boolean({ description: 'The one by which this was asked' }),
    createdAt: time('The log-in'),
    seenAt: time('The last request, to a minute'),
    endsAt: time('When it ends if nothing is asked till then'),
    source: Type.String({ description: 'Address that logged in' }),
    agent: Type.Optional(Type.String({ description: 'How its program called itself' })),
  },
  { $id: 'Session' },
);
export type ApiSession = Static<typeof SessionSchema>;

export const SessionsAnswerSchema = Type.Object(
  { items: Type.Array(SessionSchema) },
  { $id: 'SessionsAnswer' },
);

export const TokenSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    user: Type.Optional(Type.String({ description: 'Whose it is; absent: made where no log-in is needed' })),
    role,
    tenant: Type.Optional(tenant),
    scopes: Type.Array(scope),
    createdAt: time('When it was made'),
    expiresAt: Type.Optional(time('From when it is void; absent: it does not end')),
    lastUsedAt: Type.Optional(time('The last request by it, to a minute')),
  },
  { $id: 'Token' },
);
export type ApiTokenInfo = Static<typeof TokenSchema>;

export const TokensAnswerSchema = Type.Object({ items: Type.Array(TokenSchema) }, { $id: 'TokensAnswer' });

export const NewTokenSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, description: 'What it is for' }),
    scopes: Type.Array(scope, { minItems: 1, maxItems: 8 }),
    role: Type.Optional({
      ...role,
      description: 'The most that it may; as much as who makes it where absent',
    }),
    tenant: Type.Optional(tenant),
    expiresAt: Type.Optional(time('From when it is void; absent: it does not end')),
  },
  { $id: 'NewToken', additionalProperties: false },
);
export type ApiNewToken = Static<typeof NewTokenSchema>;

export const NewTokenAnswerSchema = Type.Object(
  {
    ...TokenSchema.properties,
    token: Type.String({ description: 'For `Authorization: Bearer`. It is not told again' }),
  },
  { $id: 'NewTokenAnswer' },
);
