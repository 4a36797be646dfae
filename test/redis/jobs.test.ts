import { jobStore } from '../../redis/jobs.ts';
import { describeJobStore } from '../contract/job-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeJobStore, (redis) => ({ jobs: jobStore(redis) }));
