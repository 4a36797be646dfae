package simyard.bench;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.servers.security.InMemorySecurityStore;
import org.eclipse.leshan.servers.security.SecurityInfo;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coaps.CoapsServerProtocolProvider;

/**
 * {@code LeshanDtlsTarget DEVICES PREFIX KEY OBJECT-XML...}: Leshan over DTLS, which is Scandium's, with so many devices
 * that have a pre-shared key; all in memory.
 */
public final class LeshanDtlsTarget {
    private LeshanDtlsTarget() {
    }

    public static void main(String[] args) throws Exception {
        List<String> all = Arrays.asList(args);
        byte[] key = HexFormat.of().parseHex(all.get(2));
        InMemorySecurityStore store = new InMemorySecurityStore();
        for (int number = 0; number < Integer.parseInt(all.get(0)); number++) {
            String name = all.get(1) + number;
            store.add(SecurityInfo.newPreSharedKeyInfo(name, name, key));
        }
        CaliforniumServerEndpointsProvider endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapsServerProtocolProvider())
                .addEndpoint(new InetSocketAddress("127.0.0.1", 0), Protocol.COAPS)
                .build();
        BenchServer.run(all.subList(3, all.size()), Protocol.COAPS,
                builder -> builder.setEndpointsProviders(endpoints).setSecurityStore(store));
    }
}
