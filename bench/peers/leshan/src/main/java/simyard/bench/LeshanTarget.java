package simyard.bench;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;

import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;

/** {@code LeshanTarget OBJECT-XML...}: Leshan with registrations in memory. */
public final class LeshanTarget {
    private LeshanTarget() {
    }

    public static void main(String[] args) throws Exception {
        List<String> all = Arrays.asList(args);
        CaliforniumServerEndpointsProvider endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider())
                .addEndpoint(new InetSocketAddress("127.0.0.1", 0), Protocol.COAP)
                .build();
        BenchServer.run(all, Protocol.COAP, builder -> builder.setEndpointsProviders(endpoints));
    }
}
