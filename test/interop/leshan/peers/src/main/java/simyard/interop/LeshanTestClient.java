package simyard.interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;

/**
 * {@code LeshanTestClient SERVER-URI ENDPOINT LIFETIME SENSOR-OBJECT-ID SENSORS}: registers and stays.
 * Lines on standard input: {@code value NUMBER}, {@code update}, {@code stop}; its end also stops.
 */
public final class LeshanTestClient {
    private static final int SHORT_SERVER_ID = 123;

    private LeshanTestClient() {
    }

    public static void main(String[] args) throws Exception {
        String uri = args[0];
        String endpoint = args[1];
        int lifetime = Integer.parseInt(args[2]);
        int sensorObject = Integer.parseInt(args[3]);

        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadDefault());
        models.add(Sensor.model(sensorObject));
        Sensor[] sensors = Stream.generate(Sensor::new).limit(Integer.parseInt(args[4])).toArray(Sensor[]::new);
        ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(models));
        objects.setInstancesForObject(0, Security.noSec(uri, SHORT_SERVER_ID));
        objects.setInstancesForObject(1,
                new Server(SHORT_SERVER_ID, lifetime, EnumSet.of(BindingMode.U), false, BindingMode.U));
        objects.setInstancesForObject(3, new ReportingDevice());
        objects.setInstancesForObject(sensorObject, sensors);

        DefaultRegistrationEngineFactory engine = new DefaultRegistrationEngineFactory();
        engine.setRetryWaitingTimeInMs(1_000);

        LeshanClient client = new LeshanClientBuilder(endpoint)
                .setObjects(objects.createAll())
                .setRegistrationEngineFactory(engine)
                .setEndpointsProviders(
                        new CaliforniumClientEndpointsProvider.Builder(new CoapClientProtocolProvider()).build())
                .build();
        client.addObserver(new Observer());
        client.start();

        try (BufferedReader input = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); line != null && !line.equals("stop"); line = input.readLine()) {
                obey(line, client, sensors[0]);
            }
        }
        client.destroy(true);
    }

    private static void obey(String line, LeshanClient client, Sensor sensor) {
        if (line.startsWith("value ")) {
            sensor.setValue(Double.parseDouble(line.substring("value ".length())));
        } else if (line.equals("update")) {
            client.triggerRegistrationUpdate();
        } else {
            throw new IllegalArgumentException("no such order: " + line);
        }
    }

    private static final class Observer extends LwM2mClientObserverAdapter {
        @Override
        public void onRegistrationSuccess(LwM2mServer server, RegisterRequest request, String registrationId) {
            Report.event("registered", Map.of("location", registrationId));
        }

        @Override
        public void onRegistrationFailure(LwM2mServer server, RegisterRequest request, ResponseCode code,
                String message, Exception cause) {
            Report.event("registrationFailed", Map.of("code", String.valueOf(code), "message",
                    String.valueOf(message), "cause", String.valueOf(cause)));
        }

        @Override
        public void onUpdateSuccess(LwM2mServer server, UpdateRequest request) {
            Report.event("updated", Map.of());
        }

        @Override
        public void onUpdateFailure(LwM2mServer server, UpdateRequest request, ResponseCode code, String message,
                Exception cause) {
            Report.event("updateFailed", Map.of("code", String.valueOf(code), "message", String.valueOf(message)));
        }

        @Override
        public void onDeregistrationSuccess(LwM2mServer server, DeregisterRequest request) {
            Report.event("deregistered", Map.of());
        }

        @Override
        public void onUnexpectedError(Throwable error) {
            Report.event("error", Map.of("message", String.valueOf(error)));
        }
    }
}
