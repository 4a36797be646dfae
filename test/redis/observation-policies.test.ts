import { observationPolicyStore } from '../../redis/observation-policies.ts';
import { describeObservationPolicyStore } from '../contract/observation-policy-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeObservationPolicyStore, (redis) => ({
  observationPolicies: observationPolicyStore(redis),
}));
