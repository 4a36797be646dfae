package simyard.interop;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

import org.eclipse.leshan.core.request.argument.Arguments;

/** Writes what happens as JSON lines on standard output. */
final class Report {
    private Report() {
    }

    /** Details are texts, numbers, booleans, null, and lists and maps of these. */
    static synchronized void event(String event, Map<String, ?> details) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", event);
        line.putAll(details);
        System.out.println(json(line));
        System.out.flush();
    }

    private static String json(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> quote(String.valueOf(entry.getKey())) + ":" + json(entry.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof Collection<?> list) {
            return list.stream().map(Report::json).collect(Collectors.joining(",", "[", "]"));
        }
        if (value == null || value instanceof Integer || value instanceof Long || value instanceof Boolean) {
            return String.valueOf(value);
        }
        if (value instanceof Double number && Double.isFinite(number)) {
            return number.toString();
        }
        return quote(String.valueOf(value));
    }

    /** As LwM2M writes them; an Execute without arguments has none to write. */
    static String text(Arguments arguments) {
        return arguments.isEmpty() ? "" : arguments.serialize();
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
