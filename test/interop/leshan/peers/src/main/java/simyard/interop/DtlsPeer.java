package simyard.interop;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Principal;
import java.security.PublicKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapExchange;
import org.eclipse.californium.core.CoapResource;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.CoapServer;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.auth.RawPublicKeyIdentity;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.californium.scandium.dtls.pskstore.SinglePskStore;
import org.eclipse.californium.scandium.dtls.x509.SingleCertificateProvider;
import org.eclipse.californium.scandium.dtls.x509.StaticCertificateVerifier;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * {@code DtlsPeer SETTINGS}: a CoAP endpoint over Scandium, in both roles, with the resources {@code hello} (GET) and
 * {@code echo} (POST). Settings are a JSON object: {@code role} ({@code client}, {@code server}), optionally
 * {@code identity} and {@code key} (hex) for PSK; {@code privateKey} (PKCS #8), and with it {@code publicKey} and
 * {@code trustedKeys} (SubjectPublicKeyInfo), or {@code chain} and {@code trusted} (certificates), all base64 of DER;
 * {@code suites} by their names; {@code connectionId}: its length, -1 for none; {@code mtu}.
 * Lines on standard input: {@code get URI}, {@code post URI TEXT}, {@code stop}; its end also stops.
 */
public final class DtlsPeer {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final CoapServer server;
    private final CoapEndpoint endpoint;
    private final DTLSConnector connector;

    private DtlsPeer(JsonNode settings) throws Exception {
        CoapConfig.register();
        DtlsConfig.register();
        Configuration configuration = Configuration.createStandardWithoutFile();
        DtlsConnectorConfig.Builder dtls = DtlsConnectorConfig.builder(configuration)
                .set(DtlsConfig.DTLS_ROLE, settings.path("role").asText().equals("server")
                        ? DtlsConfig.DtlsRole.SERVER_ONLY : DtlsConfig.DtlsRole.CLIENT_ONLY)
                .set(DtlsConfig.DTLS_RECEIVER_THREAD_COUNT, 1)
                .set(DtlsConfig.DTLS_CONNECTOR_THREAD_COUNT, 2)
                .set(DtlsConfig.DTLS_MAX_CONNECTIONS, 50_000)
                .set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false)
                .set(DtlsConfig.DTLS_VERIFY_SERVER_CERTIFICATES_SUBJECT, false)
                .setAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        if (settings.has("connectionId")) {
            int length = settings.path("connectionId").asInt();
            dtls.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, length < 0 ? null : length);
        }
        if (settings.has("mtu")) {
            dtls.set(DtlsConfig.DTLS_MAX_TRANSMISSION_UNIT, settings.path("mtu").asInt());
        }
        if (settings.has("suites")) {
            List<CipherSuite> suites = new ArrayList<>();
            settings.path("suites").forEach(name -> suites.add(CipherSuite.valueOf(name.asText())));
            dtls.set(DtlsConfig.DTLS_CIPHER_SUITES, suites);
        }
        if (settings.has("identity")) {
            byte[] key = java.util.HexFormat.of().parseHex(settings.path("key").asText());
            dtls.setPskStore(new SinglePskStore(settings.path("identity").asText(), key));
        }
        if (settings.has("privateKey")) {
            certify(dtls, settings);
        }
        connector = new DTLSConnector(dtls.build());
        endpoint = new CoapEndpoint.Builder().setConfiguration(configuration).setConnector(connector).build();
        server = new CoapServer(configuration);
        server.addEndpoint(endpoint);
        server.add(new Hello(), new Echo());
    }

    public static void main(String[] args) throws Exception {
        DtlsPeer peer = new DtlsPeer(JSON.readTree(args[0]));
        peer.server.start();
        Report.event("ready", Map.of("port", peer.endpoint.getAddress().getPort()));
        try (BufferedReader input = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); line != null && !line.equals("stop"); line = input.readLine()) {
                peer.obey(line.split(" ", 3));
            }
        }
        peer.server.destroy();
        peer.connector.destroy();
    }

    private static void certify(DtlsConnectorConfig.Builder dtls, JsonNode settings) throws Exception {
        KeyFactory keys = KeyFactory.getInstance("EC");
        PrivateKey privateKey = keys.generatePrivate(new PKCS8EncodedKeySpec(bytes(settings.path("privateKey"))));
        StaticCertificateVerifier.Builder verifier = StaticCertificateVerifier.builder();
        if (settings.has("chain")) {
            dtls.setCertificateIdentityProvider(new SingleCertificateProvider(privateKey,
                    certificates(settings.path("chain")), CertificateType.X_509));
            verifier.setTrustedCertificates(certificates(settings.path("trusted")));
        } else {
            PublicKey publicKey = keys.generatePublic(new X509EncodedKeySpec(bytes(settings.path("publicKey"))));
            dtls.setCertificateIdentityProvider(new SingleCertificateProvider(privateKey, publicKey));
            List<RawPublicKeyIdentity> trusted = new ArrayList<>();
            for (JsonNode key : settings.path("trustedKeys")) {
                trusted.add(new RawPublicKeyIdentity(bytes(key)));
            }
            verifier.setTrustedRPKs(trusted.toArray(RawPublicKeyIdentity[]::new));
        }
        dtls.setCertificateVerifier(verifier.build());
    }

    private static byte[] bytes(JsonNode base64) {
        return Base64.getDecoder().decode(base64.asText());
    }

    private static Certificate[] certificates(JsonNode list) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<Certificate> certificates = new ArrayList<>();
        for (JsonNode der : list) {
            certificates.add(factory.generateCertificate(new ByteArrayInputStream(bytes(der))));
        }
        return certificates.toArray(Certificate[]::new);
    }

    private void obey(String[] order) {
        CoapClient client = new CoapClient(order[1]);
        client.setEndpoint(endpoint);
        client.setTimeout(TimeUnit.SECONDS.toMillis(20));
        Map<String, Object> told = new HashMap<>();
        try {
            CoapResponse response = order[0].equals("get") ? client.get() : client.post(order[2], 0);
            told.put("code", response == null ? null : response.getCode().toString());
            told.put("text", response == null ? null : response.getResponseText());
        } catch (Exception e) {
            told.put("error", e.toString());
        }
        Report.event("answer", told);
    }

    private static final class Hello extends CoapResource {
        Hello() {
            super("hello");
        }

        @Override
        public void handleGET(CoapExchange exchange) {
            Principal principal = exchange.advanced().getRequest().getSourceContext().getPeerIdentity();
            Map<String, Object> told = new HashMap<>();
            told.put("identity", principal == null ? null : principal.getName());
            Report.event("request", told);
            exchange.respond(ResponseCode.CONTENT, "hello from scandium");
        }
    }

    private static final class Echo extends CoapResource {
        Echo() {
            super("echo");
        }

        @Override
        public void handlePOST(CoapExchange exchange) {
            exchange.respond(ResponseCode.CHANGED, exchange.getRequestPayload());
        }
    }
}
