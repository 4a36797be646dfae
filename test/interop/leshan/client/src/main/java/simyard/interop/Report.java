package simyard.interop;

import java.util.Map;

import org.eclipse.leshan.core.request.argument.Arguments;

/** Writes what happens as JSON lines on standard output. */
final class Report {
    private Report() {
    }

    static synchronized void event(String event, Map<String, ?> details) {
        StringBuilder line = new StringBuilder("{\"event\":").append(quote(event));
        details.forEach((name, value) -> line.append(',').append(quote(name)).append(':')
                .append(value instanceof Number || value instanceof Boolean ? value.toString()
                        : quote(String.valueOf(value))));
        System.out.println(line.append('}'));
        System.out.flush();
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
