import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiHarness } from '../../support/api/api-harness.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

let api: ApiHarness;
// biome-ignore lint/suspicious/noExplicitAny: the document is held against its own schema below
let document: any;
let operations: readonly (readonly [string, Operation])[];
beforeAll(async () => {
  api = await ApiHarness.open();
  document = (await api.call('GET', '/openapi.json')).body;
  operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
    ),
  );
});
afterAll(() => api.close());

describe('/openapi.json', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    expect(document.openapi).toBe('3.1.0');
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  test('has every route that scripts rely on, and no other', () => {
    expect(operations.map(([name]) => name).sort()).toEqual(
      [
        'GET /api/bootstrap/profiles',
        'GET /api/bootstrap/profiles/{id}',
        'PUT /api/bootstrap/profiles/{id}',
        'DELETE /api/bootstrap/profiles/{id}',
        'GET /api/bootstrap/assignments',
        'GET /api/bootstrap/sessions',
        'GET /api/bootstrap/sessions/{id}',
        'GET /api/devices/{endpoint}/bootstrap',
        'POST /api/devices/{endpoint}/bootstrap',
        'PUT /api/devices/{endpoint}/bootstrap/profile',
        'DELETE /api/devices/{endpoint}/bootstrap/profile',
        'GET /api/credentials',
        'POST /api/credentials',
        'POST /api/credentials/import',
        'GET /api/credentials-export',
        'GET /api/credentials/{endpoint}',
        'DELETE /api/credentials/{endpoint}',
        'POST /api/credentials/{endpoint}/rotate',
        'POST /api/credentials/{endpoint}/revoke',
        'GET /api/devices',
        'GET /api/devices/facets',
        'GET /api/devices/{endpoint}/presence',
        'PUT /api/devices/{endpoint}/presence',
        'POST /api/devices/{endpoint}/requests',
        'GET /api/devices/{endpoint}',
        'DELETE /api/devices/{endpoint}',
        'PATCH /api/devices/{endpoint}',
        'GET /api/devices/{endpoint}/composite',
        'PUT /api/devices/{endpoint}/composite',
        'POST /api/devices/{endpoint}/composite-observations',
        'DELETE /api/devices/{endpoint}/composite-observations',
        'PUT /api/devices/{endpoint}/attributes/{path}',
        'POST /api/devices/{endpoint}/server/update-trigger',
        'POST /api/devices/{endpoint}/server/disable',
        'PUT /api/devices/{endpoint}/server/mute-send',
        'GET /api/devices/{endpoint}/objects',
        'GET /api/devices/{endpoint}/objects/{path}',
        'PUT /api/devices/{endpoint}/objects/{path}',
        'POST /api/devices/{endpoint}/objects/{path}',
        'DELETE /api/devices/{endpoint}/objects/{path}',
        'GET /api/devices/{endpoint}/discover/{path}',
        'GET /api/devices/{endpoint}/observations',
        'GET /api/devices/{endpoint}/observation-policy',
        'PUT /api/devices/{endpoint}/observation-policy',
        'DELETE /api/devices/{endpoint}/observation-policy',
        'POST /api/devices/{endpoint}/observation-policy/check',
        'POST /api/devices/{endpoint}/observation-policy/renew',
        'GET /api/object-models',
        'POST /api/object-models',
        'GET /api/object-models/{object}',
        'DELETE /api/object-models/{object}',
        'GET /api/object-models/{object}/xml',
        'GET /api/observation-policies',
        'POST /api/observation-policies',
        'GET /api/observation-policies/{id}',
        'PUT /api/observation-policies/{id}',
        'DELETE /api/observation-policies/{id}',
        'POST /api/observation-policies/{id}/restore',
        'POST /api/devices/{endpoint}/observations/{path}',
        'DELETE /api/devices/{endpoint}/observations/{path}',
        'GET /api/devices/{endpoint}/carrier',
        'POST /api/devices/{endpoint}/carrier',
        'GET /api/devices/{endpoint}/commands',
        'GET /api/devices/{endpoint}/readings',
        'GET /api/devices/{endpoint}/readings/series',
        'GET /api/readings/export',
        'GET /api/devices/{endpoint}/events',
        'GET /api/devices/{endpoint}/trace',
        'GET /api/devices/{endpoint}/trace/pcapng',
        'GET /api/devices/{endpoint}/trace/text',
        'GET /api/profiles',
        'PUT /api/profiles/{id}',
        'DELETE /api/profiles/{id}',
        'GET /api/commands',
        'GET /api/commands/{id}',
        'DELETE /api/commands/{id}',
        'POST /api/commands/{id}/retry',
        'GET /api/jobs',
        'POST /api/jobs',
        'GET /api/jobs/{id}',
        'DELETE /api/jobs/{id}',
        'GET /api/jobs/{id}/devices',
        'POST /api/jobs/{id}/cancel',
        'POST /api/jobs/{id}/pause',
        'POST /api/jobs/{id}/resume',
        'POST /api/jobs/{id}/retry',
        'GET /api/events',
        'GET /api/webhooks',
        'POST /api/webhooks',
        'GET /api/webhooks/{id}',
        'PUT /api/webhooks/{id}',
        'DELETE /api/webhooks/{id}',
        'POST /api/webhooks/{id}/test',
        'POST /api/webhooks/{id}/secret',
        'GET /api/webhooks/{id}/deliveries',
        'POST /api/webhooks/{id}/deliveries/{delivery}/retry',
        'GET /api/event-log',
        'GET /api/overview',
        'GET /api/statistics',
        'GET /api/server',
        'GET /api/server/settings',
        'GET /api/cluster',
        'POST /api/login',
        'GET /api/login',
        'GET /api/login/provider',
        'GET /api/login/provider/callback',
        'POST /api/logout',
        'GET /api/me',
        'PUT /api/me/password',
        'GET /api/users',
        'POST /api/users',
        'GET /api/users/{name}',
        'PUT /api/users/{name}',
        'DELETE /api/users/{name}',
        'POST /api/users/{name}/password',
        'GET /api/sessions',
        'DELETE /api/sessions/{id}',
        'GET /api/tokens',
        'POST /api/tokens',
        'DELETE /api/tokens/{id}',
        'GET /api/audit',
        'GET /healthz',
        'GET /metrics',
      ].sort(),
    );
  });

  test('tells of each a unique id, a summary, its noun, its answers, and each part of its path', () => {
    const known = document.tags.map((tag: { name: string }) => tag.name);
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(operations.length);
    for (const [name, operation] of operations) {
      expect(operation.operationId, name).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary, name).toMatch(/\w/);
      expect(known, name).toContain(operation.tags?.[0]);
      expect(
        Object.keys(operation.responses).some((status) => /^[23]/.test(status)),
        name,
      ).toBe(true);
      for (const problems of ['4XX', '5XX']) {
        expect(Object.keys(operation.responses[problems]?.content ?? {}), name).toEqual([
          'application/problem+json',
        ]);
      }
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const described = operation.parameters?.filter((parameter) => parameter.in === 'path') ?? [];
      expect(described.map((parameter) => parameter.name).sort(), name).toEqual(inPath.sort());
    }
  });

  test('names each schema once and refers to it', () => {
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Device', 'DevicePage', 'Registration', 'Command', 'ReadResult', 'Problem']),
    );
    expect(document.components.schemas.DevicePage.properties.items.items).toEqual({
      $ref: '#/components/schemas/DeviceItem',
    });
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, reference]) => reference,
    );
    const targets = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(references.filter((reference) => !targets.includes(reference as string))).toEqual([]);
  });
});

describe('/docs', () => {
  test('shows the document, and everything that the page loads comes from here', async () => {
    const page = await api.call('GET', '/docs');
    expect(page.status).toBe(200);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\/static\//);
      expect((await api.call('GET', link)).status, link).toBe(200);
    }
    const script = await api.call('GET', '/docs/static/swagger-initializer.js');
    expect(script.text).not.toMatch(/(?:url|src|href)['"]?\s*[:=]\s*['"]https?:/i);
    expect((await api.call('GET', '/docs/json')).body.paths).toEqual(document.paths);
  });

  test('runs no script but its own', async () => {
    const page = await api.call('GET', '/docs');
    expect(page.headers['content-security-policy']).toContain("script-src 'self';");
    expect(page.text).not.toMatch(/<script(?![^>]*src=)/);
  });
});
