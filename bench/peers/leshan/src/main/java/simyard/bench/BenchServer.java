package simyard.bench;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;

import com.sun.management.OperatingSystemMXBean;

/**
 * A LwM2M server on the Leshan libraries as they come, but for what {@code parts} of {@link #run} gives them. It observes the first sensor of each device that has one, and counts the readings that the library has decoded.
 * Tells {@code {"port":…}}, and answers each line on standard input with what the process has used so far; before
 * {@code memory} it collects garbage.
 */
public final class BenchServer {
    private static final int SENSOR = 42770;
    private static final int SENSOR_VALUE = 2;
    private static final long TIMEOUT = 20_000;
    private static final LongAdder readings = new LongAdder();

    private BenchServer() {
    }

    static void run(List<String> objectFiles, Protocol protocol, Consumer<LeshanServerBuilder> parts)
            throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        for (String file : objectFiles) {
            try (InputStream xml = Files.newInputStream(Path.of(file))) {
                models.addAll(ObjectLoader.loadDdfFile(xml, file, true));
            }
        }
        LeshanServerBuilder builder = new LeshanServerBuilder().setObjectModelProvider(new VersionedModelProvider(models));
        parts.accept(builder);
        LeshanServer server = builder.build();
        server.getRegistrationService().addListener(new Observer(server));
        server.getObservationService().addListener(new Counter());
        server.start();
        int http = ReadFront.start(server, TIMEOUT);
        System.out.println("{\"port\":" + server.getEndpoint(protocol).getURI().getPort()
                + ",\"http\":\"http://127.0.0.1:" + http + "\"}");
        try (BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                report(line.equals("memory"));
            }
        }
        server.destroy();
    }

    private static void report(boolean collected) {
        if (collected) {
            System.gc();
            System.gc();
        }
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long used = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        System.out.println("{\"cpu\":" + system.getProcessCpuTime() / 1_000 + ",\"memory\":" + used + ",\"readings\":"
                + readings.sum() + "}");
    }

    private static final class Observer implements RegistrationListener {
        private final LeshanServer server;

        Observer(LeshanServer server) {
            this.server = server;
        }

        @Override
        public void registered(Registration registration, Registration previous,
                Collection<Observation> previousObservations) {
            if (!registration.getSupportedObject().containsKey(SENSOR)) {
                return;
            }
            ObserveRequest request = new ObserveRequest(ContentFormat.SENML_CBOR, SENSOR, 0, SENSOR_VALUE);
            server.send(registration, request, TIMEOUT, response -> {
                if (!response.isSuccess()) {
                    System.err.println("Observe: " + response.getCode());
                }
            }, error -> System.err.println("Observe: " + error));
        }

        @Override
        public void updated(RegistrationUpdate update, Registration updated, Registration previous) {
            // Nothing to do.
        }

        @Override
        public void unregistered(Registration registration, Collection<Observation> observations, boolean expired,
                Registration newRegistration) {
            // Nothing to do.
        }
    }

    private static final class Counter implements ObservationListener {
        @Override
        public void newObservation(Observation observation, Registration registration) {
            // Nothing to do.
        }

        @Override
        public void cancelled(Observation observation) {
            // Nothing to do.
        }

        @Override
        public void onResponse(SingleObservation observation, Registration registration, ObserveResponse response) {
            int samples = response.getTimestampedLwM2mNodes() == null ? 0 : response.getTimestampedLwM2mNodes().size();
            readings.add(Math.max(1, samples));
        }

        @Override
        public void onResponse(CompositeObservation observation, Registration registration,
                ObserveCompositeResponse response) {
            readings.increment();
        }

        @Override
        public void onError(Observation observation, Registration registration, Exception error) {
            System.err.println("Notification: " + error);
        }
    }
}
