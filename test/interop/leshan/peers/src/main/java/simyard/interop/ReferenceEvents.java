package simyard.interop;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.eclipse.californium.core.coap.EmptyMessage;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.interceptors.MessageInterceptor;
import org.eclipse.leshan.core.node.TimestampedLwM2mNodes;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.SendRequest;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.endpoint.LwM2mServerEndpoint;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.queue.PresenceListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.send.SendListener;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpoint;

/** What the library's listeners hear, as server-sent events. */
final class ReferenceEvents implements RegistrationListener, PresenceListener, ObservationListener, SendListener {
    private record Subscriber(OutputStream output, String endpoint) {
    }

    private final LeshanServer server;
    private final Set<Subscriber> subscribers = ConcurrentHashMap.newKeySet();

    ReferenceEvents(LeshanServer server) {
        this.server = server;
        server.getRegistrationService().addListener(this);
        server.getObservationService().addListener(this);
        server.getPresenceService().addListener(this);
        server.getSendService().addListener(this);
        for (LwM2mServerEndpoint endpoint : server.getEndpoints()) {
            ((CaliforniumServerEndpoint) endpoint).getCoapEndpoint().addInterceptor(new Tracer());
        }
    }

    /** @param endpoint null for all */
    void subscribe(OutputStream output, String endpoint) {
        subscribers.add(new Subscriber(output, endpoint));
    }

    synchronized void send(String event, String endpoint, Object data) {
        byte[] frame = ("event: " + event + "\r\ndata: " + ReferenceJson.text(data) + "\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8);
        for (Subscriber subscriber : subscribers) {
            if (subscriber.endpoint != null && !subscriber.endpoint.equals(endpoint)) {
                continue;
            }
            // Traces are of one client only.
            if (subscriber.endpoint == null && event.equals("COAPLOG")) {
                continue;
            }
            try {
                subscriber.output.write(frame);
                subscriber.output.flush();
            } catch (IOException gone) {
                subscribers.remove(subscriber);
            }
        }
    }

    private Object view(Registration registration) {
        return ReferenceJson.registration(registration, server.getPresenceService().isClientAwake(registration));
    }

    @Override
    public void registered(Registration registration, Registration previous, Collection<Observation> observations) {
        send("REGISTRATION", registration.getEndpoint(), view(registration));
    }

    @Override
    public void updated(RegistrationUpdate update, Registration updated, Registration previous) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("registration", view(updated));
        data.put("update", ReferenceJson.update(update));
        send("UPDATED", updated.getEndpoint(), data);
    }

    @Override
    public void unregistered(Registration registration, Collection<Observation> observations, boolean expired,
            Registration newRegistration) {
        send("DEREGISTRATION", registration.getEndpoint(), view(registration));
    }

    @Override
    public void onAwake(Registration registration) {
        send("AWAKE", registration.getEndpoint(), Map.of("ep", registration.getEndpoint()));
    }

    @Override
    public void onSleeping(Registration registration) {
        send("SLEEPING", registration.getEndpoint(), Map.of("ep", registration.getEndpoint()));
    }

    @Override
    public void newObservation(Observation observation, Registration registration) {
        // The demo tells nothing of it.
    }

    @Override
    public void cancelled(Observation observation) {
        // The demo tells nothing of it.
    }

    @Override
    public void onResponse(SingleObservation observation, Registration registration, ObserveResponse response) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("ep", registration.getEndpoint());
        data.put("kind", "single");
        data.put("res", observation.getPath().toString());
        data.put("val", ReferenceJson.node(response.getContent()));
        send("NOTIFICATION", registration.getEndpoint(), data);
    }

    @Override
    public void onResponse(CompositeObservation observation, Registration registration,
            ObserveCompositeResponse response) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("ep", registration.getEndpoint());
        data.put("kind", "composite");
        data.put("val", ReferenceJson.nodes(response.getContent()));
        data.put("paths", observation.getPaths().stream().map(String::valueOf).toList());
        send("NOTIFICATION", registration.getEndpoint(), data);
    }

    @Override
    public void onError(Observation observation, Registration registration, Exception error) {
        Report.event("error", Map.of("message", String.valueOf(error)));
    }

    @Override
    public void dataReceived(Registration registration, TimestampedLwM2mNodes nodes, SendRequest request) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("ep", registration.getEndpoint());
        data.put("val", ReferenceJson.nodes(nodes.getMostRecentNodes()));
        send("SEND", registration.getEndpoint(), data);
    }

    @Override
    public void onError(Registration registration, String message, Exception error) {
        Report.event("error", Map.of("message", message + ": " + error));
    }

    /** Every message that passes the library's CoAP. */
    private final class Tracer implements MessageInterceptor {
        @Override
        public void sendRequest(Request request) {
            trace(request, request.getCode().toString(), false);
        }

        @Override
        public void sendResponse(Response response) {
            trace(response, response.getCode().toString(), false);
        }

        @Override
        public void sendEmptyMessage(EmptyMessage message) {
            trace(message, null, false);
        }

        @Override
        public void receiveRequest(Request request) {
            trace(request, request.getCode().toString(), true);
        }

        @Override
        public void receiveResponse(Response response) {
            trace(response, response.getCode().toString(), true);
        }

        @Override
        public void receiveEmptyMessage(EmptyMessage message) {
            trace(message, null, true);
        }

        private void trace(Message message, String code, boolean incoming) {
            var peer = incoming ? message.getSourceContext() : message.getDestinationContext();
            var all = server.getRegistrationService().getAllRegistrations();
            while (all.hasNext()) {
                Registration registration = all.next();
                if (registration.getSocketAddress().equals(peer.getPeerAddress())) {
                    Map<String, Object> data = ReferenceLog.message(message, code, incoming);
                    data.put("ep", registration.getEndpoint());
                    send("COAPLOG", registration.getEndpoint(), data);
                }
            }
        }
    }
}
