package simyard.interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

import org.eclipse.leshan.core.link.DefaultLinkSerializer;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.link.attributes.Attribute;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mChildNode;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mRoot;
import org.eclipse.leshan.core.peer.LwM2mPeer;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.response.CreateResponse;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ReadCompositeResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationUpdate;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/** What the library has, as the demo's interface shows it: objects without a value are left out. */
final class ReferenceJson {
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .setSerializationInclusion(JsonInclude.Include.NON_NULL);

    private ReferenceJson() {
    }

    static String text(Object view) {
        try {
            return MAPPER.writeValueAsString(view);
        } catch (JsonProcessingException error) {
            throw new IllegalStateException(error);
        }
    }

    static Map<String, Object> registration(Registration registration, boolean awake) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("endpoint", registration.getEndpoint());
        view.put("registrationId", registration.getId());
        view.put("registrationDate", registration.getRegistrationDate());
        view.put("lastUpdate", registration.getLastUpdate());
        view.put("address", registration.getAddress().getHostAddress() + ":" + registration.getPort());
        view.put("smsNumber", registration.getSmsNumber());
        view.put("lwM2mVersion", registration.getLwM2mVersion().toString());
        view.put("lifetime", registration.getLifeTimeInSec());
        view.put("bindingMode", BindingMode.toString(registration.getBindingMode()));
        view.put("rootPath", registration.getRootPath());
        view.put("objectLinks", links(registration.getObjectLinks()));
        view.put("secure", isSecure(registration.getClientTransportData()));
        view.put("additionalRegistrationAttributes", registration.getAdditionalRegistrationAttributes());
        view.put("queuemode", registration.usesQueueMode());
        view.put("availableInstances", instances(registration.getAvailableInstances()));
        if (registration.usesQueueMode()) {
            view.put("sleeping", !awake);
        }
        return view;
    }

    static Map<String, Object> update(RegistrationUpdate update) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("registrationId", update.getRegistrationId());
        view.put("address", update.getAddress().getHostAddress() + ":" + update.getPort());
        view.put("smsNumber", update.getSmsNumber());
        view.put("lifetime", update.getLifeTimeInSec());
        view.put("alternatePath", update.getAlternatePath());
        view.put("objectLinks", links(update.getObjectLinks()));
        view.put("secure", isSecure(update.getClientTransportData()));
        view.put("additionalAttributes", update.getAdditionalAttributes());
        return view;
    }

    static Map<String, Object> response(LwM2mResponse response) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("status", response.getCode().toString());
        view.put("valid", response.isValid());
        view.put("success", response.isSuccess());
        view.put("failure", response.isFailure());
        if (response instanceof ReadResponse read) {
            view.put("content", read.getContent() == null ? null : node(read.getContent()));
        } else if (response instanceof DiscoverResponse discover) {
            view.put("objectLinks", links(discover.getObjectLinks()));
        } else if (response instanceof CreateResponse create) {
            view.put("location", create.getLocation());
        } else if (response instanceof ReadCompositeResponse read) {
            view.put("content", read.getContent() == null ? null : nodes(read.getContent()));
        }
        if (response.isFailure() && response.getErrorMessage() != null && !response.getErrorMessage().isEmpty()) {
            view.put("errormessage", response.getErrorMessage());
        }
        return view;
    }

    static Map<String, Object> nodes(Map<LwM2mPath, LwM2mNode> nodes) {
        Map<String, Object> view = new LinkedHashMap<>();
        nodes.forEach((path, node) -> view.put(path.toString(), node == null ? null : node(node)));
        return view;
    }

    static Map<String, Object> node(LwM2mNode node) {
        Map<String, Object> view = new LinkedHashMap<>();
        if (node instanceof LwM2mRoot root) {
            view.put("kind", "root");
            view.put("objects", list(root.getObjects().values()));
            return view;
        }
        view.put("id", ((LwM2mChildNode) node).getId());
        if (node instanceof LwM2mObject object) {
            view.put("kind", "obj");
            view.put("instances", list(object.getInstances().values()));
        } else if (node instanceof LwM2mObjectInstance instance) {
            view.put("kind", "instance");
            view.put("resources", list(instance.getResources().values()));
        } else if (node instanceof LwM2mResource resource && resource.isMultiInstances()) {
            Map<String, Object> values = new LinkedHashMap<>();
            resource.getInstances()
                    .forEach((id, instance) -> values.put(id.toString(), value(resource.getType(), instance.getValue())));
            view.put("kind", "multiResource");
            view.put("type", resource.getType());
            view.put("values", values);
        } else if (node instanceof LwM2mResource resource) {
            view.put("kind", "singleResource");
            view.put("type", resource.getType());
            view.put("value", value(resource.getType(), resource.getValue()));
        } else if (node instanceof LwM2mResourceInstance instance) {
            view.put("kind", "resourceInstance");
            view.put("type", instance.getType());
            view.put("value", value(instance.getType(), instance.getValue()));
        }
        return view;
    }

    private static List<Object> list(Collection<? extends LwM2mNode> nodes) {
        List<Object> views = new ArrayList<>();
        nodes.forEach(node -> views.add(node(node)));
        return views;
    }

    private static Object value(Type type, Object value) {
        switch (type) {
        case OPAQUE:
            return Hex.encodeHexString((byte[]) value);
        case INTEGER:
        case UNSIGNED_INTEGER:
        case FLOAT:
            return value.toString();
        case CORELINK:
            return new DefaultLinkSerializer().serializeCoreLinkFormat((Link[]) value);
        default:
            return value;
        }
    }

    static List<Object> specifications(Collection<ObjectModel> models) {
        return models.stream().sorted((a, b) -> Integer.compare(a.id, b.id)).map(ReferenceJson::specification)
                .toList();
    }

    private static Object specification(ObjectModel model) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", model.id);
        view.put("name", model.name);
        view.put("instancetype", model.multiple ? "multiple" : "single");
        view.put("mandatory", model.mandatory);
        view.put("urn", model.urn);
        view.put("version", model.version);
        view.put("lwm2mversion", model.lwm2mVersion);
        view.put("description", model.description);
        view.put("description2", model.description2);
        view.put("resourcedefs", model.resources.values().stream().map(ReferenceJson::definition).toList());
        return view;
    }

    private static Object definition(ResourceModel model) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", model.id);
        view.put("name", model.name);
        view.put("operations", model.operations.toString());
        view.put("instancetype", model.multiple ? "multiple" : "single");
        view.put("mandatory", model.mandatory);
        view.put("type", model.type == null ? "none" : model.type.toString().toLowerCase());
        view.put("range", model.rangeEnumeration);
        view.put("units", model.units);
        view.put("description", model.description);
        return view;
    }

    private static List<Object> links(Link[] links) {
        return links == null ? null : Arrays.stream(links).map(ReferenceJson::link).toList();
    }

    private static Object link(Link link) {
        Map<String, Object> attributes = new LinkedHashMap<>();
        for (Attribute attribute : link.getAttributes()) {
            attributes.put(attribute.getName(), attribute.getCoreLinkValue());
        }
        // A tree keeps an attribute that has no value.
        return MAPPER.createObjectNode().put("url", link.getUriReference()).set("attributes",
                new ObjectMapper().valueToTree(attributes));
    }

    private static Map<Integer, TreeSet<Integer>> instances(Collection<LwM2mPath> paths) {
        Map<Integer, TreeSet<Integer>> found = new TreeMap<>();
        for (LwM2mPath path : paths) {
            found.computeIfAbsent(path.getObjectId(), id -> new TreeSet<>()).add(path.getObjectInstanceId());
        }
        return found;
    }

    private static boolean isSecure(LwM2mPeer peer) {
        return peer.getIdentity().isSecure();
    }
}
