package simyard.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.ArrayList;
import java.util.Map;
import java.util.stream.Collectors;

import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.option.StandardOptionRegistry;
import org.eclipse.leshan.core.util.Hex;

/** A CoAP message as the demo's log shows it. */
final class ReferenceLog {
    private ReferenceLog() {
    }

    static Map<String, Object> message(Message message, String code, boolean incoming) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("timestamp", System.currentTimeMillis());
        view.put("incoming", incoming);
        view.put("type", message.getType().toString());
        view.put("code", code);
        view.put("mId", message.getMID());
        view.put("token", message.getTokenString());
        List<Option> options = message.getOptions().asSortedList();
        view.put("options", options.isEmpty() ? null : options(options));
        byte[] payload = message.getPayload();
        view.put("payload", payload == null || payload.length == 0 ? null : payload(payload));
        return view;
    }

    private static String options(List<Option> options) {
        Map<String, List<String>> byName = new HashMap<>();
        for (Option option : options) {
            var definition = StandardOptionRegistry.getDefaultOptionRegistry()
                    .getDefinitionByNumber(option.getNumber());
            String name = definition == null ? String.format("Unknown (%d)", option.getNumber())
                    : definition.toString();
            byName.computeIfAbsent(name, key -> new ArrayList<>()).add(option.toValueString());
        }
        return byName.entrySet().stream().map(entry -> entry.getKey() + ": " + String.join(", ", entry.getValue()))
                .collect(Collectors.joining(" - "));
    }

    private static String payload(byte[] payload) {
        String text = new String(payload, StandardCharsets.UTF_8);
        return text.chars().allMatch(c -> c >= 32 && c < 127) ? text : "Hex:" + Hex.encodeHexString(payload);
    }
}
