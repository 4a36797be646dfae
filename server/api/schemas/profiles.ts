import { type Static, Type } from 'typebox';

/** `GET /api/profiles`. */
export const ProfileSchema = Type.Object(
  {
    id: Type.String(),
    objects: Type.Array(
      Type.Object({ path: Type.String(), attributes: Type.Record(Type.String(), Type.String()) }),
    ),
    storedAt: Type.Number(),
  },
  { $id: 'Profile', additionalProperties: false },
);
export type ApiProfile = Static<typeof ProfileSchema>;

export const ProfilesAnswerSchema = Type.Object(
  { items: Type.Array(ProfileSchema) },
  { $id: 'ProfilesAnswer', additionalProperties: false },
);

/** `PUT /api/profiles/{id}`. */
export const ProfileBodySchema = Type.Object(
  {
    objects: Type.String({
      minLength: 1,
      maxLength: 100_000,
      description: 'As a device lists them, in link format: `</1>;ver=1.2,</1/0>,</3/0>`',
    }),
  },
  { $id: 'ProfileBody', additionalProperties: false },
);
