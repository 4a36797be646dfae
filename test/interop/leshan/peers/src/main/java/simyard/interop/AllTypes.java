package simyard.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.eclipse.leshan.client.resource.BaseInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

import com.fasterxml.jackson.databind.JsonNode;

/** An instance of an object that the tests define: it keeps what is written to it, and tells it. */
public final class AllTypes extends BaseInstanceEnabler {
    private final Map<Integer, LwM2mResource> resources = new TreeMap<>();

    /** Writes what a test holds true from the beginning. */
    void set(JsonNode values) {
        for (LwM2mResource resource : Nodes.resources(model.id, values, typesOf(model))) {
            put(resource);
        }
    }

    synchronized void put(LwM2mResource resource) {
        resources.put(resource.getId(), resource);
        fireResourceChange(resource.getId());
    }

    static Nodes.Types typesOf(ObjectModel model) {
        return new Nodes.Types() {
            @Override
            public ResourceModel.Type type(int object, int resource) {
                return model.resources.get(resource).type;
            }

            @Override
            public boolean isMultiple(int object, int resource) {
                return model.resources.get(resource).multiple;
            }
        };
    }

    @Override
    public synchronized ReadResponse read(LwM2mServer server, int id) {
        LwM2mResource resource = resources.get(id);
        return resource == null ? ReadResponse.notFound() : ReadResponse.success(resource);
    }

    @Override
    public synchronized WriteResponse write(LwM2mServer server, boolean replace, int id, LwM2mResource written) {
        LwM2mResource before = resources.get(id);
        LwM2mResource after = written;
        if (!replace && written.isMultiInstances() && before != null) {
            Map<Integer, LwM2mResourceInstance> merged = new TreeMap<>(before.getInstances());
            merged.putAll(written.getInstances());
            after = new LwM2mMultipleResource(id, written.getType(), merged.values());
        }
        resources.put(id, after);
        Report.event("written", Map.of("path", getResourcePath(id).toString(), "replace", replace, "values",
                Nodes.values(written)));
        fireResourceChange(id);
        return WriteResponse.success();
    }

    @Override
    public synchronized WriteResponse write(LwM2mServer server, boolean replace, int id, int instance,
            LwM2mResourceInstance written) {
        LwM2mResource before = resources.get(id);
        if (before == null || !before.getInstances().containsKey(instance)) {
            return WriteResponse.notFound();
        }
        Map<Integer, LwM2mResourceInstance> merged = new TreeMap<>(before.getInstances());
        merged.put(instance, written);
        resources.put(id, new LwM2mMultipleResource(id, written.getType(), merged.values()));
        LwM2mPath path = getResourceInstancePath(id, instance);
        Report.event("written", Map.of("path", path.toString(), "replace", replace, "values", Nodes.values(written)));
        fireResourceInstanceChange(id, instance);
        return WriteResponse.success();
    }

    @Override
    public ExecuteResponse execute(LwM2mServer server, int id, Arguments arguments) {
        Report.event("executed",
                Map.of("path", getResourcePath(id).toString(), "arguments", Report.text(arguments)));
        return ExecuteResponse.success();
    }

    /** A Write that replaces the instance does not name it. */
    @Override
    public synchronized void reset(int id) {
        if (model.resources.get(id).operations.isWritable()) {
            resources.remove(id);
        }
    }

    @Override
    public void onDelete(LwM2mServer server) {
        Report.event("deleted", Map.of("path", new LwM2mPath(model.id, getId()).toString()));
    }

    @Override
    public synchronized List<Integer> getAvailableResourceIds(ObjectModel model) {
        List<Integer> available = new ArrayList<>(resources.keySet());
        model.resources.values().stream().filter(resource -> resource.operations.isExecutable())
                .forEach(resource -> available.add(resource.id));
        return available;
    }
}
