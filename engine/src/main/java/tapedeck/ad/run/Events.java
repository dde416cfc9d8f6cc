package tapedeck.ad.run;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Flight-recorder events of the engine. They cost next to nothing while no recording runs. */
public final class Events {
  private Events() {}

  /** A function was traced onto a tape. */
  @Name("tapedeck.Trace")
  @Label("Trace")
  @Category("Tapedeck")
  public static final class Traced extends Event {
    @Label("Transform")
    public String transform;

    @Label("Equations")
    public int equations;
  }

  /** A tape was scheduled and compiled for a device. */
  @Name("tapedeck.Compile")
  @Label("Compile")
  @Category("Tapedeck")
  public static final class Compiled extends Event {
    @Label("Device")
    public String device;

    @Label("Equations")
    public int equations;

    @Label("Kernels")
    public int kernels;

    @Label("Arena")
    @DataAmount
    public long arenaBytes;
  }

  /** A schedule was submitted; the time is the host's, not the device's. */
  @Name("tapedeck.Run")
  @Label("Run")
  @Category("Tapedeck")
  @StackTrace(false)
  public static final class Ran extends Event {
    @Label("Device")
    public String device;

    @Label("Kernels")
    public int kernels;
  }

  /** Host data was copied to a device. */
  @Name("tapedeck.Upload")
  @Label("Upload")
  @Category("Tapedeck")
  public static final class Uploaded extends Event {
    @Label("Device")
    public String device;

    @Label("Size")
    @DataAmount
    public long bytes;
  }

  /** A tensor was read; the time includes the wait for the device. */
  @Name("tapedeck.Read")
  @Label("Read")
  @Category("Tapedeck")
  public static final class Read extends Event {
    @Label("Device")
    public String device;

    @Label("Size")
    @DataAmount
    public long bytes;
  }
}
