package tapedeck.ad.run;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Flight-recorder events of the engine. They cost next to nothing while no recording runs. */
public final class Events {
  private Events() {}

  /**
   * {@return whether the flight recorder is in use} Until then events are not made, since loading
   * what they extend takes a tenth of a second.
   */
  public static boolean areOn() {
    return FlightRecorder.isInitialized();
  }

  /** A function was traced onto a tape. */
  @Name("tapedeck.Trace")
  @Label("Trace")
  @Category("Tapedeck")
  public static final class Traced extends Event {
    /** Name of the transform. */
    @Label("Transform")
    public String transform;

    /** Length of the tape. */
    @Label("Equations")
    public int equations;

    /** An event without a name and length, which are set before it is committed. */
    public Traced() {}
  }

  /** A tape was scheduled and compiled for a device. */
  @Name("tapedeck.Compile")
  @Label("Compile")
  @Category("Tapedeck")
  public static final class Compiled extends Event {
    @Label("Device")
    String device;

    @Label("Equations")
    int equations;

    @Label("Kernels")
    int kernels;

    @Label("Arena")
    @DataAmount
    long arenaBytes;

    Compiled() {}
  }

  /** A schedule was submitted; the time is the host's, not the device's. */
  @Name("tapedeck.Run")
  @Label("Run")
  @Category("Tapedeck")
  @StackTrace(false)
  public static final class Ran extends Event {
    @Label("Device")
    String device;

    @Label("Kernels")
    int kernels;

    Ran() {}
  }

  /** Device memory was allocated, because the pool had no buffer of its size. */
  @Name("tapedeck.Allocate")
  @Label("Allocate")
  @Category("Tapedeck")
  public static final class Allocated extends Event {
    @Label("Device")
    String device;

    @Label("Size")
    @DataAmount
    long bytes;

    Allocated() {}
  }

  /** Host data was copied to a device. */
  @Name("tapedeck.Upload")
  @Label("Upload")
  @Category("Tapedeck")
  public static final class Uploaded extends Event {
    @Label("Device")
    String device;

    @Label("Size")
    @DataAmount
    long bytes;

    Uploaded() {}
  }

  /** A tensor was read; the time includes the wait for the device. */
  @Name("tapedeck.Read")
  @Label("Read")
  @Category("Tapedeck")
  public static final class Read extends Event {
    @Label("Device")
    String device;

    @Label("Size")
    @DataAmount
    long bytes;

    Read() {}
  }
}
