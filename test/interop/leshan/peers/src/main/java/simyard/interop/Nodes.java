package simyard.interop;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.leshan.core.link.DefaultLinkParser;
import org.eclipse.leshan.core.link.DefaultLinkSerializer;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.link.LinkParseException;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mRoot;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.ObjectLink;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.core.util.datatype.ULong;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * The library's nodes from and to what the tests write: opaque values are lower-case hexadecimal, object links
 * {@code 3:0}, times seconds, links their text, integers that JSON's readers would round decimal texts.
 */
final class Nodes {
    private static final long SAFE_INTEGER = (1L << 53) - 1;

    /** The type and multiplicity of a resource, as an object definition has them. */
    interface Types {
        Type type(int object, int resource);

        boolean isMultiple(int object, int resource);
    }

    private Nodes() {
    }

    /** Values below a node by their path relative to it; the node's own value by the empty path. */
    static Map<String, Object> values(LwM2mNode node) {
        Map<String, Object> found = new LinkedHashMap<>();
        collect("", node, found);
        return found;
    }

    /** Values of several nodes by their absolute paths; a path that has none is there with null. */
    static Map<String, Object> values(Map<LwM2mPath, LwM2mNode> nodes) {
        Map<String, Object> found = new LinkedHashMap<>();
        nodes.forEach((path, node) -> {
            if (node == null) {
                found.put(path.toString(), null);
            } else {
                collect(path.isRoot() ? "" : path.toString(), node, found);
            }
        });
        return found;
    }

    private static void collect(String path, LwM2mNode node, Map<String, Object> found) {
        if (node instanceof LwM2mRoot root) {
            root.getObjects().forEach((id, object) -> collect(path + "/" + id, object, found));
        } else if (node instanceof LwM2mObject object) {
            object.getInstances().forEach((id, instance) -> collect(path + "/" + id, instance, found));
        } else if (node instanceof LwM2mObjectInstance instance) {
            instance.getResources().forEach((id, resource) -> collect(path + "/" + id, resource, found));
        } else if (node instanceof LwM2mResource resource && resource.isMultiInstances()) {
            resource.getInstances().forEach((id, value) -> collect(path + "/" + id, value, found));
        } else if (node instanceof LwM2mResource resource) {
            found.put(path, plain(resource.getValue()));
        } else if (node instanceof LwM2mResourceInstance instance) {
            found.put(path, plain(instance.getValue()));
        }
    }

    private static Object plain(Object value) {
        if (value instanceof Long number) {
            return -SAFE_INTEGER <= number && number <= SAFE_INTEGER ? number : number.toString();
        } else if (value instanceof ULong number) {
            BigInteger exact = number.toBigInteger();
            return exact.bitLength() <= 53 ? exact.longValue() : exact.toString();
        } else if (value instanceof byte[] bytes) {
            return Hex.encodeHexString(bytes);
        } else if (value instanceof Date date) {
            return date.getTime() / 1000;
        } else if (value instanceof ObjectLink link) {
            return link.encodeToString();
        } else if (value instanceof Link[] links) {
            return new DefaultLinkSerializer().serializeCoreLinkFormat(links);
        }
        return value;
    }

    /** The node at a path of at least an object instance. */
    static LwM2mNode node(LwM2mPath path, JsonNode json, Types types) {
        int object = path.getObjectId();
        if (path.isObjectInstance()) {
            return new LwM2mObjectInstance(path.getObjectInstanceId(), resources(object, json, types));
        } else if (path.isResource()) {
            return resource(object, path.getResourceId(), json, types);
        } else if (path.isResourceInstance()) {
            Type type = types.type(object, path.getResourceId());
            return LwM2mResourceInstance.newInstance(path.getResourceInstanceId(), value(json, type), type);
        }
        throw new IllegalArgumentException("nothing can be written at " + path);
    }

    static List<LwM2mResource> resources(int object, JsonNode json, Types types) {
        List<LwM2mResource> resources = new ArrayList<>();
        json.properties().forEach(
                entry -> resources.add(resource(object, Integer.parseInt(entry.getKey()), entry.getValue(), types)));
        return resources;
    }

    private static LwM2mResource resource(int object, int id, JsonNode json, Types types) {
        Type type = types.type(object, id);
        if (!types.isMultiple(object, id)) {
            return LwM2mSingleResource.newResource(id, value(json, type), type);
        }
        Map<Integer, Object> instances = new LinkedHashMap<>();
        json.properties().forEach(
                entry -> instances.put(Integer.parseInt(entry.getKey()), value(entry.getValue(), type)));
        return LwM2mMultipleResource.newResource(id, instances, type);
    }

    private static Object value(JsonNode json, Type type) {
        switch (type) {
        case STRING:
            return json.asText();
        case INTEGER:
            return Long.valueOf(json.asText());
        case UNSIGNED_INTEGER:
            return ULong.valueOf(json.asText());
        case FLOAT:
            return json.asDouble();
        case BOOLEAN:
            return json.asBoolean();
        case OPAQUE:
            return Hex.decodeHex(json.asText().toCharArray());
        case TIME:
            return new Date(json.asLong() * 1000);
        case OBJLNK:
            return ObjectLink.decodeFromString(json.asText());
        case CORELINK:
            try {
                return new DefaultLinkParser().parseCoreLinkFormat(json.asText().getBytes(StandardCharsets.UTF_8));
            } catch (LinkParseException error) {
                throw new IllegalArgumentException(error);
            }
        default:
            throw new IllegalArgumentException("no value has the type " + type);
        }
    }
}
