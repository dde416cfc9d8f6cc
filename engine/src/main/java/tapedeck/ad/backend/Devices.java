package tapedeck.ad.backend;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.backend.BackendProvider.Candidate;
import tapedeck.ad.backend.BackendProvider.Discovery;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.SourceLine;

/**
 * The devices of all backends. A device is opened at its first use and stays open until the JVM
 * ends or it is closed here. A backend that cannot be used is never an error by itself: it leaves a
 * line that says why.
 */
public final class Devices {
  /**
   * Everything that was found.
   *
   * @param devices devices that may be opened, highest priority first
   * @param rejections one line for each backend, platform or device that cannot be used
   */
  public record Listing(List<Candidate> devices, List<String> rejections) {}

  private static final ScopedValue<String> SCOPED = ScopedValue.newInstance();
  private static final Object LOCK = new Object();
  private static final Map<String, Device> OPEN = new LinkedHashMap<>();
  private static final Map<BackendProvider, Discovery> FOUND = new LinkedHashMap<>();
  private static final List<Consumer<Device>> CLOSING = new CopyOnWriteArrayList<>();

  /** Backends that did not load, and devices that did not open. */
  private static final Map<String, String> FAILED = new LinkedHashMap<>();

  private static @Nullable List<BackendProvider> providers;

  private Devices() {}

  /**
   * {@return all devices and rejections} The first call asks every backend; later calls repeat its
   * answer.
   */
  public static Listing list() {
    synchronized (LOCK) {
      List<Candidate> devices = new ArrayList<>();
      List<String> rejections = new ArrayList<>();
      for (BackendProvider p : providers()) {
        Discovery d = discover(p);
        devices.addAll(d.devices());
        rejections.addAll(d.rejections());
      }
      devices.sort(Comparator.comparingInt((Candidate c) -> c.info().priority()).reversed());
      rejections.addAll(FAILED.values());
      return new Listing(List.copyOf(devices), List.copyOf(rejections));
    }
  }

  /**
   * Opens a device, if it is not open already.
   *
   * @param name as in {@link Candidate#name}; {@code opencl} stands for the first device of the
   *     backend of that name
   * @return the open device, which is shared and closed with {@link #close}
   * @throws DeviceException if there is no such device or it does not open; the message lists what
   *     there is and why the rest was rejected
   */
  public static Device open(String name) {
    synchronized (LOCK) {
      Device known = OPEN.get(name);
      if (known != null) {
        return known;
      }
      Candidate c = candidate(name);
      if (c == null) {
        throw SourceLine.at(
            new DeviceException("[device] there is no device '" + name + "'" + inventory()));
      }
      return open(c);
    }
  }

  private static Device open(Candidate c) {
    Device known = OPEN.get(c.name());
    if (known == null) {
      known = c.open();
      OPEN.put(c.name(), known);
      FAILED.remove(c.name());
    }
    return known;
  }

  private static @Nullable Candidate candidate(String name) {
    int colon = name.indexOf(':');
    String backend = colon < 0 ? name : name.substring(0, colon);
    @Nullable Candidate first = null;
    for (BackendProvider p : providers()) {
      if (!p.name().equals(backend)) {
        continue;
      }
      for (Candidate c : discover(p).devices()) {
        if (c.name().equals(name)) {
          return c;
        }
        first = first == null && colon < 0 ? c : first;
      }
    }
    return first;
  }

  private static String inventory() {
    Listing l = list();
    StringBuilder s = new StringBuilder();
    if (l.devices().isEmpty()) {
      s.append("; no backend offers a device");
    } else {
      s.append("; there is ")
          .append(String.join(", ", l.devices().stream().map(Candidate::name).toList()));
    }
    l.rejections().forEach(r -> s.append("\n  rejected: ").append(r));
    return s.toString();
  }

  /**
   * The device for tensors that are made from host data: that of the innermost {@link #with}, else
   * the one named by {@link Settings#DEVICE}, else the usable device with the highest priority. A
   * device of the last kind that does not open is passed over, and its reason joins the rejections.
   *
   * @return the open device
   * @throws DeviceException if a named device is not there, or no device opens
   */
  public static Device defaultDevice() {
    String name = SCOPED.isBound() ? SCOPED.get() : Settings.DEVICE.get();
    if (!name.isEmpty()) {
      return open(name);
    }
    synchronized (LOCK) {
      for (Candidate c : list().devices()) {
        if (FAILED.containsKey(c.name())) {
          continue;
        }
        try {
          return open(c);
        } catch (DeviceException e) {
          FAILED.put(c.name(), c.name() + ": " + e.getMessage());
        }
      }
      throw SourceLine.at(new DeviceException("[device] no device can be used" + inventory()));
    }
  }

  /**
   * Runs {@code body} with another default device for the calling thread.
   *
   * @param <T> result of the body
   * @param name as for {@link #open}; looked up at its first use; empty for the best usable device
   * @param body called once
   * @return what the body returns
   */
  public static <T> T with(String name, Supplier<T> body) {
    return ScopedValue.where(SCOPED, name).call(body::get);
  }

  /** {@return the devices that are open now, in the order in which they were opened} */
  public static List<Device> opened() {
    synchronized (LOCK) {
      return List.copyOf(OPEN.values());
    }
  }

  /**
   * Closes a device and frees its memory; the next use opens it again. Does nothing if it is not
   * open.
   *
   * @param name full name of the device, as in {@link Device#name}
   */
  public static void close(String name) {
    Device d;
    synchronized (LOCK) {
      d = OPEN.remove(name);
    }
    if (d != null) {
      CLOSING.forEach(l -> l.accept(d));
      d.close();
    }
  }

  /**
   * Calls {@code listener} before a device is closed, so that what holds its memory can let go.
   *
   * @param listener called with every device that is closed here, for as long as the JVM runs
   */
  public static void onClose(Consumer<Device> listener) {
    CLOSING.add(listener);
  }

  private static List<BackendProvider> providers() {
    if (providers == null) {
      List<BackendProvider> found = new ArrayList<>();
      Iterator<ServiceLoader.Provider<BackendProvider>> it =
          ServiceLoader.load(BackendProvider.class).stream().iterator();
      while (true) {
        // A broken entry throws once and is passed by the next call.
        try {
          if (!it.hasNext()) {
            break;
          }
          found.add(it.next().get());
        } catch (ServiceConfigurationError | LinkageError e) {
          FAILED.put("backend " + FAILED.size(), "backend did not load: " + reason(e));
        }
      }
      providers = List.copyOf(found);
    }
    return providers;
  }

  private static Discovery discover(BackendProvider p) {
    Discovery d = FOUND.get(p);
    if (d == null) {
      try {
        d = p.discover();
      } catch (RuntimeException | LinkageError e) {
        d = new Discovery(List.of(), List.of(p.name() + ": " + reason(e)));
      }
      FOUND.put(p, d);
    }
    return d;
  }

  private static String reason(Throwable t) {
    Throwable root = t;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root == t ? t.toString() : t + " (" + root + ")";
  }
}
