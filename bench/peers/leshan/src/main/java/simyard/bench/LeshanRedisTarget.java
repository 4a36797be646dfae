package simyard.bench;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;

import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.server.californium.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.server.redis.RedisRegistrationStore;

import redis.clients.jedis.JedisPool;

/** {@code LeshanRedisTarget REDIS-URL OBJECT-XML...}: Leshan with registrations and observations in Redis. */
public final class LeshanRedisTarget {
    private LeshanRedisTarget() {
    }

    public static void main(String[] args) throws Exception {
        List<String> all = Arrays.asList(args);
        CaliforniumServerEndpointsProvider endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider())
                .addEndpoint(new InetSocketAddress("127.0.0.1", 0), Protocol.COAP)
                .build();
        JedisPool redis = new JedisPool(all.get(0));
        BenchServer.run(all.subList(1, all.size()), Protocol.COAP, builder -> builder.setEndpointsProviders(endpoints)
                .setRegistrationStore(new RedisRegistrationStore.Builder(redis).build()));
    }
}
