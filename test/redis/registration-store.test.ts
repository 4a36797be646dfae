import { RedisDeviceStore } from '../../redis/device-store.ts';
import { observationStore } from '../../redis/observation-store.ts';
import { profileStore } from '../../redis/profile-store.ts';
import { RedisRegistrationStore } from '../../redis/registration-store.ts';
import { describeDeviceStore } from '../contract/device-store.ts';
import { describeObservationStore } from '../contract/observation-store.ts';
import { describeProfileStore } from '../contract/profile-store.ts';
import { describeRegistrationStore } from '../contract/registration-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(
  (name, open) => {
    describeRegistrationStore(name, open);
    describeObservationStore(name, open);
    describeProfileStore(name, open);
    describeDeviceStore(name, open);
  },
  (redis) => ({
    registrations: new RedisRegistrationStore(redis),
    observations: observationStore(redis),
    profiles: profileStore(redis),
    devices: new RedisDeviceStore({ redis }),
  }),
);
