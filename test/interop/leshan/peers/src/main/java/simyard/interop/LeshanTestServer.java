package simyard.interop;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.TimestampedLwM2mNode;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkDeviceManagementRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;

/**
 * {@code LeshanTestServer OBJECT-XML...}: serves CoAP on a free port of 127.0.0.1 and manages one client.
 * Lines on standard input: {@code read FORMAT PATH}, {@code write PATH INTEGER}, {@code execute PATH [ARGUMENTS]},
 * {@code observe FORMAT PATH}, {@code discover PATH}, {@code stop}; each but the last is answered by an event.
 */
public final class LeshanTestServer {
    private static final long TIMEOUT = 20_000;

    private LeshanTestServer() {
    }

    public static void main(String[] args) throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        for (String file : args) {
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
                .build();
        server.getRegistrationService().addListener(new Registrations());
        server.getObservationService().addListener(new Notifications());
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

    private static void obey(String line, LeshanServer server) throws InterruptedException {
        Registration client = server.getRegistrationService().getAllRegistrations().next();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("order", line);
        LwM2mResponse response;
        try {
            response = server.send(client, request(line.split(" ", 3)), TIMEOUT);
        } catch (RuntimeException error) {
            // What the library makes of an answer that it does not understand.
            answer.put("code", String.valueOf(error));
            Report.event("answer", answer);
            return;
        }
        answer.put("code", response == null ? "timeout" : response.getCode().getCode());
        if (response instanceof ReadResponse read && read.isSuccess()) {
            answer.put("values", values(read.getContent()));
        }
        Report.event("answer", answer);
    }

    private static DownlinkDeviceManagementRequest<? extends LwM2mResponse> request(String[] words) {
        switch (words[0]) {
        case "read":
            return new ReadRequest(ContentFormat.fromName(words[1]), words[2]);
        case "observe":
            return new ObserveRequest(ContentFormat.fromName(words[1]), words[2]);
        case "write":
            String[] path = words[1].substring(1).split("/");
            return new WriteRequest(Integer.parseInt(path[0]), Integer.parseInt(path[1]),
                    Integer.parseInt(path[2]), Long.parseLong(words[2]));
        case "execute":
            return words.length < 3 ? new ExecuteRequest(words[1]) : new ExecuteRequest(words[1], words[2]);
        case "discover":
            return new DiscoverRequest(words[1]);
        default:
            throw new IllegalArgumentException("no such order: " + String.join(" ", words));
        }
    }

    /** Values below a node by their path relative to it; the node's own value by the empty path. */
    private static Map<String, Object> values(LwM2mNode node) {
        Map<String, Object> found = new LinkedHashMap<>();
        collect("", node, found);
        return found;
    }

    private static void collect(String path, LwM2mNode node, Map<String, Object> found) {
        if (node instanceof LwM2mObject object) {
            object.getInstances().forEach((id, instance) -> collect(path + "/" + id, instance, found));
        } else if (node instanceof LwM2mObjectInstance instance) {
            instance.getResources().forEach((id, resource) -> collect(path + "/" + id, resource, found));
        } else if (node instanceof LwM2mResource resource && resource.isMultiInstances()) {
            resource.getInstances().forEach((id, value) -> collect(path + "/" + id, value, found));
        } else if (node instanceof LwM2mResource resource) {
            found.put(path, resource.getValue());
        } else if (node instanceof LwM2mResourceInstance instance) {
            found.put(path, instance.getValue());
        }
    }

    private static final class Registrations implements RegistrationListener {
        @Override
        public void registered(Registration registration, Registration previous,
                Collection<Observation> previousObservations) {
            Report.event("registered", Map.of("endpoint", registration.getEndpoint(), "version",
                    registration.getLwM2mVersion().toString(), "lifetime", registration.getLifeTimeInSec(), "objects",
                    String.join(" ", registration.getSupportedObject().keySet().stream().map(String::valueOf).toList())));
        }

        @Override
        public void updated(RegistrationUpdate update, Registration updated, Registration previous) {
            Report.event("updated", Map.of("endpoint", updated.getEndpoint()));
        }

        @Override
        public void unregistered(Registration registration, Collection<Observation> observations, boolean expired,
                Registration newRegistration) {
            Report.event("deregistered", Map.of("endpoint", registration.getEndpoint(), "expired", expired));
        }
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
            if (samples != null && !samples.isEmpty()) {
                details.put("samples", samples.size());
                details.put("newest", samples.stream().filter(TimestampedLwM2mNode::isTimestamped)
                        .mapToLong(sample -> sample.getTimestamp().toEpochMilli()).max().orElse(0));
            }
            if (response.getContent() != null) {
                details.put("values", values(response.getContent()));
            }
            Report.event("notified", details);
        }

        @Override
        public void onResponse(CompositeObservation observation, Registration registration,
                ObserveCompositeResponse response) {
            throw new UnsupportedOperationException("no test asks for a composite observation");
        }

        @Override
        public void onError(Observation observation, Registration registration, Exception error) {
            Report.event("error", Map.of("message", String.valueOf(error)));
        }
    }
}
