package simyard.interop;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.model.LwM2mModel;
import org.eclipse.leshan.core.model.ResourceModel;
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
import org.eclipse.leshan.core.response.LwM2mResponse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;

/**
 * The requests that a line asks for:
 *
 * <pre>
 * read FORMAT PATH                     observe FORMAT PATH           cancel PATH
 * write REPLACE|UPDATE FORMAT PATH JSON                              execute PATH [ARGUMENTS]
 * create FORMAT PATH JSON              delete PATH                   discover PATH
 * attributes PATH QUERY                write-composite FORMAT JSON   cancel-composite PATH...
 * read-composite PATH-FORMAT NODE-FORMAT PATH...
 * observe-composite PATH-FORMAT NODE-FORMAT PATH...
 * </pre>
 *
 * JSON is a value, or values by what stands below the path; what is no JSON is a text.
 */
final class Orders {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LwM2mModel model;
    private final Iterable<Observation> observations;

    /** @param observations those that the client has now, which an order may cancel */
    Orders(LwM2mModel model, Iterable<Observation> observations) {
        this.model = model;
        this.observations = observations;
    }

    DownlinkDeviceManagementRequest<? extends LwM2mResponse> request(String line) throws Exception {
        String[] words = line.split(" ");
        switch (words[0]) {
        case "read":
            return new ReadRequest(format(words[1]), words[2]);
        case "observe":
            return new ObserveRequest(format(words[1]), words[2]);
        case "cancel":
            return new CancelObservationRequest(single(words[1]));
        case "write":
            return new WriteRequest(Mode.valueOf(words[1]), format(words[2]), words[3],
                    Nodes.node(new LwM2mPath(words[3]), json(line, 4), types()));
        case "execute":
            return words.length < 3 ? new ExecuteRequest(words[1]) : new ExecuteRequest(words[1], words[2]);
        case "create":
            return create(format(words[1]), new LwM2mPath(words[2]), json(line, 3));
        case "delete":
            return new DeleteRequest(words[1]);
        case "discover":
            return new DiscoverRequest(words[1]);
        case "attributes":
            return new WriteAttributesRequest(words[1],
                    new LwM2mAttributeSet(new DefaultLwM2mAttributeParser().parseUriQuery(words[2])));
        case "read-composite":
            return new ReadCompositeRequest(format(words[1]), format(words[2]), rest(words, 3));
        case "observe-composite":
            return new ObserveCompositeRequest(format(words[1]), format(words[2]),
                    LwM2mPath.getLwM2mPathList(rest(words, 3)));
        case "cancel-composite":
            return new CancelCompositeObservationRequest(composite(rest(words, 1)));
        case "write-composite":
            return new WriteCompositeRequest(format(words[1]), nodes(json(line, 2)), null);
        default:
            throw new IllegalArgumentException("no such order: " + line);
        }
    }

    SingleObservation single(String path) {
        for (Observation observation : observations) {
            if (observation instanceof SingleObservation single && single.getPath().toString().equals(path)) {
                return single;
            }
        }
        throw new IllegalArgumentException(path + " is not observed");
    }

    CompositeObservation composite(List<String> paths) {
        for (Observation observation : observations) {
            if (observation instanceof CompositeObservation composite
                    && composite.getPaths().equals(LwM2mPath.getLwM2mPathList(paths))) {
                return composite;
            }
        }
        throw new IllegalArgumentException(paths + " are not observed together");
    }

    private CreateRequest create(ContentFormat format, LwM2mPath path, JsonNode values) {
        int object = path.getObjectId();
        if (path.isObject()) {
            return new CreateRequest(format, object, Nodes.resources(object, values, types()));
        }
        LwM2mObjectInstance instance = new LwM2mObjectInstance(path.getObjectInstanceId(),
                Nodes.resources(object, values, types()));
        return new CreateRequest(format, object, instance);
    }

    private Map<LwM2mPath, LwM2mNode> nodes(JsonNode values) {
        Map<LwM2mPath, LwM2mNode> nodes = new LinkedHashMap<>();
        values.properties().forEach(entry -> {
            LwM2mPath path = new LwM2mPath(entry.getKey());
            nodes.put(path, Nodes.node(path, entry.getValue(), types()));
        });
        return nodes;
    }

    private Nodes.Types types() {
        return new Nodes.Types() {
            @Override
            public ResourceModel.Type type(int object, int resource) {
                return model.getResourceModel(object, resource).type;
            }

            @Override
            public boolean isMultiple(int object, int resource) {
                return model.getResourceModel(object, resource).multiple;
            }
        };
    }

    private static ContentFormat format(String name) {
        return ContentFormat.fromName(name);
    }

    static List<String> rest(String[] words, int from) {
        return Arrays.asList(words).subList(from, words.length);
    }

    /** What follows so many words: JSON, or else a text as it is. */
    private static JsonNode json(String line, int words) {
        String rest = line.split(" ", words + 1)[words];
        try {
            return JSON.readTree(rest);
        } catch (JsonProcessingException error) {
            return TextNode.valueOf(rest);
        }
    }
}
