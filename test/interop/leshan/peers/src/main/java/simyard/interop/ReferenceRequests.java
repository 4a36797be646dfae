package simyard.interop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import org.eclipse.leshan.core.link.attributes.InvalidAttributeException;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.CancelCompositeObservationRequest;
import org.eclipse.leshan.core.request.CancelObservationRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkDeviceManagementRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveCompositeRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadCompositeRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteAttributesRequest;
import org.eclipse.leshan.core.request.WriteCompositeRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.request.WriteRequest.Mode;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.registration.Registration;

/** The request of the library that an HTTP request of the demo's interface asks for. */
final class ReferenceRequests {
    /** An HTTP request; {@code rest} is what follows the endpoint in its path. */
    record Call(String method, String rest, String query, Map<String, String> parameters, String contentType,
            byte[] body) {
        List<String> parts() {
            return Arrays.stream(rest.split("/")).filter(part -> !part.isEmpty()).toList();
        }

        ContentFormat format(String name) {
            String value = parameters.get(name);
            return value == null ? null : ContentFormat.fromName(value.toUpperCase());
        }

        List<String> paths() {
            return Arrays.asList(parameters.get("paths").split(","));
        }

        boolean isActive() {
            return parameters.containsKey("active");
        }

        /** The path of the request, its last part taken off. */
        String above() {
            return rest.substring(0, rest.lastIndexOf('/'));
        }
    }

    /** The interface has a status and a text for it. */
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;
        final int status;

        Refused(int status, String text) {
            super(text);
            this.status = status;
        }
    }

    private final LeshanServer server;

    ReferenceRequests(LeshanServer server) {
        this.server = server;
    }

    /** Null where it is carried out without a request. */
    DownlinkDeviceManagementRequest<?> of(Registration client, Call call) throws IOException {
        switch (call.method) {
        case "GET":
            return get(call);
        case "PUT":
            return put(call);
        case "POST":
            return post(call);
        default:
            return delete(client, call);
        }
    }

    private DownlinkDeviceManagementRequest<?> get(Call call) {
        List<String> parts = call.parts();
        if (parts.equals(List.of("composite"))) {
            return new ReadCompositeRequest(call.format("pathformat"), call.format("nodeformat"), call.paths());
        } else if (parts.size() >= 2 && parts.get(parts.size() - 1).equals("discover")) {
            return new DiscoverRequest(call.above());
        }
        return new ReadRequest(call.format("format"), call.rest);
    }

    private DownlinkDeviceManagementRequest<?> put(Call call) throws IOException {
        List<String> parts = call.parts();
        if (parts.equals(List.of("composite"))) {
            return new WriteCompositeRequest(call.format("nodeformat"), ReferenceNodes.byPath(call.body), null);
        } else if (parts.size() < 2) {
            throw new Refused(400, "Invalid path");
        } else if (parts.get(parts.size() - 1).equals("attributes")) {
            try {
                return new WriteAttributesRequest(call.above() + "/",
                        new LwM2mAttributeSet(new DefaultLwM2mAttributeParser().parseUriQuery(call.query)));
            } catch (InvalidAttributeException error) {
                throw new Refused(400, "Invalid attributes: " + error.getMessage());
            }
        }
        String replace = call.parameters.get("replace");
        LwM2mNode node = ReferenceNodes.body(call.contentType, call.body, call.rest);
        return new WriteRequest(replace == null || Boolean.parseBoolean(replace) ? Mode.REPLACE : Mode.UPDATE,
                call.format("format"), call.rest, node);
    }

    private DownlinkDeviceManagementRequest<?> post(Call call) {
        List<String> parts = call.parts();
        if (parts.equals(List.of("composite", "observe"))) {
            return new ObserveCompositeRequest(call.format("pathformat"), call.format("nodeformat"),
                    call.paths().toArray(String[]::new));
        } else if (parts.size() >= 2 && parts.get(parts.size() - 1).equals("observe")) {
            return new ObserveRequest(call.format("format"), call.above());
        } else if (parts.size() == 3) {
            return new ExecuteRequest(call.rest,
                    call.body.length == 0 ? null : new String(call.body, StandardCharsets.UTF_8));
        } else if (parts.isEmpty() || parts.size() > 3) {
            throw new Refused(400, "Invalid path");
        }
        if (!(ReferenceNodes.body(call.contentType, call.body, call.rest) instanceof LwM2mObjectInstance instance)) {
            throw new IllegalArgumentException("payload must contain an object instance");
        }
        return instance.getId() == LwM2mObjectInstance.UNDEFINED
                ? new CreateRequest(call.format("format"), call.rest, instance.getResources().values())
                : new CreateRequest(call.format("format"), call.rest, instance);
    }

    private DownlinkDeviceManagementRequest<?> delete(Registration client, Call call) {
        List<String> parts = call.parts();
        if (parts.equals(List.of("composite", "observe"))) {
            return cancelComposite(client, call);
        } else if (parts.size() >= 2 && parts.get(parts.size() - 1).equals("observe")) {
            return cancel(client, call);
        }
        return new DeleteRequest(call.rest);
    }

    private DownlinkDeviceManagementRequest<?> cancel(Registration client, Call call) {
        String path = call.above();
        if (!call.isActive()) {
            server.getObservationService().cancelObservations(client, path);
            return null;
        }
        for (Observation observation : server.getObservationService().getObservations(client)) {
            if (observation instanceof SingleObservation single && single.getPath().equals(new LwM2mPath(path))) {
                return new CancelObservationRequest(single);
            }
        }
        throw new Refused(404, String.format("no observation for path %s for  client '%s'", path,
                client.getEndpoint()));
    }

    private DownlinkDeviceManagementRequest<?> cancelComposite(Registration client, Call call) {
        String[] paths = call.paths().toArray(String[]::new);
        if (!call.isActive()) {
            server.getObservationService().cancelCompositeObservations(client, paths);
            return null;
        }
        for (Observation observation : server.getObservationService().getObservations(client)) {
            if (observation instanceof CompositeObservation composite
                    && composite.getPaths().equals(LwM2mPath.getLwM2mPathList(call.paths()))) {
                return new CancelCompositeObservationRequest(composite);
            }
        }
        throw new Refused(404, String.format("no composite observation for paths %s for  client '%s'",
                Arrays.toString(paths), client.getEndpoint()));
    }
}
