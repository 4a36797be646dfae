package simyard.interop;

import java.util.List;
import java.util.Map;

import org.eclipse.leshan.client.object.Device;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

/** The Device object (3), which tells what is written to it and executed on it. */
public final class ReportingDevice extends Device {
    private static final int REBOOT = 4;
    private static final int FACTORY_RESET = 5;
    private static final int POWER_SOURCES = 6;
    private static final int UTC_OFFSET = 14;
    private static final int TIMEZONE = 15;

    private String utcOffset = "+01:00";
    private String timezone = "Europe/Berlin";

    public ReportingDevice() {
        super("Eclipse Leshan", "leshan-test-client", "L-0001");
    }

    @Override
    public ReadResponse read(LwM2mServer server, int resource) {
        switch (resource) {
        case POWER_SOURCES:
            return ReadResponse.success(resource, Map.of(0, 1L, 1, 5L), Type.INTEGER);
        case UTC_OFFSET:
            return ReadResponse.success(resource, utcOffset);
        case TIMEZONE:
            return ReadResponse.success(resource, timezone);
        default:
            return super.read(server, resource);
        }
    }

    @Override
    public WriteResponse write(LwM2mServer server, boolean replace, int resource, LwM2mResource value) {
        switch (resource) {
        case UTC_OFFSET:
            utcOffset = (String) value.getValue();
            break;
        case TIMEZONE:
            timezone = (String) value.getValue();
            break;
        default:
            return super.write(server, replace, resource, value);
        }
        Report.event("written", Map.of("path", "/3/0/" + resource, "value", value.getValue()));
        fireResourceChange(resource);
        return WriteResponse.success();
    }

    @Override
    public ExecuteResponse execute(LwM2mServer server, int resource, Arguments arguments) {
        if (resource != REBOOT) {
            return super.execute(server, resource, arguments);
        }
        Report.event("executed", Map.of("path", "/3/0/" + resource, "arguments", Report.text(arguments)));
        return ExecuteResponse.success();
    }

    @Override
    public List<Integer> getAvailableResourceIds(ObjectModel model) {
        return List.of(0, 1, 2, REBOOT, FACTORY_RESET, POWER_SOURCES, UTC_OFFSET, TIMEZONE, 16);
    }
}
