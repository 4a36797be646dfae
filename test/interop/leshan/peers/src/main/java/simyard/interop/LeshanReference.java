package simyard.interop;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;

import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.node.codec.CodecException;
import org.eclipse.leshan.core.request.CancelCompositeObservationRequest;
import org.eclipse.leshan.core.request.CancelObservationRequest;
import org.eclipse.leshan.core.request.DownlinkDeviceManagementRequest;
import org.eclipse.leshan.core.request.SimpleDownlinkRequest;
import org.eclipse.leshan.core.request.exception.ClientSleepingException;
import org.eclipse.leshan.core.request.exception.InvalidRequestException;
import org.eclipse.leshan.core.request.exception.InvalidResponseException;
import org.eclipse.leshan.core.request.exception.RequestCanceledException;
import org.eclipse.leshan.core.request.exception.RequestRejectedException;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.queue.PresenceListener;
import org.eclipse.leshan.server.queue.StaticClientAwakeTimeProvider;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/**
 * {@code LeshanReference AWAKE-MS OBJECT-XML...}: an LwM2M server on the Leshan libraries with the routes, statuses and
 * events of Leshan's demo server, which is not published in this version. What a request is, whether it may be sent,
 * what comes of it, and who hears of what, is the library's. Its event {@code ready} tells the addresses of CoAP and
 * HTTP; the end of standard input ends it.
 */
public final class LeshanReference {
    private final LeshanServer server;
    private final ReferenceEvents events;
    private final ReferenceRequests requests;
    /** By registration, what waits for the client to wake: the newest only. */
    private final Map<String, Runnable> delayed = new ConcurrentHashMap<>();

    private LeshanReference(LeshanServer server) {
        this.server = server;
        events = new ReferenceEvents(server);
        requests = new ReferenceRequests(server);
        server.getPresenceService().addListener(new PresenceListener() {
            @Override
            public void onAwake(Registration registration) {
                Runnable waiting = delayed.remove(registration.getId());
                if (waiting != null) {
                    waiting.run();
                }
            }

            @Override
            public void onSleeping(Registration registration) {
                // What comes now is delayed.
            }
        });
    }

    public static void main(String[] args) throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        for (String file : Arrays.asList(args).subList(1, args.length)) {
            try (InputStream xml = Files.newInputStream(Path.of(file))) {
                models.addAll(ObjectLoader.loadDdfFile(xml, file, true));
            }
        }
        LeshanServer server = new LeshanServerBuilder()
                .setObjectModelProvider(new VersionedModelProvider(models))
                .setEndpointsProviders(new CaliforniumServerEndpointsProvider.Builder(new CoapServerProtocolProvider())
                        .addEndpoint(new InetSocketAddress("127.0.0.1", 0), Protocol.COAP).build())
                .setClientAwakeTimeProvider(new StaticClientAwakeTimeProvider(Integer.parseInt(args[0])))
                .build();
        LeshanReference reference = new LeshanReference(server);
        HttpServer http = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        http.setExecutor(Executors.newCachedThreadPool());
        http.createContext("/api/", reference::handle);
        server.start();
        http.start();
        Report.event("ready", Map.of("uri", server.getEndpoint(Protocol.COAP).getURI().toString(), "http",
                "http://127.0.0.1:" + http.getAddress().getPort()));
        while (System.in.read() >= 0) {
            // Its end is the order to stop.
        }
        System.exit(0);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try {
            String path = exchange.getRequestURI().getPath().substring("/api/".length());
            Map<String, String> parameters = parameters(exchange.getRequestURI().getRawQuery());
            if (path.equals("event")) {
                exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().flush();
                events.subscribe(exchange.getResponseBody(), parameters.get("ep"));
                return;
            }
            String[] parts = path.split("/", 3);
            if (parts[0].equals("clients")) {
                clients(exchange, parts, parameters);
            } else if (parts[0].equals("objectspecs")) {
                specifications(exchange, parts);
            } else if (path.equals("server/endpoint")) {
                endpoints(exchange);
            } else {
                text(exchange, 404, "Not Found");
            }
        } catch (ReferenceRequests.Refused refused) {
            text(exchange, refused.status, refused.getMessage());
        } catch (InvalidRequestException | CodecException | ClientSleepingException error) {
            text(exchange, 400, "Invalid request: " + error.getMessage());
        } catch (RequestRejectedException error) {
            text(exchange, 500, "Request rejected: " + error.getMessage());
        } catch (RequestCanceledException error) {
            text(exchange, 500, "Request cancelled: " + error.getMessage());
        } catch (InvalidResponseException error) {
            text(exchange, 500, "Invalid Response: " + error.getMessage());
        } catch (RuntimeException | InterruptedException error) {
            text(exchange, 500, "Unexpected exception: " + error.getMessage());
        }
    }

    private void clients(HttpExchange exchange, String[] parts, Map<String, String> parameters)
            throws IOException, InterruptedException {
        if (parts.length == 1) {
            List<Object> all = new ArrayList<>();
            server.getRegistrationService().getAllRegistrations()
                    .forEachRemaining(registration -> all.add(view(registration)));
            json(exchange, all);
            return;
        }
        if (parts[1].isEmpty()) {
            throw new ReferenceRequests.Refused(400, "Invalid path");
        }
        Registration client = client(parts[1]);
        String rest = parts.length == 2 ? "/" : "/" + parts[2];
        if (rest.equals("/") && exchange.getRequestMethod().equals("GET")) {
            json(exchange, view(client));
            return;
        }
        DownlinkDeviceManagementRequest<?> request = requests.of(client,
                new ReferenceRequests.Call(exchange.getRequestMethod(), rest, exchange.getRequestURI().getQuery(),
                        parameters, exchange.getRequestHeaders().getFirst("Content-Type"),
                        exchange.getRequestBody().readAllBytes()));
        if (request == null) {
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
            return;
        }
        long timeout = timeout(parameters.get("timeout"));
        if (client.usesQueueMode() && !server.getPresenceService().isClientAwake(client)) {
            json(exchange, delay(client, request, timeout));
            return;
        }
        LwM2mResponse response = server.send(client, request, timeout);
        if (response == null) {
            text(exchange, 504, "Request timeout");
            return;
        }
        forgetCancelled(request, response);
        json(exchange, ReferenceJson.response(response));
    }

    private Object delay(Registration client, DownlinkDeviceManagementRequest<?> request, long timeout) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("ep", client.getEndpoint());
        if (request instanceof SimpleDownlinkRequest<?> simple) {
            answer.put("path", simple.getPath().toString());
        }
        answer.put("requestId", UUID.randomUUID().toString());
        answer.put("delayed", true);
        delayed.put(client.getId(), () -> server.send(client, request, timeout, response -> {
            Map<String, Object> data = new LinkedHashMap<>(answer);
            data.put("response", ReferenceJson.response(response));
            events.send("REQUEST_RESPONSE", client.getEndpoint(), data);
        }, error -> Report.event("error", Map.of("message", String.valueOf(error)))));
        return answer;
    }

    private void forgetCancelled(DownlinkDeviceManagementRequest<?> request, LwM2mResponse response) {
        if (!response.isSuccess()) {
            return;
        }
        if (request instanceof CancelObservationRequest cancel) {
            server.getObservationService().cancelObservation(cancel.getObservation());
        } else if (request instanceof CancelCompositeObservationRequest cancel) {
            server.getObservationService().cancelObservation(cancel.getObservation());
        }
    }

    private void specifications(HttpExchange exchange, String[] parts) throws IOException {
        if (parts.length != 2 || parts[1].isEmpty()) {
            throw new ReferenceRequests.Refused(400, "Invalid path");
        }
        json(exchange, ReferenceJson
                .specifications(server.getModelProvider().getObjectModel(client(parts[1])).getObjectModels()));
    }

    private void endpoints(HttpExchange exchange) throws IOException {
        List<Object> all = new ArrayList<>();
        server.getEndpoints().forEach(endpoint -> {
            Map<String, Object> uri = new LinkedHashMap<>();
            uri.put("full", endpoint.getURI().toString());
            uri.put("scheme", endpoint.getURI().getScheme());
            uri.put("host", endpoint.getURI().getHost());
            uri.put("port", endpoint.getURI().getPort());
            all.add(Map.of("uri", uri, "description", endpoint.getDescription()));
        });
        json(exchange, all);
    }

    private Registration client(String endpoint) {
        Registration registration = server.getRegistrationService().getByEndpoint(endpoint);
        if (registration == null) {
            throw new ReferenceRequests.Refused(400,
                    String.format("No registered client with id '%s'", endpoint));
        }
        return registration;
    }

    private Object view(Registration registration) {
        return ReferenceJson.registration(registration, server.getPresenceService().isClientAwake(registration));
    }

    private static long timeout(String seconds) {
        try {
            return seconds == null ? 5000 : Long.parseLong(seconds) * 1000;
        } catch (NumberFormatException error) {
            return 5000;
        }
    }

    private static Map<String, String> parameters(String query) {
        Map<String, String> found = new LinkedHashMap<>();
        for (String part : query == null ? new String[0] : query.split("&")) {
            String[] pair = part.split("=", 2);
            found.putIfAbsent(pair[0], pair.length == 1 ? "" : URLDecoder.decode(pair[1], StandardCharsets.UTF_8));
        }
        return found;
    }

    private static void json(HttpExchange exchange, Object view) throws IOException {
        answer(exchange, 200, "application/json", ReferenceJson.text(view));
    }

    private static void text(HttpExchange exchange, int status, String text) throws IOException {
        answer(exchange, status, "text/plain; charset=UTF-8", text);
    }

    private static void answer(HttpExchange exchange, int status, String type, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        try (var body = exchange.getResponseBody()) {
            body.write(bytes);
        }
    }
}
