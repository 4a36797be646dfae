import { type Static, Type } from 'typebox';
import { tenantPattern } from '../../people/tenant-pattern.ts';
import { credentialAccounts, credentialStates } from '../../ports/credential-store.ts';

export const CredentialAccountSchema = Type.Enum(credentialAccounts, {
  description: 'For which of LwM2M’s accounts: a server, or a bootstrap server',
});
export const CredentialTypeSchema = Type.Enum(['psk', 'rpk', 'x509'] as const, {
  description: 'Pre-shared key, raw public key, X.509 certificate',
});

const endpoint = Type.String({ minLength: 1, maxLength: 255, description: 'The name that it may register' });
const tenant = Type.String({ pattern: tenantPattern, description: 'Whose the device is' });
const numbers = {
  serialNumber: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  mac: Type.Optional(
    Type.String({ pattern: '^[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}([:-]?[0-9A-Fa-f]{2}){0,2}$' }),
  ),
  imei: Type.Optional(Type.String({ pattern: '^[0-9]{14,16}$' })),
  iccid: Type.Optional(Type.String({ pattern: '^[0-9]{17,20}[0-9Ff]{0,2}$' })),
};
const identity = Type.String({
  minLength: 1,
  maxLength: 255,
  description:
    'Of a pre-shared key its PSK identity, 128 bytes at most; of a certificate the name in its SAN or CN. The endpoint ' +
    'name where absent',
});
const proof = {
  identity: Type.Optional(identity),
  key: Type.Optional(
    Type.String({
      maxLength: 128,
      pattern: '^([0-9A-Fa-f]{2})+$',
      description: 'Of a pre-shared key, hex, 64 bytes at most. The server makes one where absent',
    }),
  ),
  publicKey: Type.Optional(
    Type.String({
      maxLength: 2_000,
      description: 'Of `rpk`: on P-256, PEM, or SubjectPublicKeyInfo in hex or base64',
    }),
  ),
  certificate: Type.Optional(
    Type.String({
      maxLength: 20_000,
      description:
        'Of `x509`: the one certificate that is taken, PEM, or DER in hex or base64. Absent: each of this name that an ' +
        'authority in SIMYARD_DEVICE_CA has signed',
    }),
  ),
};

/** `POST /api/credentials`. */
export const CredentialBodySchema = Type.Object(
  {
    endpoint,
    type: CredentialTypeSchema,
    account: Type.Optional(CredentialAccountSchema),
    ...proof,
    tenant: Type.Optional(tenant),
    ...numbers,
  },
  { $id: 'CredentialBody', additionalProperties: false },
);
export type ApiCredentialBody = Static<typeof CredentialBodySchema>;

/** `POST /api/credentials/{endpoint}/rotate`. */
export const CredentialRotationBodySchema = Type.Object(
  {
    account: Type.Optional(CredentialAccountSchema),
    type: Type.Optional(CredentialTypeSchema),
    ...proof,
    graceSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 31_536_000,
        description:
          'How long the former one is good unless the device has used the new one; 604800 (a week) where absent. 0: it ' +
          'is gone at once, and the identity may stay the same',
      }),
    ),
  },
  { $id: 'CredentialRotationBody', additionalProperties: false },
);
export type ApiCredentialRotationBody = Static<typeof CredentialRotationBodySchema>;

/** `POST /api/credentials/{endpoint}/revoke`. */
export const CredentialSelectionSchema = Type.Object(
  {
    account: Type.Optional(CredentialAccountSchema),
    identity: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Only this one' })),
  },
  { $id: 'CredentialSelection', additionalProperties: false },
);
export type ApiCredentialSelection = Static<typeof CredentialSelectionSchema>;

const credential = {
  endpoint: Type.String(),
  account: CredentialAccountSchema,
  type: CredentialTypeSchema,
  identity: Type.String({ description: 'Of a raw public key SHA-256 of its SubjectPublicKeyInfo, hex' }),
  state: Type.Enum(credentialStates),
  fingerprint: Type.Optional(
    Type.String({ description: 'SHA-256 of the one certificate that is taken, hex' }),
  ),
  createdAt: Type.Number(),
  changedAt: Type.Number(),
  usedAt: Type.Optional(
    Type.Number({ description: 'When the device proved itself by it, to the hour; absent: never' }),
  ),
  validUntil: Type.Optional(Type.Number({ description: 'A rotation is under way: it is good until then' })),
  tenant: Type.Optional(Type.String()),
  serialNumber: Type.Optional(Type.String()),
  mac: Type.Optional(Type.String()),
  imei: Type.Optional(Type.String()),
  iccid: Type.Optional(Type.String()),
};

export const CredentialSchema = Type.Object(credential, { $id: 'Credential', additionalProperties: false });
export type ApiCredential = Static<typeof CredentialSchema>;

/** A credential with the key that the server has made. */
export const IssuedCredentialSchema = Type.Object(
  {
    ...credential,
    key: Type.Optional(
      Type.String({ description: 'Hex, where the server has made it: told now, and never again' }),
    ),
  },
  { $id: 'IssuedCredential', additionalProperties: false },
);
export type ApiIssuedCredential = Static<typeof IssuedCredentialSchema>;

export const CredentialsAnswerSchema = Type.Object(
  { items: Type.Array(CredentialSchema), next: Type.Union([Type.String(), Type.Null()]) },
  { $id: 'CredentialsAnswer', additionalProperties: false },
);
export type ApiCredentialsAnswer = Static<typeof CredentialsAnswerSchema>;

export const DeviceCredentialsSchema = Type.Object(
  { items: Type.Array(CredentialSchema) },
  { $id: 'DeviceCredentials', additionalProperties: false },
);
export type ApiDeviceCredentials = Static<typeof DeviceCredentialsSchema>;

/** `POST /api/credentials/import`. */
export const CredentialImportSchema = Type.Object(
  {
    dryRun: Type.Boolean(),
    rows: Type.Integer({ description: 'Rows with a device, the bad ones too' }),
    imported: Type.Integer({ description: 'Stored; of a dry run, what would be' }),
    unchanged: Type.Integer({ description: 'Were there already, with the same identity and key' }),
    errors: Type.Array(
      Type.Object(
        {
          line: Type.Integer({ description: 'Of the file; the first, with the columns, is 1' }),
          endpoint: Type.Optional(Type.String()),
          reason: Type.String(),
        },
        { additionalProperties: false },
      ),
      { description: 'All bad rows. Where there is one, nothing was stored' },
    ),
    ignoredColumns: Type.Array(Type.String()),
  },
  { $id: 'CredentialImport', additionalProperties: false },
);
export type ApiCredentialImport = Static<typeof CredentialImportSchema>;
