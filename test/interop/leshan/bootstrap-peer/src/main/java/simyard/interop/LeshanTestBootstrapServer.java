package simyard.interop;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.leshan.core.SecurityMode;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionAdapter;
import org.eclipse.leshan.server.bootstrap.InMemoryBootstrapConfigStore;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServerBuilder;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.CaliforniumBootstrapServerEndpointsProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coaps.CoapsBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.security.BootstrapSecurityStoreAdapter;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * {@code LeshanTestBootstrapServer SETTINGS}: a bootstrap server for one device. Settings are a JSON object:
 * {@code endpoint}; {@code server}: the address that it is given, {@code shortServerId}, {@code lifetime}, and
 * {@code serverIdentity} with {@code serverKey} (hex) where it is to be secured; {@code identity} with {@code key} where
 * the device has to prove itself here. Its event {@code ready} tells {@code coap} and {@code coaps}.
 */
public final class LeshanTestBootstrapServer {
    private static final ObjectMapper JSON = new ObjectMapper();

    private LeshanTestBootstrapServer() {
    }

    public static void main(String[] args) throws Exception {
        JsonNode settings = JSON.readTree(args[0]);
        String endpoint = settings.path("endpoint").asText();

        InMemoryBootstrapConfigStore configurations = new InMemoryBootstrapConfigStore();
        configurations.add(endpoint, configuration(settings));
        InMemorySecurityStore credentials = new InMemorySecurityStore();
        if (settings.has("identity")) {
            credentials.add(SecurityInfo.newPreSharedKeyInfo(endpoint, settings.path("identity").asText(),
                    HexFormat.of().parseHex(settings.path("key").asText())));
        }

        CaliforniumBootstrapServerEndpointsProvider.Builder endpoints = new CaliforniumBootstrapServerEndpointsProvider.Builder(
                new CoapBootstrapServerProtocolProvider(), new CoapsBootstrapServerProtocolProvider());
        endpoints.addEndpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Protocol.COAP);
        endpoints.addEndpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Protocol.COAPS);
        LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
        builder.setEndpointsProviders(endpoints.build());
        builder.setConfigStore(configurations);
        builder.setSecurityStore(new BootstrapSecurityStoreAdapter(credentials));
        LeshanBootstrapServer server = builder.build();
        server.addListener(new Listener());
        server.start();
        tell("ready", Map.of("coap", address(server, Protocol.COAP), "coaps", address(server, Protocol.COAPS)));
        System.in.read();
        server.destroy();
    }

    /** Writes what happens as a JSON line on standard output. */
    private static synchronized void tell(String event, Map<String, ?> details) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", event);
        line.putAll(details);
        try {
            System.out.println(JSON.writeValueAsString(line));
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException(error);
        }
        System.out.flush();
    }

    private static String address(LeshanBootstrapServer server, Protocol protocol) {
        return server.getEndpoint(protocol).getURI().toString();
    }

    private static BootstrapConfig configuration(JsonNode settings) {
        BootstrapConfig.ServerSecurity security = new BootstrapConfig.ServerSecurity();
        security.uri = settings.path("server").asText();
        security.bootstrapServer = false;
        security.serverId = settings.path("shortServerId").asInt();
        security.securityMode = SecurityMode.NO_SEC;
        if (settings.has("serverIdentity")) {
            security.securityMode = SecurityMode.PSK;
            security.publicKeyOrId = settings.path("serverIdentity").asText().getBytes(StandardCharsets.UTF_8);
            security.secretKey = HexFormat.of().parseHex(settings.path("serverKey").asText());
        }
        BootstrapConfig.ServerConfig account = new BootstrapConfig.ServerConfig();
        account.shortId = security.serverId;
        account.lifetime = settings.path("lifetime").asInt();
        account.notifIfDisabled = true;
        account.binding = EnumSet.of(BindingMode.U);

        BootstrapConfig configuration = new BootstrapConfig();
        configuration.autoIdForSecurityObject = true;
        configuration.toDelete = List.of("/0", "/1");
        configuration.security.put(1, security);
        configuration.servers.put(0, account);
        return configuration;
    }

    private static final class Listener extends BootstrapSessionAdapter {
        @Override
        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            answered(request, response);
        }

        @Override
        public void onResponseError(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            answered(request, response);
        }

        @Override
        public void end(BootstrapSession session) {
            tell("ended", Map.of("endpoint", session.getEndpoint()));
        }

        @Override
        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            tell("failed", Map.of("endpoint", session.getEndpoint(), "cause", String.valueOf(cause)));
        }

        private static void answered(BootstrapDownlinkRequest<?> request, LwM2mResponse response) {
            tell("answered", Map.of("request", request.getClass().getSimpleName(), "code",
                    response.getCode().getCode()));
        }
    }
}
