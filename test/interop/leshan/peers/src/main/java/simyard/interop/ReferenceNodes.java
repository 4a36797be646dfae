package simyard.interop;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.leshan.core.link.LinkParseException;
import org.eclipse.leshan.core.link.lwm2m.DefaultLwM2mLinkParser;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.ObjectLink;
import org.eclipse.leshan.core.request.exception.InvalidRequestException;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.core.util.datatype.ULong;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Nodes as a caller of the demo's interface gives them. */
final class ReferenceNodes {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ReferenceNodes() {
    }

    /** A node in JSON, or a text for the resource that the path ends with. */
    static LwM2mNode body(String contentType, byte[] body, String path) {
        String type = contentType == null ? "" : contentType.split(";")[0];
        String text = new String(body, StandardCharsets.UTF_8);
        if (type.equals("application/json")) {
            try {
                return node(JSON.readTree(text));
            } catch (IOException error) {
                throw new InvalidRequestException(error, "unable to parse json to tlv:%s", error.getMessage());
            }
        } else if (type.equals("text/plain")) {
            return LwM2mSingleResource.newStringResource(
                    Integer.parseInt(path.substring(path.lastIndexOf('/') + 1)), text);
        }
        throw new InvalidRequestException("content type %s not supported", contentType);
    }

    static Map<LwM2mPath, LwM2mNode> byPath(byte[] body) throws IOException {
        Map<LwM2mPath, LwM2mNode> nodes = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : JSON.readTree(body).properties()) {
            nodes.put(new LwM2mPath(entry.getKey()), node(entry.getValue()));
        }
        return nodes;
    }

    private static LwM2mNode node(JsonNode json) throws IOException {
        if (!json.isObject()) {
            throw new IOException("Invalid node element");
        }
        String kind = json.path("kind").asText();
        if (kind.equals("obj") || json.has("instances")) {
            List<LwM2mObjectInstance> instances = new ArrayList<>();
            for (JsonNode instance : json.get("instances")) {
                instances.add((LwM2mObjectInstance) node(instance));
            }
            return new LwM2mObject(id(json), instances);
        } else if (kind.equals("instance") || json.has("resources")) {
            List<LwM2mResource> resources = new ArrayList<>();
            for (JsonNode resource : json.get("resources")) {
                resources.add((LwM2mResource) node(resource));
            }
            return json.has("id") ? new LwM2mObjectInstance(id(json), resources) : new LwM2mObjectInstance(resources);
        } else if (kind.equals("multiResource") || json.has("values")) {
            Type type = type(json);
            Map<Integer, Object> values = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : json.get("values").properties()) {
                values.put(Integer.valueOf(entry.getKey()), value(entry.getValue(), type));
            }
            return LwM2mMultipleResource.newResource(id(json), values, type);
        } else if (json.has("value")) {
            int id = id(json);
            Type type = type(json);
            Object value = value(json.get("value"), type);
            return kind.equals("resourceInstance") ? LwM2mResourceInstance.newInstance(id, value, type)
                    : LwM2mSingleResource.newResource(id, value, type);
        }
        throw new IOException("Invalid node element");
    }

    private static int id(JsonNode json) throws IOException {
        if (!json.has("id")) {
            throw new IOException("Missing id");
        }
        return json.get("id").asInt();
    }

    private static Type type(JsonNode json) {
        return Type.valueOf(json.get("type").asText().toUpperCase());
    }

    private static Object value(JsonNode json, Type type) {
        switch (type) {
        case BOOLEAN:
            return json.isBoolean() ? json.asBoolean() : refuse(json, type, "boolean", null);
        case STRING:
            return json.isTextual() ? json.asText() : refuse(json, type, "string", null);
        case INTEGER:
            if (json.isTextual()) {
                return number(json, "Long", () -> Long.valueOf(json.asText()));
            }
            return json.canConvertToLong() && json.canConvertToExactIntegral() ? (Object) json.asLong()
                    : refuse(json, type, "string", "(number is tolerated but not advised)");
        case UNSIGNED_INTEGER:
            if (json.isTextual()) {
                return number(json, "Unsigned Long", () -> ULong.valueOf(json.asText()));
            }
            return json.canConvertToExactIntegral() ? ULong.valueOf(new BigInteger(json.asText()))
                    : refuse(json, type, "string", "(number is tolerated but not advised)");
        case FLOAT:
            if (json.isTextual()) {
                return number(json, "Double", () -> Double.valueOf(json.asText()));
            }
            return json.isNumber() ? (Object) json.asDouble()
                    : refuse(json, type, "string", "(number is tolerated but not advised)");
        case TIME:
            return json.canConvertToLong() && json.canConvertToExactIntegral() ? new Date(json.asLong())
                    : refuse(json, type, "number(long)", null);
        case OPAQUE:
            return json.isTextual() ? Hex.decodeHex(json.asText().toCharArray()) : refuse(json, type, "string", null);
        case OBJLNK:
            return json.has("objectId") && json.has("objectInstanceId")
                    ? new ObjectLink(json.get("objectId").asInt(), json.get("objectInstanceId").asInt())
                    : refuse(json, type, "object{objectId:integer, objectInstanceId:integer}", null);
        case CORELINK:
            try {
                return new DefaultLwM2mLinkParser()
                        .parseCoreLinkFormat(json.asText().getBytes(StandardCharsets.UTF_8));
            } catch (LinkParseException error) {
                throw new IllegalArgumentException("Invalid Links: " + error.getMessage(), error);
            }
        default:
            throw new UnsupportedOperationException(String.format("Type %s is not supported for now", type));
        }
    }

    private interface Parser {
        Object parse();
    }

    private static Object number(JsonNode json, String name, Parser parser) {
        try {
            return parser.parse();
        } catch (NumberFormatException error) {
            throw new IllegalArgumentException(String.format("%s is not a valid %s.", json, name), error);
        }
    }

    private static Object refuse(JsonNode json, Type type, String expected, String more) {
        throw new IllegalArgumentException(
                String.format("Unexpected JSON type of 'value' field [%s]: a JSON %s is expected for %s but was %s. %s",
                        json, expected, type, json.getNodeType().toString().toLowerCase(), more));
    }
}
