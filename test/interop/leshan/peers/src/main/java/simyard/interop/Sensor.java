package simyard.interop;

import java.util.List;
import java.util.Map;

import org.eclipse.leshan.client.resource.BaseInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.model.ResourceModel.Operations;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

/** Simyard's IoT Sensor object, as far as a temperature that the test sets needs it. */
public final class Sensor extends BaseInstanceEnabler {
    static final int VALUE = 2;
    static final int SAMPLING_PERIOD = 7;
    static final int RESET = 11;

    private double value = 20.5;
    private long samplingPeriod = 1_000_000;

    static ObjectModel model(int objectId) {
        return new ObjectModel(objectId, "IoT Sensor", "A sensor behind the modem", "1.0", true, false,
                resource(0, "Device Id", Operations.R, Type.UNSIGNED_INTEGER, true),
                resource(1, "Kind", Operations.R, Type.STRING, true),
                resource(VALUE, "Value", Operations.R, Type.FLOAT, true),
                resource(SAMPLING_PERIOD, "Sampling Period", Operations.RW, Type.INTEGER, false),
                resource(RESET, "Reset", Operations.E, Type.NONE, false));
    }

    private static ResourceModel resource(int id, String name, Operations operations, Type type, boolean mandatory) {
        return new ResourceModel(id, name, operations, false, mandatory, type, "", "", "");
    }

    void setValue(double newValue) {
        value = newValue;
        fireResourceChange(VALUE);
    }

    @Override
    public ReadResponse read(LwM2mServer server, int resource) {
        switch (resource) {
        case 0:
            return ReadResponse.success(resource, org.eclipse.leshan.core.util.datatype.ULong.valueOf(7L));
        case 1:
            return ReadResponse.success(resource, "temperature");
        case VALUE:
            return ReadResponse.success(resource, value);
        case SAMPLING_PERIOD:
            return ReadResponse.success(resource, samplingPeriod);
        default:
            return super.read(server, resource);
        }
    }

    @Override
    public WriteResponse write(LwM2mServer server, boolean replace, int resource, LwM2mResource written) {
        if (resource != SAMPLING_PERIOD) {
            return super.write(server, replace, resource, written);
        }
        samplingPeriod = (Long) written.getValue();
        Report.event("written", Map.of("path", getResourcePath(resource).toString(), "value", samplingPeriod));
        fireResourceChange(resource);
        return WriteResponse.success();
    }

    @Override
    public ExecuteResponse execute(LwM2mServer server, int resource, Arguments arguments) {
        Report.event("executed",
                Map.of("path", getResourcePath(resource).toString(), "arguments", Report.text(arguments)));
        return ExecuteResponse.success();
    }

    @Override
    public List<Integer> getAvailableResourceIds(ObjectModel model) {
        return List.of(0, 1, VALUE, SAMPLING_PERIOD, RESET);
    }
}
