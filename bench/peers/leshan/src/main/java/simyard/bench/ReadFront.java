package simyard.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.registration.Registration;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/**
 * {@code GET /api/clients/ENDPOINT/OBJECT/INSTANCE/RESOURCE}: a Read of one resource, answered with its value as JSON.
 * The libraries have no interface over HTTP, so this is the least that they can be asked by: the JDK's own server, without
 * log-in, limits and schemas. No thread waits for a device.
 */
final class ReadFront {
    private static final String ROOT = "/api/clients/";

    private ReadFront() {
    }

    /** Resolves to the port on 127.0.0.1. */
    static int start(LeshanServer server, long timeout) throws IOException {
        // Else each answer waits for the acknowledgement of its head.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.createContext(ROOT, exchange -> read(server, timeout, exchange));
        http.start();
        return http.getAddress().getPort();
    }

    private static void read(LeshanServer server, long timeout, HttpExchange exchange) {
        String[] parts = exchange.getRequestURI().getPath().substring(ROOT.length()).split("/");
        Registration registration = parts.length == 4 ? server.getRegistrationService().getByEndpoint(parts[0]) : null;
        if (registration == null) {
            answer(exchange, 404, "{\"error\":\"no such device or resource\"}");
            return;
        }
        ReadRequest request = new ReadRequest(ContentFormat.SENML_CBOR, Integer.parseInt(parts[1]),
                Integer.parseInt(parts[2]), Integer.parseInt(parts[3]));
        server.send(registration, request, timeout, response -> answer(exchange, response),
                error -> answer(exchange, 504, "{\"error\":\"no answer\"}"));
    }

    private static void answer(HttpExchange exchange, ReadResponse response) {
        if (response.isSuccess() && response.getContent() instanceof LwM2mResource resource) {
            answer(exchange, 200, "{\"id\":" + resource.getId() + ",\"value\":" + resource.getValue() + "}");
        } else {
            answer(exchange, 502, "{\"error\":\"" + response.getCode() + "\"}");
        }
    }

    private static void answer(HttpExchange exchange, int status, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        try (OutputStream output = exchange.getResponseBody()) {
            exchange.sendResponseHeaders(status, bytes.length);
            output.write(bytes);
        } catch (IOException error) {
            System.err.println("HTTP: " + error);
        }
    }
}
