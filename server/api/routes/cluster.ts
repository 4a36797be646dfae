import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { presentCluster, presentSetting } from '../cluster-presenters.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { problemResponses } from '../route-schemas.ts';
import { ClusterSchema, ServerSettingsAnswerSchema } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['server'];

/** The nodes that the server consists of, what they stand on, and how they are set. */
export const clusterRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { cluster, settings },
) => {
  app.get(
    '/api/cluster',
    {
      schema: {
        operationId: 'getCluster',
        summary: 'The nodes, how hard each works, and how the store is',
        tags,
        response: { 200: ref(ClusterSchema), ...problemResponses },
      },
    },
    async () => presentCluster(...(await Promise.all([cluster.nodes(), cluster.store()]))),
  );

  app.get(
    '/api/server/settings',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'listServerSettings',
        summary: 'The settings in force, but for the values of secret ones',
        tags,
        response: { 200: ref(ServerSettingsAnswerSchema), ...problemResponses },
      },
    },
    async () => ({ items: settings.map(presentSetting) }),
  );
};
