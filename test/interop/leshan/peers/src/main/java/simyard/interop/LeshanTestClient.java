package simyard.interop;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;

import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.leshan.client.EndpointsManager;
import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.bootstrap.BootstrapHandler;
import org.eclipse.leshan.client.engine.ClientEndpointNameProvider;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.engine.RegistrationEngine;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserver;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.request.UplinkRequestSender;
import org.eclipse.leshan.client.resource.LwM2mObjectTree;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.send.ManualDataSender;
import org.eclipse.leshan.client.send.NoDataException;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.client.servers.ServersInfoExtractor;
import org.eclipse.leshan.client.util.LinkFormatHelper;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.core.request.UplinkRequest;
import org.eclipse.leshan.core.response.ErrorCallback;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ResponseCallback;
import org.eclipse.leshan.core.response.SendResponse;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coaps.CoapsClientProtocolProvider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * {@code LeshanTestClient SETTINGS}: registers and stays. Settings are a JSON object: {@code server} (its address),
 * {@code endpoint}, {@code lifetime}, {@code sensorObject}, {@code sensors} (how many instances), and optionally
 * {@code queueMode}, {@code version}, {@code identity} and {@code key} (hex) for PSK, or {@code privateKey} (PKCS #8) with
 * {@code publicKey} and {@code serverPublicKey} or with {@code certificate} and {@code serverCertificate} (base64 of DER),
 * {@code connectionId} (its length), {@code bootstrap}: the server is a bootstrap server, which gives all accounts, {@code types}: the definition file of an object of which there is one instance
 * with {@code values}, and of which others can be created.
 * Lines on standard input: {@code value NUMBER} of the first sensor, {@code set JSON} of the first instance of
 * {@code types}, {@code update}, {@code send FORMAT PATH...}, {@code collect PATH...},
 * {@code sendCollected FORMAT}, {@code stop}; its end also stops.
 */
public final class LeshanTestClient {
    private static final int SHORT_SERVER_ID = 123;
    private static final long TIMEOUT = 20_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LeshanClient client;
    private final Sensor sensor;
    private final AllTypes types;

    private LeshanTestClient(JsonNode settings) throws Exception {
        int lifetime = settings.path("lifetime").asInt();
        int sensorObject = settings.path("sensorObject").asInt();
        boolean queueMode = settings.path("queueMode").asBoolean();

        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadDefault());
        models.add(Sensor.model(sensorObject));
        ObjectModel typesModel = settings.has("types") ? load(settings.path("types").asText()) : null;
        if (typesModel != null) {
            models.add(typesModel);
        }
        Sensor[] sensors = Stream.generate(Sensor::new).limit(settings.path("sensors").asInt()).toArray(Sensor[]::new);
        ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(models));
        objects.setInstancesForObject(0, security(settings));
        if (settings.path("bootstrap").asBoolean()) {
            objects.setClassForObject(1, Server.class);
        } else {
            objects.setInstancesForObject(1,
                    new Server(SHORT_SERVER_ID, lifetime, EnumSet.of(BindingMode.U), false, BindingMode.U));
        }
        objects.setInstancesForObject(3, new ReportingDevice());
        objects.setInstancesForObject(sensorObject, sensors);
        sensor = sensors[0];
        types = typesModel == null ? null : new AllTypes();
        if (types != null) {
            types.setId(0);
            types.setModel(typesModel);
            types.set(settings.path("values"));
            objects.setInstancesForObject(typesModel.id, types);
            objects.setFactoryForObject(typesModel.id, (model, id, used) -> {
                AllTypes created = new AllTypes();
                created.setModel(model);
                created.setId(id == null ? lowestFree(used) : id);
                Report.event("created", Map.of("path", "/" + model.id + "/" + created.getId()));
                return created;
            });
        }

        DefaultRegistrationEngineFactory engine = new VersionedEngineFactory(settings.path("version").asText("1.1"));
        engine.setRetryWaitingTimeInMs(1_000);
        engine.setQueueMode(queueMode);

        client = new LeshanClientBuilder(settings.path("endpoint").asText())
                .setObjects(objects.createAll())
                .setDataSenders(new ManualDataSender())
                .setRegistrationEngineFactory(engine)
                .setEndpointsProviders(endpoints(settings))
                .build();
        client.addObserver(new Observer());
    }

    public static void main(String[] args) throws Exception {
        LeshanTestClient test = new LeshanTestClient(JSON.readTree(args[0]));
        test.client.start();
        try (BufferedReader input = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); line != null && !line.equals("stop"); line = input.readLine()) {
                test.obey(line);
            }
        }
        test.client.destroy(true);
    }

    private static Security security(JsonNode settings) {
        String server = settings.path("server").asText();
        if (settings.path("bootstrap").asBoolean()) {
            return settings.has("identity")
                    ? Security.pskBootstrap(server,
                            settings.path("identity").asText().getBytes(StandardCharsets.UTF_8),
                            HexFormat.of().parseHex(settings.path("key").asText()))
                    : Security.noSecBootstrap(server);
        }
        if (settings.has("identity")) {
            return Security.psk(server, SHORT_SERVER_ID,
                    settings.path("identity").asText().getBytes(StandardCharsets.UTF_8),
                    HexFormat.of().parseHex(settings.path("key").asText()));
        }
        if (settings.has("publicKey")) {
            return Security.rpk(server, SHORT_SERVER_ID, bytes(settings, "publicKey"), bytes(settings, "privateKey"),
                    bytes(settings, "serverPublicKey"));
        }
        if (settings.has("certificate")) {
            return Security.x509(server, SHORT_SERVER_ID, bytes(settings, "certificate"),
                    bytes(settings, "privateKey"), bytes(settings, "serverCertificate"));
        }
        return Security.noSec(server, SHORT_SERVER_ID);
    }

    private static byte[] bytes(JsonNode settings, String name) {
        return Base64.getDecoder().decode(settings.path(name).asText());
    }

    private static CaliforniumClientEndpointsProvider endpoints(JsonNode settings) {
        CaliforniumClientEndpointsProvider.Builder builder = new CaliforniumClientEndpointsProvider.Builder(
                new CoapClientProtocolProvider(), new CoapsClientProtocolProvider());
        Configuration configuration = builder.createDefaultConfiguration();
        configuration.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, settings.path("connectionId").asInt(0));
        return builder.setConfiguration(configuration).build();
    }

    private static ObjectModel load(String file) throws Exception {
        try (InputStream xml = Files.newInputStream(Path.of(file))) {
            return ObjectLoader.loadDdfFile(xml, file, true).get(0);
        }
    }

    private static int lowestFree(java.util.Collection<Integer> used) {
        int id = 0;
        while (used.contains(id)) {
            id++;
        }
        return id;
    }

    private void obey(String line) throws Exception {
        String[] words = line.split(" ");
        switch (words[0]) {
        case "value":
            sensor.setValue(Double.parseDouble(words[1]));
            break;
        case "set":
            types.set(JSON.readTree(line.substring("set ".length())));
            break;
        case "update":
            client.triggerRegistrationUpdate();
            break;
        case "send":
            client.getSendService().sendData(server(), ContentFormat.fromName(words[1]),
                    Arrays.asList(words).subList(2, words.length), TIMEOUT,
                    response -> sent(line, response), error -> notSent(line, error));
            break;
        case "collect":
            collector().collectData(Arrays.stream(words).skip(1).map(LwM2mPath::new).toList());
            Report.event("collected", Map.of("order", line));
            break;
        case "sendCollected":
            sendCollected(line, words[1]);
            break;
        default:
            throw new IllegalArgumentException("no such order: " + line);
        }
    }

    /** The library does not tell what a collector's Send was answered, but for a failure: the server's side is seen. */
    private void sendCollected(String line, String format) {
        try {
            collector().sendCollectedData(server(), ContentFormat.fromName(format), TIMEOUT, false);
        } catch (NoDataException error) {
            notSent(line, error);
        }
    }

    private ManualDataSender collector() {
        return client.getSendService().getDataSender(ManualDataSender.DEFAULT_NAME, ManualDataSender.class);
    }

    private LwM2mServer server() {
        return client.getRegisteredServers().values().iterator().next();
    }

    private static void sent(String order, SendResponse response) {
        Report.event("sent", Map.of("order", order, "code", response.getCode().getCode(), "message",
                String.valueOf(response.getErrorMessage())));
    }

    private static void notSent(String order, Exception error) {
        Report.event("sent", Map.of("order", order, "code", String.valueOf(error)));
    }

    /** The library always says that it speaks the newest version it knows; this one says another. */
    private static final class VersionedEngineFactory extends DefaultRegistrationEngineFactory {
        private final String version;

        VersionedEngineFactory(String version) {
            this.version = version;
        }

        @Override
        public RegistrationEngine createRegistratioEngine(ClientEndpointNameProvider name, LwM2mObjectTree objects,
                EndpointsManager endpoints, UplinkRequestSender sender, BootstrapHandler bootstrap,
                LwM2mClientObserver observer, Map<String, String> attributes, Map<String, String> bootstrapAttributes,
                Set<ContentFormat> formats, ScheduledExecutorService executor, LinkFormatHelper links,
                ServersInfoExtractor servers) {
            return super.createRegistratioEngine(name, objects, endpoints, new VersionedSender(sender, version),
                    bootstrap, observer, attributes, bootstrapAttributes, formats, executor, links, servers);
        }
    }

    private record VersionedSender(UplinkRequestSender sender, String version) implements UplinkRequestSender {
        @Override
        public <T extends LwM2mResponse> T send(LwM2mServer server, UplinkRequest<T> request, long timeout)
                throws InterruptedException {
            return sender.send(server, versioned(request), timeout);
        }

        @Override
        public <T extends LwM2mResponse> void send(LwM2mServer server, UplinkRequest<T> request, long timeout,
                ResponseCallback<T> onResponse, ErrorCallback onError) {
            sender.send(server, versioned(request), timeout, onResponse, onError);
        }

        @SuppressWarnings("unchecked")
        private <T extends LwM2mResponse> UplinkRequest<T> versioned(UplinkRequest<T> request) {
            if (!(request instanceof RegisterRequest register)) {
                return request;
            }
            // In 1.0 queue mode is the Q of the binding.
            boolean isFirst = version.equals("1.0");
            return (UplinkRequest<T>) new RegisterRequest(register.getEndpointName(), register.getLifetime(), version,
                    register.getBindingMode(), isFirst ? null : register.getQueueMode(), register.getSmsNumber(),
                    register.getObjectLinks(), register.getAdditionalAttributes());
        }
    }

    private static final class Observer extends LwM2mClientObserverAdapter {
        @Override
        public void onBootstrapSuccess(LwM2mServer server, BootstrapRequest request) {
            Report.event("bootstrapped", Map.of());
        }

        @Override
        public void onBootstrapFailure(LwM2mServer server, BootstrapRequest request, ResponseCode code,
                String message, Exception cause) {
            Report.event("bootstrapFailed", Map.of("code", String.valueOf(code), "message",
                    String.valueOf(message), "cause", String.valueOf(cause)));
        }

        @Override
        public void onRegistrationSuccess(LwM2mServer server, RegisterRequest request, String registrationId) {
            Report.event("registered", Map.of("location", registrationId));
        }

        @Override
        public void onRegistrationFailure(LwM2mServer server, RegisterRequest request, ResponseCode code,
                String message, Exception cause) {
            Report.event("registrationFailed", Map.of("code", String.valueOf(code), "message",
                    String.valueOf(message), "cause", String.valueOf(cause)));
        }

        @Override
        public void onUpdateSuccess(LwM2mServer server, UpdateRequest request) {
            Report.event("updated", Map.of());
        }

        @Override
        public void onUpdateFailure(LwM2mServer server, UpdateRequest request, ResponseCode code, String message,
                Exception cause) {
            Report.event("updateFailed", Map.of("code", String.valueOf(code), "message", String.valueOf(message)));
        }

        @Override
        public void onDeregistrationSuccess(LwM2mServer server, DeregisterRequest request) {
            Report.event("deregistered", Map.of());
        }

        @Override
        public void onUnexpectedError(Throwable error) {
            Report.event("error", Map.of("message", String.valueOf(error)));
        }
    }
}
