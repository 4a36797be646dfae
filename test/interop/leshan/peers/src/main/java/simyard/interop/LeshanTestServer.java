package simyard.interop;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.node.TimestampedLwM2mNode;
import org.eclipse.leshan.core.node.TimestampedLwM2mNodes;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.SendRequest;
import org.eclipse.leshan.core.response.CreateResponse;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadCompositeResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.queue.PresenceListener;
import org.eclipse.leshan.server.queue.StaticClientAwakeTimeProvider;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.send.SendListener;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;

/**
 * {@code LeshanTestServer AWAKE-MS OBJECT-XML...}: serves CoAP on a free port of 127.0.0.1 and manages one client;
 * one in queue mode is held to sleep that long after it was heard.
 * Lines on standard input: those of {@link Orders}, each answered by an event; {@code forget PATH...}, which drops an
 * observation (a composite one by several paths) so that its next notification is reset; {@code stop}.
 */
public final class LeshanTestServer {
    private static final long TIMEOUT = 20_000;

    private LeshanTestServer() {
    }

    public static void main(String[] args) throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        for (String file : Arrays.asList(args).subList(1, args.length)) {
            try (InputStream xml = Files.newInputStream(Path.of(file))) {
                models.addAll(ObjectLoader.loadDdfFile(xml, file, true));
            }
        }
        CaliforniumServerEndpointsProvider provider = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider())
                .addEndpoint(new InetSocketAddress("127.0.0.1", 0), Protocol.COAP)
                .build();
        LeshanServer server = new LeshanServerBuilder()
                .setObjectModelProvider(new VersionedModelProvider(models))
                .setEndpointsProviders(provider)
                .setClientAwakeTimeProvider(new StaticClientAwakeTimeProvider(Integer.parseInt(args[0])))
                .build();
        server.getRegistrationService().addListener(new Registrations());
        server.getObservationService().addListener(new Notifications());
        server.getSendService().addListener(new Sends());
        server.getPresenceService().addListener(new Presence());
        server.start();
        Report.event("ready", Map.of("uri", server.getEndpoint(Protocol.COAP).getURI().toString()));

        try (BufferedReader input = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); line != null && !line.equals("stop"); line = input.readLine()) {
                obey(line, server);
            }
        }
        server.destroy();
    }

    private static void obey(String line, LeshanServer server) throws Exception {
        Registration client = server.getRegistrationService().getAllRegistrations().next();
        Orders orders = new Orders(server.getModelProvider().getObjectModel(client),
                server.getObservationService().getObservations(client));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("order", line);
        if (line.startsWith("forget ")) {
            List<String> paths = Orders.rest(line.split(" "), 1);
            server.getObservationService()
                    .cancelObservation(paths.size() == 1 ? orders.single(paths.get(0)) : orders.composite(paths));
            Report.event("answer", answer);
            return;
        }
        LwM2mResponse response;
        try {
            response = server.send(client, orders.request(line), TIMEOUT);
        } catch (RuntimeException error) {
            // What the library makes of an answer that it does not understand.
            Throwable cause = error.getCause() == null ? error : error.getCause();
            answer.put("code", cause + " / " + cause.getCause());
            Report.event("answer", answer);
            return;
        }
        answer.put("code", response == null ? "timeout" : response.getCode().getCode());
        if (response instanceof ReadResponse read && read.isSuccess()) {
            answer.put("values", Nodes.values(read.getContent()));
        } else if (response instanceof ReadCompositeResponse read && read.isSuccess()) {
            answer.put("values", Nodes.values(read.getContent()));
        } else if (response instanceof DiscoverResponse discover && discover.isSuccess()) {
            answer.put("links", Arrays.stream(discover.getObjectLinks()).map(String::valueOf).toList());
        } else if (response instanceof CreateResponse create && create.isSuccess()) {
            answer.put("location", create.getLocation());
        }
        Report.event("answer", answer);
    }

    private static final class Registrations implements RegistrationListener {
        @Override
        public void registered(Registration registration, Registration previous,
                Collection<Observation> previousObservations) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("endpoint", registration.getEndpoint());
            details.put("version", registration.getLwM2mVersion().toString());
            details.put("lifetime", registration.getLifeTimeInSec());
            details.put("queueMode", registration.usesQueueMode());
            details.put("formats",
                    registration.getSupportedContentFormats().stream().map(format -> format.getCode()).toList());
            details.put("objects", String.join(" ",
                    registration.getSupportedObject().keySet().stream().map(String::valueOf).toList()));
            Report.event("registered", details);
        }

        @Override
        public void updated(RegistrationUpdate update, Registration updated, Registration previous) {
            Report.event("updated", Map.of("endpoint", updated.getEndpoint(), "lifetime", updated.getLifeTimeInSec(),
                    "instances", updated.getAvailableInstances().stream().map(String::valueOf).toList()));
        }

        @Override
        public void unregistered(Registration registration, Collection<Observation> observations, boolean expired,
                Registration newRegistration) {
            Report.event("deregistered", Map.of("endpoint", registration.getEndpoint(), "expired", expired));
        }
    }

    private static final class Presence implements PresenceListener {
        @Override
        public void onAwake(Registration registration) {
            Report.event("awake", Map.of());
        }

        @Override
        public void onSleeping(Registration registration) {
            Report.event("sleeping", Map.of());
        }
    }

    private static final class Sends implements SendListener {
        @Override
        public void dataReceived(Registration registration, TimestampedLwM2mNodes data, SendRequest request) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("format", request.getFormat().getCode());
            details.put("values", Nodes.values(data.getMostRecentNodes()));
            details.put("samples", samples(data));
            Report.event("sent", details);
        }

        @Override
        public void onError(Registration registration, String message, Exception error) {
            Report.event("error", Map.of("message", message + ": " + error));
        }
    }

    /** Values by the time that they have, in ms; those without one by {@code now}. */
    private static Map<String, Object> samples(TimestampedLwM2mNodes data) {
        Map<String, Object> found = new LinkedHashMap<>();
        for (Instant time : data.getTimestamps()) {
            found.put(time == null ? "now" : String.valueOf(time.toEpochMilli()), Nodes.values(data.getNodesAt(time)));
        }
        return found;
    }

    private static final class Notifications implements ObservationListener {
        @Override
        public void newObservation(Observation observation, Registration registration) {
            // The answer to the order tells it.
        }

        @Override
        public void cancelled(Observation observation) {
            Report.event("cancelled", Map.of());
        }

        @Override
        public void onResponse(SingleObservation observation, Registration registration, ObserveResponse response) {
            List<TimestampedLwM2mNode> samples = response.getTimestampedLwM2mNodes();
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("path", observation.getPath().toString());
            details.put("at", System.currentTimeMillis());
            if (samples != null && !samples.isEmpty()) {
                details.put("samples", samples.size());
                details.put("newest", samples.stream().filter(TimestampedLwM2mNode::isTimestamped)
                        .mapToLong(sample -> sample.getTimestamp().toEpochMilli()).max().orElse(0));
            }
            if (response.getContent() != null) {
                details.put("values", Nodes.values(response.getContent()));
            }
            Report.event("notified", details);
        }

        @Override
        public void onResponse(CompositeObservation observation, Registration registration,
                ObserveCompositeResponse response) {
            Report.event("notified", Map.of("paths", observation.getPaths().stream().map(String::valueOf).toList(),
                    "values", Nodes.values(response.getContent())));
        }

        @Override
        public void onError(Observation observation, Registration registration, Exception error) {
            Report.event("error", Map.of("message", String.valueOf(error)));
        }
    }
}
